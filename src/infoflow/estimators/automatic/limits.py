"""What limits an estimate from these samples: order in time, resolution, dimensions, the ceiling of neighbors."""

from __future__ import annotations

import torch
from torch import Tensor

from infoflow.estimators.wrappers.surrogates import autocorrelated, effective_samples, is_series


def inflation(x: Tensor, y: Tensor) -> float:
    """τ = 1 + 2 Σ ρ_x(l) ρ_y(l): by how much autocorrelation multiplies the variance of a mean over samples.

    The lags end where one of both autocorrelations, averaged over columns (n, d), is insignificant (Bartlett 1935).

    >>> walk = torch.randn(1000, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64).cumsum(0)
    >>> inflation(walk[:, :1], walk[:, 1:]) > 50, inflation(walk[:, :1].diff(dim=0), walk[:, 1:].diff(dim=0))
    (True, 1.0)
    """
    return len(x) / effective_samples(x.numpy(), y.numpy())


def dependent(tau: float, n: int) -> list[str]:
    """The warning about autocorrelated samples, or nothing.

    >>> dependent(1.0, 100)
    []
    """
    effective = n / tau
    return [autocorrelated(effective, n)] if is_series(effective, n) else []


def is_manifold(values: Tensor) -> bool:
    """Whether samples (n, d) fill far fewer dimensions than their columns would if these were independent.

    The dimension is the maximum-likelihood one of 10 neighbors (Levina and Bickel 2005); below 0.6 of that of columns
    shuffled apart, correlations between columns hardly describe the samples.

    >>> angle = torch.linspace(0, 6, 300, dtype=torch.float64)[:, None]
    >>> is_manifold(torch.cat([(k * angle).cos() for k in range(1, 9)], dim=1))
    True
    """
    if values.shape[1] < 3:
        return False
    rows = values[:: -(-len(values) // 2000)]
    generator = torch.Generator().manual_seed(0)
    shuffled = torch.stack([column[torch.randperm(len(rows), generator=generator)] for column in rows.mT], dim=1)
    return _dimension(rows) < 0.6 * _dimension(shuffled)


def _dimension(values: Tensor, k: int = 10) -> float:
    k = min(k, len(values) - 1)
    distance = torch.cdist(values, values)
    distance.fill_diagonal_(torch.inf)
    nearest = distance.topk(k, largest=False).values.clamp_min(1e-300)
    logs = (nearest[:, -1:] / nearest[:, :-1]).log()
    return 1.0 / max(float(logs.mean()), 1e-300)


def compressed(values: Tensor) -> Tensor:
    """Standardized columns (n, d), or their principal components where a third of them holds 0.9999 of the variance.

    >>> line = torch.randn(50, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    >>> compressed(line * torch.ones(1, 9)).shape
    torch.Size([50, 1])
    """
    varying = values[:, values.amax(dim=0) > values.amin(dim=0)]
    reach = varying.abs().amax(dim=0)
    centered = varying / reach  # to [-1, 1], so that no square overflows
    centered = centered - centered.mean(dim=0)
    standard = centered / centered.square().mean(dim=0).sqrt().clamp_min(1e-300)
    if varying.shape[1] < 3:
        return standard
    variance, directions = torch.linalg.eigh(standard.mT @ standard / len(standard))
    share = variance.flip(0).cumsum(0) / variance.sum()
    needed = int((share < 0.9999).sum()) + 1
    return standard @ directions.flip(1)[:, :needed] if 3 * needed <= varying.shape[1] else standard
