"""Everyday quantities on everyday data: tables, categories, missing values, time series."""

from __future__ import annotations

from infoflow.tables.matrix import InformationMatrix, information_matrix
from infoflow.tables.partial import PartialInformation, partial_information
from infoflow.tables.pointwise import pointwise_mutual_information
from infoflow.tables.quantities import entropy, o_information, total_correlation
from infoflow.tables.ranking import Ranking, rank
from infoflow.tables.series import transfer_entropy

__all__ = [
    "InformationMatrix",
    "PartialInformation",
    "Ranking",
    "entropy",
    "information_matrix",
    "o_information",
    "partial_information",
    "pointwise_mutual_information",
    "rank",
    "total_correlation",
    "transfer_entropy",
]


def __dir__() -> list[str]:
    return list(__all__)
