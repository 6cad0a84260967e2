"""Sums of Gaussian kernels over all pairs, for many bandwidths and all classes in one pass over the distances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from infoflow.pairwise.distances import SquaredDistances
from infoflow.pairwise.equal_rows import equal_rows

# Kernel values below exp(-_FLOOR) are raised to it: their sum is far below rounding, and denormal numbers are slow.
_FLOOR = 80.0

# A block of distances and one of kernel values fit into the cache, and the blocks are large enough that threads seldom
# wait for one another; an accelerator is faster with larger ones.
_CPU_BLOCK = 512
_DEVICE_BLOCK = 8192

# With more classes than this in a block, one comparison of all pairs costs less than a sum for each class.
_FEW_CLASSES = 24


class LogSumExp(NamedTuple):
    """The sums log Σ_j exp(-s ‖x_i - x_j‖²) of every sample i.

    Parameters
    ----------
    total : Tensor of shape (scales, n)
        Sums over all samples j, i itself included; float64.
    within : Tensor of shape (scales, n)
        Sums over the samples j of i's class, i itself included; float64.

    Examples
    --------
    >>> sums = log_sum_exp(torch.tensor([[0.0], [0.0]]), [1.0], torch.tensor([0, 1]))
    >>> sums.total.exp().tolist(), sums.within.exp().tolist()
    ([[2.0, 2.0]], [[1.0, 1.0]])
    """

    total: Tensor
    within: Tensor


class _Distinct(NamedTuple):
    """The different (row, class) pairs in the order of their classes."""

    member: Tensor
    """A sample that represents each pair."""
    of_sample: Tensor
    """The pair of every sample."""
    weight: Tensor
    """How many samples each pair represents."""
    row: Tensor
    label: Tensor
    rows_recur: bool
    """Whether the same row is in several classes."""


def log_sum_exp(
    x: Tensor, scales: Sequence[float], classes: Tensor | None = None, *, dtype: torch.dtype = torch.float32
) -> LogSumExp:
    """Compute log Σ_j exp(-s ‖x_i - x_j‖²) over all samples, and over those of the same class, for every scale.

    Parameters
    ----------
    x : Tensor of shape (n, d)
        Samples, floating and finite.
    scales
        Factors s > 0, one for each bandwidth h: s = 1 / (2 h²).
    classes : Tensor of shape (n,), optional
        Class of each sample, int64; by default all samples are of one class.
    dtype
        Type of the kernel values: float32 is accurate to 1e-5 nats, float64 to 1e-10. The distances are computed with
        the precision that this requires (see `SquaredDistances`), and sums over blocks are in float64.

    Returns
    -------
    LogSumExp
        Both sums for every scale and sample.

    Notes
    -----
    Every sample is its own neighbor at distance 0, so each sum is at least 1 and no maximum needs to be subtracted.
    Equal rows are found exactly and computed once. Only one half of the symmetric distances is computed, in blocks; the
    memory is O(n (d + block)).

    Examples
    --------
    >>> x = torch.tensor([[0.0], [0.0], [9.0]])
    >>> log_sum_exp(x, [1.0]).total.exp().round().tolist()
    [[2.0, 2.0, 1.0]]
    """
    n = x.shape[0]
    if classes is None:
        classes = torch.zeros(n, dtype=torch.int64, device=x.device)
    with torch.no_grad(), torch.autocast(device_type=x.device.type, enabled=False):
        distinct = _distinct(x, classes)
        tolerance = 1e-4 if dtype == torch.float32 else 1e-10
        distances = SquaredDistances(x, scales, dtype=dtype, tolerance=tolerance, order=distinct.member)
        total, within = _sums(distances, distinct, dtype)
        return LogSumExp(total.log_()[:, distinct.of_sample], within.log_()[:, distinct.of_sample])


def _distinct(x: Tensor, classes: Tensor) -> _Distinct:
    n = x.shape[0]
    rows, row_count = equal_rows(x)
    pairs, of_sample, weight = torch.unique(classes * row_count + rows, return_inverse=True, return_counts=True)
    member = torch.empty_like(pairs)
    member[of_sample] = torch.arange(n, device=x.device)
    row, label = pairs % row_count, torch.div(pairs, row_count, rounding_mode="floor")
    return _Distinct(member, of_sample, weight, row, label, rows_recur=pairs.numel() > row_count)


def _sums(distances: SquaredDistances, distinct: _Distinct, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    m, device = distinct.weight.numel(), distinct.weight.device
    scales = distances.scales
    total = torch.zeros((len(scales), m), dtype=torch.float64, device=device)
    within = torch.zeros_like(total)
    weight = distinct.weight.to(dtype) if m < distinct.of_sample.numel() else None
    size = min(m, _CPU_BLOCK if device.type == "cpu" else _DEVICE_BLOCK)
    memory, kernel_memory = torch.empty((2, size, size), dtype=dtype, device=device)
    one_class = bool(distinct.label[0] == distinct.label[-1])
    ends = [(start, min(start + size, m)) for start in range(0, m, size)]
    runs = _Runs(distinct.label)
    for a, b in ends:
        for c, e in ends:
            if c < a:
                continue
            rows, columns = slice(a, b), slice(c, e)
            d = distances.block(rows, columns, memory[: b - a, : e - c])
            if a == c:
                d.fill_diagonal_(0.0)
            if distinct.rows_recur:
                d.masked_fill_(distinct.row[rows, None] == distinct.row[None, columns], 0.0)
            low, high = (float(bound) for bound in d.aminmax())
            shared = [] if one_class else runs.shared(rows, columns)
            same = None
            if len(shared) > _FEW_CLASSES:
                same = (distinct.label[rows, None] == distinct.label[None, columns]).to(dtype)
                shared = [(rows, columns)]
            kernel = kernel_memory[: b - a, : e - c]
            for index, scale in enumerate(scales):
                if scale * low > _FLOOR:
                    continue
                torch.mul(d, -scale, out=kernel)
                if scale * high > _FLOOR:
                    kernel.clamp_min_(-_FLOOR)
                kernel.exp_()
                total[index, rows] += _sum(kernel, weight, columns, dim=1)
                if a != c:
                    total[index, columns] += _sum(kernel, weight, rows, dim=0)
                if same is not None:
                    kernel.mul_(same)
                for one, other in shared:
                    part = kernel[one.start - a : one.stop - a, other.start - c : other.stop - c]
                    within[index, one] += _sum(part, weight, other, dim=1)
                    if a != c:
                        within[index, other] += _sum(part, weight, one, dim=0)
    return total, total.clone() if one_class else within


class _Runs:
    """Where each class is in the pairs, which are in the order of their classes."""

    def __init__(self, label: Tensor) -> None:
        _, of_pair, counts = torch.unique_consecutive(label, return_inverse=True, return_counts=True)
        self.of_pair: list[int] = of_pair.tolist()
        self.ends: list[int] = counts.cumsum(0).tolist()

    def shared(self, rows: slice, columns: slice) -> list[tuple[slice, slice]]:
        """The rows and the columns of each class that is in both; no row is behind the columns."""
        found = []
        for run in range(self.of_pair[columns.start], self.of_pair[rows.stop - 1] + 1):
            start, end = self.ends[run - 1] if run else 0, self.ends[run]
            of_rows, of_columns = (slice(max(start, of.start), min(end, of.stop)) for of in (rows, columns))
            found.append((of_rows, of_columns))
        return found


def _sum(kernel: Tensor, weight: Tensor | None, over: slice, *, dim: int) -> Tensor:
    """Sum of the kernel's values along `dim`; not by a matrix product, which global settings may make imprecise."""
    if weight is None:
        return kernel.sum(dim=dim)
    return (kernel * (weight[over] if dim == 1 else weight[over, None])).sum(dim=dim)
