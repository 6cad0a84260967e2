"""One file a method; every estimator is a frozen dataclass with `estimate(x, y) -> Estimate`."""

from __future__ import annotations

from infoflow.estimators.adaptive_binning import AdaptiveBinning
from infoflow.estimators.binning import Binning
from infoflow.estimators.discrete import Discrete
from infoflow.estimators.kernel_density import KernelDensity
from infoflow.estimators.registry import ESTIMATORS, create, mutual_information, parse

__all__ = [
    "ESTIMATORS",
    "AdaptiveBinning",
    "Binning",
    "Discrete",
    "KernelDensity",
    "create",
    "mutual_information",
    "parse",
]
