"""Mutual information of variables that were read, by one estimator for all terms of a sum or by the default."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from infoflow.core.estimate import Estimate
from infoflow.core.protocols import Estimator
from infoflow.core.variable import Variable, beside
from infoflow.estimators.conditioning import by_values
from infoflow.estimators.gaussian.gaussian import Gaussian
from infoflow.estimators.gaussian.gaussianity import missed_information
from infoflow.estimators.histogram.discrete import Discrete
from infoflow.estimators.mutual_information import mutual_information
from infoflow.estimators.neighbors.mixed import MixedKSG
from infoflow.estimators.registry import resolve
from infoflow.estimators.wrappers.mixed_types import arranged


def information(x: Variable, y: Variable, estimator: str | Estimator = "auto") -> Estimate:
    """I(X;Y) of complete variables by `mutual_information`.

    >>> from infoflow.core.columns import read
    >>> information(read(list("abab") * 30, "x"), read([1.0, 2.0, 1.0, 2.0] * 30, "y")).nats > 0.6
    True
    """
    return mutual_information(x, y, estimator)


def shared(variables: list[Variable], estimator: str | Estimator = "auto") -> tuple[Estimator, list[Variable]]:
    """One estimator for sums of information terms of the variables, so that their errors cancel, and the variables.

    "auto" is "discrete" for symbols, a Gaussian copula for numbers unless its test rejects it, and otherwise "mixed".

    >>> from infoflow.core.columns import read
    >>> shared([read(list("ab") * 9, "x"), read(list("abb") * 6, "y")])[0]
    Discrete(correction='none', alphabet=None)
    """
    if not (isinstance(estimator, str) and estimator == "auto"):
        return resolve(estimator), variables
    variables = [by_values(variable) for variable in variables]
    if all(variable.symbolic for variable in variables):
        return Discrete(), variables
    if not any(variable.symbolic or variable.mixed for variable in variables) and not _beyond_gaussian(variables):
        return Gaussian(copula=True), variables
    return MixedKSG(), variables


def term(x: Variable | list[Variable], y: Variable, estimator: Estimator) -> Estimate:
    """I(X;Y) by the estimator of a sum; several x are side by side."""
    joint = beside(x, "x") if isinstance(x, list) else x
    chosen, (left, right) = arranged(estimator, [joint, y])
    return chosen.estimate(left, right)


def summed(parts: list[tuple[float, Estimate]], quantity: str, warnings: tuple[str, ...] = ()) -> Estimate:
    """Σ weight · estimate, of the kind of its terms."""
    first = parts[0][1]
    seen: dict[str, None] = dict.fromkeys(text for _, part in parts for text in part.warnings)
    return replace(
        first,
        nats=sum(weight * part.nats for weight, part in parts),
        quantity=quantity,
        ceiling=float("inf"),
        ceiling_name="",
        interval=None,
        p_value=None,
        warnings=(*warnings, *seen),
    )


def _beyond_gaussian(variables: list[Variable]) -> bool:
    joined: Any = beside(variables[1:], "x").columns
    return bool(missed_information(joined, variables[0].columns).significant)
