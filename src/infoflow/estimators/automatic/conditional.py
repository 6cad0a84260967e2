"""What the default for conditional information rests on: residuals, whether z still matters, and local Gaussians."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infoflow.core.estimate import Estimate, Interval, Kind
from infoflow.core.variable import Variable, beside
from infoflow.estimators.automatic.description import WIDTH_OF_NEIGHBORS
from infoflow.estimators.automatic.policy import Auto
from infoflow.estimators.registry import resolve
from infoflow.estimators.smoothing import Basis, Smoother, best, predictable
from infoflow.estimators.wrappers.mixed_types import arranged
from infoflow.estimators.wrappers.significance import shuffled_null

Array = NDArray[np.float64]

# Standard errors by which z must predict a variance to divide it out, and a moment to matter still.
_SCALE, _MOMENT = 3.0, 3.0

# Standardized residuals are cut at this, and at most so many moments of each kind are tested.
_CUT, _MOMENTS = 4.0, 6

# The permutation test whether z still matters: samples, permutations, neighbors.
_TESTED, _PERMUTATIONS, _NEIGHBORS = 500, 39, 10

# Shares of the samples that a regression takes as degrees of freedom: from here on its errors are looked at, and a
# flexible one is warned of.
_LOOKED_AT, _WARNED = 0.005, 0.05

# Nats and share of the estimate above which what errors hide is warned of.
_NOTICEABLE, _NOTICEABLE_SHARE = 0.05, 0.1

# Draws of noise as large as the errors of the regression.
_DRAWS = 3


@dataclass(frozen=True)
class Freed:
    """x and y less their regressions on z, the degrees of freedom that these took, and what smoothed, if anything."""

    x: Variable
    y: Variable
    freedom: float
    flexible: bool
    smoother: Smoother | None = None


def freed(x: Variable, y: Variable, available: Sequence[Basis]) -> Freed:
    """Numbers less their regression on z, and divided by a standard deviation that z predicts; symbols as they are.

    One smoother serves all columns: errors of the fit then leave correlations between x and y as they are.
    """
    columns = np.concatenate([x.columns, y.columns], axis=1)
    if columns.shape[1] == 0:
        return Freed(x, y, 0.0, False)
    size = _size(columns)
    fit = best(columns / size, available)
    left = fit.residuals(columns / size)
    left = left / _deviations(left, available)
    split = x.columns.shape[1]
    parts = [
        side if side.numbers is None else dataclasses.replace(side, numbers=part)
        for side, part in ((x, left[:, :split] * size[:split]), (y, left[:, split:] * size[split:]))
    ]
    return Freed(parts[0], parts[1], fit.freedom, fit.flexible, fit)


def _size(columns: Array) -> Array:
    """The largest value of each column, or 1 where all are 0."""
    size = np.abs(columns).max(axis=0)
    return np.where(size > 0, size, 1.0)


def freed_alike(y: Variable, available: Sequence[Basis]) -> Callable[[Variable], Freed]:
    """The target less its regression on z, as a function of x, which is freed by the same smoother.

    The smoother is the one that predicts the target best, so that it treats all x alike; it costs one product each.

    >>> from infoflow.core.columns import read
    >>> from infoflow.estimators.smoothing import bases
    >>> x, z = (read(np.random.default_rng(seed).normal(size=200), name) for seed, name in enumerate("xz"))
    >>> left = freed_alike(read(z.columns**2, "y"), bases(z))(x)
    >>> bool(abs(np.corrcoef(left.y.columns[:, 0], z.columns[:, 0] ** 2)[0, 1]) < 0.2), left.x.columns.shape
    (True, (200, 1))
    """
    alone = freed(y, y, available)

    def of(x: Variable) -> Freed:
        left, columns = x, x.columns
        if x.numbers is not None and columns.shape[1]:
            size = _size(columns)
            left = (
                freed(x, y, available).x
                if alone.smoother is None
                else dataclasses.replace(x, numbers=alone.smoother.residuals(columns / size) * size)
            )
        return dataclasses.replace(alone, x=left)

    return of


def _deviations(residuals: Array, available: Sequence[Basis]) -> Array:
    """Standard deviations (n, t) as far as z predicts them, each from the other samples; 1 where it does not."""
    found = np.ones_like(residuals)
    for at, column in enumerate(residuals.T):
        if (variance := column.var()) == 0:
            continue
        logs = np.log(np.square(column) + 1e-9 * variance)[:, None]
        logs -= logs.mean()
        if predictable(logs, available, _SCALE)[0]:
            found[:, at] = np.exp(0.5 * (logs - best(logs, available).left_out(logs)))[:, 0]
    return found


def still_matters(left: Freed, z: Variable, available: Sequence[Basis]) -> bool:
    """Whether z predicts a second moment of the residuals, or a permutation test finds dependence on it at 2.5 %."""
    a, b = (_standard(side.columns) for side in (left.x, left.y))
    squares = np.square(np.concatenate([a, b], axis=1))[:, :_MOMENTS]
    products = (a[:, :, None] * b[:, None, :]).reshape(len(a), -1)[:, :_MOMENTS]
    moments = np.concatenate([squares, products], axis=1)
    if moments.shape[1] and bool(predictable(moments, available, _MOMENT).any()):
        return True
    return depends(beside([left.x, left.y], "x"), z)


def depends(side: Variable, z: Variable) -> bool:
    """Whether a variable depends on z, by a permutation test of nearest neighbors at the 2.5 % level.

    >>> from infoflow.core.columns import read
    >>> rng = np.random.default_rng(0)
    >>> x, z = (read(rng.normal(size=200), name) for name in "xz")
    >>> depends(x, z), depends(read(x.columns * z.columns, "x"), z)
    (False, True)
    """
    rows = np.arange(0, len(z), -(-len(z) // _TESTED))
    k = min(_NEIGHBORS, max(1, len(rows) // 10))
    chosen, (left, given) = arranged(resolve("mixed", k=k), [side.take(rows), z.take(rows)])
    null = shuffled_null(chosen, left, given, permutations=_PERMUTATIONS)
    return null.p_value(chosen.estimate(left, given).nats) <= 1 / (1 + _PERMUTATIONS)


def _standard(columns: Array) -> Array:
    deviation = columns.std(axis=0)
    standard: Array = np.clip((columns - columns.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0), -_CUT, _CUT)
    return standard


def of_residuals(found: Estimate, left: Freed) -> Estimate:
    """I(X;Y) of residuals as I(X;Y|Z): the interval and the warnings include what the regression costs.

    Errors of a regression hide dependence that is not linear. As much noise again shows by how much, and the upper end
    of the interval is higher by that.
    """
    n = found.n
    interval, warnings, hidden = found.interval, found.warnings, _hidden(left, n)
    if interval is not None:
        wider = math.sqrt(n / max(1.0, n - left.freedom))
        low, high = found.nats - wider * (found.nats - interval.low), found.nats + wider * (interval.high - found.nats)
        interval = dataclasses.replace(interval, low=low, high=high + hidden)
    if left.flexible and left.freedom > _WARNED * n:
        warnings += (
            f"the regressions on z take {left.freedom:.0f} degrees of freedom of {n} samples, whose errors hide "
            "dependence, so that the estimate is rather too low; use more samples or fewer conditions",
        )
    elif hidden > max(_NOTICEABLE, _NOTICEABLE_SHARE * found.nats):
        warnings += (
            f"as much noise again as the regressions on z leave lowers the estimate by {hidden:.2g} nats, so that it "
            "is rather too low; use more samples or fewer conditions",
        )
    return dataclasses.replace(
        found,
        quantity="I(X;Y|Z)",
        interval=interval,
        warnings=warnings,
        parameters={**found.parameters, "given": "z by regression"},
    )


def _hidden(left: Freed, n: int) -> float:
    """By how much noise as large as the errors of the regression lowers the estimate."""
    sides = [left.x, left.y]
    if left.freedom < _LOOKED_AT * n or any(side.numbers is None or side.mixed for side in sides):
        return 0.0
    choice = Auto().choose(left.x.columns, left.y.columns)
    if choice.estimate.estimator == "Gaussian":  # one smoother for x and y leaves their correlations
        return 0.0
    generator = np.random.default_rng(0)
    share = math.sqrt(left.freedom / n)
    lower = []
    for _ in range(_DRAWS):
        noisy = [side + share * side.std(axis=0) * generator.normal(size=side.shape) for side in (choice.x, choice.y)]
        lower.append(choice.estimator.estimate(*noisy).nats)
    return max(0.0, choice.estimator.estimate(choice.x, choice.y).nats - float(np.mean(lower)))


def varying_gaussian(left: Freed, z: Variable, available: Sequence[Basis]) -> Estimate | None:
    """I(X;Y|Z) of two columns that are Gaussian given z, with a slope and a variance that vary with z; else None.

    The terms are log q(y|x,z)/q(y|z) of samples that are left out of the fit.
    """
    if any(side.numbers is None or side.mixed or side.columns.shape[1] != 1 for side in (left.x, left.y)):
        return None
    a, b = (_standard(side.columns) for side in (left.x, left.y))
    # A marginal variance that is fitted badly makes a direction too high.
    terms = min((_gain(*sides, available) for sides in ((a, b), (b, a))), key=lambda each: float(each.mean()))
    n, nats = len(terms), float(terms.mean())
    half = WIDTH_OF_NEIGHBORS * float(terms.std()) / math.sqrt(n)
    return Estimate(
        nats,
        quantity="I(X;Y|Z)",
        kind=Kind.POINT,
        estimator="Gaussian",
        n=n,
        parameters={"copula": False, "slope": "varies with z"},
        interval=Interval(nats - half, nats + half, spans="samples (spread of the terms)"),
        why=f"x and y depend on each other in a way that varies with {z.name}: a Gaussian for each z",
    )


def _gain(a: Array, b: Array, available: Sequence[Basis]) -> Array:
    varying = [Basis(a * each.free, a * each.penalized) for each in available]
    alone, given = (b - b.mean(axis=0)), best(b, varying).left_out(b)
    return _score(given, available) - _score(alone, available)


def _score(errors: Array, available: Sequence[Basis]) -> Array:
    """Log density (n,) of errors under a normal distribution whose variance varies with z."""
    deviations = _deviations(errors, available)
    scaled = (errors / deviations)[:, 0]
    deviation = scaled.std()
    score: Array = -np.log(deviations[:, 0] * deviation) - 0.5 * np.square(scaled / deviation)
    return score
