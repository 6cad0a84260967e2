"""Per-dimension transforms that keep mutual information and tame scale and tails, learned on the fit part alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from infoflow.core.checks import choice

Preprocessing = Literal["gaussianize", "asinh", "standardize", "none"]
PREPROCESSINGS = ("gaussianize", "asinh", "standardize", "none")

_KNOTS = 1000  # of the quantile function; more resolve nothing that a network would see

# Numbers that are sorted at a time.
_BLOCK = 1 << 20


class Transform(Protocol):
    """A strictly increasing map of each column."""

    def __call__(self, values: Tensor) -> Tensor: ...


def learn(values: Tensor, method: str) -> Transform:
    """The transform of that name, learned from `values` (n, d) and applicable to any (k, d).

    "gaussianize" maps each column by its empirical distribution function to a standard normal (ties take their
    mid-rank; beyond the range it goes on logarithmically, so that it stays strictly increasing); "asinh" takes asinh of
    the column over its median absolute deviation; "standardize" subtracts the mean and divides by the standard
    deviation; "none" changes nothing. All are increasing, so I(X;Y) stays what it is. Raises UnknownName.

    >>> learn(torch.tensor([[1.0], [10.0], [100.0]]), "gaussianize")(torch.tensor([[10.0]]))
    tensor([[0.]])
    """
    match choice(method, "preprocessing", PREPROCESSINGS):
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
    """A column of which more than half is one value has no deviation about its median: take its range, or 1."""
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
    """Some columns (d, n) at a time, so that what is made of them stays small."""
    blocks: Sequence[Tensor] = columns.split(max(1, _BLOCK // columns.shape[1]))  # type: ignore[no-untyped-call]
    return blocks


def _knots(columns: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Levels (d, k) of each column and their normal scores, padded with the last level, whose number is (d, 1)."""
    d, n = columns.shape
    ordered = columns.sort(1).values
    level = F.pad((ordered[:, 1:] != ordered[:, :-1]).cumsum(1), (1, 0))
    last = level[:, -1:]
    k = int(last.max()) + 1
    levels = ordered[:, -1:].repeat(1, k).scatter_(1, level, ordered)
    counts = torch.zeros((d, k), dtype=torch.int64, device=columns.device)
    counts.scatter_add_(1, level, torch.ones_like(level))
    # Mid-ranks: what lies below and half of the level itself.
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
    # Of a constant only the side is known on which a new value lies.
    return torch.where(last == 0, (columns - first).sign(), inside + above - under)
