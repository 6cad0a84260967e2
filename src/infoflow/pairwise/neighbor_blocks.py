"""Nearest neighbors by brute force over blocks of rows, on the CPU or a GPU, for dimensions in which trees are slow.

Distances are compared in the form that is cheapest: for the Euclidean norm, squared ones from a float64 matrix product.
Where a sample's neighbors are so near that the product's rounding could change a comparison, this sample is compared
again by differences.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

# Elements of one block of distances: large enough for the matrix product, small enough for the caches.
_BLOCK = 1 << 20
# Elements that the differences of re-examined pairs may take at once.
_PAIRS = 1 << 22
# Below this many dimensions differences are as fast as a matrix product, and are exact at once.
_DIRECT = 4
# The relative error up to which a comparison need not be repeated.
_SHARP = 1e-11


class Space:
    """Distances between the samples of one variable, in units that have the order of the distances.

    Parameters
    ----------
    x : Tensor of shape (n, d)
        Centered samples, float64.
    metric
        "chebyshev" (maximum norm), where units are distances, or "euclidean", where they are squared distances.

    Examples
    --------
    >>> Space(torch.tensor([[0.0], [3.0]]), "euclidean").block(slice(0, 2))
    tensor([[inf, 9.],
            [9., inf]])
    """

    def __init__(self, x: Tensor, metric: str) -> None:
        self.x = x
        self.euclidean = metric == "euclidean"
        self.product = self.euclidean and x.shape[1] > _DIRECT
        if self.product:
            self.squares = x.square().sum(1)
            ones = torch.ones_like(self.squares)
            # One product computes all of |a|² + |b|² - 2ab, without a further pass over the block.
            self._left = torch.cat([x, self.squares[:, None], ones[:, None]], 1)
            self._right = torch.cat([-2.0 * x, ones[:, None], self.squares[:, None]], 1).T
            # Rounding of a dot product of d + 2 terms, relative to |a|² + |b|², with a safety factor.
            self._rounding = 4.0 * (x.shape[1] + 4) * torch.finfo(torch.float64).eps

    def block(self, rows: slice) -> Tensor:
        """Compute the units between some samples and all samples.

        Parameters
        ----------
        rows
            Positions of m samples.

        Returns
        -------
        Tensor of shape (m, n)
            Units; infinite between a sample and itself.
        """
        if self.product:
            block = self._left[rows] @ self._right
        elif self.euclidean:
            mode = "donot_use_mm_for_euclid_dist"
            block = torch.cdist(self.x[rows], self.x, p=2.0, compute_mode=mode).square_()
        else:
            block = torch.cdist(self.x[rows], self.x, p=float("inf"))
        block.diagonal(offset=rows.start).fill_(float("inf"))
        return block

    def exact(self, i: Tensor, j: Tensor) -> Tensor:
        """Compute the units of some pairs from their differences.

        Parameters
        ----------
        i : Tensor of any shape
            Indices of the first samples.
        j : Tensor of the same shape
            Indices of the second samples.

        Returns
        -------
        Tensor of the same shape
            Units.
        """
        flat_i, flat_j = i.reshape(-1), j.reshape(-1)
        step = max(1, _PAIRS // self.x.shape[1])
        parts = []
        for start in range(0, max(1, flat_i.numel()), step):
            difference = self.x[flat_i[start : start + step]] - self.x[flat_j[start : start + step]]
            parts.append(difference.square_().sum(1) if self.euclidean else difference.abs_().amax(1))
        return torch.cat(parts).reshape(i.shape)

    def margin(self, rows: slice, level: Tensor) -> Tensor:
        """Return how far from a level a block's entry can lie while the pair's true distance is on the other side.

        Parameters
        ----------
        rows
            Positions of m samples.
        level : Tensor of shape (m,)
            Level of each sample, in units.

        Returns
        -------
        Tensor of shape (m,)
            Bound of the rounding error, in units.
        """
        if not self.product:
            return torch.zeros_like(level)
        # A sample at distance r of a has a norm of at most |a| + r, so distant outliers don't widen the margin.
        squares = self.squares[rows]
        return self._rounding * (squares + (squares.sqrt() + level.clamp_min(0.0).sqrt()).square())


def _largest(parts: Sequence[Tensor]) -> Tensor:
    joint = parts[0]
    for part in parts[1:]:
        joint = torch.maximum(joint, part)
    return joint


def _nearest(spaces: Sequence[Space], blocks: Sequence[Tensor], rows: slice, k: int) -> tuple[Tensor, Tensor]:
    """Units and indices (m, k) of the nearest neighbors in the largest of the spaces' distances."""
    joint = _largest(blocks)
    units, index = joint.topk(k, dim=1, largest=False)
    level = units[:, -1]
    margin = _largest([space.margin(rows, level) for space in spaces])
    blurred = (margin > _SHARP * level).nonzero()[:, 0]
    if blurred.numel():
        margin = _largest([space.margin(rows, level + margin) for space in spaces])
        near = joint[blurred] <= (level + 2.0 * margin)[blurred, None]
        i, j = near.nonzero(as_tuple=True)
        compared = torch.full(near.shape, float("inf"), dtype=torch.float64, device=joint.device)
        compared[i, j] = _largest([space.exact(blurred[i] + rows.start, j) for space in spaces])
        units[blurred], index[blurred] = compared.topk(k, dim=1, largest=False)
    return units, index


def _count(spaces: Sequence[Space], blocks: Sequence[Tensor], rows: slice, levels: Sequence[Tensor]) -> Tensor:
    """Number of other samples that lie within `levels` (m,) in each of the spaces."""
    inside = blocks[0] <= levels[0][:, None]
    for block, level in zip(blocks[1:], levels[1:], strict=True):
        inside &= block <= level[:, None]
    count = inside.sum(1, dtype=torch.int32)
    margins = [space.margin(rows, level) for space, level in zip(spaces, levels, strict=True)]
    excess = _largest([margin - _SHARP * level for margin, level in zip(margins, levels, strict=True)])
    blurred = (excess > 0).nonzero()[:, 0]
    if blurred.numel():
        near = torch.ones((blurred.numel(), blocks[0].shape[1]), dtype=torch.bool, device=count.device)
        for block, level, margin in zip(blocks, levels, margins, strict=True):
            near &= block[blurred] <= (level + margin)[blurred, None]
        i, j = near.nonzero(as_tuple=True)
        within = torch.ones_like(i, dtype=torch.bool)
        for space, level in zip(spaces, levels, strict=True):
            within &= space.exact(blurred[i] + rows.start, j) <= level[blurred][i]
        count[blurred] = torch.bincount(i[within], minlength=blurred.numel()).to(torch.int32)
    return count


def _blocks(spaces: Sequence[Space]) -> list[slice]:
    n = spaces[0].x.shape[0]
    step = max(16, _BLOCK // n)
    return [slice(start, min(n, start + step)) for start in range(0, n, step)]


def counts(spaces: Sequence[Space], levels: Sequence[Tensor]) -> Tensor:
    """Count the other samples that lie within given levels in each of the spaces.

    Parameters
    ----------
    spaces
        Spaces of the same n samples.
    levels : sequence of Tensor of shape (n,)
        Levels for each space, in units.

    Returns
    -------
    Tensor of shape (n,)
        Counts, int64.

    Examples
    --------
    >>> line = Space(torch.tensor([[0.0], [1.0], [3.0]], dtype=torch.float64), "chebyshev")
    >>> counts([line], [torch.tensor([1.0, 2.0, 1.0], dtype=torch.float64)])
    tensor([1, 2, 0])
    """
    parts = [
        _count(spaces, [space.block(rows) for space in spaces], rows, [level[rows] for level in levels])
        for rows in _blocks(spaces)
    ]
    return torch.cat(parts).to(torch.int64)


def nearest_and_counts(
    spaces: Sequence[Space],
    k: int,
    subsets: Sequence[tuple[int, ...]],
    levels: Callable[[slice, Tensor, Tensor], Tensor],
) -> tuple[Tensor, Tensor, Tensor]:
    """Find nearest neighbors, and count the samples within levels that depend on them, in one pass over all pairs.

    Parameters
    ----------
    spaces
        Spaces of the same n samples.
    k
        Number of neighbors.
    subsets
        Tuples of positions in `spaces`, one for each count.
    levels
        Function of (rows, units, index) of m samples that returns the levels of shape (m, spaces), in units, up to
        which samples are counted.

    Returns
    -------
    units : Tensor of shape (n, k)
        Units of the nearest neighbors in ascending order.
    index : Tensor of shape (n, k)
        Indices of the neighbors.
    counts : Tensor of shape (n, subsets)
        Counts, int64.

    Examples
    --------
    >>> line = Space(torch.tensor([[0.0], [1.0], [3.0]], dtype=torch.float64), "chebyshev")
    >>> units, index, near = nearest_and_counts([line], 1, [(0,)], lambda rows, units, index: units)
    >>> units[:, 0].tolist(), index[:, 0].tolist(), near[:, 0].tolist()
    ([1.0, 1.0, 2.0], [1, 0, 1], [1, 1, 1])
    """
    all_units, all_index, all_counts = [], [], []
    for rows in _blocks(spaces):
        blocks = [space.block(rows) for space in spaces]
        units, index = _nearest(spaces, blocks, rows, k)
        level = levels(rows, units, index)
        count = torch.zeros((units.shape[0], len(subsets)), dtype=torch.int64, device=units.device)
        for column, subset in enumerate(subsets):
            count[:, column] = _count(
                [spaces[s] for s in subset], [blocks[s] for s in subset], rows, [level[:, s] for s in subset]
            )
        all_units.append(units)
        all_index.append(index)
        all_counts.append(count)
    return torch.cat(all_units), torch.cat(all_index), torch.cat(all_counts)
