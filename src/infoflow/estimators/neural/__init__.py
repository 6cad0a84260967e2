"""Neural estimation of mutual information: `Neural`, its shorthands by bound, and what a fit returns."""

from __future__ import annotations

from infoflow.estimators.held_out import Fit
from infoflow.estimators.neural.between import information_between
from infoflow.estimators.neural.dependency import neural_dependency
from infoflow.estimators.neural.estimator import Neural, usable_bounds
from infoflow.estimators.neural.shorthands import (
    DIME,
    MINE,
    NWJ,
    SMILE,
    AnchoredInfoNCE,
    DonskerVaradhan,
    InfoNCE,
    JensenShannon,
)

__all__ = [
    "DIME",
    "MINE",
    "NWJ",
    "SMILE",
    "AnchoredInfoNCE",
    "DonskerVaradhan",
    "Fit",
    "InfoNCE",
    "JensenShannon",
    "Neural",
    "information_between",
    "neural_dependency",
    "usable_bounds",
]
