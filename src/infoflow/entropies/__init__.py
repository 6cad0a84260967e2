"""Entropies as plain functions of counts, samples or covariances."""

from __future__ import annotations

from infoflow.entropies.total_correlation import total_correlation

__all__ = ["total_correlation"]


def __dir__() -> list[str]:
    return list(__all__)
