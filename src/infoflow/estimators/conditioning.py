"""The conditional mutual information between two variables given others, by any estimator."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from infoflow.core.checks import is_classes
from infoflow.core.columns import read
from infoflow.core.errors import TooFewSamples
from infoflow.core.estimate import Estimate
from infoflow.core.protocols import Estimator
from infoflow.core.settings import validated
from infoflow.core.variable import Missing, Variable, complete, dropped
from infoflow.estimators.automatic.conditional import freed, of_residuals, still_matters, varying_gaussian
from infoflow.estimators.histogram.discrete import Discrete
from infoflow.estimators.mutual_information import mutual_information
from infoflow.estimators.neighbors.ksg import KSG
from infoflow.estimators.neighbors.preparation import normal_scores
from infoflow.estimators.registry import Ability, can, resolve
from infoflow.estimators.smoothing import bases
from infoflow.estimators.wrappers.conditional import chain_rule, over_classes
from infoflow.estimators.wrappers.mixed_types import arranged
from infoflow.pairwise.equal_rows import equal_rows

# A variable is a symbol if each of its values occurs at least so often on average, or if few values do.
_OCCURRENCES, _OCCURRENCES_OF_FEW, _FEW = 20, 4, 8

# Samples for each feature of z in the regressions; with fewer, squares and products are left out.
_SAMPLES_PER_FEATURE = 20


@validated
def conditional_mutual_information(
    x: Any,
    y: Any,
    z: Any,
    estimator: str | Estimator = "auto",
    *,
    missing: Missing = "raise",
    **parameters: Any,
) -> Estimate:
    """Estimate the conditional mutual information I(X;Y|Z) in nats.

    Parameters
    ----------
    x, y, z : array-like of shape (n, ...), column or table
        Samples. Text, booleans and categories are symbols. A tuple of arrays, or a table, is several variables of any
        type. For named estimators one-dimensional integers are classes.
    estimator
        Name ("ksg", "ksg:k=5") or object, or "auto".
    missing
        "raise" raises an error at missing values, "drop" leaves out the rows that have one, with a warning.
    **parameters
        Settings of the named estimator.

    Returns
    -------
    Estimate
        Of the kind of the estimator; a difference of bounds where the chain rule combines two bounds.

    Raises
    ------
    InvalidArgument
        If the samples are neither numbers nor symbols, not finite, or their lengths differ; `UnknownName` for an
        unknown estimator; `TooFewSamples` where no class of z is large enough for it.

    Notes
    -----
    "auto" counts symbols where x, y and z each have at most n/20 different values, or at most 8 and n/4. Otherwise it
    subtracts from the numbers of x and y their regressions on z, and divides by standard deviations that z predicts,
    which leaves I(X;Y|Z) unchanged. The regressions are least squares, with kernels where these predict left-out
    samples better. Where neither second moments nor a permutation test show dependence of the residuals on z, I(X;Y|Z)
    is the mutual information of the residuals, by `mutual_information`; a warning names regressions so flexible that
    their errors hide dependence. Otherwise it is the larger of nearest neighbors of residuals and z and of a Gaussian
    whose slope and variance vary with z, with the warning that it is too low in many dimensions.

    For classes z a named estimator gives Σ_c p(c) I(X;Y|Z=c), class by class; "discrete" counts all samples. For
    continuous z it is the estimator's own form where it has one (`KSG`, `Gaussian`), else the chain rule
    I(X,Z;Y) − I(Z;Y), whose two errors add up. With a lower bound it is a difference of two lower bounds, which bounds
    nothing.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.normal(size=(2, 3000))
    >>> z = x + y  # independent x and y become dependent once their sum is known
    >>> conditional_mutual_information(x, y, z + rng.normal(size=3000)).nats  # -½ log(1 - 1/4) = 0.1438
    0.1
    >>> city = np.array(["Rome", "Oslo"])[np.arange(3000) % 2]
    >>> conditional_mutual_information(x, y, (city, z)).nats > 1  # x and z give y
    True
    """
    sides = [read(value, name) for value, name in ((x, "x"), (y, "y"), (z, "z"))]
    total = len(sides[0])
    sides, count = complete(sides, missing)
    if isinstance(estimator, str) and estimator == "auto" and not parameters:
        found = _automatic(*sides)
    else:
        found = _named(resolve(estimator, **parameters), sides)
    return dataclasses.replace(found, warnings=(*found.warnings, *dropped(count, total)))


def _named(chosen: Any, sides: list[Variable]) -> Estimate:
    chosen, (x, y, z) = arranged(chosen, sides)
    if is_classes(z) and not isinstance(chosen, Discrete):
        return over_classes(chosen, x, y, z)
    if can(chosen, Ability.CONDITIONAL):
        answer: Estimate = chosen.conditional(x, y, z)
        return answer
    return chain_rule(chosen, x, y, z)


def _automatic(x: Variable, y: Variable, z: Variable) -> Estimate:
    x, y, z = (by_values(side) for side in (x, y, z))
    if x.symbolic and y.symbolic and z.symbolic:
        return Discrete("grassberger").conditional(x.codes, y.codes, z.codes)
    if z.symbols.shape[1] and len(np.unique(z.symbols, axis=0)) == len(z):
        raise TooFewSamples(
            "z",
            "symbols of which one occurs at least twice",
            got_text=f"{len(z)} different symbols in {len(z)} samples",
            remedy="Merge them, or pass numbers if they are quantities or times.",
        )
    available = bases(z)
    left = freed(x, y, available)
    if not still_matters(left, z, available):
        return of_residuals(mutual_information(left.x, left.y), left)
    near, local = _named(KSG(), [left.x, left.y, z]), varying_gaussian(left, z, available)
    found = local if local is not None and local.nats > near.nats else near
    dimensions = sum(max(1, side.columns.shape[1]) for side in (x, y, z))
    beyond = (
        "x or y depend on z in a way that regressions do not remove, and nearest neighbors underestimate in "
        f"{dimensions} dimensions, so that the estimate is rather too low; use more samples or fewer conditions"
    )
    return dataclasses.replace(found, warnings=(*found.warnings, beyond))


def by_values(side: Variable) -> Variable:
    """The variable as a symbol where each value occurs 20 times on average, or 4 times of at most 8; else as floats.

    >>> by_values(read(np.arange(100) % 3, "x")).symbolic, by_values(read(np.arange(100), "x")).symbolic
    (True, False)
    """
    if side.numbers is None or side.mixed:
        return side
    columns = side.columns
    codes, different = equal_rows(torch.from_numpy(columns.copy()))
    if different * (_OCCURRENCES if different > _FEW else _OCCURRENCES_OF_FEW) > len(side):
        return dataclasses.replace(side, numbers=columns)
    return Variable(side.name, None, codes.numpy()[:, None], side.missing)


def residuals(side: Variable, z: Variable) -> Variable:
    """The numbers of a variable less their least-squares fit by z: linear, quadratic, and constant for each symbol.

    >>> z = read(np.linspace(0, 1, 100), "z")
    >>> float(np.abs(residuals(read(3 * z.columns, "x"), z).columns).max()) < 1e-9
    True
    """
    if side.numbers is None:
        return side
    values = side.columns
    scale = np.abs(values).max(axis=0, initial=0.0)
    features, _ = np.linalg.qr(_features(z))
    values = values / np.where(scale > 0, scale, 1.0)
    return dataclasses.replace(side, numbers=(values - features @ (features.T @ values)) * scale)


def _features(z: Variable) -> NDArray[np.float64]:
    n, indicators = len(z), z.indicators[:, z.columns.shape[1] :]
    numbers = z.columns
    centered = numbers - numbers.mean(axis=0)
    linear = centered / np.maximum(centered.std(axis=0), 1e-300)
    scores = normal_scores(torch.from_numpy(numbers)).numpy() if numbers.shape[1] else numbers
    d = numbers.shape[1]
    products = np.stack([scores[:, i] * scores[:, j] for i in range(d) for j in range(i, d)] or [np.ones(n)], axis=1)
    parts = [np.ones((n, 1)), linear, indicators]
    if (products.shape[1] + 2 * d) * _SAMPLES_PER_FEATURE <= n:
        parts += [scores, products]
    return np.concatenate(parts, axis=1)
