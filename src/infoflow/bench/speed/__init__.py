"""How fast our estimators are beside the code that people run today, on the same samples in the same process."""

from __future__ import annotations

from infoflow.bench.speed.row import Row
from infoflow.bench.speed.runner import BENCHMARKS, run

__all__ = ["BENCHMARKS", "Row", "run"]
