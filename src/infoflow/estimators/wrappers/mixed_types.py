"""Variables of numbers and symbols side by side, in the form that an estimator takes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from infoflow.core.protocols import Estimator
from infoflow.core.variable import Variable
from infoflow.estimators.automatic.mixed import neighbors_of
from infoflow.estimators.automatic.policy import Auto


def arranged(estimator: Estimator, variables: Sequence[Variable]) -> tuple[Estimator, list[Any]]:
    """The estimator, and each variable as an array for it.

    Where a variable has numbers and symbols, nearest neighbors see different symbols as far apart (`MixedKSG` replaces
    "auto"), and other estimators an indicator for each symbol. Otherwise nothing changes.

    >>> from infoflow.core.columns import read
    >>> mixed = read({"size": [0.5, 2.5, 1.5], "kind": ["a", "b", "a"]}, "x")
    >>> from infoflow.estimators.neighbors.mixed import MixedKSG
    >>> arranged(MixedKSG(), [mixed])[0].rescale
    'none'
    """
    if not any(variable.mixed for variable in variables):
        return estimator, [variable.values for variable in variables]
    if isinstance(estimator, Auto):
        estimator = neighbors_of(variables[0], variables[1])
    if "rescale" in {field.name for field in dataclasses.fields(estimator)}:  # type: ignore[arg-type]
        near: Estimator = dataclasses.replace(estimator, rescale="none")  # type: ignore[type-var]
        return near, [variable.codes if variable.symbolic else variable.spaced for variable in variables]
    return estimator, [variable.indicators if variable.mixed else variable.values for variable in variables]
