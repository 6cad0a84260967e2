"""Dependence that a Gaussian copula misses: a smooth test, and the effect in nats."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from scipy import special
from torch import Tensor

from infoflow.core.checks import paired
from infoflow.estimators.gaussian.canonical_pairs import Columns, Spectrum, columns, spectrum
from infoflow.estimators.neighbors.preparation import normal_scores

# More canonical pairs than this are left out: the cost grows with their square.
_PAIRS = 64

# A warning needs fewer pairs and fewer samples.
_WARNING_PAIRS, _WARNING_SAMPLES = 16, 4000

# A normal variable has kurtosis 3; from here on single samples decide a covariance.
_HEAVY = 10.0

# The test runs on nearly every estimate, so its level is strict.
_SIGNIFICANCE = 1e-4

# Below this share of the Gaussian information there is no warning: correlations near 1 leave ranks that look dependent.
_SHARE = 0.01


class Missed(NamedTuple):
    """Information that a Gaussian copula misses."""

    nats: float
    """Estimate of it, about 0 (on either side) where the copula is Gaussian."""
    noise: float
    """Standard deviation of `nats` where the copula is Gaussian."""
    p_value: float
    """Probability of so much where the copula is Gaussian: over all terms, or in the largest one."""
    gaussian: float
    """Information of the Gaussian copula, in nats."""

    @property
    def significant(self) -> bool:
        """Whether p < 1e-4 and the effect is at least 1 % of the Gaussian information."""
        return self.at_level(_SIGNIFICANCE)

    def at_level(self, level: float) -> bool:
        """Whether p is below a level and the effect is at least 1 % of the Gaussian information."""
        return self.p_value < level and self.nats > _SHARE * self.gaussian


def missed_information(x: Any, y: Any) -> Missed:
    """Estimate the part of I(X;Y) beyond a Gaussian copula, in nats, from x (n, ...) and y (n, ...).

    Columns become normal scores and then canonical variates u, v; each pair (u_i, v_j), v freed of its correlation with
    u, would be independent standard normals. With Hermite polynomials He_a the Edgeworth expansion of the divergence
    from that is ½ Σ E[He_a(u) He_b(v)]² / (a! b!), here over a, b >= 1 with a + b = 3 and 4, less 1/2n a term for
    noise. It is too small where dependence is of higher order (fine spirals), inaccurate where it is strong, and too
    large where many pairs share one cause (a common scale): it tests a Gaussian copula and hardly estimates the
    information. Raises as `columns` and `spectrum` do. (Expansion: Comon 1994, eq. 3.9; test: Koziol 1987.)

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> u, v = rng.normal(size=(2, 5000))
    >>> missed_information(np.exp(u), (u + v) ** 3).significant  # a Gaussian copula under any margins
    False
    >>> missed_information(u, u**2 + v).significant
    True
    """
    left = columns(x, "x", copula=True)
    right = columns(y, "y", copula=True, like=left.values)
    paired(left.values, right.values)
    return missed_by(spectrum(left, right))


def missed_by(found: Spectrum) -> Missed:
    """The same from a spectrum of normal scores.

    >>> scores = Columns(torch.randn(100, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64))
    >>> missed_by(spectrum(scores, scores)).nats  # equal sides: the Gaussian part is infinite
    0.0
    """
    # Many pairs from few samples would all look dependent.
    rho = found.correlations[: min(_PAIRS, found.n // 20)]
    pairs = len(rho)
    if pairs == 0 or math.isinf(found.information()):
        return Missed(0.0, 0.0, 1.0, found.information())
    u, v = found.x[:, :pairs], found.y[:, :pairs]
    squares = _cross(u, v) if pairs > 1 else u.new_empty(len(_ORDERS), 1, 1)
    # On the diagonal v_i still depends on u_i, which is subtracted; in ranks, since with ρ near 1 the few farthest
    # samples would outweigh all others.
    free = _standard(normal_scores(v - rho * u))
    squares.diagonal(dim1=1, dim2=2).copy_(_diagonal(u, free))
    total, terms = float(squares.sum()), squares.numel()
    nats = 0.5 * (total - terms / found.n)
    of_all = special.chdtrc(terms, max(found.n * total, 0.0))
    of_largest = terms * special.chdtrc(1, found.n * float(squares.max()))
    p_value = min(1.0, 2 * float(min(of_all, of_largest)))
    return Missed(nats, math.sqrt(2 * terms) / (2 * found.n), p_value, found.information())


def doubts(x: Columns, y: Columns, found: Spectrum, *, copula: bool) -> tuple[str, ...]:
    """Warnings about a Gaussian estimate from these columns, with cause and remedy.

    >>> side = columns([float(i) ** 5 for i in range(-20, 21)], "x")
    >>> doubts(side, side, spectrum(side, side), copula=True)
    ()
    """
    warnings = []
    for name, side in (("x", x), ("y", y)):
        heaviest = float(side.values.pow(4).mean(dim=0).max()) if side.values.numel() else 0.0
        if not copula and heaviest > _HEAVY:
            warnings.append(
                f"{name} has heavy tails (kurtosis {heaviest:.0f}): few samples determine the estimate; use copula=True"
            )
    rows = slice(None, None, -(-found.n // _WARNING_SAMPLES))
    pairs = slice(None, min(_WARNING_PAIRS, len(found.x[rows]) // 20))
    if found.x[:, pairs].numel() and found.y[:, pairs].numel():
        sides = [variates[rows, pairs] for variates in (found.x, found.y)]
        if not copula:
            sides = [normal_scores(side) for side in sides]
        missed = missed_by(spectrum(*(Columns(_standard(side)) for side in sides)))
        if missed.significant:
            amount = f"roughly {missed.nats:.2g} nats are" if missed.nats < 1 else "perhaps more than a nat is"
            remedy = "a nearest-neighbor estimator" if copula else "copula=True"
            warnings.append(
                f"x and y also depend in ways that correlations do not capture ({amount} missed); "
                f"use estimator='auto' or {remedy}"
            )
    return tuple(warnings)


def _standard(values: Tensor) -> Tensor:
    centered = values - values.mean(dim=0)
    return centered / centered.square().mean(dim=0).sqrt()


_ORDERS = ((1, 2), (2, 1), (2, 2), (1, 3), (3, 1))


def _hermite(values: Tensor) -> dict[int, Tensor]:
    """He_a(v) / √a! for a = 1, 2, 3."""
    square = values.square()
    return {
        1: values,
        2: (square - 1) / math.sqrt(2),
        3: values * (square - 3) / math.sqrt(6),
    }


def _cross(u: Tensor, v: Tensor) -> Tensor:
    """E[He_a(u_i) He_b(v_j)]² / (a! b!) for every order, i and j, (5, r, r)."""
    a, b = _hermite(u), _hermite(v)
    return torch.stack([(a[i].mT @ b[j] / len(u)).square() for i, j in _ORDERS])


def _diagonal(u: Tensor, v: Tensor) -> Tensor:
    """The same for every i = j, (5, r)."""
    a, b = _hermite(u), _hermite(v)
    return torch.stack([(a[i] * b[j]).mean(dim=0).square() for i, j in _ORDERS])
