"""The protocol of accumulators, which see activations once and hold sums whose size does not depend on their number.

There are three bases, by what `update` takes; `takes` names it, so that a caller can feed each from one pass:

- `RowAccumulator.update(t, labels=None, weights=None, documents=None)`: `t` of shape (..., d), one row per token or
  picture; `labels` maps names to integers of shape (...), where a negative label leaves the row out of that label set;
  `weights` (...) are non-negative; `documents` (...) are integers that name the document of each row over all batches
  and processes, and decide the folds of the jackknife and what is held out. Without them each row counts as a document.
- `SequenceAccumulator.update(t, mask=None)`: `t` of shape (B, L, d) with a mask (B, L) of what counts, or a list of
  tensors (L, d): whole sequences in their order.
- `ViewAccumulator.update(views)`: `views` of shape (B, V, d), V augmentations of each of B prompts or pictures.

All share: `estimates()`, a list of `Reading`; `estimate()`, the first of them; `merge(other)` and `all_reduce(group)`,
after which an accumulator holds what all saw; `state_dict()`, a flat dictionary of tensors, `load_state_dict`, and
`save` and `load` of a file without pickle; `left_out`, the number of rows that were not finite or had no direction.
Sums are float64 on the device of the activations; products with
references are computed in float32, or in float64 for such input, those of d × d sums in float64.
"""

from __future__ import annotations

import io
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from torch import Tensor

from infoflow.core import distributed
from infoflow.core.agreement import agreeing
from infoflow.core.errors import BrokenStore, InvalidArgument
from infoflow.core.files import read_sealed, write_sealed
from infoflow.estimators.streaming.reading import Reading
from infoflow.estimators.streaming.rows import Rows

_FILE = b"infoflow accumulator 1"
_SETTINGS = "settings"


class Accumulator(ABC):
    """Base of all accumulators: named sums that add up over batches, accumulators and processes.

    Parameters
    ----------
    settings
        What must agree between accumulators that are merged; values that JSON can hold.
    fixed
        Tensors that must agree as well, such as the center.

    Notes
    -----
    A sum that is larger along an axis than another one is added after padding with zeros, so that label sets may grow.
    """

    takes: ClassVar[Literal["rows", "sequences", "views"]]

    def __init__(self, settings: Mapping[str, Any], fixed: Mapping[str, Tensor] | None = None) -> None:
        self._settings = {"class": type(self).__name__, **settings}
        self._fixed: dict[str, Tensor] = dict(fixed or {})
        self._sums: dict[str, Tensor] = {}

    @abstractmethod
    def estimates(self) -> list[Reading]:
        """Return every number that the sums allow so far; an empty list before the first row."""

    def estimate(self) -> Reading:
        """Return the first of `estimates()`.

        Raises
        ------
        InvalidArgument
            If nothing was accumulated.
        """
        found = self.estimates()
        if not found:
            raise InvalidArgument("No rows were accumulated. Call update(...) with activations first.")
        return found[0]

    @property
    def n(self) -> int:
        """Number of rows, sequences or prompts that were accumulated."""
        return round(float(self._sum("n")))

    @property
    def left_out(self) -> dict[str, int]:
        """Number of rows left out because a value was not finite, and because all values were zero."""
        return {"not finite": round(float(self._sum("not finite"))), "zero": round(float(self._sum("zero")))}

    @property
    def fixed(self) -> dict[str, Tensor]:
        """Tensors that accumulators must share to be merged, such as the center, as far as they are known."""
        return {name: tensor.clone() for name, tensor in self._fixed.items()}

    def fix(self, tensors: Mapping[str, Tensor]) -> Self:
        """Set tensors that accumulators must share, before the first row, and return this accumulator.

        Parameters
        ----------
        tensors
            What `fixed` of another accumulator returned.

        Raises
        ------
        InvalidArgument
            If one is known already and differs.
        """
        self._adopt(tensors)
        return self

    def merge(self, other: Accumulator) -> Self:
        """Add what another accumulator with the same settings saw, and return this one.

        Parameters
        ----------
        other
            The other accumulator; it remains as it is.

        Raises
        ------
        InvalidArgument
            If settings or centers differ.
        """
        self._compare(other._settings)
        self._adopt(other._fixed)
        for name, tensor in other._sums.items():
            self._add(name, tensor)
        return self

    def all_reduce(self, group: distributed.Group = None) -> Self:
        """Let every process hold the sum over all, and return this accumulator.

        Parameters
        ----------
        group : torch.distributed.ProcessGroup or None
            The processes; None is this process alone.

        Raises
        ------
        InvalidArgument
            On every process alike, if settings or centers differ.

        Notes
        -----
        A second call without new accumulators would count everything once per process.
        """
        if group is None:
            return self
        layout = {name: list(tensor.shape) for name, tensor in self._sums.items()}
        fixed = {name: tensor.double().cpu().tolist() for name, tensor in self._fixed.items()}
        with agreeing(group, type(self).__name__, self._settings):
            shared = distributed.exchange({"layout": layout, "fixed": fixed}, group, device=self._device())
        held = [each["fixed"] for each in shared]
        for each in held:
            self._adopt({name: torch.tensor(value, dtype=torch.float64) for name, value in each.items()})
        for name in sorted({name for each in shared for name in each["layout"]}):
            shapes = [each["layout"][name] for each in shared if name in each["layout"]]
            shape = [max(sizes) for sizes in zip(*shapes, strict=True)]
            mine = self._sums.get(name, torch.zeros(shape, dtype=torch.float64, device=self._device()))
            self._sums[name] = distributed.sum_over(_padded(mine, shape), group)
        return self

    def state_dict(self) -> dict[str, Tensor]:
        """Return everything as a flat dictionary of tensors, which safetensors and NumPy can write."""
        text = json.dumps(self._settings, sort_keys=True).encode()
        state = {_SETTINGS: torch.tensor(list(text), dtype=torch.uint8)}
        state |= {f"fixed/{name}": tensor.clone() for name, tensor in self._fixed.items()}
        return state | {f"sum/{name}": tensor.clone() for name, tensor in self._sums.items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> Self:
        """Replace what was accumulated by a saved state, and return this accumulator.

        Parameters
        ----------
        state
            What `state_dict` returned.

        Raises
        ------
        InvalidArgument
            If the state is of another class or other settings.
        """
        if _SETTINGS not in state:
            raise InvalidArgument("state", "what state_dict() returned", got_text=f"keys {sorted(state)[:5]}")
        self._compare(json.loads(bytes(state[_SETTINGS].tolist())))
        for part, target in (("fixed", self._fixed), ("sum", self._sums)):
            target.clear()
            found = {name: tensor for name, tensor in state.items() if name.startswith(f"{part}/")}
            target.update({name.partition("/")[2]: tensor.clone() for name, tensor in found.items()})
        return self

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the state to a file of arrays with a checksum, without pickle, in one step.

        Parameters
        ----------
        path
            File to create or replace.
        """
        arrays = {name: tensor.cpu().numpy() for name, tensor in self.state_dict().items()}
        content = io.BytesIO()
        np.savez(content, allow_pickle=False, **arrays)
        write_sealed(path, _FILE, content.getvalue())

    def load(self, path: str | os.PathLike[str]) -> Self:
        """Replace what was accumulated by the state in a file, and return this accumulator.

        Parameters
        ----------
        path
            File that `save` wrote.

        Raises
        ------
        BrokenStore
            If the file is damaged or of another kind.
        InvalidArgument
            If the state is of another class or other settings.
        """
        try:
            with np.load(io.BytesIO(read_sealed(path, _FILE)), allow_pickle=False) as arrays:
                return self.load_state_dict({name: torch.from_numpy(arrays[name]) for name in arrays.files})
        except (OSError, KeyError) as error:
            if isinstance(error, FileNotFoundError):
                raise
            raise BrokenStore(f"{os.fspath(path)} is not a saved accumulator.") from error

    def _sum(self, name: str) -> Tensor:
        """The sum of that name; zero where nothing was added."""
        return self._sums.get(name, torch.zeros((), dtype=torch.float64))

    def _add(self, name: str, value: Tensor | float) -> None:
        mine = self._sums.get(name)
        if mine is None:
            self._sums[name] = torch.as_tensor(value).detach().to(torch.float64, copy=True)
            return
        value = torch.as_tensor(value, device=mine.device)
        # In place, since new tensors of a table or a d × d matrix cost more than the addition.
        self._grown(name, value.shape).add_(_padded(value, self._sums[name].shape))

    def _grown(self, name: str, shape: Sequence[int], device: torch.device | None = None) -> Tensor:
        """The sum of that name itself, padded with zeros to at least this shape; zeros where nothing was added."""
        mine = self._sums.get(name)
        if mine is None:
            mine = torch.zeros(list(shape), dtype=torch.float64, device=device)
        larger = [max(sizes) for sizes in zip(mine.shape, shape, strict=True)]
        self._sums[name] = _padded(mine, larger)
        return self._sums[name]

    def _device(self) -> torch.device:
        return next((tensor.device for tensor in self._sums.values()), torch.device("cpu"))

    def _compare(self, settings: Mapping[str, Any]) -> None:
        # By way of JSON, as saved settings come back.
        mine = json.loads(json.dumps(self._settings))
        theirs = json.loads(json.dumps(settings))
        differing = sorted(name for name in {*mine, *theirs} if mine.get(name) != theirs.get(name))
        if differing:
            name = differing[0]
            raise InvalidArgument(f"{name} of both accumulators", f"equal ({mine.get(name)!r})", theirs.get(name))

    def _adopt(self, fixed: Mapping[str, Tensor]) -> None:
        """Take fixed tensors over where there are none, and compare them where there are."""
        for name, tensor in fixed.items():
            mine = self._fixed.setdefault(name, tensor.clone())
            if not torch.equal(mine.double().cpu(), tensor.double().cpu()):
                raise InvalidArgument(
                    f"Accumulators that are merged must have one {name}; these differ. Pass the same {name} to each."
                )


class RowAccumulator(Accumulator):
    """Base of accumulators of rows; see the module for what `update` takes."""

    takes = "rows"

    @abstractmethod
    def update(
        self,
        t: Tensor,
        labels: Mapping[str, Tensor] | None = None,
        weights: Tensor | None = None,
        documents: Tensor | None = None,
    ) -> None:
        """Add a batch of rows.

        Parameters
        ----------
        t : Tensor of shape (..., d)
            Activations.
        labels : mapping of str to integer Tensor of shape (...)
            Label sets by name; a negative label leaves the row out of that set.
        weights : Tensor of shape (...)
            Non-negative weight of each row; 1 without.
        documents : integer Tensor of shape (...)
            Document of each row, numbered over all batches and processes.

        Raises
        ------
        InvalidArgument
            If shapes or types do not fit, or a label is beyond the stated number of classes.
        """

    def update_checked(self, rows: Rows) -> None:
        """Add rows that `checked_rows` returned, which several accumulators can share.

        Parameters
        ----------
        rows
            Finite rows of shape (n, d).

        Raises
        ------
        InvalidArgument
            As `update` does.
        """
        self.update(rows.t, rows.labels, rows.weights if rows.weighted else None, rows.documents)


class SequenceAccumulator(Accumulator):
    """Base of accumulators of whole sequences; see the module for what `update` takes."""

    takes = "sequences"

    @abstractmethod
    def update(self, t: Tensor | Sequence[Tensor], mask: Tensor | None = None) -> None:
        """Add a batch of sequences.

        Parameters
        ----------
        t : Tensor of shape (B, L, d), or sequence of Tensors of shape (L, d)
            Activations in the order of the sequence.
        mask : Tensor of shape (B, L)
            Nonzero where a position counts.

        Raises
        ------
        InvalidArgument
            If shapes do not fit.
        """


class ViewAccumulator(Accumulator):
    """Base of accumulators of augmented views; see the module for what `update` takes."""

    takes = "views"

    @abstractmethod
    def update(self, views: Tensor) -> None:
        """Add a batch of prompts or pictures in several augmentations.

        Parameters
        ----------
        views : Tensor of shape (B, V, d)
            Representations; V ≥ 2 views of each.

        Raises
        ------
        InvalidArgument
            If the shape does not fit.
        """


def _padded(tensor: Tensor, shape: Sequence[int]) -> Tensor:
    if list(tensor.shape) == list(shape):
        return tensor
    larger = tensor.new_zeros(list(shape))
    larger[tuple(slice(0, size) for size in tensor.shape)] = tensor
    return larger
