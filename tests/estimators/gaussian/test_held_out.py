"""The lower bound by held-out correlations: below the truth, not far below, and what falls under it is warned of."""

from __future__ import annotations

import math

import pytest
import torch
from sklearn.covariance import OAS

from infoflow.estimators import create
from infoflow.estimators.gaussian.held_out import correlation_bound, shrunk_whitening

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


@pytest.mark.parametrize("columns", [64, 512])
def test_one_pair_among_hundreds_of_columns_is_found(columns: int) -> None:
    generator = torch.Generator().manual_seed(1)
    x, y = torch.randn(2, 1000, columns, generator=generator)
    y[:, 0] = 0.9 * x[:, 0] + math.sqrt(1 - 0.81) * y[:, 0]
    nats, error = correlation_bound(x, y)
    assert 0.6 < nats - error < nats < 0.8304 + 2 * error  # −½ log(1 − 0.81)


@pytest.mark.parametrize("name", ["infonce", "smile", "doe", "flow-matching"])
def test_nothing_found_in_many_weakly_correlated_columns_is_warned_of(name: str) -> None:
    x, noise = torch.randn(2, 1000, 200, generator=torch.Generator().manual_seed(1))
    untrained = {"max_epochs": 1, "learning_rate": 1e-6, "hidden": (8,), "folds": 2}
    if name in ("infonce", "smile"):
        untrained["head_start"] = False
    found = create(name, **untrained).estimate(x, 0.2 * x + noise)  # 3.9 nats
    assert found.nats < 1
    assert any("too low" in text and "correlat" in text for text in found.warnings)


def test_a_probe_that_learns_nothing_is_warned_of() -> None:
    generator = torch.Generator().manual_seed(1)
    x, y = torch.randn(400, 5, generator=generator), torch.arange(400) % 2
    x[:, 0] += 2 * y
    found = create("classifier-bound", penalty=1e-9).estimate(x, y)
    assert found.nats < 0.1
    assert any("correlations of held-out samples alone" in text for text in found.warnings)
    assert not any("correlat" in text for text in create("classifier-bound").estimate(x, y).warnings)


@pytest.mark.parametrize("columns", [1, 7, 60])
def test_the_map_whitens_by_the_shrunk_covariance_where_rows_vary(columns: int) -> None:
    generator = torch.Generator().manual_seed(0)
    mixed = torch.randn(30, columns, generator=generator, dtype=torch.float64)
    rows = mixed @ torch.randn(columns, columns, generator=generator, dtype=torch.float64)
    found = shrunk_whitening(rows)
    inverse = torch.from_numpy(OAS(assume_centered=True).fit(rows.numpy()).precision_)
    varying = torch.linalg.pinv(rows) @ rows  # projects on the rows
    assert found.shape[1] == min(30, columns)
    torch.testing.assert_close(found @ found.mT, varying @ inverse @ varying)


def test_as_many_columns_as_values_of_a_map_are_tested() -> None:
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(300, 1, generator=generator)
    x = z + torch.randn(300, 40_000, generator=generator)  # a covariance would take 12.8 GB
    y = z + 0.3 * torch.randn(300, 200, generator=generator)
    nats, error = correlation_bound(x, y)
    assert 0.5 < nats < math.log(150) + 2 * error
