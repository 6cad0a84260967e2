"""Counts within radii in the maximum norm from tables of all distances, for few points in several dimensions."""

from __future__ import annotations

import torch
from torch import Tensor

# Distances in a table at once, so that they stay in the processor's cache.
_CACHED = 1 << 16

# Up to so many points per dimension a tree, which bisects for every point, is slower.
_PER_DIMENSION = 400


def suffices(points: Tensor) -> bool:
    """Whether a table is faster than a tree.

    Parameters
    ----------
    points : Tensor of shape (n, d)
        Points.

    Examples
    --------
    >>> suffices(torch.zeros(500, 2)), suffices(torch.zeros(5000, 2))
    (True, False)
    """
    return len(points) <= _PER_DIMENSION * points.shape[1]


def count(points: Tensor, radius: Tensor) -> Tensor:
    """Count the other points that lie at a distance of at most the radius.

    Parameters
    ----------
    points : Tensor of shape (n, d)
        Points, float64.
    radius : Tensor of shape (n,)
        Radius around each point.

    Returns
    -------
    Tensor of shape (n,)
        Counts, int64.

    Examples
    --------
    >>> count(torch.tensor([[0.0, 0.0], [1.0, 0.5], [3.0, 0.0]]), torch.tensor([1.0, 2.0, 1.0])).tolist()
    [1, 2, 0]
    """
    n, columns = len(points), points.T.contiguous()
    counts, step = torch.empty(n, dtype=torch.int64), max(1, _CACHED // n)
    for start in range(0, n, step):
        own = slice(start, start + step)
        distance = (columns[0, own, None] - columns[0]).abs_()
        for column in columns[1:]:
            torch.maximum(distance, (column[own, None] - column).abs_(), out=distance)
        counts[own] = (distance <= radius[own, None]).sum(dim=1)
    return counts - 1
