"""Estimates by critics: `Neural` with any bound of pairs, and total correlation."""

from __future__ import annotations

from infoflow.estimators.learned.critics.dependency import DependencySettings, neural_dependency
from infoflow.estimators.learned.critics.neural import Neural, usable_bounds
from infoflow.estimators.learned.held_out import Fit

__all__ = ["DependencySettings", "Fit", "Neural", "neural_dependency", "usable_bounds"]
