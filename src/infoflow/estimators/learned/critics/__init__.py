"""Neural estimation of mutual information: `Neural`, its shorthands by bound, and what a fit returns."""

from __future__ import annotations

from infoflow.estimators.learned.critics.between import information_between
from infoflow.estimators.learned.critics.dependency import neural_dependency
from infoflow.estimators.learned.critics.estimator import Neural, usable_bounds
from infoflow.estimators.learned.held_out import Fit

__all__ = [
    "Fit",
    "Neural",
    "information_between",
    "neural_dependency",
    "usable_bounds",
]
