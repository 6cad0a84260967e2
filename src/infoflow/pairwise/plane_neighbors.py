"""Nearest neighbors in a plane in the maximum norm, by compiled code where numba is installed."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

# Up to so many points, sorting all distances is faster than any other search.
FEW = 400

# Points in a square as wide as a strip, for k neighbors: a + b·k (measured for n from 10⁴ to 10⁶).
_POINTS, _PER_NEIGHBOR = 1.0, 1.0

# Points times neighbors after which compiling or loading the code pays off: it takes seconds, once per installation.
_DEMAND = 3_000_000

# Each thread takes at least so many points.
_SHARE = 20_000


@cache
def available() -> bool:
    """Whether numba, which compiles the search, is installed.

    >>> available() in (True, False)
    True
    """
    return find_spec("numba") is not None


def compiled() -> bool:
    """Whether the compiled code is in use.

    >>> nearest(np.array([0.0, 1.0]), np.array([0.0, 1.0]), 1)[0].tolist(), compiled() == available()
    ([[1.0], [1.0]], True)
    """
    return available() and "infoflow.pairwise.plane_kernels" in sys.modules


@dataclass
class _Demand:
    """Points times neighbors that this process searched."""

    points: int = 0


_demand = _Demand()


def worthwhile(n: int, k: int) -> bool:
    """Whether to use compiled code, which loads slowly: once this process has searched many points.

    Parameters
    ----------
    n
        Number of points.
    k
        Number of neighbors.

    Examples
    --------
    >>> worthwhile(10**7, 3) == available()
    True
    """
    _demand.points += n * (k + 4)
    return compiled() or (available() and _demand.points >= _DEMAND)


def among_few(x: Array, y: Array, k: int) -> tuple[Array, Indices]:
    """Find the k nearest other points of every point, as `nearest`, by sorting all distances.

    Parameters
    ----------
    x, y : ndarray of shape (n,)
        Coordinates, float64.
    k
        Number of neighbors, smaller than n.

    Returns
    -------
    distance : ndarray of shape (n, k)
        Distances in ascending order.
    index : ndarray of shape (n, k)
        Indices of the neighbors.

    Examples
    --------
    >>> among_few(np.array([0.0, 1.0, 3.0]), np.array([0.0, 1.0, 2.0]), 1)[1][:, 0].tolist()
    [1, 0, 1]
    """
    table = np.maximum(np.abs(x[:, None] - x), np.abs(y[:, None] - y))
    np.fill_diagonal(table, np.inf)
    index = np.argsort(table, axis=1)[:, :k]
    return np.take_along_axis(table, index, axis=1), index.copy()


def nearest(x: Array, y: Array, k: int) -> tuple[Array, Indices]:
    """Find the k nearest other points of every point (x, y) in the maximum norm.

    Parameters
    ----------
    x, y : ndarray of shape (n,)
        Coordinates, float64.
    k
        Number of neighbors, smaller than n.

    Returns
    -------
    distance : ndarray of shape (n, k)
        Distances in ascending order.
    index : ndarray of shape (n, k)
        Indices of the neighbors.

    Notes
    -----
    The time is O(n log n) for any pattern of equal values.

    Examples
    --------
    >>> distance, index = nearest(np.array([0.0, 1.0, 3.0]), np.array([0.0, 1.0, 2.0]), 1)
    >>> distance[:, 0].tolist(), index[:, 0].tolist()
    ([1.0, 1.0, 2.0], [1, 0, 1])
    """
    n = len(x)
    found, neighbors = np.empty((n, k)), np.empty((n, k), dtype=np.int64)
    _search(np.ascontiguousarray(x), np.ascontiguousarray(y), np.argsort(x), np.argsort(y), found, neighbors)
    return found, neighbors


def distances(x: Array, y: Array, k: int, by_x: Indices, by_y: Indices) -> Array:
    """Find the distances of the k nearest other points, as `nearest`, of coordinates that are sorted already.

    Parameters
    ----------
    x, y : ndarray of shape (n,)
        Coordinates, float64, contiguous.
    k
        Number of neighbors, smaller than n.
    by_x, by_y : ndarray of shape (n,)
        Indices that sort the coordinates.

    Returns
    -------
    ndarray of shape (n, k)
        Distances in ascending order.

    Examples
    --------
    >>> line = np.array([0.0, 1.0, 3.0])
    >>> distances(line, line, 1, np.arange(3), np.arange(3))[:, 0].tolist()
    [1.0, 1.0, 2.0]
    """
    found = np.empty((len(x), k))
    _search(x, y, by_x, by_y, found, None)
    return found


def counts(ordered: Array, within: Array) -> Indices:
    """Count the other values of a sorted column that lie within radii, by compiled code.

    Parameters
    ----------
    ordered : ndarray of shape (n,)
        Values in ascending order.
    within : ndarray of shape (n,)
        Radii, boundary included.

    Returns
    -------
    ndarray of shape (n,)
        Counts, int64.

    Examples
    --------
    >>> counts(np.array([0.0, 1.0, 3.0]), np.array([1.0, 2.0, 1.0])).tolist()
    [1, 2, 0]
    """
    from infoflow.pairwise import plane_kernels as kernels

    found = np.empty(len(ordered), dtype=np.int64)
    if len(found):
        kernels.count(np.ascontiguousarray(ordered), np.ascontiguousarray(within), found)
    return found


def _search(x: Array, y: Array, by_x: Indices, by_y: Indices, found: Array, neighbors: Indices | None) -> None:
    """Write the distances (n, k) to `found`, and the indices to `neighbors` if there is one."""
    from infoflow.pairwise import plane_kernels as kernels

    n, k = found.shape
    ordered = x[by_x]
    up = y[by_y]
    if bool((up[1:] == up[:-1]).any()):
        by_y = by_x[np.argsort(y[by_x], kind="stable")]  # equal y in the order of x
    starts = kernels.strips(ordered, _size(ordered, up, k))
    index, px, py, ends, runs = kernels.arrange(starts, by_x, by_y, x, y)
    left, right = ordered[starts[:-1]], ordered[starts[1:] - 1]

    def part(first: int, last: int) -> None:
        which = None if neighbors is None else np.empty(k, dtype=np.int64)
        kernels.search(first, last, starts, index, px, py, ends, runs, left, right, found, which, neighbors)

    threads = max(1, min(torch.get_num_threads(), n // _SHARE))
    if threads == 1:
        part(0, len(left))
        return
    # Twice as many parts as threads, since dense parts take longer.
    cuts = np.unique(np.searchsorted(starts, np.linspace(0, n, 2 * threads + 1))).tolist()
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(part, first, last) for first, last in pairwise(cuts)]:
            done.result()


def _size(x: Array, y: Array, k: int) -> int:
    """Points in a strip, such that its width holds a few neighbors, from sorted x and y (n,)."""
    n = len(x)
    wide, high = _spread(x), _spread(y)
    if wide == 0 or high == 0:
        return n
    count = np.sqrt(n / (_POINTS + _PER_NEIGHBOR * k) * wide / high)
    return int(min(max(n / max(count, 1.0), 4.0), n))


def _spread(ordered: Array) -> float:
    """The distance between quartiles, or between outer quantiles where the quartiles are equal."""
    n = len(ordered)
    for share in (0.25, 0.05, 0.01, 0.0):
        cut = int(share * n)
        if width := float(ordered[n - 1 - cut] - ordered[cut]):
            return width
    return 0.0
