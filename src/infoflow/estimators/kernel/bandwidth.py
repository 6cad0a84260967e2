"""Rules for the width σ of the Gaussian kernel k(a, b) = exp(−‖a−b‖²/σ²)."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from infoflow.core.checks import classes, integer, is_classes, paired, positive, samples
from infoflow.core.errors import InvalidArgument

RULES = ("alignment", "median", "scott")

# Pairs held at a time while hundreds of widths pass over them: on CPU small enough for a core's cache, and below the
# size where torch would wake its thread pool for each operation.
_CPU_PAIRS = 1 << 15
_GPU_PAIRS = 1 << 22
_BINS = 1 << 16


def median_width(x: Tensor) -> float:
    """The median distance over all pairs of different samples; x has shape (n, d).

    Up to 2048 samples exactly, beyond that from a histogram of the distances (to 1 in 10⁴ or so), so that the answer
    never depends on the order of the samples. The mean distance stands in where most pairs coincide. 1.0 when all do.

    >>> median_width(torch.tensor([[0.0], [1.0], [3.0]]))
    2.0
    """
    x = (x - x.mean(0)).double()
    n = x.shape[0]
    if n <= 2048:
        distances = torch.nn.functional.pdist(x)
        width = float(distances.median())
    else:
        top = 2 * float(x.norm(dim=1).max())
        counts = x.new_zeros(_BINS)
        for start in range(0, n, 256):
            block = torch.cdist(x[start : start + 256], x[start:])
            upper = block[torch.ones_like(block, dtype=torch.bool).triu_(1)]
            counts += torch.histc(upper, _BINS, 0.0, max(top, 1e-300))
        below = counts.cumsum(0)
        width = (int(torch.searchsorted(below, below[-1] / 2)) + 0.5) * top / _BINS
        width = width if width > top / _BINS else 0.0
    return width or _mean_distance(x) or 1.0


def scott_width(x: Tensor) -> float:
    """Scott's rule: √2·s·n^(−1/(d+4)), s the root mean square of the columns' standard deviations; x is (n, d).

    Narrow beside the distances when d is large: the Gram matrix then nears the identity. 1.0 for constant samples.

    Scott (1992), eq. 6.42, for the kernel exp(−d²/2h²) with σ = √2·h.

    >>> scott_width(torch.tensor([[-1.0], [1.0]])) > 0
    True
    """
    n, d = x.shape
    spread = math.sqrt(float(x.double().var(0).mean()))
    return math.sqrt(2) * spread * n ** (-1 / (d + 4)) or 1.0


def alignment_width(
    t: Any,
    target: Any,
    *,
    target_width: float | None = None,
    widths: int = 300,
    previous: float | None = None,
    decay: float = 0.9,
) -> float:
    """The width whose kernel is best aligned with the kernel of `target`, over a grid of `widths` values.

    Maximizes ⟨HK_σH, HLH⟩/‖HK_σH‖ with the centering matrix H. As ⟨HKH, HLH⟩ = ΣK∘L − 2/n·(K1)·(L1) + ΣK·ΣL/n²,
    it takes elementwise sums and row sums alone; one pass computes the distances for all widths.

    `t` has shape (n, ...). `target` is classes, whose kernel is 1[y_i = y_j], or continuous of shape (n, ...) with
    width `target_width` (their median distance when None). The grid is linspace(0.3, 10·m, widths), m the mean
    distance of t; it starts at m instead where m < 0.3. With `previous`, the width of the last iteration, returns the
    moving average decay·previous + (1 − decay)·σ.

    Raises InvalidArgument for unpaired or bad samples.

    Wickstrøm et al. (2019), eq. 12, after Cortes, Mohri & Rostamizadeh (2012).

    >>> t = torch.cat([torch.zeros(20, 2), torch.ones(20, 2)]) + torch.linspace(0, 0.1, 40)[:, None]
    >>> 0.2 < alignment_width(t, [0] * 20 + [1] * 20) < 1
    True
    """
    x = samples(t, "t", dtype=torch.float64)
    integer(widths, "widths", minimum=2)
    x = x - x.mean(0)
    n = x.shape[0]
    if is_classes(target):
        codes, count = classes(target, "target")
        paired(x, codes, "t", "target")
        member = torch.nn.functional.one_hot(codes.to(x.device), count).to(x)
        other = None
    else:
        other = samples(target, "target", dtype=torch.float64).to(x.device)
        paired(x, other, "t", "target")
        other = (other - other.mean(0)) / (target_width or median_width(other))
        member = x.new_zeros((n, 0))
    mean = _mean_distance(x)
    if mean == 0:
        raise InvalidArgument("t is constant: no kernel width aligns it with anything; give a width as a number")
    grid = torch.linspace(min(0.3, mean), 10 * mean, widths, dtype=torch.float64).tolist()

    # Per width: row sums of K, ΣK², ΣK∘L. The matrix is symmetric, so each block goes from its own rows on.
    rows_k = x.new_zeros((widths, n))
    square, cross = x.new_zeros(widths), x.new_zeros(widths)
    rows_l = x.new_zeros(n)
    square_l = x.new_zeros(())
    height = max(1, min(n, (_GPU_PAIRS if x.is_cuda else _CPU_PAIRS) // n))
    norms = x.square().sum(1)
    for start in range(0, n, height):
        stop = min(start + height, n)
        here = stop - start
        distances = norms[start:stop, None] + norms[None, start:] - 2 * x[start:stop] @ x[start:].mT
        distances.clamp_min_(0)
        if other is None:
            label = member[start:stop] @ member[start:].mT
        else:
            label = torch.cdist(other[start:stop], other[start:]).square_().neg_().exp_()
        # A pair beyond the diagonal block stands for two.
        twice = torch.ones_like(label)
        twice[:, here:] = 2
        rows_l[start:stop] += label.sum(1)
        rows_l[stop:] += label[:, here:].sum(0)
        square_l += (twice * label * label).sum()
        weighted, kernel, product = twice * label, torch.empty_like(distances), torch.empty_like(distances)
        to_right, down = x.new_empty((widths, here)), x.new_empty((widths, n - stop))
        sums = x.new_empty((3, widths))
        for i, width in enumerate(grid):
            torch.mul(distances, -1 / width**2, out=kernel)
            kernel.exp_()
            torch.sum(kernel, 1, out=to_right[i])
            torch.sum(kernel[:, here:], 0, out=down[i])
            # Elementwise and sum, not a dot product: BLAS would wake its threads for each of these small ones.
            torch.mul(weighted, kernel, out=product)
            torch.sum(product, (0, 1), out=sums[0, i])
            torch.mul(kernel, kernel, out=product)
            torch.sum(product, (0, 1), out=sums[1, i])
            torch.sum(product[:, :here], (0, 1), out=sums[2, i])
        rows_k[:, start:stop] += to_right
        rows_k[:, stop:] += down
        cross += sums[0]
        square += 2 * sums[1] - sums[2]
    total_k, total_l = rows_k.sum(1), rows_l.sum()
    centered = cross - 2 / n * rows_k @ rows_l + total_k * total_l / n**2
    norm = square - 2 / n * rows_k.square().sum(1) + total_k.square() / n**2
    alignment = centered / norm.clamp_min(1e-12 * n).sqrt()
    best = float(grid[int(alignment.argmax())])
    if previous is None:
        return best
    return float(decay * positive(previous, "previous") + (1 - decay) * best)


def _mean_distance(x: Tensor) -> float:
    n = x.shape[0]
    total = sum(float(torch.cdist(x[start : start + 256], x).sum()) for start in range(0, n, 256))
    return total / (n * (n - 1))
