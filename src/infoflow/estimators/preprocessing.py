"""Per-dimension transforms that keep mutual information and tame scale and tails, learned on the fit part alone."""

from __future__ import annotations

from typing import Literal, Protocol

import torch
from torch import Tensor

from infoflow.checks import choice

Preprocessing = Literal["gaussianise", "asinh", "standardise", "none"]
PREPROCESSINGS = ("gaussianise", "asinh", "standardise", "none")

_KNOTS = 1000  # of the quantile function; more resolve nothing that a network would see


class Transform(Protocol):
    """A strictly increasing map of each column."""

    def __call__(self, values: Tensor) -> Tensor: ...


def learn(values: Tensor, method: str) -> Transform:
    """The transform of that name, learned from `values` (n, d) and applicable to any (k, d).

    "gaussianise" maps each column by its empirical distribution function to a standard normal (ties take their
    mid-rank; beyond the range it goes on logarithmically, so that it stays strictly increasing); "asinh" takes asinh of
    the column over its median absolute deviation; "standardise" subtracts the mean and divides by the standard
    deviation; "none" changes nothing. All are increasing, so I(X;Y) stays what it is. Raises UnknownName.

    >>> learn(torch.tensor([[1.0], [10.0], [100.0]]), "gaussianise")(torch.tensor([[10.0]]))
    tensor([[0.]])
    """
    match choice(method, "preprocessing", PREPROCESSINGS):
        case "gaussianise":
            return _Gaussianise(values)
        case "asinh":
            centre = values.median(0).values
            return _Affine(centre, _nonzero((values - centre).abs().median(0).values, values), asinh=True)
        case "standardise":
            return _Affine(values.mean(0), _nonzero(values.std(0), values), asinh=False)
        case _:
            return _Affine(torch.zeros_like(values[0]), torch.ones_like(values[0]), asinh=False)


def _nonzero(scale: Tensor, values: Tensor) -> Tensor:
    """A column of which more than half is one value has no deviation about its median: take its range, or 1."""
    spread = values.amax(0) - values.amin(0)
    scale = torch.where(scale > 0, scale, spread)
    return torch.where(scale > 0, scale, torch.ones_like(scale))


class _Affine:
    def __init__(self, centre: Tensor, scale: Tensor, asinh: bool) -> None:
        self.centre, self.scale, self.asinh = centre, scale, asinh

    def __call__(self, values: Tensor) -> Tensor:
        scaled = (values - self.centre) / self.scale
        return scaled.asinh() if self.asinh else scaled


class _Gaussianise:
    def __init__(self, values: Tensor) -> None:
        self.columns = [self._knots(column) for column in values.T]

    @staticmethod
    def _knots(column: Tensor) -> tuple[Tensor, Tensor]:
        levels, counts = torch.unique(column, return_counts=True)
        # Mid-ranks: what lies below and half of the level itself.
        below = counts.cumsum(0) - counts
        normal = torch.special.ndtri((below + counts / 2).double() / column.numel())
        if levels.numel() > _KNOTS:
            chosen = torch.linspace(0, levels.numel() - 1, _KNOTS, device=levels.device).round().long()
            levels, normal = levels[chosen], normal[chosen]
        return levels, normal.to(column.dtype)

    def __call__(self, values: Tensor) -> Tensor:
        return torch.stack([self._apply(v.contiguous(), *k) for v, k in zip(values.T, self.columns, strict=True)], 1)

    @staticmethod
    def _apply(column: Tensor, levels: Tensor, normal: Tensor) -> Tensor:
        if levels.numel() == 1:  # a constant: only the side on which a new value lies is known
            return (column - levels[0]).sign()
        right = torch.searchsorted(levels, column).clamp(1, levels.numel() - 1)
        low, high = levels[right - 1], levels[right]
        share = ((column - low) / (high - low)).clamp(0, 1)
        inside = torch.lerp(normal[right - 1], normal[right], share)
        spread = (levels[-1] - levels[0]) / 2
        above = torch.log1p((column - levels[-1]).clamp(min=0) / spread)
        under = torch.log1p((levels[0] - column).clamp(min=0) / spread)
        return inside + above - under
