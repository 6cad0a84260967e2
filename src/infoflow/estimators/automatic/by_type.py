"""Numbers on both sides without a comparison of estimates: always the same number of nearest neighbors."""

from __future__ import annotations

from dataclasses import replace

from scipy import special
from torch import Tensor

from infoflow.core.estimate import Estimate
from infoflow.core.protocols import Estimator
from infoflow.estimators.automatic.candidates import neighbors
from infoflow.estimators.automatic.chain import Chosen
from infoflow.estimators.automatic.description import described

# Neighbors of the estimate, and of the one that shows what more neighbors hide.
_NEIGHBORS, _FINEST = 5, 1


def by_neighbors(x: Tensor, y: Tensor) -> tuple[Estimator, Estimate]:
    """Nearest neighbors on ranks for (n, d) columns that vary: the estimator, and its estimate with an interval.

    The interval extends to what a single neighbor finds. Repeated values are counted as they are, not spread.

    >>> import torch
    >>> generator = torch.Generator().manual_seed(0)
    >>> x, noise = torch.randn(2, 1000, 1, generator=generator, dtype=torch.float64)
    >>> abs(by_neighbors(x, x + noise)[1].nats - 0.347) < 0.05  # ½ log 2
    True
    """
    numbers = sorted({min(_NEIGHBORS, len(x) - 2), _FINEST}, reverse=True)
    taken, *finer = neighbors(x, y, scales=("normal-scores",), numbers=numbers)
    # Terms of samples that share neighbors vary together, which their spread lacks: 2ψ'(k)/n describes the variance
    # over Gaussian samples of any correlation (k = 5, n = 400 and 2000).
    variance = 2 * float(special.polygamma(1, numbers[0])) / len(x)
    found = described(Chosen(taken, tuple(finer), ()), x, y, variance=variance)
    return taken.estimator, replace(found, why=f"{taken.name} for all numbers")
