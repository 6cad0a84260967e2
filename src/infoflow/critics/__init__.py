"""Critics: networks that score pairs. `scores(x, y)` gives what every bound takes, positive and negative
scores.

Negatives are the other samples of the batch; a positive is never among its own negatives, by construction.
Any `nn.Module` with the same `scores` serves as well (`checked_scores` says what is wrong with one that
doesn't).
"""

from __future__ import annotations

from infoflow.core.blocks import ACTIVATIONS
from infoflow.critics.deep_infomax import ConcatAndConvolve, EncodeAndDot, GlobalCritic, LocalCritic
from infoflow.critics.pairs import checked_scores, derangement, shifts, split_pairs
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
    "checked_scores",
    "derangement",
    "shifts",
    "split_pairs",
]
