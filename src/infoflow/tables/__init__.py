"""Everyday quantities on everyday data: tables, categories, missing values, time series."""

from __future__ import annotations

from infoflow.tables.ranking import Ranking, rank

__all__ = ["Ranking", "rank"]


def __dir__() -> list[str]:
    return list(__all__)
