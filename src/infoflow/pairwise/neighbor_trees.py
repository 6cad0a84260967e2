"""Nearest neighbors by k-d trees, for samples of few dimensions on a CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from infoflow.pairwise.equal_rows import equal_rows

if TYPE_CHECKING:
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
    distance, index = _query(points, k + 1, p)
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
    found = _tree(points, _repeating(points)).query_ball_point(
        points, radius, p=p, return_length=True, workers=_workers()
    )
    return np.asarray(found, dtype=np.int64) - 1


def _repeating(points: Array) -> NDArray[np.bool_]:
    """Which columns have repeated values."""
    return np.array([bool((ordered[1:] == ordered[:-1]).any()) for ordered in map(np.sort, points.T)])


def _tree(points: Array, repeating: NDArray[np.bool_]) -> cKDTree:
    """The k-d tree; halving boxes rather than points where values repeat, since medians of these split nothing off."""
    from scipy.spatial import cKDTree  # takes a while to load, and many samples need no tree

    return cKDTree(points, balanced_tree=not bool(repeating.any()))


def _query(points: Array, count: int, p: float) -> tuple[Array, Indices]:
    """Distances and indices (n, count) of the nearest points, which include the point itself or duplicates of it.

    Duplicates are one point of the tree, which would otherwise compare all of them with each other.
    """
    repeating = _repeating(points)
    # Where a column has no repeated value, no point occurs twice.
    codes, different = equal_rows(torch.from_numpy(points)) if repeating.all() else (torch.empty(0), len(points))
    if different == len(points):
        distance, index = _tree(points, repeating).query(points, k=count, p=p, workers=_workers())
        return distance, index.astype(np.int64)
    code = codes.numpy()
    members, times = np.argsort(code, kind="stable"), np.bincount(code)
    first = np.cumsum(times) - times
    single = points[members[first]]
    near = min(count, different)
    distance, which = _tree(single, _repeating(single)).query(single, k=near, p=p, workers=_workers())
    distance, which = distance.reshape(different, near), which.reshape(different, near)
    through = np.cumsum(times[which], axis=1)
    rows = np.arange(different)
    found, index = np.empty((different, count)), np.empty((different, count), dtype=np.int64)
    for j in range(count):
        at = (through <= j).sum(axis=1)
        chosen = which[rows, at]
        found[:, j] = distance[rows, at]
        index[:, j] = members[first[chosen] + j - (through[rows, at] - times[chosen])]
    return found[code], index[code]
