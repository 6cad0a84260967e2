"""What the nearest-neighbor estimators share: which norm "auto" is, and when their results need a caution."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

# Up to this many joint dimensions "auto" is the maximum norm of the papers; beyond, the Euclidean norm is more
# accurate, and a matrix product finds its neighbors.
_CHEBYSHEV_DIMENSIONS = 6


def norm(metric: str, dimensions: int) -> str:
    """The metric that "auto" means for so many joint dimensions: Chebyshev up to 6, Euclidean beyond.

    >>> norm("auto", 2), norm("auto", 100), norm("chebyshev", 100)
    ('chebyshev', 'euclidean', 'chebyshev')
    """
    if metric != "auto":
        return metric
    return "chebyshev" if dimensions <= _CHEBYSHEV_DIMENSIONS else "euclidean"


def balanced(spaces: Sequence[Tensor], metric: str) -> list[Tensor]:
    """Spaces (n, d_s) whose norms compare: Euclidean ones grow as √d_s, and are divided by it.

    A joint neighbor is as near in every space; unbalanced, the space of most dimensions alone would say who that is.

    >>> balanced([torch.ones(1, 4), torch.ones(1, 1)], "euclidean")[0].tolist()
    [[0.5, 0.5, 0.5, 0.5]]
    """
    if metric != "euclidean":
        return list(spaces)
    return [space / math.sqrt(space.shape[1]) for space in spaces]


def tied(radius: Tensor) -> tuple[str, ...]:
    """The warning for samples whose k-th neighbor is at distance 0, or nothing.

    >>> tied(torch.tensor([0.0, 1.0]))[0][:49]
    '50% of the samples have k or more exact duplicate'
    """
    share = float((radius == 0).to(torch.float64).mean())
    if share == 0:
        return ()
    return (
        f"{100 * share:.2g}% of the samples have k or more exact duplicates (neighbor distance 0), which continuous "
        "variables don't have; use MixedKSG where values repeat by nature, or noise of the step's size where they were "
        "rounded",
    )


def crowded(dimensions: int, n: int) -> tuple[str, ...]:
    """The warning for more dimensions than n samples can fill, or nothing.

    >>> crowded(2, 1000)
    ()
    """
    if dimensions <= math.log(n):
        return ()
    return (
        f"{dimensions} dimensions are many for {n} samples (more than log n = {math.log(n):.1f}): neighbors are far "
        "away and strong dependence is underestimated; compress the variables, or use a neural or Gaussian estimator",
    )


def digamma(value: float) -> float:
    """ψ of one number, in float64.

    >>> digamma(1)  # minus Euler's constant
    -0.5772
    """
    return float(torch.digamma(torch.tensor(float(value), dtype=torch.float64)))


def digammas(counts: Tensor) -> Tensor:
    """ψ of whole numbers, in float64 (torch would take integers to float32).

    >>> digammas(torch.tensor([1, 2])).tolist()
    [-0.5772, 0.4228]
    """
    return torch.digamma(counts.to(torch.float64))
