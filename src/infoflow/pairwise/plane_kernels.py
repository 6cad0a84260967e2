"""The search for neighbors in a plane, compiled by numba where it is installed, otherwise plain Python.

Points are in strips: each holds consecutive values of x, never a part of equal ones, in the order of y and then of x. A
search scans the strip of its point outward, and the strips on both sides while they are nearer than the k-th neighbor.
Import this module on use only: it imports numba.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

P = ParamSpec("P")
R = TypeVar("R")

# Runs of equal y in a strip that are longer than this are searched by bisection in x.
_RUN = 12


def _compiled(function: Callable[P, R]) -> Callable[P, R]:
    """The function compiled without the interpreter's lock, or itself where numba is not installed."""
    try:
        import numba
    except ImportError:
        return function
    try:
        made: Callable[P, R] = numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # no folder in which the machine code could be stored
        made = numba.njit(nogil=True)(function)
    return made


@_compiled
def strips(ordered: Array, size: int) -> Indices:
    """Starts of the strips of about `size` points, and n, for sorted x (n,).

    >>> strips(np.array([0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0]), 2).tolist()
    [0, 4, 6, 7]
    """
    n = len(ordered)
    starts = np.empty(n // size + 2 if size > 1 else n + 1, dtype=np.int64)
    starts[0], count, start = 0, 1, 0
    while start < n:
        end = min(start + size, n)
        if end < n and ordered[end] == ordered[end - 1]:
            last = end
            while last < n and ordered[last] == ordered[end]:
                last += 1
            first = end - 1
            while first > start and ordered[first - 1] == ordered[end]:
                first -= 1
            # A long run of equal values is a strip of its own.
            end = first if first > start and 2 * (last - first) > size else last
        if count == len(starts):
            longer = np.empty(2 * count, dtype=np.int64)
            longer[:count] = starts
            starts = longer
        starts[count] = end
        count += 1
        start = end
    return starts[:count]


@_compiled
def arrange(
    starts: Indices, by_x: Indices, by_y: Indices, x: Array, y: Array
) -> tuple[Indices, Array, Array, Indices, bool]:
    """The points by strips: indices, x, y and ends of runs of equal y, each (n,), and whether there are long runs.

    >>> one, line = np.array([0, 3]), np.array([0.0, 1.0, 2.0])
    >>> arrange(one, np.array([0, 1, 2]), np.array([2, 1, 0]), line, -line)[0].tolist()
    [2, 1, 0]
    """
    n, count = len(x), len(starts) - 1
    strip = np.empty(n, dtype=np.int32)
    for s in range(count):
        for i in range(starts[s], starts[s + 1]):
            strip[by_x[i]] = s
    place = starts[:count].copy()
    index, px, py = np.empty(n, dtype=np.int64), np.empty(n), np.empty(n)
    for i in range(n):
        point = by_y[i]
        at = place[strip[point]]
        place[strip[point]] += 1
        index[at], px[at], py[at] = point, x[point], y[point]
    ends = np.empty(n, dtype=np.int64)
    long = False
    for s in range(count):
        end = starts[s + 1]
        for i in range(starts[s + 1] - 1, starts[s] - 1, -1):
            if i + 1 < starts[s + 1] and py[i + 1] != py[i]:
                end = i + 1
            ends[i] = end
            long = long or end - i > _RUN
    return index, px, py, ends, long


@_compiled
def _insert(nearest: Array, which: Indices | None, distance: float, index: int) -> None:
    """Insert a distance below the last of the ascending `nearest` (k,), which is removed."""
    at = len(nearest) - 1
    while at > 0 and nearest[at - 1] > distance:
        nearest[at] = nearest[at - 1]
        if which is not None:
            which[at] = which[at - 1]
        at -= 1
    nearest[at] = distance
    if which is not None:
        which[at] = index


@_compiled
def _bisect(values: Array, start: int, end: int, value: float) -> int:
    """The first position from start to end whose value is not below."""
    while start < end:
        middle = (start + end) // 2
        if values[middle] < value:
            start = middle + 1
        else:
            end = middle
    return start


@_compiled
def _scan_run(
    px: Array, start: int, end: int, own: int, x: float, dy: float, nearest: Array, which: Indices | None
) -> None:
    """Compare with points of equal y, in the order of x, outward from x."""
    k = len(nearest)
    middle = _bisect(px, start, end, x)
    for i in range(middle, end):
        distance = max(px[i] - x, dy)
        if distance >= nearest[k - 1]:
            break
        if i != own:
            _insert(nearest, which, distance, i)
    for i in range(middle - 1, start - 1, -1):
        distance = max(x - px[i], dy)
        if distance >= nearest[k - 1]:
            break
        _insert(nearest, which, distance, i)


@_compiled
def _scan(
    px: Array,
    py: Array,
    ends: Indices,
    runs: bool,
    start: int,
    end: int,
    middle: int,
    own: int,
    x: float,
    y: float,
    gap: float,
    nearest: Array,
    which: Indices | None,
) -> None:
    """Compare with the points of a strip at least `gap` away in x; `middle` is its first one whose y is not below."""
    k = len(nearest)
    i = middle
    while i < end:
        dy = py[i] - y
        if max(dy, gap) >= nearest[k - 1]:
            break
        if runs and ends[i] - i > _RUN:
            _scan_run(px, i, ends[i], own, x, dy, nearest, which)
            i = ends[i]
            continue
        distance = max(abs(px[i] - x), dy)
        if distance < nearest[k - 1] and i != own:
            _insert(nearest, which, distance, i)
        i += 1
    i = middle - 1
    while i >= start:
        dy = y - py[i]
        if max(dy, gap) >= nearest[k - 1]:
            break
        if runs and i - _RUN >= start and py[i - _RUN] == py[i]:
            first = _bisect(py, start, i, py[i])
            _scan_run(px, first, i + 1, own, x, dy, nearest, which)
            i = first - 1
            continue
        distance = max(abs(px[i] - x), dy)
        if distance < nearest[k - 1]:
            _insert(nearest, which, distance, i)
        i -= 1


@_compiled
def _scan_own(px: Array, py: Array, start: int, end: int, own: int, nearest: Array, which: Indices | None) -> None:
    """Compare with the points of the own strip in the order of their distance in y."""
    k, x, y = len(nearest), px[own], py[own]
    below, above = own - 1, own + 1
    up = py[above] - y if above < end else np.inf
    down = y - py[below] if below >= start else np.inf
    while min(up, down) < nearest[k - 1]:
        if up <= down:
            distance = max(abs(px[above] - x), up)
            if distance < nearest[k - 1]:
                _insert(nearest, which, distance, above)
            above += 1
            up = py[above] - y if above < end else np.inf
        else:
            distance = max(abs(px[below] - x), down)
            if distance < nearest[k - 1]:
                _insert(nearest, which, distance, below)
            below -= 1
            down = y - py[below] if below >= start else np.inf


@_compiled
def search(
    first: int,
    last: int,
    starts: Indices,
    index: Indices,
    px: Array,
    py: Array,
    ends: Indices,
    runs: bool,
    left: Array,
    right: Array,
    found: Array,
    which: Indices | None,
    neighbors: Indices | None,
) -> None:
    """Write the neighbors of the points in the strips from first to last - 1 to `found` and `neighbors` (n, k).

    `left` and `right` are the least and the largest x of each strip. `which` (k,) is memory for the indices; without
    it and `neighbors`, other code is compiled, which finds the distances only.
    """
    k, count = found.shape[1], len(starts) - 1
    nearest = np.empty(k)
    for s in range(first, last):
        start, end = starts[s], starts[s + 1]
        before, after = starts[max(s - 1, 0)], end
        floor = start
        for own in range(start, end):
            x, y = px[own], py[own]
            nearest[:] = np.inf
            while py[floor] < y:
                floor += 1
            if runs:
                _scan(px, py, ends, runs, start, end, floor, own, x, y, 0.0, nearest, which)
            else:
                _scan_own(px, py, start, end, own, nearest, which)
            t = s + 1
            while t < count and left[t] - x < nearest[k - 1]:
                low, high = starts[t], starts[t + 1]
                if t == s + 1:
                    while after < high and py[after] < y:
                        after += 1
                    middle = after
                else:
                    middle = _bisect(py, low, high, y)
                _scan(px, py, ends, runs, low, high, middle, own, x, y, left[t] - x, nearest, which)
                t += 1
            t = s - 1
            while t >= 0 and x - right[t] < nearest[k - 1]:
                low, high = starts[t], starts[t + 1]
                if t == s - 1:
                    while before < high and py[before] < y:
                        before += 1
                    middle = before
                else:
                    middle = _bisect(py, low, high, y)
                _scan(px, py, ends, runs, low, high, middle, own, x, y, x - right[t], nearest, which)
                t -= 1
            at = index[own]
            for j in range(k):
                found[at, j] = nearest[j]
                if neighbors is not None and which is not None:
                    neighbors[at, j] = index[which[j]]


@_compiled
def _bucket(value: float, least: float, scale: float, count: int) -> int:
    """The bucket of a value that is not below the least one; the first for a scale of 0."""
    return min(int((value - least) * scale), count - 1) if scale > 0 else 0


@_compiled
def buckets(ordered: Array) -> tuple[Indices, float]:
    """Where each of n buckets of equal width begins among n sorted values, with n at the end, and buckets in a unit.

    >>> buckets(np.array([0.0, 1.0, 4.0]))[0].tolist()
    [0, 2, 2, 3]
    """
    n = len(ordered)
    width = ordered[n - 1] - ordered[0]
    scale = (n - 1) / width if 0 < width < np.inf else 0.0
    if scale == np.inf:
        scale = 0.0  # the width is subnormal
    starts = np.empty(n + 1, dtype=np.int64)
    bucket = 0
    for place in range(n):
        own = _bucket(ordered[place], ordered[0], scale, n)
        while bucket <= own:
            starts[bucket] = place
            bucket += 1
    starts[bucket:] = n
    return starts, scale


@_compiled
def count(ordered: Array, within: Array, counts: Indices) -> None:
    """Write the number of other values within a radius of each of n sorted values to `counts`, boundary included.

    An end of an interval is searched in the bucket that it falls into.

    >>> counts = np.empty(3, dtype=np.int64)
    >>> count(np.array([0.0, 1.0, 3.0]), np.array([1.0, 2.0, 1.0]), counts)
    >>> counts.tolist()
    [1, 2, 0]
    """
    n = len(ordered)
    starts, scale = buckets(ordered)
    least, largest = ordered[0], ordered[n - 1]
    for place in range(n):
        upper, lower = ordered[place] + within[place], ordered[place] - within[place]
        last, first = n, 0
        if upper < largest:
            bucket = _bucket(upper, least, scale, n)
            last = _first(ordered, upper, True, max(starts[bucket], place + 1), max(starts[bucket + 1], place + 1))
        if lower > least:
            bucket = _bucket(lower, least, scale, n)
            first = _first(ordered, lower, False, min(starts[bucket], place), min(starts[bucket + 1], place))
        counts[place] = last - first - 1


@_compiled
def _first(values: Array, limit: float, equal: bool, start: int, end: int) -> int:
    """The first position from start to end whose value is not below the limit, or, with `equal`, above it."""
    size = end - start
    while size > 0:  # without branches, which processors would guess wrongly half of the time
        half = (size + 1) // 2
        value = values[start + half - 1]
        start += half * ((value < limit) | (equal & (value == limit)))
        size -= half
    return start
