"""Nearest neighbors and counts within a radius, exactly, in one space or in several at once.

Several spaces share their samples: the joint distance of two samples is the largest of their distances in the spaces,
as nearest-neighbor estimators of mutual information need it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from infoflow.core.checks import choice, integer, paired, samples
from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.pairwise import neighbor_blocks as blocks
from infoflow.pairwise import neighbor_trees as trees
from infoflow.pairwise.equal_rows import equal_rows

METRICS = ("chebyshev", "euclidean")
METHODS = ("auto", "tree", "blocks")

# A distance within this (relative) of the radius is on the sphere.
_SPHERE = 1e-10


@dataclass(frozen=True)
class Neighborhoods:
    """The k nearest neighbors of every sample, and who else is near.

    >>> line = torch.tensor([[0.0], [1.0], [3.0]], dtype=torch.float64)
    >>> neighborhoods([line, line], 1, [(0,), (1,)]).distance[:, 0].tolist()
    [1.0, 1.0, 2.0]
    """

    distance: Tensor
    """(n, k) joint distances in ascending order, float64."""
    index: Tensor
    """(n, k) which samples they are."""
    extents: Tensor
    """(n, spaces) how far the neighborhood reaches in each space: the k-th joint distance, or a rectangle's side."""
    counts: Tensor
    """(n, number of subsets) how many other samples are near in each subset of the spaces."""


def neighborhoods(
    spaces: Sequence[Tensor],
    k: int,
    subsets: Sequence[tuple[int, ...]] = (),
    *,
    metric: str = "chebyshev",
    rectangle: bool = False,
    method: str = "auto",
) -> Neighborhoods:
    """The k nearest neighbors in the joint distance max_s |a_s − b_s|, and counts in subsets of the spaces.

    For every subset (a tuple of positions in `spaces`) the count is of the other samples that are nearer, in all of its
    spaces, than the k-th neighbor's joint distance; where that distance is 0, of those at distance 0. With `rectangle`
    the count is of those within the extents of the k neighbors, boundary included, space by space.

    `spaces` are tensors of shape (n, d_s), and k < n. `metric` is the norm within each space: "chebyshev" (maximum) or
    "euclidean". `method` "auto" takes k-d trees on the CPU when the dimensions are few (`prefers_tree`), else blocked
    brute force, on the tensors' device. Both give the same answer.

    Raises InvalidArgument, UnknownName, or TooFewSamples when k >= n.

    >>> import torch
    >>> x = torch.tensor([[0.0], [1.0], [3.0]])
    >>> near = neighborhoods([x, 2 * x], 1, [(0,), (1,)])
    >>> near.distance[:, 0].tolist(), near.index[:, 0].tolist()
    ([2.0, 2.0, 4.0], [1, 0, 1])
    >>> near.counts.tolist()
    [[1, 0], [1, 0], [2, 0]]
    """
    tensors = _spaces(spaces)
    k = _fewer(k, tensors[0].shape[0])
    choice(metric, "metric", METRICS)
    if rectangle and any(len(subset) != 1 for subset in subsets):
        raise InvalidArgument("rectangles are counted in one space at a time; want subsets of one space each")
    if _use_tree(tensors, metric, method):
        return _by_trees(tensors, k, subsets, metric, rectangle)
    return _by_blocks(tensors, k, subsets, metric, rectangle)


def nearest(x: Tensor, k: int, *, metric: str = "chebyshev", method: str = "auto") -> tuple[Tensor, Tensor]:
    """Distances (n, k) in ascending order and indices (n, k) of every sample's k nearest others, within (n, d) samples.

    Raises as `neighborhoods` does.

    >>> import torch
    >>> distance, index = nearest(torch.tensor([[0.0], [1.0], [3.0]]), 1)
    >>> distance[:, 0].tolist(), index[:, 0].tolist()
    ([1.0, 1.0, 2.0], [1, 0, 1])
    """
    near = neighborhoods([x], k, metric=metric, method=method)
    return near.distance, near.index


def count_within(
    x: Tensor, radius: Tensor, *, metric: str = "chebyshev", strict: bool = True, method: str = "auto"
) -> Tensor:
    """How many other samples (n,) lie nearer than `radius` (n,), or at most that far with `strict=False`.

    Where the radius is 0, samples at distance 0 are counted either way.

    Raises InvalidArgument or UnknownName.

    >>> import torch
    >>> count_within(torch.tensor([[0.0], [1.0], [3.0]]), torch.tensor([2.0, 2.0, 3.0])).tolist()
    [1, 1, 1]
    """
    (tensor,) = _spaces([x])
    radius = torch.as_tensor(radius, dtype=torch.float64, device=tensor.device)
    if radius.shape != (tensor.shape[0],) or not bool((radius >= 0).all()):
        raise InvalidArgument(f"radius has shape {tuple(radius.shape)}; want {tensor.shape[0]} numbers >= 0")
    choice(metric, "metric", METRICS)
    within = _within(radius, _magnitude([tensor]), strict)
    if tensor.shape[1] == 1 or _use_tree([tensor], metric, method):
        return _count(tensor, within, _norm(metric))
    return blocks.counts([blocks.Space(tensor, metric)], [_units(within, metric)])


def open_ball_sizes(spaces: Sequence[Tensor], distance: Tensor) -> Tensor:
    """How many samples (n,), itself included, are strictly nearer than the k-th neighbor, from the distances (n, k).

    That is k, unless neighbors are tied with the k-th; where the k-th is at distance 0, it is the number of duplicates
    in `spaces` together. A count that stays right for ties, like the counts of `neighborhoods`.

    >>> import torch
    >>> x = torch.tensor([[0.0], [1.0], [-1.0], [5.0], [5.0], [5.0]])
    >>> open_ball_sizes([x], nearest(x, 2)[0]).tolist()
    [1, 2, 2, 3, 3, 3]
    """
    tensors = _spaces(spaces)
    radius = distance[:, -1]
    sizes = (distance <= _within(radius, _magnitude(tensors), True)[:, None]).sum(1) + 1
    repeated = radius == 0
    if bool(repeated.any()):
        codes, _ = equal_rows(torch.cat(tensors, 1))
        sizes = torch.where(repeated, torch.bincount(codes)[codes], sizes)
    return sizes


def prefers_tree(n: int, dimensions: int) -> bool:
    """Whether k-d trees are expected to be quicker than blocked brute force for n samples on a CPU.

    Trees win up to about 6 dimensions at n = 1000, and 4 more for every tenfold n (measured, maximum norm, one core).

    >>> prefers_tree(10_000, 2), prefers_tree(10_000, 50)
    (True, False)
    """
    return dimensions <= 6.0 + 4.0 * math.log10(n / 1000.0)


def _spaces(spaces: Sequence[Tensor]) -> list[Tensor]:
    if not spaces:
        raise InvalidArgument("spaces is empty; want at least one tensor of samples")
    tensors: list[Tensor] = []
    for position, space in enumerate(spaces):
        name = f"spaces[{position}]"
        if isinstance(space, Tensor) and space.device.type == "mps":
            space = space.cpu()  # that device has no float64
        tensor = samples(space, name, dtype=torch.float64)
        if tensors:
            paired(tensors[0], tensor, "spaces[0]", name)
        # Distances from a common center: a large offset would eat the digits that tell neighbors apart.
        tensors.append(tensor - tensor.mean(0))
    return tensors


def _fewer(k: int, n: int) -> int:
    k = integer(k, "k")
    if k >= n:
        raise TooFewSamples(f"k = {k} neighbors need at least {k + 1} samples; got {n}")
    return k


def _use_tree(spaces: Sequence[Tensor], metric: str, method: str) -> bool:
    choice(method, "method", METHODS)
    # Trees know one p-norm over all coordinates: a maximum over Euclidean norms is none of them.
    single = len(spaces) == 1 or all(space.shape[1] == 1 for space in spaces)
    possible = spaces[0].device.type == "cpu" and (metric == "chebyshev" or single)
    if method == "tree" and not possible:
        raise InvalidArgument(
            "method is 'tree', which needs the CPU, and one space or the metric 'chebyshev'; want 'blocks'"
        )
    if method != "auto":
        return method == "tree"
    return possible and prefers_tree(spaces[0].shape[0], sum(space.shape[1] for space in spaces))


def _magnitude(tensors: Sequence[Tensor]) -> Tensor:
    """Norms of the samples (n,), all spaces together: their rounding is relative to that."""
    return torch.stack([tensor.square().sum(1) for tensor in tensors]).sum(0).sqrt()


def _within(radius: Tensor, magnitude: Tensor, strict: bool) -> Tensor:
    """The distance up to which samples count, such that rounding does not decide about those on the sphere."""
    rounding = 4.0 * torch.finfo(torch.float64).eps * (magnitude + radius)
    slack = torch.where(radius > 0, torch.maximum(_SPHERE * radius, rounding), 0.0)
    return (radius - slack).clamp_min(0.0) if strict else radius + slack


def _units(distance: Tensor, metric: str) -> Tensor:
    return distance.square() if metric == "euclidean" else distance


def _by_blocks(
    tensors: list[Tensor], k: int, subsets: Sequence[tuple[int, ...]], metric: str, rectangle: bool
) -> Neighborhoods:
    spaces = [blocks.Space(tensor, metric) for tensor in tensors]
    magnitude = _magnitude(tensors)
    reaches: list[Tensor] = []

    def levels(rows: slice, units: Tensor, index: Tensor) -> Tensor:
        if rectangle:
            own = torch.arange(rows.start, rows.stop, device=index.device)[:, None].expand_as(index)
            reach = torch.stack([space.exact(own, index).amax(1) for space in spaces], 1)
        else:
            reach = units[:, -1:].expand(-1, len(spaces))
        if metric == "euclidean":
            reach = reach.sqrt()
        reaches.append(reach)
        return _units(_within(reach, magnitude[rows, None], not rectangle), metric)

    units, index, counts = blocks.nearest_and_counts(spaces, k, subsets, levels)
    distance = units.sqrt() if metric == "euclidean" else units
    return Neighborhoods(distance, index, torch.cat(reaches), counts)


def _by_trees(
    tensors: list[Tensor], k: int, subsets: Sequence[tuple[int, ...]], metric: str, rectangle: bool
) -> Neighborhoods:
    found, which = trees.nearest(torch.cat(tensors, 1).numpy(), k, _norm(metric, len(tensors)))
    distance, index = torch.from_numpy(found), torch.from_numpy(which)
    extents = distance[:, -1:].expand(-1, len(tensors))
    if rectangle:
        own = torch.arange(index.shape[0])[:, None]
        norms = [torch.linalg.vector_norm(t[own] - t[index], ord=_norm(metric), dim=2) for t in tensors]
        extents = torch.stack([norm.amax(1) for norm in norms], 1)
    magnitude = _magnitude(tensors)
    counts = torch.zeros((index.shape[0], len(subsets)), dtype=torch.int64)
    for column, subset in enumerate(subsets):
        points = torch.cat([tensors[s] for s in subset], 1)
        within = _within(extents[:, subset[0]], magnitude, not rectangle)
        counts[:, column] = _count(points, within, _norm(metric, len(subset)))
    return Neighborhoods(distance, index, extents, counts)


def _norm(metric: str, spaces: int = 1) -> float:
    # Euclidean spaces reach the trees together only when each is one-dimensional: their joint norm is the maximum.
    return 2.0 if metric == "euclidean" and spaces == 1 else float("inf")


def _count(points: Tensor, within: Tensor, p: float) -> Tensor:
    if points.shape[1] > 1:
        return torch.from_numpy(trees.count(points.numpy(), within.numpy(), p))
    line = points[:, 0]
    ordered = line.sort().values
    return torch.searchsorted(ordered, line + within, right=True) - torch.searchsorted(ordered, line - within) - 1
