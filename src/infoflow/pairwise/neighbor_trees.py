"""Nearest neighbors by k-d trees, for samples of few dimensions on a CPU."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


def _workers() -> int:
    # torch's count obeys OMP_NUM_THREADS, and so the limits that joblib sets in its worker processes.
    return torch.get_num_threads()


def nearest(points: Array, k: int, p: float) -> tuple[Array, Indices]:
    """Distances and indices (n, k) of every point's nearest others, in the p-norm.

    >>> distance, index = nearest(np.array([[0.0], [1.0], [3.0]]), 1, 2.0)
    >>> distance[:, 0].tolist(), index[:, 0].tolist()
    ([1.0, 1.0, 2.0], [1, 0, 1])
    """
    n = points.shape[0]
    distance, index = cKDTree(points).query(points, k=k + 1, p=p, workers=_workers())
    # A point finds itself, but among duplicates not always first, and among more than k of them not always at all.
    own = index == np.arange(n)[:, None]
    own[~own.any(1), -1] = True
    keep = ~own
    return distance[keep].reshape(n, k), index[keep].reshape(n, k).astype(np.int64)


def count(points: Array, radius: Array, p: float) -> Indices:
    """How many other points lie at a distance of at most `radius` (n,).

    >>> count(np.array([[0.0], [1.0], [3.0]]), np.array([1.0, 2.0, 1.0]), 2.0).tolist()
    [1, 2, 0]
    """
    found = cKDTree(points).query_ball_point(points, radius, p=p, return_length=True, workers=_workers())
    return np.asarray(found, dtype=np.int64) - 1
