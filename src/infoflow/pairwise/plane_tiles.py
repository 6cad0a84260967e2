"""Nearest neighbors in a plane in the maximum norm, from tables of distances between tiles and what is near them."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

# Up to so many points one table of all distances is as fast.
_WHOLE = 256

# Points of a tile.
_TILE = 32

# Half the width of a square that holds k points, as a share of what the mean density makes it: some hold fewer.
_MARGIN = 1.3

# Distances in tables at once, so that they stay in the processor's cache.
_CACHED = 1 << 16

# Up to so many distances are sorted as fast as the smallest ones are separated from the others.
_SORTED = 256


def distances(x: Array, y: Array, k: int, by_x: Indices, by_y: Indices) -> Array:
    """Find the distances of the k nearest other points in O(n²), which is fast for few points.

    Parameters
    ----------
    x, y : ndarray of shape (n,)
        Coordinates, float64.
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
    n, found = len(x), np.empty((len(x), k))
    columns, short = torch.from_numpy(np.stack([x, y])), np.arange(n)
    near = k + math.ceil((math.sqrt(_TILE) + _MARGIN * math.sqrt(k)) ** 2)
    if n > max(_WHOLE, near):
        tiles, beyond = _tiles(by_x, by_y), np.empty(n)
        own = columns[:, torch.from_numpy(tiles)]
        outside = _outside(own, columns)
        order = np.argpartition(outside, near, axis=1)
        others = columns[:, torch.from_numpy(order[:, :near])]
        for part in _parts(len(tiles), _TILE * near):
            found[tiles[part]] = _nearest(own[:, part], others[:, part], k)
        # All points that are not among the others are at least so far.
        beyond[tiles] = np.take_along_axis(outside, order[:, near, None], axis=1)
        short = np.flatnonzero(found[:, -1] > beyond)
    for part in _parts(len(short), n):
        found[short[part]] = _nearest(columns[:, torch.from_numpy(short[part])], columns, k)
    return found


def _parts(count: int, size: int) -> list[slice]:
    """Slices of `count` tables of this size that are made at once."""
    step = max(1, _CACHED // size)
    return [slice(start, start + step) for start in range(0, count, step)]


def _tiles(by_x: Indices, by_y: Indices) -> Indices:
    """Indices (t, m) of near points: those of a strip in x that follow each other in y; the last two may overlap."""
    n = len(by_x)
    strips = max(1, round(math.sqrt(n / _TILE)))
    size = -(-n // (strips * _TILE)) * _TILE
    strip = np.empty(n, dtype=np.uint16)
    strip[by_x] = np.arange(n) // size
    order = by_y[np.argsort(strip[by_y], kind="stable")]
    starts = np.minimum(np.arange(0, n, _TILE), n - _TILE)
    return order[starts[:, None] + np.arange(_TILE)]


def _outside(own: Tensor, columns: Tensor) -> Array:
    """How far (t, n) the points are outside of the rectangles that tiles (2, t, m) span, negative inside."""
    least, most = own.amin(dim=2, keepdim=True), own.amax(dim=2, keepdim=True)
    each = torch.maximum(least - columns[:, None], columns[:, None] - most)
    outside: Array = torch.maximum(each[0], each[1]).numpy()
    return outside


def _nearest(rows: Tensor, columns: Tensor, k: int) -> Array:
    """The k smallest distances (..., m, k) of points (2, ..., m) to others (2, ..., n) that include them, in order."""
    # The arithmetic of torch is twice as fast as that of NumPy, which sorts faster.
    table = (rows[0, ..., None] - columns[0, ..., None, :]).abs_()
    torch.maximum(table, (rows[1, ..., None] - columns[1, ..., None, :]).abs_(), out=table)
    distance: Array = table.numpy()
    if distance.shape[-1] > _SORTED:
        distance.partition(k, axis=-1)
        distance = distance[..., : k + 1]
    distance.sort(axis=-1)
    return distance[..., 1 : k + 1]  # the first is the point itself, or one that is equal
