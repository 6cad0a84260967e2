"""Exact Euclidean neighbors from candidates of a float32 matrix product, whose rounding error is bounded."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from infoflow.pairwise.neighbor_blocks import Space, multiplies, nearest_of
from infoflow.pairwise.rounding import single_is_exact

# Elements of one block of float32 distances: many rows for the matrix product, few enough for the caches.
_BLOCK = 1 << 22
# Candidates per sample beyond the k that are wanted: rounding seldom exchanges more.
_SPARE = 4
# Columns whose minimum is searched first; groups must be several times as many as the candidates.
_GROUP = 32
_SPARSE = 4
# Below this many samples the selection takes longer than a float64 product (measured on one core).
_FEWEST = 2000
# Samples whose median is the center.
_MEDIAN = 500
# Above this many dimensions the bound of the rounding error no longer holds.
_WIDEST = 1 << 20
# Share of a block's samples with unclear candidates above which later blocks are searched in float64 at once.
_MANY = 0.5

_ROUNDOFF = 2.0**-24
_SMALLEST = 2.0**-126


def applies(n: int, dimensions: int, k: int) -> bool:
    """Return whether the search by candidates is possible and faster than one in float64.

    Parameters
    ----------
    n
        Number of samples.
    dimensions
        Number of features.
    k
        Number of neighbors.

    Returns
    -------
    bool
        True for many samples, a matrix product of more than a few dimensions, and exact float32 products.

    Examples
    --------
    >>> applies(10_000, 16, 3), applies(100, 16, 3)
    (True, False)
    """
    return n >= _FEWEST and multiplies(dimensions) and dimensions < _WIDEST and _group(n, k) > 1 and single_is_exact()


def nearest(space: Space, k: int) -> tuple[Tensor, Tensor]:
    """Find the nearest neighbors of every sample.

    Parameters
    ----------
    space
        Samples in the Euclidean norm, for which `applies` is true.
    k
        Number of neighbors.

    Returns
    -------
    units : Tensor of shape (n, k)
        Units of the nearest neighbors in ascending order, float64.
    index : Tensor of shape (n, k)
        Indices of the neighbors.

    Notes
    -----
    For each sample a the k + 4 smallest float32 values of |b|² - 2ab are candidates, whose distances are computed from
    float64 differences. The k-th of these, r, is at least that of the k-th neighbor, so a neighbor that is not a
    candidate has a norm |b| <= |a| + r and a value of at most r² - |a|² plus the bound of the rounding error. Where the
    largest value of a candidate does not exceed that, the sample is searched in float64.

    Examples
    --------
    >>> x = torch.arange(1000, dtype=torch.float64)[:, None].expand(-1, 8)
    >>> units, index = nearest(Space(x, "euclidean"), 1)
    >>> units[:2, 0].tolist(), index[0].tolist()
    ([8.0, 8.0], [1])
    """
    single = _Single(space, k)
    n = len(space.x)
    units = torch.empty((n, k), dtype=torch.float64, device=space.x.device)
    index = torch.empty((n, k), dtype=torch.int64, device=space.x.device)
    step = max(32, _BLOCK // n)
    unclear, start = [], 0
    while start < n:
        rows = torch.arange(start, min(n, start + step), device=space.x.device)
        units[rows], index[rows], doubtful = single.search(rows, k)
        start += len(rows)
        unclear.append(rows[doubtful])
        if len(unclear[-1]) > _MANY * len(rows):
            unclear.append(torch.arange(start, n, device=space.x.device))
            break
    again = torch.cat(unclear)
    if again.numel():
        units[again], index[again] = nearest_of(space, again, k)
    return units, index


class _Single:
    """The samples in float32, centered and scaled to be at most 1.

    Parameters
    ----------
    space
        Samples.
    k
        Number of neighbors.
    """

    def __init__(self, space: Space, k: int) -> None:
        n, dimensions = space.x.shape
        self._space = space
        self._group = _group(n, k)
        # From the median of some samples, as rounding is relative to the norms: outliers move the mean from the others.
        x = space.x - space.x[:: max(1, n // _MEDIAN)].median(0).values
        reach = float(x.abs().max())
        self._unit = 2.0 ** -math.frexp(reach)[1] if reach > 0 else 1.0
        x *= self._unit
        self._squares = x.square().sum(1)
        self._left = torch.ones((n, dimensions + 1), dtype=torch.float32, device=x.device)
        self._left[:, :-1] = x
        # Columns up to a multiple of the group are infinitely far.
        columns = -(-n // self._group) * self._group
        self._right = torch.zeros((columns, dimensions + 1), dtype=torch.float32, device=x.device)
        self._right[:n, :-1] = x.mul_(-2.0)
        self._right[:n, -1] = self._squares
        self._right[n:, -1] = math.inf

    def search(self, rows: Tensor, k: int) -> tuple[Tensor, Tensor, Tensor]:
        """Find the k nearest candidates of some consecutive samples, and for which of these others may be nearer."""
        first, m, wanted = int(rows[0]), len(rows), k + _SPARE
        block = self._left[first : first + m] @ self._right.T
        block.diagonal(offset=first).fill_(math.inf)
        # The smallest values lie in the groups with the smallest minima.
        groups = block.view(m, self._group, -1)
        chosen = groups.amin(1).topk(wanted, dim=1, largest=False).indices
        inside = groups.gather(2, chosen[:, None].expand(-1, self._group, -1)).flatten(1)
        values, position = inside.topk(wanted, dim=1, largest=False)
        member = torch.div(position, wanted, rounding_mode="floor")
        candidates = chosen.gather(1, position - member * wanted) + member * groups.shape[2]
        exact = self._space.exact(rows[:, None].expand_as(candidates), candidates)
        units, order = exact.topk(k, dim=1, largest=False)
        return units, candidates.gather(1, order), ~(values[:, -1] > self._reach(rows, units[:, -1]))

    def _reach(self, rows: Tensor, level: Tensor) -> Tensor:
        """The largest value in a block that a sample at most as far as a level can have."""
        own, far = self._squares[rows], level * self._unit * self._unit
        norm = own.sqrt()
        other = norm + far.sqrt()
        dimensions = self._space.x.shape[1]
        # A dot product of d + 1 terms, its rounded factors, and the underflow of each.
        rounding = 1.2 * (dimensions + 4) * _ROUNDOFF * (2.0 * norm + other) * other
        return far - own + rounding + 16.0 * (dimensions + 2) * _SMALLEST


def _group(n: int, k: int) -> int:
    """The largest power of two up to _GROUP that leaves enough groups, 1 where there is none."""
    most = n // (_SPARSE * (k + _SPARE))
    return min(_GROUP, 1 << max(0, most.bit_length() - 1))
