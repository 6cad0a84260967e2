"""Nearest neighbors by k-d trees, for samples of few dimensions on a CPU."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


def _workers() -> int:
    # torch's number of threads obeys OMP_NUM_THREADS, and so the limits that joblib sets in its worker processes.
    return torch.get_num_threads()


def nearest(points: Array, k: int, p: float) -> tuple[Array, Indices]:
    """Find the k nearest other points of every point in the p-norm.

    Parameters
    ----------
    points : ndarray of shape (n, d)
        Points, float64.
    k
        Number of neighbors.
    p
        Order of the norm; infinity for the maximum.

    Returns
    -------
    distance : ndarray of shape (n, k)
        Distances in ascending order.
    index : ndarray of shape (n, k)
        Indices of the neighbors.

    Examples
    --------
    >>> distance, index = nearest(np.array([[0.0], [1.0], [3.0]]), 1, 2.0)
    >>> distance[:, 0].tolist(), index[:, 0].tolist()
    ([1.0, 1.0, 2.0], [1, 0, 1])
    """
    n = points.shape[0]
    distance, index = cKDTree(points).query(points, k=k + 1, p=p, workers=_workers())
    # A query returns the point itself, but not always first among duplicates, and not at all among more than k of them.
    own = index == np.arange(n)[:, None]
    own[~own.any(1), -1] = True
    keep = ~own
    return distance[keep].reshape(n, k), index[keep].reshape(n, k).astype(np.int64)


def count(points: Array, radius: Array, p: float) -> Indices:
    """Count the other points that lie at a distance of at most the radius.

    Parameters
    ----------
    points : ndarray of shape (n, d)
        Points, float64.
    radius : ndarray of shape (n,)
        Radius around each point.
    p
        Order of the norm; infinity for the maximum.

    Returns
    -------
    ndarray of shape (n,)
        Counts, int64.

    Examples
    --------
    >>> count(np.array([[0.0], [1.0], [3.0]]), np.array([1.0, 2.0, 1.0]), 2.0).tolist()
    [1, 2, 0]
    """
    found = cKDTree(points).query_ball_point(points, radius, p=p, return_length=True, workers=_workers())
    return np.asarray(found, dtype=np.int64) - 1
