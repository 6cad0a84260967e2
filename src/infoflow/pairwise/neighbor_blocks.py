"""Nearest neighbors by brute force over blocks of rows: what remains when trees fail, on CPU or GPU.

Distances are compared as they come cheapest, squared ones from a float64 matrix product. Where a sample's neighbors
are so near that the product's rounding could turn a comparison, that sample is settled from differences.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

# Elements of one block of distances: large enough for the matrix product, small enough for the caches.
_BLOCK = 1 << 20
# Elements that the differences of re-examined pairs may take at once.
_PAIRS = 1 << 22
# Below this many dimensions differences are as quick as a matrix product, and need no second look.
_DIRECT = 4
# The relative error of a comparison that may stand as it is.
_SHARP = 1e-11


class Space:
    """Distances between the rows of one variable, in units that order as distances do.

    Units are distances for the maximum norm and squared distances for the Euclidean norm.

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
            # One product gives |a|² + |b|² - 2ab whole: no further pass over the block.
            self._left = torch.cat([x, self.squares[:, None], ones[:, None]], 1)
            self._right = torch.cat([-2.0 * x, ones[:, None], self.squares[:, None]], 1).T
            # Rounding of a dot product of d + 2 terms, relative to |a|² + |b|², with room to spare.
            self._rounding = 4.0 * (x.shape[1] + 4) * torch.finfo(torch.float64).eps

    def block(self, rows: slice) -> Tensor:
        """(m, n) units between the samples of `rows` and all samples; infinite between a sample and itself."""
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
        """Units between the samples of the pairs (i, j), from their differences; any shape."""
        flat_i, flat_j = i.reshape(-1), j.reshape(-1)
        step = max(1, _PAIRS // self.x.shape[1])
        parts = []
        for start in range(0, max(1, flat_i.numel()), step):
            difference = self.x[flat_i[start : start + step]] - self.x[flat_j[start : start + step]]
            parts.append(difference.square_().sum(1) if self.euclidean else difference.abs_().amax(1))
        return torch.cat(parts).reshape(i.shape)

    def margin(self, rows: slice, level: Tensor) -> Tensor:
        """How far from `level` (m,) a block's entry can lie while the pair's true distance is on the other side."""
        if not self.product:
            return torch.zeros_like(level)
        # Who is at distance r of a has a norm of at most |a| + r, so far outliers don't widen the margin.
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
        settled = torch.full(near.shape, float("inf"), dtype=torch.float64, device=joint.device)
        settled[i, j] = _largest([space.exact(blurred[i] + rows.start, j) for space in spaces])
        units[blurred], index[blurred] = settled.topk(k, dim=1, largest=False)
    return units, index


def _count(spaces: Sequence[Space], blocks: Sequence[Tensor], rows: slice, levels: Sequence[Tensor]) -> Tensor:
    """How many other samples lie within `levels` (m,) in each of the spaces."""
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
    """How many other samples (n,) lie within `levels` (n,), in units, in each of the spaces.

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
    """Units and indices (n, k) of the nearest, and the counts (n, subsets) within levels, in one pass over all pairs.

    `levels(rows, units, index)` gives the levels (m, spaces), in units, up to which samples count.

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
