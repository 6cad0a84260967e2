"""Transforms of each dimension that leave mutual information unchanged, learned on the training samples alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from infoflow.core.settings import validated

Preprocessing = Literal["gaussianize", "asinh", "standardize", "none"]
PREPROCESSINGS: tuple[str, ...] = get_args(Preprocessing)

# Knots of the quantile function; more have no effect that a network would resolve.
_KNOTS = 1000

# Values that are sorted at a time.
_BLOCK = 1 << 20


class Transform(Protocol):
    """A strictly increasing map of each column."""

    def __call__(self, values: Tensor) -> Tensor: ...


@validated
def learn(values: Tensor, preprocessing: Preprocessing) -> Transform:
    """Learn a transform of each column.

    Parameters
    ----------
    values : Tensor of shape (n, d)
        Samples to learn from.
    preprocessing
        "gaussianize" maps each column to a standard normal by its empirical distribution function (ties take their
        mid-rank; the map continues logarithmically beyond the range, so that it is strictly increasing). "asinh" takes
        asinh of the centered column over its median absolute deviation. "standardize" subtracts the mean and divides
        by the standard deviation. "none" is the identity.

    Returns
    -------
    Transform
        A function of values (k, d).

    Raises
    ------
    UnknownName
        If there is no such preprocessing.

    Notes
    -----
    All transforms are increasing, so that I(X;Y) does not change.

    Examples
    --------
    >>> learn(torch.tensor([[1.0], [10.0], [100.0]]), "gaussianize")(torch.tensor([[10.0]]))
    tensor([[0.]])
    """
    match preprocessing:
        case "gaussianize":
            return _Gaussianize(values)
        case "asinh":
            center = values.median(0).values
            return _Affine(center, _nonzero((values - center).abs().median(0).values, values), asinh=True)
        case "standardize":
            return _Affine(values.mean(0), _nonzero(values.std(0), values), asinh=False)
        case _:
            return _Affine(torch.zeros_like(values[0]), torch.ones_like(values[0]), asinh=False)


def _nonzero(scale: Tensor, values: Tensor) -> Tensor:
    """The scale, or where it is 0 (more than half of a column is one value) the range of the column, or 1."""
    spread = values.amax(0) - values.amin(0)
    scale = torch.where(scale > 0, scale, spread)
    return torch.where(scale > 0, scale, torch.ones_like(scale))


class _Affine:
    def __init__(self, center: Tensor, scale: Tensor, asinh: bool) -> None:
        self.center, self.scale, self.asinh = center, scale, asinh

    def __call__(self, values: Tensor) -> Tensor:
        scaled = (values - self.center) / self.scale
        return scaled.asinh() if self.asinh else scaled


class _Gaussianize:
    """Many columns at once, each by its own knots, padded with the last one to a common number."""

    def __init__(self, values: Tensor) -> None:
        parts = [_knots(part) for part in _blocks(values.T)]
        width = max(levels.shape[1] for levels, _, _ in parts)
        padding = [(0, width - levels.shape[1]) for levels, _, _ in parts]
        self.levels, self.normal = (
            torch.cat(
                [F.pad(part[i][:, None], pad, mode="replicate")[:, 0] for part, pad in zip(parts, padding, strict=True)]
            )
            for i in (0, 1)
        )
        self.last = torch.cat([last for _, _, last in parts])

    def __call__(self, values: Tensor) -> Tensor:
        found, start = [], 0
        for part in _blocks(values.T):
            rows = slice(start, start + len(part))
            found.append(_interpolated(part, self.levels[rows], self.normal[rows], self.last[rows]))
            start += len(part)
        return torch.cat(found).T.contiguous()


def _blocks(columns: Tensor) -> Sequence[Tensor]:
    """Some columns (d, n) at a time, which limits the memory of temporaries."""
    blocks: Sequence[Tensor] = columns.split(max(1, _BLOCK // columns.shape[1]))  # type: ignore[no-untyped-call]
    return blocks


def _knots(columns: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Levels (d, k) of each column, their normal scores, padded with the last level, and its index (d, 1)."""
    d, n = columns.shape
    ordered = columns.sort(1).values
    level = F.pad((ordered[:, 1:] != ordered[:, :-1]).cumsum(1), (1, 0))
    last = level[:, -1:]
    k = int(last.max()) + 1
    levels = ordered[:, -1:].repeat(1, k).scatter_(1, level, ordered)
    counts = torch.zeros((d, k), dtype=torch.int64, device=columns.device)
    counts.scatter_add_(1, level, torch.ones_like(level))
    # Mid-ranks: the count below and half of the level itself.
    below = counts.cumsum(1) - counts
    normal = torch.special.ndtri((below + counts / 2).double() / n).to(columns.dtype)
    normal = torch.where(torch.arange(k, device=columns.device) <= last, normal, normal.gather(1, last))
    if k <= _KNOTS:
        return levels, normal, last
    chosen = torch.arange(_KNOTS, device=columns.device).expand(d, -1).minimum(last)
    for number in torch.unique(last[last >= _KNOTS]).tolist():
        chosen = torch.where(
            last == number, torch.linspace(0, number, _KNOTS, device=columns.device).round().long(), chosen
        )
    return levels.gather(1, chosen), normal.gather(1, chosen), last.clamp(max=_KNOTS - 1)


def _interpolated(columns: Tensor, levels: Tensor, normal: Tensor, last: Tensor) -> Tensor:
    """The normal scores of columns (d, k)."""
    columns = columns.contiguous()
    right = torch.searchsorted(levels, columns).clamp(min=1).minimum(last)
    left = (right - 1).clamp(min=0)
    low, high = levels.gather(1, left), levels.gather(1, right)
    share = ((columns - low) / (high - low)).clamp(0, 1)
    inside = torch.lerp(normal.gather(1, left), normal.gather(1, right), share)
    first, end = levels[:, :1], levels.gather(1, last)
    spread = (end - first) / 2
    above = torch.log1p((columns - end).clamp(min=0) / spread)
    under = torch.log1p((first - columns).clamp(min=0) / spread)
    # For a constant column only the side of a new value is known.
    return torch.where(last == 0, (columns - first).sign(), inside + above - under)
