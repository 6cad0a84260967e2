"""Differential entropy from nearest-neighbor distances, in nats."""

from __future__ import annotations

import math
from typing import get_args

import torch
from torch import Tensor

from infoflow.core.checks import choice, integer
from infoflow.core.errors import InvalidArgument
from infoflow.pairwise.neighbors import Metric, nearest


def log_unit_ball(dimension: int, metric: str = "euclidean") -> float:
    """Log volume of the ball of radius 1: d log 2 for the maximum norm, ½ d log π − log Γ(d/2 + 1) for the Euclidean.

    Raises InvalidArgument or UnknownName.

    >>> math.exp(log_unit_ball(2)), math.exp(log_unit_ball(2, "chebyshev"))
    (3.1416, 4.0000)
    """
    integer(dimension, "dimension")
    if choice(metric, "metric", get_args(Metric)) == "chebyshev":
        return dimension * math.log(2.0)
    return 0.5 * dimension * math.log(math.pi) - math.lgamma(0.5 * dimension + 1.0)


def neighbor_weights(k: int, dimension: int) -> Tensor:
    """Weights (k,) of the 1st to k-th neighbor that cancel the bias of nearest-neighbor entropy in d >= 4.

    The smallest weights (in the Euclidean norm) with Σ w_j = 1, Σ w_j Γ(j + 2l/d) / Γ(j) = 0 for l = 1..⌊d/4⌋, and
    w_j = 0 unless j is one of ⌊k/d⌋, ⌊2k/d⌋, ..., k. Below four dimensions nothing need be canceled: w_k = 1.

    Raises InvalidArgument for k < d where d >= 4. (Berrett, Samworth and Yuan 2019, Annals of Statistics 47, eq. 2.)

    >>> neighbor_weights(3, 2).tolist()
    [0.0, 0.0, 1.0]
    >>> weights = neighbor_weights(10, 5)
    >>> weights.sum().item(), int((weights != 0).sum())
    (1.0, 5)
    """
    k, d = integer(k, "k"), integer(dimension, "dimension")
    weights = torch.zeros(k, dtype=torch.float64)
    if d < 4:
        weights[-1] = 1.0
        return weights
    if k < d:
        raise InvalidArgument(f"k is {k}; weights that cancel the bias in {d} dimensions want k >= {d}")
    j = torch.tensor([i * k // d for i in range(1, d + 1)], dtype=torch.float64)
    orders = torch.arange(d // 4 + 1, dtype=torch.float64)[:, None]
    conditions = torch.exp(torch.lgamma(j + 2.0 * orders / d) - torch.lgamma(j))
    # The rows grow apart as j^(2l/d): scaled, the least-squares solution keeps its digits.
    conditions = conditions / conditions.amax(1, keepdim=True)
    wanted = torch.zeros(len(orders), dtype=torch.float64)
    wanted[0] = 1.0
    weights[j.to(torch.int64) - 1] = torch.linalg.pinv(conditions) @ wanted
    return weights


def neighbor_entropy(distance: Tensor, dimension: int, *, metric: str = "euclidean", weights: Tensor) -> Tensor:
    """Pointwise entropy −log p̂ (n,) in nats from the distances (n, k) to the 1st to k-th neighbor.

    Σ_j w_j [ψ(N) − ψ(j) + log c_d + d log ρ_j], with c_d the unit ball's volume; w = (0, ..., 0, 1) is the estimator of
    Kozachenko and Leonenko. Its mean is the entropy. Where a weighted neighbor is at distance 0, it is −∞.

    Raises InvalidArgument for shapes that don't fit. (Kozachenko and Leonenko 1987; Kraskov et al. 2004, eq. 20.)

    >>> distance = torch.tensor([[1.0], [1.0]])
    >>> neighbor_entropy(distance, 1, weights=torch.ones(1)).tolist()  # ψ(2) - ψ(1) + log 2 = 1 + 0.6931
    [1.6931, 1.6931]
    """
    if distance.ndim != 2 or weights.shape != distance.shape[1:]:
        raise InvalidArgument(
            f"distance has shape {tuple(distance.shape)} and weights {tuple(weights.shape)}; want (n, k) and (k,)"
        )
    rho = distance.to(torch.float64)
    w = weights.to(rho)
    used = w != 0
    rho, w = rho[:, used], w[used]
    order = (used.nonzero()[:, 0] + 1).to(torch.float64)
    n = torch.tensor(float(rho.shape[0]), dtype=torch.float64, device=rho.device)
    terms = torch.digamma(n) - torch.digamma(order) + log_unit_ball(dimension, metric) + dimension * rho.log()
    return torch.where((rho == 0).any(1), -math.inf, (w * terms.nan_to_num(neginf=0.0)).sum(1))


def kozachenko_leonenko(
    x: Tensor, k: int = 3, *, metric: str = "euclidean", weighted: bool = False, method: str = "auto"
) -> Tensor:
    """Pointwise differential entropy (n,) in nats of samples (n, d), whose mean estimates h(X).

    `weighted` uses `neighbor_weights` instead of the k-th neighbor alone. `method` as in `pairwise.neighbors`.

    Raises InvalidArgument, UnknownName, or TooFewSamples for k >= n.

    >>> x = torch.linspace(0.0, 1.0, 1001, dtype=torch.float64)[:, None]
    >>> kozachenko_leonenko(x, k=2).mean().item()  # a grid is more even than chance, so above the uniform's 0
    0.28
    """
    d = x.shape[1] if x.ndim == 2 else 1
    weights = neighbor_weights(k, d) if weighted else _last(k)
    distance, _ = nearest(x, k, metric=metric, method=method)
    return neighbor_entropy(distance, d, metric=metric, weights=weights.to(distance.device))


def _last(k: int) -> Tensor:
    weights = torch.zeros(integer(k, "k"), dtype=torch.float64)
    weights[-1] = 1.0
    return weights
