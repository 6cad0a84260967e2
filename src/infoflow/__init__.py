"""Measure, shape and see the information that flows through a neural network."""

from __future__ import annotations

import importlib
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from infoflow.interface import Estimate, Interval, Kind, LayerInformation

if TYPE_CHECKING:
    from infoflow import (
        bench,
        bounds,
        checks,
        critics,
        data,
        distributed,
        entropies,
        errors,
        estimators,
        integrations,
        layers,
        models,
        objectives,
        pairwise,
        plane,
        probes,
        tasks,
        theory,
        training,
    )
    from infoflow.estimators import mutual_information

try:
    __version__ = version("infoflow")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0+unknown"

# Rooms load on first use: `import infoflow` stays quick, and a user pays only for what they call.
_ROOMS = (
    "bench",
    "bounds",
    "checks",
    "critics",
    "data",
    "distributed",
    "entropies",
    "errors",
    "estimators",
    "integrations",
    "layers",
    "models",
    "objectives",
    "pairwise",
    "plane",
    "probes",
    "tasks",
    "theory",
    "training",
)

__all__ = [
    "Estimate",
    "Interval",
    "Kind",
    "LayerInformation",
    "__version__",
    "bench",
    "bounds",
    "checks",
    "critics",
    "data",
    "distributed",
    "entropies",
    "errors",
    "estimators",
    "integrations",
    "layers",
    "models",
    "mutual_information",
    "objectives",
    "pairwise",
    "plane",
    "probes",
    "tasks",
    "theory",
    "training",
]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"infoflow.{name}")
    if name == "mutual_information":
        return importlib.import_module("infoflow.estimators").mutual_information
    raise AttributeError(f"module 'infoflow' has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
