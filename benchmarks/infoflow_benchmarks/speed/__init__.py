"""How fast the estimators are compared with existing implementations, on the same samples in the same process."""

from __future__ import annotations

from infoflow_benchmarks.speed.comparison import Comparison, Row
from infoflow_benchmarks.speed.ratio_check import Checked, regressions
from infoflow_benchmarks.speed.runner import BENCHMARKS, run

__all__ = ["BENCHMARKS", "Checked", "Comparison", "Row", "regressions", "run"]
