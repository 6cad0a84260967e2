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

# Tables of tiles are faster than a tree or loading compiled code for few samples, or few per neighbor and not many.
_FEW, _PER_NEIGHBOR, _MOST = 1500, 64, 6000


@dataclass(frozen=True)
class Column:
    """The n values of a column, float64, with their ascending order.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Values.
    order : ndarray of shape (n,)
        Indices that sort them.
    ordered : ndarray of shape (n,)
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


@dataclass(frozen=True)
class Nearer:
    """Samples that are strictly nearer than the k-th neighbor, for several k.

    Parameters
    ----------
    radius : ndarray of shape (m, n)
        Distances of the k-th neighbors.
    x, y : ndarray of shape (m, n)
        Numbers of other samples that are nearer in each column.
    joint : ndarray of shape (m, n)
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
        Columns of the same n samples, of mean 0: rounding is relative to the distance from 0.
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
    radius = np.ascontiguousarray(distance.T[[k - 1 for k in numbers]])
    within = radius - rounding_slack(radius, np.hypot(x.values, y.values))
    np.maximum(within, 0.0, out=within)
    joint = np.empty(radius.shape, dtype=np.int64)
    joint[:] = np.asarray(numbers)[:, None]
    # Without ties the neighbors before the k-th are nearer than it.
    tied = distance.T[[max(k - 2, 0) for k in numbers]] > within
    for row in np.flatnonzero(tied.any(axis=1)).tolist():
        if (k := numbers[row]) > 1:
            at = np.flatnonzero(tied[row])
            joint[row, at] = (distance[at, :k] <= within[row, at, None]).sum(axis=1) + 1
    repeated = radius == 0
    if repeated.any():
        codes = equal_rows(torch.from_numpy(np.stack([x.values, y.values], axis=1)))[0].numpy()
        joint = np.where(repeated, np.bincount(codes)[codes], joint)
    return Nearer(radius, _counted(x, within), _counted(y, within), joint)


def _distances(x: Column, y: Column, k: int) -> Array:
    """Distances (n, k) of the nearest other samples in ascending order."""
    n = len(x.values)
    if plane.worthwhile(n, k):
        return plane.distances(x.values, y.values, k, x.order, y.order)
    if n <= min(max(_FEW, _PER_NEIGHBOR * k), _MOST):
        return tiles.distances(x.values, y.values, k, x.order, y.order)
    return trees.nearest(np.stack([x.values, y.values], axis=1), k, math.inf)[0]


def _counted(column: Column, within: Array) -> Indices:
    """Other values (m, n) within radii (m, n), boundary included."""
    reach = within[:, column.order]
    found = np.empty(within.shape, dtype=np.int64)
    # Memory in sequence is faster, even with the copies into order and back.
    found[:, column.order] = line.count_sorted(column.ordered, reach)
    return found
