"""A lower bound by correlations on samples that they were not fitted on, which other lower bounds should reach."""

from __future__ import annotations

import math

import torch
from scipy import special
from torch import Tensor

from infoflow.estimators.gaussian.canonical_pairs import Columns

# Rows beyond these are left out, since the check must cost little; correlations beyond these are noise of the fit.
_ROWS, _STRONGEST = 8000, 0.999

# Directions whose variance is less than this part of the largest do not vary.
_VARIES = 1e-12

# Number of correlations of columns that are held at once.
_BLOCK = 2**22

# Level of the test of correlations of single columns, over all pairs of columns.
_LEVEL = 0.01


def correlation_bound(x: Tensor, y: Tensor) -> tuple[float, float]:
    """NWJ's lower bound on I(X;Y) with the Gaussian log ratio, fitted on one half of x, y and held out, and its error.

    It is at most log n/2. Columns (n, d) are standardized. The ratio is of canonical pairs, whose correlation matrix is
    shrunk so that n may be below d, or of single columns that correlate significantly, which are found where canonical
    pairs of hundreds of columns are noise. The first half also chooses between the two, and their number of pairs.

    >>> x, e = torch.randn(2, 4000, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    >>> round(correlation_bound(x, x + e)[0], 1)  # ½ log 2 = 0.35
    0.3
    """
    n = min(len(x), _ROWS)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))[:n].to(x.device)
    fit, choose, test = order[: n // 3], order[n // 3 : n // 2], order[n // 2 :]
    left, right = (_standard(side.double(), fit) for side in (x, y))
    if not left.shape[1] or not right.shape[1]:
        return 0.0, 0.0
    found = [_terms(*pairs, choose, test) for pairs in (_canonical(left, right, fit), _matched(left, right, fit))]
    expected, terms = max(found, key=lambda each: each[0])
    return (float(terms.mean()), float(terms.std()) / math.sqrt(len(test))) if expected > 0 else (0.0, 0.0)


def _canonical(x: Tensor, y: Tensor, fit: Tensor) -> tuple[Tensor, Tensor]:
    maps = [shrunk_whitening(side[fit]) for side in (x, y)]
    u, v = (side @ weights for side, weights in zip((x, y), maps, strict=True))
    left, _, right = torch.linalg.svd(u[fit].mT @ v[fit] / len(fit), full_matrices=False)
    return u @ left, v @ right.mT


def shrunk_whitening(values: Tensor) -> Tensor:
    """A map (d, r) of centered columns (n, d) to uncorrelated ones, by their covariance with OAS shrinkage.

    (Chen et al. 2010, IEEE Transactions on Signal Processing 58, equation 23.) Only directions in which the n rows vary
    are kept, as the others have no correlations; they follow from products of rows where d exceeds n, in n²d steps.

    >>> shrunk_whitening(torch.tensor([[1.0, 0.0, 1.0], [-1.0, 0.0, -1.0]]))[0].abs()
    tensor([0.8660])
    """
    n, d = values.shape
    wide = d > n
    spread, vectors = torch.linalg.eigh((values @ values.mT if wide else values.mT @ values) / n)
    kept = spread > _VARIES * spread[-1]
    vectors = vectors[:, kept]
    if wide:
        vectors = values.mT @ (vectors / (n * spread[kept]).sqrt())
    scale, square = float(spread.sum()) / d, float(spread.square().sum()) / d**2
    excess = (n + 1) * (square - scale**2 / d)
    shrinkage = 1.0 if excess <= 0 else min((square + scale**2) / excess, 1.0)
    shrunk: Tensor = vectors / ((1 - shrinkage) * spread[kept] + shrinkage * scale).sqrt()
    return shrunk


def _matched(x: Tensor, y: Tensor, fit: Tensor) -> tuple[Tensor, Tensor]:
    """Pairs of columns that correlate significantly and more with each other than with any other column."""
    left, right = x[fit], y[fit]
    partner, strength = left.new_empty(left.shape[1], dtype=torch.long), left.new_empty(left.shape[1])
    back, highest = right.new_zeros(right.shape[1], dtype=torch.long), right.new_zeros(right.shape[1])
    columns = torch.arange(left.shape[1], device=x.device)
    for block in torch.split(columns, max(1, _BLOCK // right.shape[1])):
        rho = (left[:, block].mT @ right).abs() / len(fit)
        strength[block], partner[block] = rho.max(dim=1)
        largest, place = rho.max(dim=0)
        back = torch.where(largest > highest, block[place], back)
        highest = torch.maximum(highest, largest)
    limit = -float(special.ndtri(_LEVEL / 2 / (left.shape[1] * right.shape[1]))) / math.sqrt(len(fit))
    rows = torch.arange(len(partner), device=x.device)
    mutual = (back[partner] == rows) & (strength > limit)
    rows, partner = rows[mutual], partner[mutual]
    sign = (left[:, rows] * right[:, partner]).sum(0).sign()
    return x[:, rows] * sign, y[:, partner]


def _terms(u: Tensor, v: Tensor, choose: Tensor, test: Tensor) -> tuple[float, Tensor]:
    """The bound on the rows that choose, and its terms on the rows that test."""
    # Correlations of other samples than those that chose the directions, so that they aren't too high.
    scale = (u[choose].square().mean(0) * v[choose].square().mean(0)).sqrt().clamp_min(1e-12)
    rho = ((u[choose] * v[choose]).mean(0) / scale).clamp(-_STRONGEST, _STRONGEST)
    used = rho > 3 / math.sqrt(max(len(choose), 1))
    rho, u, v = rho[used], u[:, used], v[:, used]
    u, v = (values / values[choose].square().mean(0).sqrt().clamp_min(1e-12) for values in (u, v))
    return float(_bound(u[choose], v[choose], rho).mean()), _bound(u[test], v[test], rho)


def _bound(u: Tensor, v: Tensor, rho: Tensor) -> Tensor:
    """The terms; log ratios are cut at the log of their number, so that no single shuffled pair decides the mean."""
    cut = math.log(len(u))
    own, other = (_ratio(u, w, rho).clamp(-cut, cut) for w in (v, v.roll(1, 0)))
    return own - other.exp() + 1


def _standard(values: Tensor, rows: Tensor) -> Tensor:
    deviation = values[rows].std(0)
    varies = deviation > 0
    return Columns((values - values[rows].mean(0))[:, varies] / deviation[varies]).values


def _ratio(u: Tensor, v: Tensor, rho: Tensor) -> Tensor:
    unexplained = 1 - rho.square()
    terms = rho / unexplained * (u * v - 0.5 * rho * (u.square() + v.square())) - 0.5 * unexplained.log()
    return terms.sum(1)
