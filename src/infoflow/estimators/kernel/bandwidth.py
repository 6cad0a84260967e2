"""Rules for the width σ of the Gaussian kernel k(a, b) = exp(−‖a−b‖²/σ²)."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor

from infoflow.core.checks import classes, is_classes, paired, samples
from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import Integer, PositiveFloat, validated
from infoflow.pairwise.exponentials import kernel_values_
from infoflow.pairwise.median_distance import median_distance

# Pairs in memory at a time for hundreds of widths: on a CPU few enough for a core's cache, and for torch not to wake
# its thread pool for each operation.
_CPU_PAIRS = 1 << 15
_GPU_PAIRS = 1 << 22
# Values of the kernels of several widths at once: small kernels cost more in calls than in arithmetic.
_TOGETHER = 1 << 16
# Distances below this share of the largest one are rounding errors of pairs that coincide.
_SAME = 1e-7
_REMEMBERED = 8
_widths: dict[tuple[bytes, tuple[int, ...], str], float] = {}


def median_width(x: Tensor) -> float:
    """The median distance over all pairs of different samples.

    Parameters
    ----------
    x : Tensor of shape (n, d)
        Samples.

    Returns
    -------
    float
        The width; the mean distance where most pairs coincide, 1.0 where all do.

    Notes
    -----
    It is the exact median (the lower one of an even number of pairs), up to rounding of 10⁻⁸ of the largest distance.
    The widths of the last few arrays are remembered, because the layers of a snapshot share their input.

    Examples
    --------
    >>> median_width(torch.tensor([[0.0], [1.0], [3.0]]))
    2.0
    """
    content = np.ascontiguousarray(x.detach().cpu().numpy())
    key = (hashlib.blake2b(content.data, digest_size=16).digest(), content.shape, content.dtype.str)
    width = _widths.get(key)
    if width is None:
        width = _median_width(x)
        while len(_widths) >= _REMEMBERED:
            _widths.pop(next(iter(_widths)), None)
        _widths[key] = width
    return width


def _median_width(x: Tensor) -> float:
    x = (x - x.mean(0)).double()
    if len(x) < 2:
        return 1.0
    width = median_distance(x)
    return width if width > _SAME * 2 * float(x.norm(dim=1).max()) else _mean_distance(x) or 1.0


def scott_width(x: Tensor) -> float:
    """Scott's rule √2·s·n^(−1/(d+4)), s the root mean square of the columns' standard deviations.

    Parameters
    ----------
    x : Tensor of shape (n, d)
        Samples.

    Returns
    -------
    float
        The width; 1.0 for constant samples.

    Notes
    -----
    It is narrow compared with the distances where d is large: the Gram matrix is then close to the identity.

    References
    ----------
    Scott (1992), Multivariate Density Estimation, eq. 6.42, for the kernel exp(−d²/2h²) with σ = √2·h.

    Examples
    --------
    >>> scott_width(torch.tensor([[-1.0], [1.0]])) > 0
    True
    """
    n, d = x.shape
    spread = math.sqrt(float(x.double().var(0).mean()))
    return math.sqrt(2) * spread * n ** (-1 / (d + 4)) or 1.0


@validated
def alignment_width(
    t: Any,
    target: Any,
    *,
    target_width: PositiveFloat | None = None,
    widths: Annotated[int, Integer(2)] = 300,
    previous: PositiveFloat | None = None,
    decay: float = 0.9,
) -> float:
    """The width whose kernel is best aligned with the kernel of `target`.

    Parameters
    ----------
    t : array-like of shape (n, ...)
        Samples.
    target : array-like of shape (n, ...)
        Classes, whose kernel is 1[y_i = y_j], or continuous values.
    target_width
        Width of the kernel of continuous values; None for their median distance.
    widths
        Number of widths to compare: linspace(0.3, 10·m, widths) with the mean distance m of t, from m where m < 0.3.
    previous
        Width of the last iteration, for a moving average over iterations.
    decay
        Weight of `previous` in that average: decay·previous + (1 − decay)·σ.

    Returns
    -------
    float
        The width σ, or its moving average.

    Raises
    ------
    InvalidArgument
        If the samples are not finite numbers, their lengths differ, or t is constant.

    Notes
    -----
    Maximizes ⟨HK_σH, HLH⟩/‖HK_σH‖ with the centering matrix H. As ⟨HKH, HLH⟩ = ΣK∘L − 2/n·(K1)·(L1) + ΣK·ΣL/n²,
    elementwise sums and row sums suffice; one pass computes the distances for all widths.

    References
    ----------
    Wickstrøm et al. (2019), Information Plane Analysis of Deep Neural Networks via Matrix-Based Rényi's Entropy and
    Tensor Kernels, eq. 12.
    Cortes, Mohri, Rostamizadeh (2012), Algorithms for Learning Kernels Based on Centered Alignment.

    Examples
    --------
    >>> t = torch.cat([torch.zeros(20, 2), torch.ones(20, 2)]) + torch.linspace(0, 0.1, 40)[:, None]
    >>> 0.2 < alignment_width(t, [0] * 20 + [1] * 20) < 1
    True
    """
    x = samples(t, "t", dtype=torch.float64)
    x = x - x.mean(0)
    kernel_of_target = _target_kernel(target, x, target_width)
    mean = _mean_distance(x)
    if mean == 0:
        remedy = "No kernel width aligns it with anything; give a width as a number."
        raise InvalidArgument("t", "an array that varies", got_text="a constant one", remedy=remedy)
    grid = torch.linspace(min(0.3, mean), 10 * mean, widths, dtype=torch.float64)
    best = float(grid[int(_alignments(x, kernel_of_target, grid).argmax())])
    return best if previous is None else float(decay * previous + (1 - decay) * best)


def _target_kernel(target: Any, x: Tensor, width: float | None) -> Callable[[int, int], Tensor]:
    """The block of the target's kernel between rows start..stop and all rows from start on."""
    if is_classes(target):
        codes, count = classes(target, "target")
        paired(x, codes, "t", "target")
        member = torch.nn.functional.one_hot(codes.to(x.device), count).to(x)
        return lambda start, stop: member[start:stop] @ member[start:].mT
    other = samples(target, "target", dtype=torch.float64).to(x.device)
    paired(x, other, "t", "target")
    scaled = (other - other.mean(0)) / (width or median_width(other))
    return lambda start, stop: kernel_values_(torch.cdist(scaled[start:stop], scaled[start:]).square_().neg_())


def _alignments(x: Tensor, target: Callable[[int, int], Tensor], grid: Tensor) -> Tensor:
    """Alignment of the kernels of all widths with the target's, up to the target's own norm."""
    n, widths = x.shape[0], len(grid)
    rates = -1 / grid.to(x)[:, None, None] ** 2
    # Per width: row sums of K, ΣK², ΣK∘L. The matrix is symmetric, so each block goes from its own rows on.
    rows_k = x.new_zeros((widths, n))
    square, cross = x.new_zeros(widths), x.new_zeros(widths)
    rows_l = x.new_zeros(n)
    height = max(1, min(n, (_GPU_PAIRS if x.is_cuda else _CPU_PAIRS) // n))
    norms = x.square().sum(1)
    for start in range(0, n, height):
        stop = min(start + height, n)
        here = stop - start
        distances = norms[start:stop, None] + norms[None, start:] - 2 * x[start:stop] @ x[start:].mT
        distances.clamp_min_(0)
        label = target(start, stop)
        # A pair beyond the diagonal block represents two.
        twice = torch.ones_like(label)
        twice[:, here:] = 2
        rows_l[start:stop] += label.sum(1)
        rows_l[stop:] += label[:, here:].sum(0)
        weighted, twice = (twice * label).flatten(), twice.flatten()
        together = max(1, _TOGETHER // distances.numel())
        for first in range(0, widths, together):
            some = slice(first, first + together)
            kernel = kernel_values_(distances * rates[some])
            rows_k[some, start:stop] += kernel.sum(2)
            rows_k[some, stop:] += kernel[:, :, here:].sum(1)
            cross[some] += kernel.flatten(1) @ weighted
            square[some] += kernel.square_().flatten(1) @ twice
    total_k, total_l = rows_k.sum(1), rows_l.sum()
    centered = cross - 2 / n * rows_k @ rows_l + total_k * total_l / n**2
    norm = square - 2 / n * rows_k.square().sum(1) + total_k.square() / n**2
    found: Tensor = centered / norm.clamp_min(1e-12 * n).sqrt()
    return found


def _mean_distance(x: Tensor) -> float:
    n = x.shape[0]
    total = sum(float(torch.cdist(x[start : start + 256], x).sum()) for start in range(0, n, 256))
    return total / (n * (n - 1))
