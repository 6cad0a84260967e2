"""Whether the columns of two variables correlate beyond chance, in any number of dimensions."""

from __future__ import annotations

import math

from torch import Tensor

# Rows beyond these are left out, since the check must cost little.
_ROWS = 2000

# Standardized values are cut at this, so that single rows do not decide.
_CUT = 4.0


def excess(x: Tensor, y: Tensor) -> float:
    """Sum of the squared correlations of all columns (n, d) of x with all of y, in standard deviations above chance.

    Mean and variance are the exact ones over all permutations of the rows (Kazi-Aoual et al. 1995, Computational
    Statistics & Data Analysis 20), so that hundreds of weak correlations add up where each is insignificant.

    >>> import torch
    >>> x, e = torch.randn(2, 500, 100, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    >>> excess(x, e) < 3, excess(x, 0.2 * x + e) > 6
    (True, True)
    """
    rows = slice(None, None, -(-len(x) // _ROWS))
    n = len(x[rows])
    left, right = (_products(side[rows].double()) for side in (x, y))
    if n < 4 or not bool(left.any()) or not bool(right.any()):
        return 0.0
    traces, squares, diagonals = zip(*(_moments(each) for each in (left, right)), strict=True)
    mean = traces[0] * traces[1] / (n - 1)
    spread = [(n - 1) * square - trace**2 for trace, square in zip(traces, squares, strict=True)]
    uneven = [
        n * (n + 1) * diagonal - (n - 1) * (trace**2 + 2 * square)
        for trace, square, diagonal in zip(traces, squares, diagonals, strict=True)
    ]
    variance = 2 * spread[0] * spread[1] / ((n - 1) ** 2 * (n + 1) * (n - 2))
    variance += uneven[0] * uneven[1] / ((n + 1) * n * (n - 1) * (n - 2) * (n - 3))
    return (float((left * right).sum()) - mean) / math.sqrt(variance) if variance > 0 else 0.0


def _products(values: Tensor) -> Tensor:
    """Scalar products (n, n) of the rows, standardized and cut."""
    centered = values - values.mean(dim=0)
    deviation = centered.square().mean(dim=0).sqrt()
    standard = (centered / deviation.clamp_min(1e-300) * (deviation > 0)).clamp(-_CUT, _CUT)
    standard = standard - standard.mean(dim=0)
    return standard @ standard.mT


def _moments(products: Tensor) -> tuple[float, float, float]:
    """Trace, sum of squares, and sum of squares of the diagonal."""
    diagonal = products.diagonal()
    return float(diagonal.sum()), float(products.square().sum()), float(diagonal.square().sum())
