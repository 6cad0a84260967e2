"""Measure, shape and see the information that flows through a neural network."""

from __future__ import annotations

import importlib
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from infoflow.core.estimate import Estimate, Interval, Kind, LayerInformation

if TYPE_CHECKING:
    from infoflow import (
        bounds,
        critics,
        data,
        entropies,
        errors,
        estimators,
        integrations,
        layers,
        metrics,
        models,
        objectives,
        pairwise,
        plane,
        probes,
        profiles,
        tables,
        tasks,
        theory,
        training,
    )
    from infoflow.estimators import conditional_mutual_information, mutual_information, recommend
    from infoflow.profiles import profile
    from infoflow.tables import (
        entropy,
        information_matrix,
        o_information,
        partial_information,
        pointwise_mutual_information,
        rank,
        total_correlation,
        transfer_entropy,
    )

try:
    __version__ = version("infoflow")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0+unknown"

# Imported on first use, so that `import infoflow` is quick.
_SUBPACKAGES = (
    "bounds",
    "critics",
    "data",
    "entropies",
    "errors",
    "estimators",
    "integrations",
    "layers",
    "metrics",
    "models",
    "objectives",
    "pairwise",
    "plane",
    "probes",
    "profiles",
    "tables",
    "tasks",
    "theory",
    "training",
)
_FUNCTIONS = {
    "conditional_mutual_information": "estimators",
    "entropy": "tables",
    "information_matrix": "tables",
    "mutual_information": "estimators",
    "o_information": "tables",
    "partial_information": "tables",
    "pointwise_mutual_information": "tables",
    "profile": "profiles",
    "rank": "tables",
    "recommend": "estimators",
    "total_correlation": "tables",
    "transfer_entropy": "tables",
}

__all__ = [
    "Estimate",
    "Interval",
    "Kind",
    "LayerInformation",
    "__version__",
    "bounds",
    "conditional_mutual_information",
    "critics",
    "data",
    "entropies",
    "entropy",
    "errors",
    "estimators",
    "information_matrix",
    "integrations",
    "layers",
    "metrics",
    "models",
    "mutual_information",
    "o_information",
    "objectives",
    "pairwise",
    "partial_information",
    "plane",
    "pointwise_mutual_information",
    "probes",
    "profile",
    "profiles",
    "rank",
    "recommend",
    "tables",
    "tasks",
    "theory",
    "total_correlation",
    "training",
    "transfer_entropy",
]


def __getattr__(name: str) -> Any:
    if name in _SUBPACKAGES:
        return importlib.import_module(f"infoflow.{name}")
    if name in _FUNCTIONS:
        return getattr(importlib.import_module(f"infoflow.{_FUNCTIONS[name]}"), name)
    raise AttributeError(f"module 'infoflow' has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
