"""Positions of many numbers among sorted values, from buckets of equal width instead of one bisection per number."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

# Buckets per value: more need fewer steps, and take longer to make.
_PER_VALUE = 4

# Steps from the start of a bucket; the few numbers that need more are bisected.
_STEPS = 2

# The share of values at each end that share the outermost bucket, so that heavy tails do not widen the others.
_TAIL = 1 / 32


class Buckets:
    """Sorted values of columns, each in buckets of equal width.

    Parameters
    ----------
    ordered : ndarray of shape (c, n)
        Finite values of c columns in ascending order, float64, n >= 1.

    Notes
    -----
    Branches of a bisection are mispredicted half of the time. A bucket is a monotone function of the number, so that
    the values of lower buckets are below the number, and those of higher ones above it.

    Examples
    --------
    >>> buckets = Buckets(np.array([[0.0, 1.0, 1.0, 3.0]]))
    >>> buckets.below(np.array([[1.0, 9.0]])).tolist(), buckets.up_to(np.array([[1.0, -9.0]])).tolist()
    ([[1, 4]], [[3, 0]])
    """

    def __init__(self, ordered: Array) -> None:
        count, n = ordered.shape
        tail, size = int(_TAIL * n), _PER_VALUE * n
        self._ordered, self._last = ordered, size - 1.0
        # Each column ends with a value to which nothing compares.
        self._ended = np.concatenate([ordered, np.full((count, 1), np.nan)], axis=1).ravel()
        columns = np.arange(count)[:, None]
        self._offset, self._begin = size * columns, (n + 1) * columns
        self._least = ordered[:, tail, None]
        with np.errstate(all="ignore"):
            scale = self._last / (ordered[:, n - 1 - tail, None] - self._least)
        # Without a width all values are in the first bucket.
        self._scale = np.where((scale > 0) & (scale < np.inf), scale, np.nextafter(0.0, 1.0))
        sizes = np.bincount(self._bucket(ordered).ravel(), minlength=size * count).reshape(count, size)
        self._starts = (np.cumsum(sizes, axis=1) - sizes + self._begin).ravel()

    def below(self, numbers: Array) -> Indices:
        """Count the values of each column below numbers.

        Parameters
        ----------
        numbers : ndarray of shape (c, m)
            Numbers for each column.

        Returns
        -------
        ndarray of shape (c, m)
            Counts, int64.
        """
        return self._found(numbers, np.less, "left")

    def up_to(self, numbers: Array) -> Indices:
        """Count the values of each column below numbers or equal to them.

        Parameters
        ----------
        numbers : ndarray of shape (c, m)
            Numbers for each column.

        Returns
        -------
        ndarray of shape (c, m)
            Counts, int64.
        """
        return self._found(numbers, np.less_equal, "right")

    def _bucket(self, numbers: Array) -> NDArray[np.intp]:
        """The bucket of each number, those of the second column after those of the first."""
        with np.errstate(over="ignore"):  # to infinity, which is in the outermost bucket
            place = numbers - self._least
            place *= self._scale
        np.clip(place, 0.0, self._last, out=place)
        bucket: NDArray[np.intp] = place.astype(np.intp)
        bucket += self._offset
        return bucket

    def _found(self, numbers: Array, counts: Any, side: Any) -> Indices:
        """The number of values for which `counts(value, number)` holds."""
        at: Indices = self._starts[self._bucket(numbers)]
        for _ in range(_STEPS):
            at += counts(self._ended[at], numbers)
        more = counts(self._ended[at], numbers)
        at -= self._begin
        for column in np.flatnonzero(more.any(axis=1)).tolist():
            rest = np.flatnonzero(more[column])
            at[column, rest] = np.searchsorted(self._ordered[column], numbers[column, rest], side=side)
        return at
