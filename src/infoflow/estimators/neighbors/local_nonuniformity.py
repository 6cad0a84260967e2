"""Correction of nearest-neighbor estimates where neighborhoods are thin: strong dependence (Gao et al. 2015)."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Annotated

import torch
from torch import Tensor

from infoflow.core.settings import Integer, PositiveInt, validated

_SIMULATED = 200_000
_CORRECTED = 0.005
# A ratio below this is rounding: the thin side has less than 2¹² steps of float64.
_FLAT = -40 * math.log(2.0)


LARGEST = 52 * math.log(2.0)
"""The largest correction in nats: that of a neighborhood whose thin side is below the rounding of float64."""


def _log_volume_ratio(offsets: Tensor) -> Tensor:
    """Log of the principal box's volume over the axis-parallel box's (n,), from neighbors' offsets (n, k, 2).

    It is at least that of a box without width, minus `LARGEST`.
    """
    _, axes = torch.linalg.eigh(offsets.mT @ offsets)
    tiny = torch.finfo(offsets.dtype).tiny
    straight = offsets.abs().amax(1).clamp_min(tiny)
    turned = (offsets @ axes).abs().amax(1).clamp_min(tiny)
    ratio: Tensor = turned.log().sum(1) - straight.log().sum(1)
    return ratio.clamp_min(-LARGEST)


def corrections(points: Tensor, index: Tensor, threshold: float) -> tuple[Tensor, float]:
    """The shortfall (n,) of pointwise information, and the share of neighborhoods without width.

    The shortfall is log V̄/V where that is below log threshold, else 0: V is the box of the k neighbors (indices (n, k))
    parallel to the axes of `points` (n, d), V̄ the one parallel to their principal axes about the point. The corrected
    information is the old one minus this (eq. 12 of Gao, Ver Steeg, Galstyan 2015, Efficient Estimation of Mutual
    Information for Strongly Dependent Variables).

    >>> line = torch.arange(6.0, dtype=torch.float64)[:, None].expand(6, 2)
    >>> shortfall, flat = corrections(line, torch.tensor([[1, 2, 3]] * 6), 0.5)
    >>> bool((shortfall < -30).all()), flat
    (True, 1.0)
    """
    ratio = _log_volume_ratio(points[index] - points[:, None])
    flat = float((ratio < _FLAT).to(torch.float64).mean())
    log_threshold = torch.log(torch.tensor(threshold, dtype=ratio.dtype, device=ratio.device))
    return torch.where(ratio < log_threshold, ratio, 0.0), flat


@lru_cache(maxsize=32)
@validated
def nonuniformity_threshold(k: PositiveInt, dimensions: Annotated[int, Integer(2)] = 2) -> float:
    """The volume ratio α below which only 0.5 % of the neighborhoods of k uniform points fall (section 3.3).

    It comes from 200 000 neighborhoods simulated with a generator of its own, so it is always the same.

    >>> 0.0 < nonuniformity_threshold(3) < nonuniformity_threshold(10) < 1.0
    True
    """
    generator = torch.Generator().manual_seed(0)
    offsets = torch.rand(_SIMULATED, k, dimensions, generator=generator, dtype=torch.float64) * 2.0 - 1.0
    return float(torch.quantile(_log_volume_ratio(offsets), _CORRECTED).exp())
