"""How accurate our estimators are where the truth is known."""

from __future__ import annotations

from infoflow.bench.accuracy import run, summary
from infoflow.bench.heat_map import draw

__all__ = ["draw", "run", "summary"]
