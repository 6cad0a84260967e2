"""Kullback–Leibler divergences of one-dimensional variables, element by element, in nats, differentiable.

Arguments are tensors (or numbers) that broadcast. Their values are not checked, which would synchronize an accelerator.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def gaussian_divergence(
    mean: Tensor, std: Tensor, prior_mean: Tensor | float = 0.0, prior_std: Tensor | float = 1.0
) -> Tensor:
    """KL(N(μ, σ²) ‖ N(m, s²)) = ½ [(σ/s)² + ((μ − m)/s)² − 1] + log(s/σ).

    Parameters
    ----------
    mean, std
        μ and σ.
    prior_mean, prior_std
        m and s.

    Returns
    -------
    torch.Tensor
        Nats, of the broadcast shape.

    References
    ----------
    Kullback (1959), Information Theory and Statistics, chapter 9, eq. 1.2.

    Examples
    --------
    >>> gaussian_divergence(torch.tensor(1.0), torch.tensor(1.0))
    tensor(0.5000)
    """
    scale = torch.as_tensor(prior_std, dtype=std.dtype, device=std.device)
    return 0.5 * ((std / scale).square() + ((mean - prior_mean) / scale).square() - 1) + scale.log() - std.log()


def log_normal_divergence(
    center: Tensor,
    alpha: Tensor,
    prior_mean: Tensor | float = 0.0,
    prior_std: Tensor | float = 1.0,
    *,
    floor: float = 1e-4,
) -> Tensor:
    """KL of z = f·exp(αn), n ~ N(0, 1), from a log-normal prior: log z ~ N(log f, α²) against N(μ₁, σ₁²).

    Parameters
    ----------
    center
        f ≥ 0.
    alpha
        α.
    prior_mean, prior_std
        μ₁ and σ₁.
    floor
        Smallest f that is used, since log 0 would cost infinitely much.

    Returns
    -------
    torch.Tensor
        KL = ½ [(α/σ₁)² + (log f − μ₁)²/σ₁² − 1] + log(σ₁/α) in nats, of the broadcast shape.

    Notes
    -----
    The published form omits log f and mixes σ₁ with σ₁²; this one equals its Monte-Carlo value.

    References
    ----------
    Achille, Soatto (2018), Information Dropout, Proposition 3.

    Examples
    --------
    >>> log_normal_divergence(torch.tensor(2.718282), torch.tensor(1.0))
    tensor(0.5000)
    """
    return gaussian_divergence(center.clamp_min(floor).log(), alpha, prior_mean, prior_std)


def log_uniform_divergence(alpha: Tensor, noisiest: float) -> Tensor:
    """KL of z = f·exp(αn), n ~ N(0, 1), from a prior uniform in log z, relative to the noisiest state: −log(α/α₀).

    Parameters
    ----------
    alpha
        α.
    noisiest
        α₀. The prior cannot be normalized, so its KL has a free constant, chosen such that α = α₀ costs nothing.

    Returns
    -------
    torch.Tensor
        Nats, of the shape of `alpha`. It does not depend on f > 0.

    Notes
    -----
    The published eq. 6 has both signs flipped.

    References
    ----------
    Achille, Soatto (2018), Information Dropout, Proposition 2.

    Examples
    --------
    >>> log_uniform_divergence(torch.tensor([0.35, 0.7]), 0.7)
    tensor([0.6931, 0.0000])
    """
    return math.log(noisiest) - alpha.log()
