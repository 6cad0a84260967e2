"""Exact nearest neighbors and counts within a radius, in one space or in several at once.

Several spaces hold the same samples: the joint distance of two samples is the largest of their distances in the
spaces, as nearest-neighbor estimators of mutual information need it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infoflow.core.checks import paired, samples
from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.core.settings import PositiveInt, validated
from infoflow.pairwise import count_tables as tables
from infoflow.pairwise import line_neighbors as line
from infoflow.pairwise import neighbor_blocks as blocks
from infoflow.pairwise import neighbor_candidates as candidates
from infoflow.pairwise import neighbor_trees as trees
from infoflow.pairwise import plane_neighbors as plane
from infoflow.pairwise.equal_rows import equal_rows
from infoflow.pairwise.rounding import ROUNDINGS, SPHERE, rounding_slack

Metric = Literal["chebyshev", "euclidean"]
"""The norm within a space: the maximum of the coordinates, or the square root of their sum of squares."""

Method = Literal["auto", "tree", "blocks"]
"""How neighbors are found: by k-d trees, by brute force in blocks, or by whichever is expected to be faster."""

# Exponents of two up to which samples are used as they are.
_RANGE = 400


@dataclass(frozen=True)
class Neighborhoods:
    """The k nearest neighbors of every sample, and how many other samples are near.

    Parameters
    ----------
    distance : Tensor of shape (n, k)
        Joint distances in ascending order, float64.
    index : Tensor of shape (n, k)
        Indices of the neighbors.
    extents : Tensor of shape (n, number of spaces)
        How far the neighborhood extends in each space: the k-th joint distance, or half the side of a rectangle.
    counts : Tensor of shape (n, number of subsets)
        Number of other samples that are near in each subset of the spaces.

    Examples
    --------
    >>> line = torch.tensor([[0.0], [1.0], [3.0]], dtype=torch.float64)
    >>> neighborhoods([line, line], 1, [(0,), (1,)]).distance[:, 0].tolist()
    [1.0, 1.0, 2.0]
    """

    distance: Tensor
    index: Tensor
    extents: Tensor
    counts: Tensor


@validated
def neighborhoods(
    spaces: Sequence[Tensor],
    k: PositiveInt,
    subsets: Sequence[tuple[int, ...]] = (),
    *,
    metric: Metric = "chebyshev",
    rectangle: bool = False,
    method: Method = "auto",
) -> Neighborhoods:
    """Find the k nearest neighbors in the joint distance, and count neighbors in subsets of the spaces.

    Parameters
    ----------
    spaces : sequence of Tensor of shape (n, d_s)
        The same n samples in each space.
    k
        Number of neighbors, smaller than n.
    subsets
        Tuples of positions in `spaces`, one for each count.
    metric
        Norm within each space: "chebyshev" (maximum) or "euclidean".
    rectangle
        Count the samples within the extents of the k neighbors, boundary included; each subset must be one space then.
        By default the samples nearer than the k-th neighbor are counted.
    method
        "tree" searches k-d trees, "blocks" compares all pairs in blocks on the tensors' device; both give the same
        answer. "auto" uses trees on the CPU when the dimensions are few (see `prefers_tree`), and in one or two
        dimensions a sort and, where numba is installed, a compiled search.

    Returns
    -------
    Neighborhoods
        Distances and indices of the neighbors, and the counts.

    Raises
    ------
    InvalidArgument
        If the spaces do not hold the same number of finite samples, or an option is invalid.
    UnknownName
        If `metric` or `method` is unknown.
    TooFewSamples
        If k >= n.

    Notes
    -----
    The joint distance is max_s ‖a_s − b_s‖. For every subset, the count is of the other samples that are nearer
    than the k-th neighbor's joint distance in all spaces of the subset; where that distance is 0, of those at
    distance 0.

    Examples
    --------
    >>> import torch
    >>> x = torch.tensor([[0.0], [1.0], [3.0]])
    >>> near = neighborhoods([x, 2 * x], 1, [(0,), (1,)])
    >>> near.distance[:, 0].tolist(), near.index[:, 0].tolist()
    ([2.0, 2.0, 4.0], [1, 0, 1])
    >>> near.counts.tolist()
    [[1, 0], [1, 0], [2, 0]]
    """
    tensors, unit = _spaces(spaces)
    n = tensors[0].shape[0]
    if k >= n:
        raise TooFewSamples("k", f"smaller than the number of samples ({n})", k)
    if rectangle and any(len(subset) != 1 for subset in subsets):
        raise InvalidArgument("subsets", "of one space each where rectangle=True", subsets)
    plain = metric == "euclidean" and len(tensors) == 1 and not subsets
    by_candidates = plain and candidates.applies(n, tensors[0].shape[1], k)
    if _use_tree(tensors, metric, method, by_candidates):
        found = _by_trees(tensors, k, subsets, metric, rectangle, method)
    elif by_candidates:
        found = _by_candidates(tensors[0], k)
    else:
        found = _by_blocks(tensors, k, subsets, metric, rectangle)
    if unit == 1.0:
        return found
    return replace(found, distance=found.distance / unit, extents=found.extents / unit)


def nearest(x: Tensor, k: int, *, metric: Metric = "chebyshev", method: Method = "auto") -> tuple[Tensor, Tensor]:
    """Find the k nearest other samples of every sample.

    Parameters
    ----------
    x : Tensor of shape (n, d)
        Samples.
    k
        Number of neighbors, smaller than n.
    metric
        "chebyshev" (maximum norm) or "euclidean".
    method
        "auto", "tree" or "blocks"; see `neighborhoods`.

    Returns
    -------
    distance : Tensor of shape (n, k)
        Distances in ascending order, float64.
    index : Tensor of shape (n, k)
        Indices of the neighbors.

    Raises
    ------
    InvalidArgument
        If the samples or an option are invalid.
    UnknownName
        If `metric` or `method` is unknown.
    TooFewSamples
        If k >= n.

    Examples
    --------
    >>> import torch
    >>> distance, index = nearest(torch.tensor([[0.0], [1.0], [3.0]]), 1)
    >>> distance[:, 0].tolist(), index[:, 0].tolist()
    ([1.0, 1.0, 2.0], [1, 0, 1])
    """
    near = neighborhoods([x], k, metric=metric, method=method)
    return near.distance, near.index


@validated
def count_within(
    x: Tensor, radius: Tensor, *, metric: Metric = "chebyshev", strict: bool = True, method: Method = "auto"
) -> Tensor:
    """Count the other samples that lie within a radius of every sample.

    Parameters
    ----------
    x : Tensor of shape (n, d)
        Samples.
    radius : Tensor of shape (n,)
        Radius around each sample. Where it is 0, samples at distance 0 are counted in any case.
    metric
        "chebyshev" (maximum norm) or "euclidean".
    strict
        Count only samples nearer than the radius; otherwise also those at exactly this distance.
    method
        "auto", "tree" or "blocks"; see `neighborhoods`.

    Returns
    -------
    Tensor of shape (n,)
        Counts, int64.

    Raises
    ------
    InvalidArgument
        If the samples, the radius or an option are invalid.
    UnknownName
        If `metric` or `method` is unknown.

    Examples
    --------
    >>> import torch
    >>> count_within(torch.tensor([[0.0], [1.0], [3.0]]), torch.tensor([2.0, 2.0, 3.0])).tolist()
    [1, 1, 1]
    """
    (tensor,), unit = _spaces([x])
    radius = torch.as_tensor(radius, dtype=torch.float64, device=tensor.device)
    if radius.shape != (tensor.shape[0],) or not bool((radius >= 0).all()):
        got = "" if radius.shape != tensor.shape[:1] else "a negative number or NaN"
        raise InvalidArgument("radius", f"{len(tensor)} numbers >= 0, one per sample", radius, got_text=got)
    within = _within(radius * unit, _magnitude([tensor]), strict)
    if tensor.shape[1] == 1 or _use_tree([tensor], metric, method):
        return _count(tensor, within, _norm(metric), method)
    return blocks.counts([blocks.Space(tensor, metric)], [_units(within, metric)])


def nearer_in_groups(values: Tensor, groups: Tensor, numbers: Sequence[int]) -> list[tuple[Tensor, Tensor]]:
    """Count the values on a line that are nearer than the k-th neighbor in the group of each, for several k.

    Parameters
    ----------
    values : Tensor of shape (n,)
        Values, float64.
    groups : Tensor of shape (n,)
        Integers >= 0, the same for values of one group, which are at least two.
    numbers
        Numbers of neighbors k; groups of at most k values use all others of the group.

    Returns
    -------
    list of pairs of Tensor of shape (n,)
        For each k the nearer values of the group, and those of all groups, the value itself included, as of
        `open_ball_sizes`.

    Examples
    --------
    >>> values = torch.tensor([0.0, 1.0, 3.0, 7.0, 9.0], dtype=torch.float64)
    >>> found = nearer_in_groups(values, torch.tensor([0, 0, 0, 1, 1]), [2])
    >>> [each.tolist() for each in found[0]]
    [[2, 2, 2, 1, 1], [2, 2, 2, 1, 1]]
    """
    centered = (values - values.mean()).cpu().numpy()
    grouped = line.Groups(centered, groups.cpu().numpy())
    magnitude, found = np.abs(centered), []
    for k in numbers:
        radius = grouped.radius(k)
        within = np.maximum(radius - rounding_slack(radius, magnitude), 0.0)
        sizes = grouped.count(within) + 1, grouped.count_all(within) + 1
        found.append((torch.from_numpy(sizes[0]).to(values.device), torch.from_numpy(sizes[1]).to(values.device)))
    return found


def open_ball_sizes(spaces: Sequence[Tensor], distance: Tensor) -> Tensor:
    """Count the samples that are strictly nearer than the k-th neighbor, the sample itself included.

    Parameters
    ----------
    spaces : sequence of Tensor of shape (n, d_s)
        The same n samples in each space.
    distance : Tensor of shape (n, k)
        Joint distances of the neighbors, from `neighborhoods`.

    Returns
    -------
    Tensor of shape (n,)
        Counts.

    Notes
    -----
    The count is k unless neighbors are tied with the k-th. Where the k-th neighbor is at distance 0, it is the number
    of duplicates in all spaces together. Ties are handled as in the counts of `neighborhoods`.

    Examples
    --------
    >>> import torch
    >>> x = torch.tensor([[0.0], [1.0], [-1.0], [5.0], [5.0], [5.0]])
    >>> open_ball_sizes([x], nearest(x, 2)[0]).tolist()
    [1, 2, 2, 3, 3, 3]
    """
    tensors, unit = _spaces(spaces)
    distance = distance * unit
    radius = distance[:, -1]
    within, sizes = _within(radius, _magnitude(tensors), True), torch.ones(len(radius), dtype=torch.int64)
    sizes = sizes.to(radius.device)
    for nearer in distance.unbind(1):  # faster than a sum over few columns
        sizes += nearer <= within
    repeated = radius == 0
    if bool(repeated.any()):
        codes, _ = equal_rows(torch.cat(tensors, 1))
        sizes = torch.where(repeated, torch.bincount(codes)[codes], sizes)
    return sizes


def prefers_tree(n: int, dimensions: int, *, by_candidates: bool = False) -> bool:
    """Return whether k-d trees are expected to be faster than blocked brute force on a CPU.

    Parameters
    ----------
    n
        Number of samples.
    dimensions
        Number of features, all spaces together.
    by_candidates
        Brute force takes candidates from a float32 product, as it does for the Euclidean neighbors of many samples in
        one space where nothing is counted.

    Returns
    -------
    bool
        True for few dimensions.

    Notes
    -----
    Trees are faster up to about 6 dimensions at n = 1000, and 4 more for every tenfold n (measured for the maximum norm
    on one core), or 1 more where brute force takes candidates.

    Examples
    --------
    >>> prefers_tree(10_000, 2), prefers_tree(10_000, 50)
    (True, False)
    """
    return dimensions <= 6.0 + (1.0 if by_candidates else 4.0) * math.log10(n / 1000.0)


def _spaces(spaces: Sequence[Tensor]) -> tuple[list[Tensor], float]:
    """Centered samples in each space, and the power of two by which they were multiplied."""
    if not spaces:
        raise InvalidArgument("spaces", "at least one tensor of samples", spaces)
    tensors: list[Tensor] = []
    for position, space in enumerate(spaces):
        name = f"spaces[{position}]"
        if isinstance(space, Tensor) and space.device.type == "mps":
            space = space.cpu()  # that device has no float64
        tensor = samples(space, name, dtype=torch.float64)
        if tensors:
            paired(tensors[0], tensor, "spaces[0]", name)
        tensors.append(tensor)
    exponent = math.frexp(max(float(tensor.abs().max()) for tensor in tensors))[1]
    # Squares of numbers far outside this range overflow or vanish.
    unit = 1.0 if abs(exponent) < _RANGE or exponent == 0 else 2.0 ** min(-exponent, 1023)
    # Distances from a common center: a large offset would cost the digits in which neighbors differ.
    scaled = tensors if unit == 1.0 else [tensor * unit for tensor in tensors]
    return [tensor - tensor.mean(0) for tensor in scaled], unit


def _use_tree(spaces: Sequence[Tensor], metric: Metric, method: Method, by_candidates: bool = False) -> bool:
    # A tree uses one p-norm over all coordinates, and a maximum over Euclidean norms is not a p-norm.
    single = len(spaces) == 1 or all(space.shape[1] == 1 for space in spaces)
    possible = spaces[0].device.type == "cpu" and (metric == "chebyshev" or single)
    if method == "tree" and not possible:
        raise InvalidArgument(
            "method='tree' requires samples on the CPU and one space or metric='chebyshev'. Use method='blocks'."
        )
    if method != "auto":
        return method == "tree"
    dimensions = sum(space.shape[1] for space in spaces)
    return possible and prefers_tree(spaces[0].shape[0], dimensions, by_candidates=by_candidates)


def _magnitude(tensors: Sequence[Tensor]) -> Tensor:
    """Norms of the samples (n,), all spaces together: their rounding is relative to that."""
    return torch.stack([tensor.square().sum(1) for tensor in tensors]).sum(0).sqrt()


def _within(radius: Tensor, magnitude: Tensor, strict: bool) -> Tensor:
    """The distance up to which samples count, such that rounding does not decide about those on the sphere."""
    rounding = ROUNDINGS * (magnitude + radius)
    slack = torch.where(radius > 0, torch.maximum(SPHERE * radius, rounding), 0.0)
    return (radius - slack).clamp_min(0.0) if strict else radius + slack


def _units(distance: Tensor, metric: Metric) -> Tensor:
    return distance.square() if metric == "euclidean" else distance


def _by_candidates(x: Tensor, k: int) -> Neighborhoods:
    units, index = candidates.nearest(blocks.Space(x, "euclidean"), k)
    distance = units.sqrt()
    return Neighborhoods(distance, index, distance[:, -1:], index.new_empty((len(index), 0)))


def _by_blocks(
    tensors: list[Tensor], k: int, subsets: Sequence[tuple[int, ...]], metric: Metric, rectangle: bool
) -> Neighborhoods:
    spaces = [blocks.Space(tensor, metric) for tensor in tensors]
    magnitude = _magnitude(tensors)
    reaches: list[Tensor] = []

    def levels(rows: Tensor, units: Tensor, index: Tensor) -> Tensor:
        if rectangle:
            own = rows[:, None].expand_as(index)
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
    tensors: list[Tensor], k: int, subsets: Sequence[tuple[int, ...]], metric: Metric, rectangle: bool, method: Method
) -> Neighborhoods:
    found, which = _search(torch.cat(tensors, 1).numpy(), k, _norm(metric, len(tensors)), method)
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
        counts[:, column] = _count(points, within, _norm(metric, len(subset)), method)
    return Neighborhoods(distance, index, extents, counts)


def _search(
    points: NDArray[np.float64], k: int, p: float, method: Method
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Distances and indices (n, k) of the neighbors in the p-norm: on a line, in a plane, or by a tree."""
    n, dimensions = points.shape
    if method == "auto" and dimensions == 1:
        return line.nearest(points[:, 0], k)
    if method == "auto" and dimensions == 2 and math.isinf(p):
        if n <= plane.FEW:
            return plane.among_few(points[:, 0], points[:, 1], k)
        if plane.worthwhile(n, k):
            return plane.nearest(points[:, 0], points[:, 1], k)
    return trees.nearest(points, k, p)


def _norm(metric: Metric, spaces: int = 1) -> float:
    # Several Euclidean spaces share a tree only when each is one-dimensional: their joint norm is the maximum.
    return 2.0 if metric == "euclidean" and spaces == 1 else float("inf")


def _count(points: Tensor, within: Tensor, p: float, method: Method) -> Tensor:
    if points.shape[1] == 1:
        return _count_on_line(points[:, 0], within[:, None])[:, 0]
    if method == "auto" and math.isinf(p) and tables.suffices(points):
        return tables.count(points, within)
    return torch.from_numpy(trees.count(points.numpy(), within.numpy(), p))


def _count_on_line(values: Tensor, within: Tensor) -> Tensor:
    """Other values (n,) within radii (n, m), boundary included."""
    if values.device.type == "cpu":
        return torch.from_numpy(line.count(values.numpy(), within.numpy()))
    ordered, centers = values.sort().values, values[:, None]
    upper = torch.searchsorted(ordered, centers + within, right=True)
    return upper - torch.searchsorted(ordered, centers - within) - 1
