"""Rows of a batch: shapes, values that are not finite, directions, folds, and shuffles that depend on content alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from infoflow.core.errors import InvalidArgument

# Multipliers of SplitMix64, as signed 64-bit integers.
_MIX = (-0x61C8864680B583EB, -0x40A7B892E31B1A47, -0x6B2FB644ECCEEE15)


@dataclass(frozen=True)
class Rows:
    """The finite rows of a batch.

    Parameters
    ----------
    t : Tensor of shape (n, d)
        In float32 or float64.
    labels : mapping of str to Tensor of shape (n,)
        Label sets.
    weights : Tensor of shape (n,)
        In float64.
    documents : Tensor of shape (n,) or None
        Documents.
    not_finite
        Number of rows left out.
    length : Tensor of shape (n,)
        Euclidean length of each row; infinite where its square leaves the range of the type.
    weighted
        Whether weights were passed; all are 1 otherwise.
    """

    t: Tensor
    labels: dict[str, Tensor]
    weights: Tensor
    documents: Tensor | None
    not_finite: int
    length: Tensor
    weighted: bool

    def select(self, index: Tensor, not_finite: int = 0) -> Rows:
        """Return some of the rows, by position or mask."""
        labels = {name: label[index] for name, label in self.labels.items()}
        documents = None if self.documents is None else self.documents[index]
        parts = self.t[index], labels, self.weights[index], documents
        return Rows(*parts, not_finite, self.length[index], self.weighted)

    def generator(self, seed: int = 0) -> torch.Generator:
        """A generator that depends on the rows alone; accumulators that share the rows share its computation."""
        return _generator(self._content, seed)

    @cached_property
    def _content(self) -> int:
        return _content(self.t)


def checked_rows(
    t: Tensor,
    dimensions: int,
    labels: Mapping[str, Tensor] | None = None,
    weights: Tensor | None = None,
    documents: Tensor | None = None,
) -> Rows:
    """Check a batch, flatten its leading axes, and leave out rows with a value that is not finite.

    Parameters
    ----------
    t : Tensor of shape (..., d)
        Activations.
    dimensions
        d.
    labels, weights, documents
        As in `RowAccumulator.update`.

    Returns
    -------
    Rows
        What remains.

    Raises
    ------
    InvalidArgument
        If shapes or types do not fit.
    """
    rows = floating(t, "t")
    if rows.ndim < 2 or rows.shape[-1] != dimensions:
        raise InvalidArgument("t", f"of shape (..., {dimensions})", t)
    lead = rows.shape[:-1]
    rows = rows.reshape(-1, dimensions)
    kept = {name: _integers(label, f"labels[{name!r}]", lead, rows) for name, label in (labels or {}).items()}
    weight = torch.ones(len(rows), dtype=torch.float64, device=rows.device)
    if weights is not None:
        weight = torch.as_tensor(weights, dtype=torch.float64).to(rows.device)
        if weight.shape != lead:
            raise InvalidArgument("weights", f"of shape {tuple(lead)}, as t without its last axis", weight)
        weight = weight.reshape(-1)
        if not bool((weight.isfinite() & (weight >= 0)).all()):
            raise InvalidArgument("weights", "finite and non-negative")
    origin = None if documents is None else _integers(documents, "documents", lead, rows)
    # A length is finite only where all values are, but for an overflow, which the second look decides.
    length = torch.linalg.vector_norm(rows, dim=1)
    good = length.isfinite()
    if not bool(good.all()):
        good = rows.isfinite().all(1)
    whole = Rows(rows, kept, weight, origin, 0, length, weights is not None)
    return whole if bool(good.all()) else whole.select(good, int((~good).sum()))


def floating(t: Tensor, name: str) -> Tensor:
    """Return a detached tensor of real numbers in float32, or in float64 if it is so already."""
    if not isinstance(t, Tensor) or t.is_complex():
        raise InvalidArgument(name, "a tensor of real numbers", got_text=type(t).__name__)
    return t.detach() if t.dtype is torch.float64 else t.detach().float()


def _integers(value: Tensor, name: str, lead: torch.Size, rows: Tensor) -> Tensor:
    tensor = torch.as_tensor(value)
    if tensor.is_floating_point() or tensor.is_complex():
        raise InvalidArgument(name, "integers", got_text=str(tensor.dtype).removeprefix("torch."))
    if tensor.shape != lead:
        raise InvalidArgument(name, f"of shape {tuple(lead)}, as t without its last axis", tensor)
    return tensor.detach().to(rows.device, torch.int64).reshape(-1)


def directions(t: Tensor) -> tuple[Tensor, Tensor]:
    """Rows of length one, and which rows have a direction; the others are zero.

    Examples
    --------
    >>> unit, has = directions(torch.tensor([[3.0, 4.0], [0.0, 0.0], [1e30, 0.0]]))
    >>> unit.tolist(), has.tolist()
    ([[0.6000000238418579, 0.800000011920929], [0.0, 0.0], [1.0, 0.0]], [True, False, True])
    """
    length = torch.linalg.vector_norm(t, dim=1, keepdim=True)
    extreme = ~((length > 1e-15) & length.isfinite()).squeeze(1)
    if bool(extreme.any()):  # squares of very large or small values leave the range of the type
        t = t.clone()
        t[extreme] /= t[extreme].abs().amax(1, keepdim=True).clamp_min(torch.finfo(t.dtype).tiny)
        length = torch.linalg.vector_norm(t, dim=1, keepdim=True)
    has = length.squeeze(1) > 0
    return t / length.clamp_min(torch.finfo(t.dtype).tiny), has


def hashed(numbers: Tensor, seed: int = 0) -> Tensor:
    """Map integers to non-negative integers below 2⁶², as if at random (SplitMix64).

    Examples
    --------
    >>> sorted((hashed(torch.arange(8)) % 4).bincount().tolist())[0] > 0
    True
    """
    offset = ((seed + 1) * _MIX[0] + 2**63) % 2**64 - 2**63
    z = numbers.to(torch.int64) + offset
    z = (z ^ _shifted(z, 30)) * _MIX[1]
    z = (z ^ _shifted(z, 27)) * _MIX[2]
    return _shifted(z ^ _shifted(z, 31), 2)


def _shifted(z: Tensor, bits: int) -> Tensor:
    """Shift right without the sign."""
    return (z >> bits) & ((1 << (64 - bits)) - 1)


def content_generator(t: Tensor, seed: int = 0) -> torch.Generator:
    """A generator that depends on the batch alone, so that order and processes do not matter.

    All rows take part: the first token of a causal model has the same activation in every batch.
    """
    return _generator(_content(t), seed)


def _content(t: Tensor) -> int:
    bits = t[:, :4].double().contiguous().view(torch.int64)
    # Sums of integers wrap and do not depend on their order, unlike those of floats.
    each = hashed(bits + hashed(torch.arange(bits.numel(), device=bits.device)).view_as(bits))
    return int(each.sum()) + len(t)


def _generator(content: int, seed: int) -> torch.Generator:
    return torch.Generator().manual_seed((content + seed * -_MIX[0]) % 2**63)


def thinned(rows: Rows, every: int, seed: int = 0) -> Rows:
    """One of `every` rows on average, at random by the content of the batch, at least one."""
    if every == 1 or len(rows.t) == 0:
        return rows
    count = max(1, round(len(rows.t) / every))
    order = torch.randperm(len(rows.t), generator=rows.generator(seed))
    return rows.select(order[:count].sort().values.to(rows.t.device), rows.not_finite)
