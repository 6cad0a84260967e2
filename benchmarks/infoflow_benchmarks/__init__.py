"""Accuracy of estimators on tasks with known mutual information, and speed compared with baselines."""

from __future__ import annotations

from infoflow_benchmarks.accuracy import run, summary
from infoflow_benchmarks.heat_map import draw

__all__ = ["draw", "run", "summary"]
