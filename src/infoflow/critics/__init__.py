"""Critics: networks whose `scores(x, y)` are the positive and negative scores that every bound takes.

Negatives are the other samples of the batch; by construction, a positive is never among its own negatives. Any
`nn.Module` with the same `scores` serves as well; the bounds check the shapes that it returns.
"""

from __future__ import annotations

from infoflow.core.blocks import ACTIVATIONS
from infoflow.critics.deep_infomax import ConcatAndConvolve, EncodeAndDot, GlobalCritic, LocalCritic
from infoflow.critics.pairs import derangement, shifts, split_pairs
from infoflow.critics.pictures import SeparablePictures
from infoflow.critics.vectors import Bilinear, Concatenated, Separable, VectorCritic

__all__ = [
    "ACTIVATIONS",
    "Bilinear",
    "ConcatAndConvolve",
    "Concatenated",
    "EncodeAndDot",
    "GlobalCritic",
    "LocalCritic",
    "Separable",
    "SeparablePictures",
    "VectorCritic",
    "derangement",
    "shifts",
    "split_pairs",
]


def __dir__() -> list[str]:
    return list(__all__)
