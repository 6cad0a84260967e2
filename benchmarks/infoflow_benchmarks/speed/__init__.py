"""How fast the estimators are compared with existing implementations, on the same samples in the same process."""

from __future__ import annotations

from infoflow_benchmarks.speed.comparison import Comparison, Row
from infoflow_benchmarks.speed.runner import BENCHMARKS, run

__all__ = ["BENCHMARKS", "Comparison", "Row", "run"]
