"""The estimator of Kraskov et al. for two columns, from one sort of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from infoflow.estimators.neighbors.family import digamma_table
from infoflow.estimators.neighbors.preparation import Prepared, scored
from infoflow.pairwise.column_pairs import Column, nearer_in_columns

Array = NDArray[np.float64]


@dataclass(frozen=True)
class PairTerms:
    """Pointwise information (m, n) for m numbers of neighbors, ψ of the samples nearer in both, and radii.

    Of c pairs of columns the shapes are (c, m, n).
    """

    values: Array
    joint: Array
    radius: Array


def pair_terms(x: Column, y: Column, numbers: Sequence[int]) -> PairTerms:
    """Terms of the first estimator of two rescaled columns, or of c pairs of them, for each number of neighbors.

    >>> line = Column.of(np.array([0.0, 1.0, 3.0, 7.0]) - 2.75)
    >>> pair_terms(line, line, (1, 2)).values.mean(axis=1).round(4).tolist()
    [1.8333, 0.8333]
    """
    n = x.values.shape[-1]
    table = digamma_table(n)
    near = nearer_in_columns(x, y, numbers)
    joint = table[near.joint - 1]
    return PairTerms(table[n - 1] + joint - table[near.x] - table[near.y], joint, near.radius)


def column_of(side: Prepared) -> Column:
    """A prepared single column on the CPU, sorted, about its mean."""
    if side.column is not None:
        return side.column
    line = side.values[:, 0].numpy()
    return Column.of(line - line.mean())


def rescaled(values: Tensor) -> tuple[Column, Column]:
    """A varying column (n, 1) as normal scores and at unit variance, as `prepare` makes them, from one sort.

    >>> import torch
    >>> rescaled(torch.tensor([[1.0], [9.0], [2.0]], dtype=torch.float64))[0].values.round(4).tolist()
    [-0.6745, 0.6745, 0.0]
    """
    line = values[:, 0].numpy()
    centered = line - line.mean()
    largest = float(np.abs(centered).max())  # first to [-1, 1], so that no square overflows
    centered /= largest
    standard = Column.of(centered / np.sqrt((centered @ centered) / len(centered)))
    return scored(standard), standard
