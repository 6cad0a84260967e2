"""How accurate our estimators are where the truth is known."""

from __future__ import annotations

from infoflow_benchmarks.accuracy import run, summary
from infoflow_benchmarks.heat_map import draw

__all__ = ["draw", "run", "summary"]
