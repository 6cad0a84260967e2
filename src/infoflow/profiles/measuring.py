"""One pass over batches: activations go to accumulators inside of the hooks, so that none is stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn

from infoflow.core.capture import untouched, unwrapped
from infoflow.core.errors import InfoflowError, InvalidArgument
from infoflow.estimators.streaming.accumulator import RowAccumulator
from infoflow.profiles.batches import Batch
from infoflow.profiles.labels import Labeling
from infoflow.profiles.points import Point, activation
from infoflow.profiles.quantities import Make
from infoflow.profiles.rows import count, rows


class Meter:
    """The accumulators of one point, which are made at its first activations.

    Parameters
    ----------
    point
        Where activations are measured.
    quantities
        Makes each accumulator by name.
    """

    def __init__(self, point: Point, quantities: Mapping[str, Make]) -> None:
        self.point = point
        self.accumulators: dict[str, RowAccumulator] = {}
        self.broken: list[tuple[int, int]] = []
        """Number of each batch with values that are not finite, and of its rows that hold some."""
        self._quantities = quantities
        self._seen: Tensor | None = None

    def hook(self) -> torch.utils.hooks.RemovableHandle:
        """Have the module hand its activations over; the handle removes this."""
        if self.point.before:
            return self.point.module.register_forward_pre_hook(self._before, with_kwargs=True)
        return self.point.module.register_forward_hook(self._after)

    def take(self, batch: Batch, labels: dict[str, Tensor], first: int, number: int) -> None:
        """Accumulate the activations of the batch that just ran."""
        values, self._seen = self._seen, None
        if values is None:
            raise InvalidArgument(
                f"layer {self.point.name!r}",
                "a module that runs once in every forward pass and returns a tensor",
                got_text="none of its activations",
                remedy="Choose another layer.",
            )
        taken = rows(self.point.name, values, batch, labels, first)
        wrong = ~torch.isfinite(taken.values).all(dim=1)
        if bool(wrong.any()):
            self.broken.append((number, int(wrong.sum())))
        if not self.accumulators:
            width = taken.values.shape[1]
            self.accumulators = {name: make(width) for name, make in self._quantities.items()}
        for accumulator in self.accumulators.values():
            accumulator.update(taken.values, taken.labels, documents=taken.documents)

    def _before(self, module: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        self._keep(arguments[0] if arguments else next(iter(named.values()), None))

    def _after(self, module: nn.Module, arguments: tuple[Any, ...], value: Any) -> None:
        self._keep(value)

    def _keep(self, value: Any) -> None:
        if self._seen is not None:
            raise InvalidArgument(
                f"layer {self.point.name!r}",
                "a module that runs once in a forward pass",
                got_text="one that runs several times",
            )
        self._seen = activation(value)


def measure(
    model: nn.Module,
    batches: Iterable[Batch],
    points: Sequence[Point],
    quantities: Mapping[str, Make],
    labeling: Labeling,
) -> list[Meter]:
    """Run the model on batches without gradients, and accumulate at all points.

    Parameters
    ----------
    model
        The network; its mode, buffers and all random states are as before afterwards.
    batches
        The batches.
    points
        Where activations are measured.
    quantities
        Makes each accumulator by name.
    labeling
        What labels the rows.

    Returns
    -------
    list of Meter
        One for each point.

    Raises
    ------
    InvalidArgument
        If there is no batch, or the model cannot run on one.
    """
    inner = unwrapped(model)
    device = next((parameter.device for parameter in inner.parameters()), None)
    meters = [Meter(point, quantities) for point in points]
    documents = 0
    with ExitStack() as stack:
        stack.enter_context(untouched(inner))
        for meter in meters:
            stack.callback(meter.hook().remove)
        number = -1
        for number, batch in enumerate(batches):
            labels = labeling.of(batch)
            try:
                batch.run(inner, device)
            except InfoflowError:
                raise
            except (RuntimeError, TypeError, ValueError, IndexError) as error:
                raise InvalidArgument(f"model cannot run on batch {number}: {error}") from error
            for meter in meters:
                meter.take(batch, labels, documents, number)
            documents += count(batch, labels)
        if number < 0:
            raise InvalidArgument("batches", "at least one batch", got_text="none")
    return meters
