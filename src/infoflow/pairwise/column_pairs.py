"""How many samples of two columns are nearer than the k-th neighbor, from one sort of each column.

The sort serves every number of neighbors, every monotone rescaling of the column, and every other column that it is
paired with.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from infoflow.pairwise import line_neighbors as line
from infoflow.pairwise import neighbor_trees as trees
from infoflow.pairwise import plane_neighbors as plane
from infoflow.pairwise import plane_tiles as tiles
from infoflow.pairwise.equal_rows import equal_rows
from infoflow.pairwise.rounding import rounding_slack

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

# For so many neighbors tables of tiles are faster than compiled code, up to so many samples per neighbor and in all.
_MANY, _PER_NEIGHBOR, _MOST = 32, 64, 6000

# Up to so many samples they are faster than a tree or loading compiled code.
_FEW = 1500


@dataclass(frozen=True)
class Column:
    """The n values of a column, or of each of c columns, float64, with their ascending order.

    Parameters
    ----------
    values : ndarray of shape (n,) or (c, n)
        Values.
    order : ndarray of the same shape
        Indices that sort them.
    ordered : ndarray of the same shape
        The sorted values.

    Examples
    --------
    >>> Column.of(np.array([2.0, 1.0, 3.0])).order.tolist()
    [1, 0, 2]
    """

    values: Array
    order: Indices
    ordered: Array

    @classmethod
    def of(cls, values: Array) -> Column:
        """Sort the values.

        Parameters
        ----------
        values : ndarray of shape (n,)
            Values, float64.

        Returns
        -------
        Column
            The values with their order.
        """
        values = np.ascontiguousarray(values)
        order = np.argsort(values)
        return cls(values, order, values[order])

    def mapped(self, values: Array) -> Column:
        """Replace the values by others of the same order.

        Parameters
        ----------
        values : ndarray of shape (n,)
            A monotone function of the values, float64.

        Returns
        -------
        Column
            The new values, not sorted again.

        Examples
        --------
        >>> Column.of(np.array([2.0, 1.0])).mapped(np.array([0.5, -0.5])).ordered.tolist()
        [-0.5, 0.5]
        """
        return Column(values, self.order, values[self.order])

    @classmethod
    def stacked(cls, columns: Sequence[Column]) -> Column:
        """Put c columns of the same n samples together.

        Parameters
        ----------
        columns
            Columns of shape (n,).

        Returns
        -------
        Column
            Of shape (c, n).

        Examples
        --------
        >>> Column.stacked([Column.of(np.array([2.0, 1.0]))] * 3).order.shape
        (3, 2)
        """
        return cls(*(np.stack([getattr(each, name) for each in columns]) for name in ("values", "order", "ordered")))


@dataclass(frozen=True)
class Nearer:
    """Samples that are strictly nearer than the k-th neighbor, for several k.

    Parameters
    ----------
    radius : ndarray of shape (m, n) or (c, m, n)
        Distances of the k-th neighbors.
    x, y : ndarray of the same shape
        Numbers of other samples that are nearer in each column.
    joint : ndarray of the same shape
        Numbers of samples that are nearer in both, the sample itself included, as of `open_ball_sizes`.

    Examples
    --------
    >>> line = Column.of(np.array([0.0, 1.0, 3.0]))
    >>> nearer_in_columns(line, line, [1]).radius.tolist()
    [[1.0, 1.0, 2.0]]
    """

    radius: Array
    x: Indices
    y: Indices
    joint: Indices


def nearer_in_columns(x: Column, y: Column, numbers: Sequence[int]) -> Nearer:
    """Find the k-th neighbor in the maximum norm, and count the samples that are nearer, for several k at once.

    Parameters
    ----------
    x, y
        Columns of the same n samples, of mean 0: rounding is relative to the distance from 0. Of c columns on each
        side the first belong together, the second, and so on.
    numbers
        Numbers of neighbors k, each smaller than n.

    Returns
    -------
    Nearer
        Counts as those of `neighborhoods` and `open_ball_sizes`.

    Notes
    -----
    Where the k-th neighbor is at distance 0, the duplicates count as nearer.

    Examples
    --------
    >>> line = Column.of(np.array([0.0, 1.0, 3.0]))
    >>> found = nearer_in_columns(line, line, [1, 2])
    >>> found.x.tolist(), found.joint.tolist()
    ([[0, 0, 0], [1, 1, 1]], [[1, 1, 1], [2, 2, 2]])
    """
    distance = _distances(x, y, max(numbers))
    by_number = np.moveaxis(distance, -1, -2)
    radius = np.ascontiguousarray(by_number[..., [k - 1 for k in numbers], :])
    within = radius - rounding_slack(radius, np.hypot(x.values, y.values)[..., None, :])
    np.maximum(within, 0.0, out=within)
    joint = np.empty(radius.shape, dtype=np.int64)
    joint[:] = np.asarray(numbers)[:, None]
    # Without ties the neighbors before the k-th are nearer than it.
    tied = by_number[..., [max(k - 2, 0) for k in numbers], :] > within
    for row in np.flatnonzero(tied.reshape(-1, *tied.shape[-2:]).any(axis=(0, 2))).tolist():
        if (k := numbers[row]) > 1:
            at = np.nonzero(tied[..., row, :])
            limit = within[..., row, :][at][:, None]
            joint[..., row, :][at] = (distance[at][:, :k] <= limit).sum(axis=1) + 1
    repeated = radius == 0
    if repeated.any():
        joint = np.where(repeated, _copies(x.values, y.values)[..., None, :], joint)
    near_x, near_y = _counted(x, y, within)
    return Nearer(radius, near_x, near_y, joint)


def _copies(x: Array, y: Array) -> Indices:
    """How many samples of a pair of columns (..., n) are equal in both."""
    copies = np.empty(x.shape, dtype=np.int64)
    for pair in np.ndindex(x.shape[:-1]):
        codes = equal_rows(torch.from_numpy(np.stack([x[pair], y[pair]], axis=1)))[0].numpy()
        copies[pair] = np.bincount(codes)[codes]
    return copies


def _distances(x: Column, y: Column, k: int) -> Array:
    """Distances (..., n, k) of the nearest other samples in ascending order."""
    found = np.empty((*x.values.shape, k))
    for pair in np.ndindex(x.values.shape[:-1]):
        found[pair] = _of_pair(x.values[pair], y.values[pair], k, x.order[pair], y.order[pair])
    return found


def _of_pair(x: Array, y: Array, k: int, by_x: Indices, by_y: Indices) -> Array:
    n = len(x)
    many = k >= _MANY and n <= min(_PER_NEIGHBOR * k, _MOST)
    if not many and plane.worthwhile(n, k):
        return plane.distances(x, y, k, by_x, by_y)
    if many or n <= _FEW:
        return tiles.distances(x, y, k, by_x, by_y)
    return trees.nearest(np.stack([x, y], axis=1), k, math.inf)[0]


def _counted(x: Column, y: Column, within: Array) -> Indices:
    """Other values of each side (2, ..., m, n) within radii (..., m, n), boundary included."""
    m, n = within.shape[-2:]
    radii = within.reshape(-1, m, n)
    pair, row = np.arange(len(radii))[:, None, None], np.arange(m)[:, None]
    order = np.stack([x.order, y.order]).reshape(2, -1, 1, n)
    # Memory in sequence is faster, even with the copies into order and back.
    reach = radii[pair, row, order].reshape(-1, m, n)
    counts = line.count_in_columns(np.stack([x.ordered, y.ordered]).reshape(-1, n), reach)
    found = np.empty((2, *radii.shape), dtype=np.int64)
    found[np.arange(2)[:, None, None, None], pair, row, order] = counts.reshape(found.shape)
    return found.reshape(2, *within.shape)
