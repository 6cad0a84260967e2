"""Means over sequences, prompts or batches with their standard errors, from streamed sums."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def moments(values: Tensor) -> Tensor:
    """Return (n, Σ v, Σ v²) of values in float64."""
    values = values.double()
    return torch.stack([values.new_tensor(float(len(values))), values.sum(), values.square().sum()])


def mean_and_error(sums: Tensor) -> tuple[float, float | None]:
    """Mean and standard error of what `moments` summed; no error from fewer than two values.

    Examples
    --------
    >>> mean_and_error(moments(torch.tensor([1.0, 3.0])))
    (2.0, 1.0)
    """
    n, first, second = (float(each) for each in sums)
    mean = first / n
    if n < 2:
        return mean, None
    return mean, math.sqrt(max(second / n - mean * mean, 0.0) / (n - 1))
