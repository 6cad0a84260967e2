"""How fast our estimators are beside the code that people run today, on the same samples in the same process."""

from __future__ import annotations

from infoflow_benchmarks.speed.row import Row
from infoflow_benchmarks.speed.runner import BENCHMARKS, run

__all__ = ["BENCHMARKS", "Row", "run"]
