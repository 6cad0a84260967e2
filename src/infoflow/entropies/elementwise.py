"""Kullback–Leibler divergences of one-dimensional variables, element by element, in nats; gradients flow through them.

Arguments are tensors (or numbers) that broadcast; they are not looked into, so that a training loop isn't held up.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def gaussian_divergence(
    mean: Tensor, std: Tensor, prior_mean: Tensor | float = 0.0, prior_std: Tensor | float = 1.0
) -> Tensor:
    """KL(N(μ, σ²) ‖ N(m, s²)) = ½ [(σ/s)² + ((μ − m)/s)² − 1] + log(s/σ), of broadcasting shape, in nats.

    (Kullback 1959, chapter 9, eq. 1.2, in one dimension.)

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

        KL = ½ [(α/σ₁)² + (log f − μ₁)²/σ₁² − 1] + log(σ₁/α)

    `center` f ≥ 0 is raised to `floor`, since log 0 would cost infinitely much. Of broadcasting shape, in nats.

    The published form drops log f and mixes σ₁ with σ₁²; this one equals its Monte-Carlo value.
    (Achille and Soatto 2018, Proposition 3.)

    >>> log_normal_divergence(torch.tensor(2.718282), torch.tensor(1.0))
    tensor(0.5000)
    """
    return gaussian_divergence(center.clamp_min(floor).log(), alpha, prior_mean, prior_std)


def log_uniform_divergence(alpha: Tensor, noisiest: float) -> Tensor:
    """KL of z = f·exp(αn), n ~ N(0, 1), from a prior uniform in log z, above that of the noisiest state: −log(α/α₀).

    The prior has no norm, so its KL has a free constant; it is set such that α = α₀ = `noisiest` costs nothing. The
    value f > 0 doesn't matter. Nats, of α's shape.

    The published eq. 6 has both signs flipped. (Achille and Soatto 2018, Proposition 2.)

    >>> log_uniform_divergence(torch.tensor([0.35, 0.7]), 0.7)
    tensor([0.6931, 0.0000])
    """
    return math.log(noisiest) - alpha.log()
