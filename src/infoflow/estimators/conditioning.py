"""The conditional mutual information between two variables given others, by any estimator."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from infoflow.core.checks import is_classes
from infoflow.core.columns import read
from infoflow.core.errors import TooFewSamples
from infoflow.core.estimate import Estimate
from infoflow.core.protocols import Estimator
from infoflow.core.settings import validated
from infoflow.core.variable import Missing, Variable, complete, dropped
from infoflow.estimators.automatic.conditional import freed, freed_alike, of_residuals, still_matters, varying_gaussian
from infoflow.estimators.gaussian.gaussian import Gaussian
from infoflow.estimators.histogram.discrete import Discrete
from infoflow.estimators.mutual_information import mutual_information
from infoflow.estimators.neighbors.ksg import KSG
from infoflow.estimators.registry import Ability, can, resolve
from infoflow.estimators.smoothing import bases
from infoflow.estimators.wrappers.conditional import chain_rule, over_classes
from infoflow.estimators.wrappers.mixed_types import arranged
from infoflow.pairwise.equal_rows import equal_rows

# A variable is a symbol if each of its values occurs at least so often on average, or if few values do.
_OCCURRENCES, _OCCURRENCES_OF_FEW, _FEW = 20, 4, 8

# Neighbors of a statistic of surrogates, which varies less than the estimate.
_NEIGHBORS = 5


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


def like(found: Estimate, y: Variable, z: Variable) -> Callable[[Variable], float]:
    """I(X;Y|Z) as "auto" estimated `found`, as a function of x, without choosing anew which estimator is adequate.

    Each x has the same regression on z, chosen for y, so that the function treats all x alike.

    >>> z, y = (read(np.random.default_rng(seed).normal(size=200), name) for seed, name in enumerate("zy"))
    >>> found = conditional_mutual_information(y.columns, y.columns + z.columns, z.columns)
    >>> -0.1 < like(found, y, z)(read(np.random.default_rng(2).normal(size=200), "x")) < 0.1
    True
    """
    y, z = by_values(y), by_values(z)
    available = bases(z)
    varying, free = "slope" in found.parameters, freed_alike(y, available)

    def nats(x: Variable) -> float:
        x = by_values(x)
        if found.estimator == "Discrete":
            return Discrete().conditional(x.codes, y.codes, z.codes).nats
        left = free(x)
        if varying and (local := varying_gaussian(left, z, available)) is not None:
            return local.nats
        if "given" in found.parameters and not any(side.symbolic or side.mixed for side in (left.x, left.y)):
            chosen = Gaussian(copula=True) if found.estimator == "Gaussian" else KSG(k=_NEIGHBORS)
            return chosen.estimate(left.x.columns, left.y.columns).nats
        return _named(KSG(k=_NEIGHBORS), [left.x, left.y, z]).nats

    return nats


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
