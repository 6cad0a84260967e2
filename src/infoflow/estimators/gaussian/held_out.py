"""A lower bound by correlations on samples that they were not fitted on, which other lower bounds should reach."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from infoflow.estimators.gaussian.canonical_pairs import Columns, correlation, whitening

# Rows beyond these are left out, since the check must cost little; correlations beyond these are noise of the fit.
_ROWS, _STRONGEST = 8000, 0.999

# Log ratios are cut at these, so that no single shuffled pair decides the bound.
_CUT = 20.0


def correlation_bound(x: Tensor, y: Tensor) -> tuple[float, float]:
    """NWJ's lower bound on I(X;Y) with the Gaussian log ratio, fitted on one half of x, y and held out, and its error.

    Columns (n, d) are standardized, and their correlation matrix is shrunk, so that n may be below d. The number of
    canonical pairs is chosen on the first half, too.

    >>> x, e = torch.randn(2, 4000, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    >>> round(correlation_bound(x, x + e)[0], 1)  # ½ log 2 = 0.35
    0.3
    """
    n = min(len(x), _ROWS)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))[:n].to(x.device)
    fit, choose, test = order[: n // 3], order[n // 3 : n // 2], order[n // 2 :]
    sides = [_standard(side.double(), fit) for side in (x, y)]
    if not all(side.shape[1] for side in sides):
        return 0.0, 0.0
    maps = [whitening(correlation(side[fit], "oas"), 1e-9) for side in sides]
    u, v = (side @ weights for side, weights in zip(sides, maps, strict=True))
    left, _, right = torch.linalg.svd(u[fit].mT @ v[fit] / len(fit), full_matrices=False)
    u, v = u @ left, v @ right.mT
    # Correlations of other samples than those that chose the directions, so that they aren't too high.
    scale = (u[choose].square().mean(0) * v[choose].square().mean(0)).sqrt().clamp_min(1e-12)
    rho = ((u[choose] * v[choose]).mean(0) / scale).clamp(-_STRONGEST, _STRONGEST)
    used = rho > 3 / math.sqrt(max(len(choose), 1))
    if not bool(used.any()):
        return 0.0, 0.0
    rho, u, v = rho[used], u[:, used], v[:, used]
    u, v = (values / values[choose].square().mean(0).sqrt().clamp_min(1e-12) for values in (u, v))
    own, other = _ratio(u[test], v[test], rho), _ratio(u[test], v[test].roll(1, 0), rho)
    terms = own - other.exp() + 1
    return float(terms.mean()), float(terms.std()) / math.sqrt(len(test))


def _standard(values: Tensor, rows: Tensor) -> Tensor:
    deviation = values[rows].std(0)
    varies = deviation > 0
    return Columns((values - values[rows].mean(0))[:, varies] / deviation[varies]).values


def _ratio(u: Tensor, v: Tensor, rho: Tensor) -> Tensor:
    unexplained = 1 - rho.square()
    terms = rho / unexplained * (u * v - 0.5 * rho * (u.square() + v.square())) - 0.5 * unexplained.log()
    return terms.sum(1).clamp(-_CUT, _CUT)
