"""Nearest neighbors by brute force over blocks of rows, on the CPU or a GPU, for dimensions in which trees are slow.

Distances are compared in the form that is cheapest: for the Euclidean norm, squared ones from a float64 matrix product.
Where a sample's neighbors are so near that the product's rounding could change a comparison, this sample is compared
again by differences.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

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
    >>> Space(torch.tensor([[0.0], [3.0]]), "euclidean").block(torch.tensor([0, 1]))
    tensor([[inf, 9.],
            [9., inf]])
    """

    def __init__(self, x: Tensor, metric: str) -> None:
        self.x = x
        self.euclidean = metric == "euclidean"
        self.product = self.euclidean and multiplies(x.shape[1])
        if self.product:
            # Rounding of a dot product of d + 2 terms, relative to |a|² + |b|², with a safety factor.
            self._rounding = 4.0 * (x.shape[1] + 4) * torch.finfo(torch.float64).eps

    @cached_property
    def _squares(self) -> Tensor:
        return self.x.square().sum(1)

    @cached_property
    def _factors(self) -> tuple[Tensor, Tensor]:
        """Factors of one product that computes all of |a|² + |b|² - 2ab, without a further pass over a block."""
        squares, ones = self._squares[:, None], torch.ones_like(self._squares[:, None])
        return torch.cat([self.x, squares, ones], 1), torch.cat([-2.0 * self.x, ones, squares], 1).T

    def block(self, rows: Tensor) -> Tensor:
        """Compute the units between some samples and all samples.

        Parameters
        ----------
        rows : Tensor of shape (m,)
            Positions of samples.

        Returns
        -------
        Tensor of shape (m, n)
            Units; infinite between a sample and itself.
        """
        if self.product:
            left, right = self._factors
            block = left[rows] @ right
        elif self.euclidean:
            mode = "donot_use_mm_for_euclid_dist"
            block = torch.cdist(self.x[rows], self.x, p=2.0, compute_mode=mode).square_()
        else:
            block = torch.cdist(self.x[rows], self.x, p=float("inf"))
        block.scatter_(1, rows[:, None], float("inf"))
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

    def margin(self, rows: Tensor, level: Tensor) -> Tensor:
        """Return how far from a level a block's entry can lie while the pair's true distance is on the other side.

        Parameters
        ----------
        rows : Tensor of shape (m,)
            Positions of samples.
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
        squares = self._squares[rows]
        return self._rounding * (squares + (squares.sqrt() + level.clamp_min(0.0).sqrt()).square())


def multiplies(dimensions: int) -> bool:
    """Return whether Euclidean distances in so many dimensions are computed by a matrix product.

    Parameters
    ----------
    dimensions
        Number of features.

    Returns
    -------
    bool
        False for few dimensions.

    Examples
    --------
    >>> multiplies(2), multiplies(16)
    (False, True)
    """
    return dimensions > _DIRECT


def _largest(parts: Sequence[Tensor]) -> Tensor:
    joint = parts[0]
    for part in parts[1:]:
        joint = torch.maximum(joint, part)
    return joint


def _nearest(spaces: Sequence[Space], blocks: Sequence[Tensor], rows: Tensor, k: int) -> tuple[Tensor, Tensor]:
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
        compared[i, j] = _largest([space.exact(rows[blurred[i]], j) for space in spaces])
        units[blurred], index[blurred] = compared.topk(k, dim=1, largest=False)
    # Those k are right, but distances of the nearest among them may have lost their digits.
    vague = (margin > _SHARP * units[:, 0]).nonzero()[:, 0]
    if vague.numel():
        near = index[vague]
        own = rows[vague][:, None].expand_as(near)
        units[vague], order = _largest([space.exact(own, near) for space in spaces]).sort(dim=1)
        index[vague] = near.gather(1, order)
    return units, index


def _count(spaces: Sequence[Space], blocks: Sequence[Tensor], rows: Tensor, levels: Sequence[Tensor]) -> Tensor:
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
            within &= space.exact(rows[blurred[i]], j) <= level[blurred][i]
        count[blurred] = torch.bincount(i[within], minlength=blurred.numel()).to(torch.int32)
    return count


def _blocks(spaces: Sequence[Space], rows: Tensor | None = None) -> Sequence[Tensor]:
    """Positions of the samples, or of some of them, in parts."""
    x = spaces[0].x
    positions = torch.arange(len(x), device=x.device) if rows is None else rows
    parts: Sequence[Tensor] = positions.split(max(16, _BLOCK // len(x)))  # type: ignore[no-untyped-call]
    return parts


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


def nearest_of(space: Space, rows: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Find the nearest neighbors of some samples.

    Parameters
    ----------
    space
        Space of n samples.
    rows : Tensor of shape (m,)
        Positions of samples.
    k
        Number of neighbors.

    Returns
    -------
    units : Tensor of shape (m, k)
        Units of the nearest neighbors in ascending order.
    index : Tensor of shape (m, k)
        Indices of the neighbors.

    Examples
    --------
    >>> line = Space(torch.tensor([[0.0], [1.0], [3.0]], dtype=torch.float64), "chebyshev")
    >>> units, index = nearest_of(line, torch.tensor([2]), 1)
    >>> units.tolist(), index.tolist()
    ([[2.0]], [[1]])
    """
    parts = [_nearest([space], [space.block(part)], part, k) for part in _blocks([space], rows)]
    return torch.cat([units for units, _ in parts]), torch.cat([index for _, index in parts])


def nearest_and_counts(
    spaces: Sequence[Space],
    k: int,
    subsets: Sequence[tuple[int, ...]],
    levels: Callable[[Tensor, Tensor, Tensor], Tensor],
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
