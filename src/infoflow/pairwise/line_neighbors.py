"""Nearest neighbors on a line, and counts of values within radii, from one sort.

A value and its k nearest neighbors are k + 1 consecutive values in ascending order. Where they begin is found for all
values at once: O(n log n) for any pattern of equal values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from infoflow.pairwise import plane_neighbors as plane
from infoflow.pairwise.buckets import Buckets

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

T = TypeVar("T", np.float64, np.int64)

# Up to so many neighbors all windows are compared; beyond, bisection is faster.
_SHIFTS = 16

# From so many ends of intervals on, buckets find them faster than a bisection of each.
_MANY = 512

# Ends at a time, so that their positions stay in the processor's cache.
_AT_ONCE = 1 << 14


def nearest(line: Array, k: int) -> tuple[Array, Indices]:
    """Find the k nearest other values of every value.

    Parameters
    ----------
    line : ndarray of shape (n,)
        Values, float64.
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
    >>> distance, index = nearest(np.array([0.0, 1.0, 3.0]), 1)
    >>> distance[:, 0].tolist(), index[:, 0].tolist()
    ([1.0, 1.0, 2.0], [1, 0, 1])
    """
    n, order = len(line), np.argsort(line)
    ordered, place = line[order], np.arange(n)
    start = _windows(ordered, place, np.full(n, k), np.zeros(n, dtype=np.int64), np.full(n, n))
    members = start[:, None] + np.arange(k)
    members += members >= place[:, None]  # without the value itself
    distance = np.abs(ordered[members] - ordered[:, None])
    ascending = np.argsort(distance, axis=1, kind="stable")
    found, index = np.empty((n, k)), np.empty((n, k), dtype=np.int64)
    found[order] = np.take_along_axis(distance, ascending, axis=1)
    index[order] = order[np.take_along_axis(members, ascending, axis=1)]
    return found, index


class Groups:
    """Values on a line in groups, sorted once.

    Parameters
    ----------
    line : ndarray of shape (n,)
        Values, float64.
    groups : ndarray of shape (n,)
        Integers >= 0, the same for values of one group.

    Examples
    --------
    >>> Groups(np.array([0.0, 1.0, 3.0, 0.5, 9.0]), np.array([0, 0, 0, 1, 1])).radius(1).tolist()
    [1.0, 1.0, 2.0, 8.5, 8.5]
    """

    def __init__(self, line: Array, groups: Indices) -> None:
        by_value = np.argsort(line)
        sizes = np.bincount(groups)
        # A stable sort of short integers is a radix sort.
        short = groups.astype(np.min_scalar_type(len(sizes)))
        self._line, self._by_value = line, by_value
        self._order = by_value[np.argsort(short[by_value], kind="stable")]
        self._ordered = line[self._order]
        self._sizes, self._ends = sizes, np.cumsum(sizes)

    def radius(self, k: int) -> Array:
        """Find the distance of the k-th nearest other value of the own group.

        Parameters
        ----------
        k
            Number of neighbors; groups of at most k values use all others of the group.

        Returns
        -------
        ndarray of shape (n,)
            Distances; 0 for a value alone in its group.
        """
        ordered, ends = self._ordered, np.repeat(self._ends, self._sizes)
        starts = ends - np.repeat(self._sizes, self._sizes)
        found = np.full(len(ordered), np.inf)
        if k <= _SHIFTS:
            _shift(ordered, starts, k, found)
        rest = np.flatnonzero(np.isinf(found))
        if len(rest):
            found[rest] = _bisected(ordered, rest, k, starts[rest], ends[rest])
        return self._unsorted(found)

    def count(self, within: Array) -> Indices:
        """Count the other values of the own group that lie within a radius.

        Parameters
        ----------
        within : ndarray of shape (n,)
            Radii, boundary included.

        Returns
        -------
        ndarray of shape (n,)
            Counts, int64.
        """
        reach, found = within[self._order], np.empty(len(within), dtype=np.int64)
        for size, end in zip(self._sizes.tolist(), self._ends.tolist(), strict=True):
            own = slice(end - size, end)
            found[own] = count_sorted(self._ordered[own], reach[own])
        return self._unsorted(found)

    def count_all(self, within: Array) -> Indices:
        """Count the other values of all groups that lie within a radius.

        Parameters
        ----------
        within : ndarray of shape (n,)
            Radii, boundary included.

        Returns
        -------
        ndarray of shape (n,)
            Counts, int64.
        """
        return _placed(self._by_value, count_sorted(self._line[self._by_value], within[self._by_value]))

    def _unsorted(self, values: NDArray[T]) -> NDArray[T]:
        return _placed(self._order, values)


def count(line: Array, within: Array) -> Indices:
    """Count the other values that lie within radii.

    Parameters
    ----------
    line : ndarray of shape (n,)
        Values, float64.
    within : ndarray of shape (n, m)
        Radii, boundary included.

    Returns
    -------
    ndarray of shape (n, m)
        Counts, int64.

    Examples
    --------
    >>> count(np.array([0.0, 1.0, 3.0]), np.array([[1.0], [2.0], [1.0]])).T.tolist()
    [[1, 2, 0]]
    """
    order, counts = np.argsort(line), np.empty(within.shape, dtype=np.int64)
    counts[order] = count_sorted(line[order], np.ascontiguousarray(within[order].T)).T
    return counts


def count_sorted(ordered: Array, within: Array) -> Indices:
    """Count the other values of a sorted column that lie within radii.

    Parameters
    ----------
    ordered : ndarray of shape (n,)
        Values in ascending order.
    within : ndarray of shape (n,) or (m, n)
        Radii, boundary included.

    Returns
    -------
    ndarray of the same shape
        Counts, int64.

    Examples
    --------
    >>> count_sorted(np.array([0.0, 1.0, 3.0]), np.array([[1.0, 2.0, 1.0], [0.0, 0.0, 9.0]])).tolist()
    [[1, 2, 0], [0, 0, 2]]
    """
    if not plane.compiled() and within.size < _MANY:
        upper = np.searchsorted(ordered, ordered + within, side="right")
        return np.asarray(upper - np.searchsorted(ordered, ordered - within) - 1)
    rows = np.atleast_2d(within)
    if plane.compiled():
        found = [plane.counts(ordered, row) for row in rows]
    else:
        buckets, step = Buckets(ordered[None]), max(1, _AT_ONCE // len(ordered))
        found = [
            _between(buckets, ordered[None], rows[None, start : start + step]) for start in range(0, len(rows), step)
        ]
    return np.concatenate(found, axis=None).reshape(within.shape)


def count_in_columns(ordered: Array, within: Array) -> Indices:
    """Count the other values of sorted columns that lie within radii.

    Parameters
    ----------
    ordered : ndarray of shape (c, n)
        Values of each column in ascending order.
    within : ndarray of shape (c, m, n)
        Radii, boundary included.

    Returns
    -------
    ndarray of shape (c, m, n)
        Counts, int64.

    Examples
    --------
    >>> count_in_columns(np.array([[0.0, 1.0, 3.0]]), np.array([[[1.0, 2.0, 1.0], [0.0, 0.0, 9.0]]])).tolist()
    [[[1, 2, 0], [0, 0, 2]]]
    """
    count, rows, n = within.shape
    step = _AT_ONCE // (rows * n)
    if plane.compiled() or step < 2:
        return np.stack([count_sorted(*column) for column in zip(ordered, within, strict=True)])
    parts = [slice(start, start + step) for start in range(0, count, step)]
    return np.concatenate([_between(Buckets(ordered[part]), ordered[part], within[part]) for part in parts])


def _between(buckets: Buckets, ordered: Array, within: Array) -> Indices:
    """Other values (c, m, n) of sorted columns (c, n) within radii, boundary included."""
    center = ordered[:, None]
    upper, lower = (end.reshape(len(ordered), -1) for end in (center + within, center - within))
    return (buckets.up_to(upper) - buckets.below(lower) - 1).reshape(within.shape)


def _placed(order: Indices, values: NDArray[T]) -> NDArray[T]:
    """Values in this order at their own places."""
    placed = np.empty_like(values)
    placed[order] = values
    return placed


def _shift(ordered: Array, starts: Indices, k: int, radius: Array) -> None:
    """Lower the radius to the reach of each window of k + 1 values of one group that includes the value."""
    n = len(ordered) - k
    if n <= 0:
        return
    across = starts[:n] != starts[k:]
    for before in range(k + 1):
        centers = ordered[before : before + n]
        reach = np.maximum(centers - ordered[:n], ordered[k:] - centers)
        reach[across] = np.inf
        np.minimum(radius[before : before + n], reach, out=radius[before : before + n])


def _bisected(ordered: Array, place: Indices, k: int, starts: Indices, ends: Indices) -> Array:
    """The least reach of such a window for the values at some places, of fewer values in groups of at most k."""
    neighbors = np.minimum(k, ends - starts - 1)
    first = _windows(ordered, place, neighbors, starts, ends)
    return np.asarray(np.maximum(ordered[place] - ordered[first], ordered[first + neighbors] - ordered[place]))


def _windows(ordered: Array, place: Indices, k: Indices, starts: Indices, ends: Indices) -> Indices:
    """First positions of the k + 1 consecutive values, within starts to ends, that are nearest to those at places."""
    center = ordered[place]
    least, most = np.maximum(starts, place - k), np.minimum(place, ends - 1 - k)
    start = _first(lambda at: ordered[at + k] - center >= center - ordered[at], least, most)
    before = np.maximum(start - 1, least)

    def reach(at: Indices) -> Array:
        return np.asarray(np.maximum(center - ordered[at], ordered[at + k] - center))

    return np.where(reach(before) < reach(start), before, start)


def _first(holds: Callable[[Indices], NDArray[np.bool_]], least: Indices, most: Indices) -> Indices:
    """The least position from least to most - 1 from which on a condition holds, or most."""
    low, high = least.copy(), most.copy()
    while (open_ := low < high).any():
        middle = (low + high) // 2
        met = holds(np.minimum(middle, most - 1 + (most == least)))
        high = np.where(open_ & met, middle, high)
        low = np.where(open_ & ~met, middle + 1, low)
    return low
