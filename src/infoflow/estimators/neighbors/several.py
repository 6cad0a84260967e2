"""Pointwise information by nearest neighbors for several numbers of neighbors, from one search."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infoflow.estimators.neighbors.columns import column_of, pair_terms
from infoflow.estimators.neighbors.family import balanced, digamma_table, norm
from infoflow.estimators.neighbors.preparation import Prepared
from infoflow.pairwise.neighbors import count_within, neighborhoods, open_ball_sizes


def terms_by_neighbors(x: Tensor, y: Tensor, numbers: Sequence[int]) -> dict[int, NDArray[np.float64]]:
    """The terms (n,) of `KSG` (variant 1, metric "auto") for each number of neighbors, of prepared x and y (n, d).

    The k nearest neighbors are the first of the K nearest, so that one search for the largest number serves all.

    >>> import torch
    >>> line = torch.tensor([[0.0], [1.0], [3.0], [7.0]], dtype=torch.float64)
    >>> {k: round(float(terms.mean()), 4) for k, terms in terms_by_neighbors(line, line, (1, 2)).items()}
    {1: 1.8333, 2: 0.8333}
    """
    if x.shape[1] == y.shape[1] == 1:
        left, right = (column_of(Prepared(side, (), 0.0)) for side in (x, y))
        return dict(zip(numbers, pair_terms(left, right, numbers).values, strict=True))
    n, metric = len(x), norm("auto", x.shape[1] + y.shape[1])
    spaces = balanced([x, y], metric)
    distance = neighborhoods(spaces, max(numbers), metric=metric).distance
    # ψ of 1 to n, of which every count takes one.
    table = torch.from_numpy(digamma_table(n))
    terms = {}
    for k in numbers:
        nearest = distance[:, :k]
        counts = [count_within(space, nearest[:, -1], metric=metric) for space in spaces]
        inside = table[open_ball_sizes(spaces, nearest) - 1]
        terms[k] = (table[n - 1] + inside - table[counts[0]] - table[counts[1]]).numpy()
    return terms
