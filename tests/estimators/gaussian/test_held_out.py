"""The lower bound by held-out correlations: below the truth, not far below, and what falls under it is warned of."""

from __future__ import annotations

import math

import pytest
import torch

from infoflow.estimators import create
from infoflow.estimators.gaussian.held_out import correlation_bound

Pair = tuple[torch.Tensor, torch.Tensor]


def latent(information: float, n: int, columns: int, seed: int = 0) -> Pair:
    """Columns that are noisy mixtures of two correlated pairs; noise lowers the information a little."""
    generator = torch.Generator().manual_seed(seed)
    rho = math.sqrt(1 - math.exp(-information))
    z, noise = torch.randn(2, n, 2, generator=generator)
    w = rho * z + math.sqrt(1 - rho**2) * noise
    sides = (v @ torch.randn(2, columns, generator=generator) for v in (z, w))
    x, y = (side + 0.1 * torch.randn(n, columns, generator=generator) for side in sides)
    return x, y


@pytest.mark.parametrize("columns", [5, 40])
@pytest.mark.parametrize("information", [0.0, 1.0, 2.0])
def test_below_the_truth_and_close_to_it(columns: int, information: float) -> None:
    nats, error = correlation_bound(*latent(information, 3000, columns))
    assert nats <= information + 3 * error + 0.02
    assert nats >= 0.7 * information - 3 * error - 0.05


def test_a_side_that_does_not_vary_gives_nothing() -> None:
    assert correlation_bound(torch.ones(50, 1), torch.arange(100.0).view(50, 2)) == (0.0, 0.0)


def test_a_learned_lower_bound_below_it_is_warned_of() -> None:
    x, y = latent(2.0, 600, 40)
    untrained = {"max_epochs": 1, "head_start": False, "learning_rate": 1e-6, "hidden": (8,), "folds": 2}
    found = create("infonce", **untrained).estimate(x, y)
    assert found.nats < 0.5
    assert any("correlations of held-out samples alone" in warning for warning in found.warnings)
    independent = create("infonce", **untrained).estimate(*latent(0.0, 600, 40))
    assert not any("correlations" in warning for warning in independent.warnings)
