"""The divergences against torch.distributions, Monte-Carlo values, and quadrature."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import LogNormal, Normal, kl_divergence

from infoflow.entropies.elementwise import gaussian_divergence, log_normal_divergence, log_uniform_divergence

SIZES = st.floats(0.05, 5.0)


@settings(max_examples=30)
@given(st.floats(-5, 5), SIZES, st.floats(-5, 5), SIZES)
def test_gaussian_divergence_is_that_of_torch(mean: float, std: float, prior_mean: float, prior_std: float) -> None:
    numbers = [torch.tensor(value, dtype=torch.float64) for value in (mean, std, prior_mean, prior_std)]
    expected = kl_divergence(Normal(*numbers[:2]), Normal(*numbers[2:]))
    torch.testing.assert_close(gaussian_divergence(*numbers), expected, rtol=1e-9, atol=1e-9)


@settings(max_examples=30)
@given(SIZES, SIZES, st.floats(-2, 2), SIZES)
def test_log_normal_divergence_is_that_of_torch(f: float, alpha: float, mean: float, std: float) -> None:
    f_, alpha_, mean_, std_ = (torch.tensor(value, dtype=torch.float64) for value in (f, alpha, mean, std))
    expected = kl_divergence(LogNormal(f_.log(), alpha_), LogNormal(mean_, std_))
    torch.testing.assert_close(log_normal_divergence(f_, alpha_, mean_, std_), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("f", "alpha", "mean", "std"), [(2.0, 0.7, 0.0, 1.0), (0.3, 0.2, -0.5, 0.6)])
def test_log_normal_divergence_is_its_monte_carlo_value(f: float, alpha: float, mean: float, std: float) -> None:
    """log densities of z itself, not of log z, in plain formulas."""
    n = torch.randn(2_000_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    z = f * torch.exp(alpha * n)

    def log_density(center: float, spread: float) -> torch.Tensor:
        return -((z.log() - center) ** 2) / (2 * spread**2) - torch.log(z * spread * math.sqrt(2 * math.pi))

    found = (log_density(math.log(f), alpha) - log_density(mean, std)).mean()
    closed = log_normal_divergence(torch.tensor(f).double(), torch.tensor(alpha).double(), mean, std)
    assert abs(found - closed) < 1e-2


@pytest.mark.parametrize("f", [0.1, 3.0])
@pytest.mark.parametrize("alpha", [0.001, 0.2, 0.701])
def test_log_uniform_divergence_is_its_monte_carlo_value(f: float, alpha: float) -> None:
    """The prior's density is c/z; c cancels in the difference to the noisiest state, and so does f."""
    n = torch.randn(1_000_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    def divergence(spread: float, center: float) -> torch.Tensor:
        z = center * torch.exp(spread * n)
        density = -((z.log() - math.log(center)) ** 2) / (2 * spread**2) - torch.log(
            z * spread * math.sqrt(2 * math.pi)
        )
        return (density - torch.log(1 / z)).mean()

    closed = log_uniform_divergence(torch.tensor(alpha, dtype=torch.float64), 0.701)
    assert abs(divergence(alpha, f) - divergence(0.701, 1.0) - closed) < 1e-2


def test_an_activation_of_zero_costs_a_finite_amount_and_has_a_finite_gradient() -> None:
    f, alpha = torch.zeros(3, requires_grad=True), torch.full((3,), 0.5, requires_grad=True)
    cost = log_normal_divergence(f, alpha)
    cost.sum().backward()
    assert torch.isfinite(cost).all()
    assert alpha.grad is not None
    assert torch.isfinite(alpha.grad).all()
