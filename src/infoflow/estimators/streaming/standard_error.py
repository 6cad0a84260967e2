"""Standard errors of means of rows that depend on each other within documents."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def clustered(loss: Tensor, document: Tensor) -> float | None:
    """Standard error of the mean of rows that are dependent within documents; None for a single document.

    Examples
    --------
    >>> clustered(torch.tensor([0.0, 0.0, 1.0, 1.0]), torch.tensor([5, 5, 8, 8]))
    0.5
    """
    origins, which = torch.unique(document, return_inverse=True)
    if len(origins) < 2:
        return None
    residual = torch.zeros(len(origins), dtype=torch.float64).index_add(0, which, (loss - loss.mean()).double())
    factor = len(origins) / (len(origins) - 1)
    return math.sqrt(factor * float(residual.square().sum())) / len(loss)
