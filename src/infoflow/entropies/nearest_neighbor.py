"""Differential entropy from nearest-neighbor distances, in nats."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import Integer, PositiveInt, check, validated
from infoflow.pairwise.neighbors import Method, Metric, nearest


@validated
def log_unit_ball(dimension: PositiveInt, metric: Metric = "euclidean") -> float:
    """Log volume of the ball of radius 1.

    Parameters
    ----------
    dimension
        d.
    metric
        "euclidean": ½ d log π − log Γ(d/2 + 1); "chebyshev" (maximum norm): d log 2.

    Returns
    -------
    float
        Log volume.

    Raises
    ------
    InvalidArgument
        If d < 1; `UnknownName` for another metric.

    Examples
    --------
    >>> math.exp(log_unit_ball(2)), math.exp(log_unit_ball(2, "chebyshev"))
    (3.1416, 4.0000)
    """
    if metric == "chebyshev":
        return dimension * math.log(2.0)
    return 0.5 * dimension * math.log(math.pi) - math.lgamma(0.5 * dimension + 1.0)


@validated
def neighbor_weights(k: PositiveInt, dimension: PositiveInt) -> Tensor:
    """Weights of the first to k-th neighbor that cancel the bias of nearest-neighbor entropy in d >= 4 dimensions.

    Parameters
    ----------
    k
        Number of neighbors, at least d where d >= 4.
    dimension
        d.

    Returns
    -------
    torch.Tensor of shape (k,)
        The smallest weights (in the Euclidean norm) with Σ w_j = 1, Σ w_j Γ(j + 2l/d) / Γ(j) = 0 for l = 1..⌊d/4⌋, and
        w_j = 0 unless j is one of ⌊k/d⌋, ⌊2k/d⌋, ..., k. Below four dimensions no bias needs canceling: w_k = 1.

    Raises
    ------
    InvalidArgument
        If k < d where d >= 4.

    References
    ----------
    Berrett, Samworth, Yuan (2019), Annals of Statistics 47, eq. 2.

    Examples
    --------
    >>> neighbor_weights(3, 2).tolist()
    [0.0, 0.0, 1.0]
    >>> weights = neighbor_weights(10, 5)
    >>> weights.sum().item(), int((weights != 0).sum())
    (1.0, 5)
    """
    d = dimension
    weights = torch.zeros(k, dtype=torch.float64)
    if d < 4:
        weights[-1] = 1.0
        return weights
    if k < d:
        raise InvalidArgument("k", f"at least the number of dimensions ({d}) for weights that cancel the bias", k)
    j = torch.tensor([i * k // d for i in range(1, d + 1)], dtype=torch.float64)
    orders = torch.arange(d // 4 + 1, dtype=torch.float64)[:, None]
    conditions = torch.exp(torch.lgamma(j + 2.0 * orders / d) - torch.lgamma(j))
    # The rows differ in size by j^(2l/d); scaling preserves the accuracy of the least-squares solution.
    conditions = conditions / conditions.amax(1, keepdim=True)
    target = torch.zeros(len(orders), dtype=torch.float64)
    target[0] = 1.0
    weights[j.to(torch.int64) - 1] = torch.linalg.pinv(conditions) @ target
    return weights


def neighbor_entropy(distance: Tensor, dimension: int, *, metric: Metric = "euclidean", weights: Tensor) -> Tensor:
    """Pointwise entropy −log p̂ in nats from the distances to the first to k-th neighbor.

    Parameters
    ----------
    distance
        Distances ρ (n, k).
    dimension
        d.
    metric
        Norm of the distances.
    weights
        w (k,); (0, ..., 0, 1) is the estimator of Kozachenko and Leonenko.

    Returns
    -------
    torch.Tensor of shape (n,)
        Σ_j w_j [ψ(N) − ψ(j) + log c_d + d log ρ_j], with c_d the volume of the unit ball, whose mean is the entropy; −∞
        where a weighted neighbor is at distance 0.

    Raises
    ------
    InvalidArgument
        If the shapes don't fit.

    References
    ----------
    Kozachenko, Leonenko (1987); Kraskov et al. (2004), Physical Review E 69, 066138, eq. 20.

    Examples
    --------
    >>> distance = torch.tensor([[1.0], [1.0]])
    >>> neighbor_entropy(distance, 1, weights=torch.ones(1)).tolist()  # ψ(2) - ψ(1) + log 2 = 1 + 0.6931
    [1.6931, 1.6931]
    """
    if distance.ndim != 2 or weights.shape != distance.shape[1:]:
        shapes = f"{tuple(distance.shape)} and {tuple(weights.shape)}"
        raise InvalidArgument(f"distance and weights must have the shapes (n, k) and (k,), got {shapes}.")
    rho = distance.to(torch.float64)
    w = weights.to(rho)
    used = w != 0
    rho, w = rho[:, used], w[used]
    order = (used.nonzero()[:, 0] + 1).to(torch.float64)
    n = torch.tensor(float(rho.shape[0]), dtype=torch.float64, device=rho.device)
    terms = torch.digamma(n) - torch.digamma(order) + log_unit_ball(dimension, metric) + dimension * rho.log()
    return torch.where((rho == 0).any(1), -math.inf, (w * terms.nan_to_num(neginf=0.0)).sum(1))


def kozachenko_leonenko(
    x: Tensor, k: int = 3, *, metric: Metric = "euclidean", weighted: bool = False, method: Method = "auto"
) -> Tensor:
    """Pointwise differential entropy in nats, whose mean estimates h(X).

    Parameters
    ----------
    x
        Samples (n, d).
    k
        Which neighbor's distance counts.
    metric
        Norm of the distances.
    weighted
        Use `neighbor_weights` instead of the k-th neighbor alone.
    method
        Search: "tree", "blocks" or "auto" (see `pairwise.neighbors.neighborhoods`).

    Returns
    -------
    torch.Tensor of shape (n,)
        Nats per sample.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range; `UnknownName` for an unknown name; `TooFewSamples` for k >= n.

    Examples
    --------
    >>> x = torch.linspace(0.0, 1.0, 1001, dtype=torch.float64)[:, None]
    >>> kozachenko_leonenko(x, k=2).mean().item()  # a grid is more even than chance, so above the uniform's 0
    0.28
    """
    d = x.shape[1] if x.ndim == 2 else 1
    weights = neighbor_weights(k, d) if weighted else _last(k)
    distance, _ = nearest(x, k, metric=metric, method=method)
    return neighbor_entropy(distance, d, metric=metric, weights=weights.to(distance.device))


def _last(k: int) -> Tensor:
    weights = torch.zeros(check(k, "k", Integer(1)), dtype=torch.float64)
    weights[-1] = 1.0
    return weights
