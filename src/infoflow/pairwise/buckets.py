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
    """Sorted values in buckets of equal width.

    Parameters
    ----------
    ordered : ndarray of shape (n,)
        Finite values in ascending order, float64, n >= 1.

    Notes
    -----
    Branches of a bisection are mispredicted half of the time. A bucket is a monotone function of the number, so that
    the values of lower buckets are below the number, and those of higher ones above it.

    Examples
    --------
    >>> buckets = Buckets(np.array([0.0, 1.0, 1.0, 3.0]))
    >>> buckets.below(np.array([1.0, 9.0])).tolist(), buckets.up_to(np.array([1.0, -9.0])).tolist()
    ([1, 4], [3, 0])
    """

    def __init__(self, ordered: Array) -> None:
        n, tail = len(ordered), int(_TAIL * len(ordered))
        self._ordered = ordered
        self._ended = np.append(ordered, np.nan)  # to which nothing compares
        self._least, self._last = ordered[tail], _PER_VALUE * n - 1.0
        with np.errstate(all="ignore"):
            self._scale = self._last / (ordered[n - 1 - tail] - self._least)
        self._usable = bool(0 < self._scale < np.inf)
        if self._usable:
            sizes = np.bincount(self._bucket(ordered), minlength=_PER_VALUE * n)
            self._starts = np.cumsum(sizes) - sizes

    def below(self, numbers: Array) -> Indices:
        """Count the values below each number.

        Parameters
        ----------
        numbers : ndarray of any shape
            Numbers.

        Returns
        -------
        ndarray of the same shape
            Counts, int64.
        """
        return self._found(numbers, np.less, "left")

    def up_to(self, numbers: Array) -> Indices:
        """Count the values below each number or equal to it.

        Parameters
        ----------
        numbers : ndarray of any shape
            Numbers.

        Returns
        -------
        ndarray of the same shape
            Counts, int64.
        """
        return self._found(numbers, np.less_equal, "right")

    def _bucket(self, numbers: Array) -> NDArray[np.intp]:
        with np.errstate(over="ignore"):  # to infinity, which is in the outermost bucket
            place = numbers - self._least
            place *= self._scale
        np.clip(place, 0.0, self._last, out=place)
        bucket: NDArray[np.intp] = place.astype(np.intp)
        return bucket

    def _found(self, numbers: Array, counts: Any, side: Any) -> Indices:
        """The number of values for which `counts(value, number)` holds."""
        if not self._usable:
            return np.asarray(np.searchsorted(self._ordered, numbers, side=side))
        at: Indices = self._starts[self._bucket(numbers)]
        for _ in range(_STEPS):
            at += counts(self._ended[at], numbers)
        rest = np.nonzero(counts(self._ended[at], numbers))
        if len(rest[0]):
            at[rest] = np.searchsorted(self._ordered, numbers[rest], side=side)
        return at
