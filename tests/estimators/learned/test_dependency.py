"""The neural dependency measure and total correlation by every method, against the Gaussian's closed form."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from infoflow.core.errors import InvalidArgument, TooFewSamples, UnknownName
from infoflow.core.estimate import Kind
from infoflow.estimators import KSG, Gaussian, Neural, neural_dependency, total_correlation
from infoflow.estimators.learned.critics.bridge import bridged

QUICK: dict[str, Any] = {"hidden": (64,), "max_epochs": 15}


def correlated(n: int, d: int, seed: int, rho: float = 0.7) -> tuple[np.ndarray, float]:
    """Samples of an autoregressive Gaussian and its total correlation, −½ log det R."""
    r = rho ** np.abs(np.subtract.outer(range(d), range(d)))
    return np.random.default_rng(seed).multivariate_normal(np.zeros(d), r, size=n), -0.5 * math.log(np.linalg.det(r))


@pytest.mark.parametrize("head_start", [True, False])
def test_independent_columns_share_nothing(head_start: bool) -> None:
    z = np.random.default_rng(1).normal(size=(4000, 6))
    found = neural_dependency(z, head_start=head_start, **QUICK)
    assert found.nats == pytest.approx(0.0, abs=0.02)
    assert found.interval is None or found.interval.low < 1e-9  # none where no shift is positive
    assert found.kind is Kind.POINT
    assert found.quantity == "TC(Z)"


@pytest.mark.parametrize("d", [2, 8])
def test_correlated_gaussian(d: int) -> None:
    z, truth = correlated(4000, d, seed=2)
    found = neural_dependency(z, **QUICK)
    assert found.nats == pytest.approx(truth, rel=0.05)
    assert found.interval is not None
    assert truth in found.interval


def test_the_discriminator_alone_learns_a_gaussian_and_what_the_gaussian_form_does_not_see() -> None:
    z, truth = correlated(4000, 2, seed=3)
    alone = neural_dependency(z, head_start=False, hidden=(64,), max_epochs=30, learning_rate=3e-3)
    assert alone.nats == pytest.approx(truth, rel=0.15)
    a, b = np.random.default_rng(4).normal(size=(2, 4000))
    crossed = np.stack([a, np.abs(a) + 0.5 * b], 1)
    by_neighbors = total_correlation(crossed, "ksg").nats
    assert total_correlation(crossed).nats < 0.02
    assert total_correlation(crossed, "neural", hidden=(64,), learning_rate=3e-3).nats > 0.6 * by_neighbors > 0.2


def test_the_paper_s_read_out_is_a_lower_bound() -> None:
    z, truth = correlated(3000, 3, seed=5, rho=0.5)
    found = neural_dependency(z, readout="donsker_varadhan", **QUICK)
    assert found.kind is Kind.LOWER_BOUND
    assert found.interval is not None
    assert truth in found.interval


def test_sigmoid_leaves_the_quantity_as_it_is() -> None:
    z, truth = correlated(4000, 2, seed=6)
    found = neural_dependency(z, sigmoid=True, hidden=(64,), max_epochs=30, learning_rate=1e-2)
    assert found.nats == pytest.approx(truth, rel=0.15)
    assert found.parameters["sigmoid"] is True


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_the_paper_s_discriminator_meets_the_closed_form(seed: int) -> None:
    independent = np.random.default_rng(seed).normal(size=(5000, 8))
    assert neural_dependency(independent).nats == pytest.approx(0, abs=0.02)
    z, truth = correlated(10_000, 8, seed)
    assert neural_dependency(z).nats == pytest.approx(truth, rel=0.05)


def test_same_seed_same_answer_and_no_global_random_state() -> None:
    z, _ = correlated(400, 3, seed=7)
    before = torch.get_rng_state()
    with torch.no_grad():
        first = neural_dependency(z, **QUICK)
    assert torch.equal(before, torch.get_rng_state())
    assert neural_dependency(torch.as_tensor(z), **QUICK) == first
    assert neural_dependency(z, seed=1, **QUICK).nats != first.nats


def test_constant_columns_are_dropped_and_one_column_shares_nothing() -> None:
    z, _ = correlated(400, 2, seed=8)
    with_constant = np.concatenate([z, np.ones((400, 1))], 1)
    found = neural_dependency(with_constant, **QUICK)
    assert found.nats == neural_dependency(z, **QUICK).nats
    assert "1 constant column" in found.warnings[0]
    for lone in (z[:, 0], with_constant[:, 1:]):
        alone = neural_dependency(lone)
        assert alone.nats == 0.0
        assert "fewer than two" in alone.warnings[-1]
        assert total_correlation(lone, "cca").nats == 0.0
    assert total_correlation(with_constant, KSG()).warnings[0].startswith("z has 1 constant")


def test_a_repeated_column_is_a_finite_number_with_a_warning() -> None:
    z = np.random.default_rng(9).normal(size=(2000, 1)).repeat(3, 1)
    found = neural_dependency(z, **QUICK)
    assert found.nats > 3
    assert found.warnings


def test_values_above_the_logarithm_of_the_shuffled_rows_have_a_warning() -> None:
    """Sixteen columns of two factors and noise, TC ≤ Σ I(z_j; factors) ≤ Σ ½ log(1 + 1/σ²) = 93 nats."""
    rng = np.random.default_rng(0)
    sigma, d, n = 0.003, 16, 2000
    z = np.tanh(rng.normal(size=(n, 2)) @ rng.normal(size=(2, d))) + sigma * rng.normal(size=(n, d))
    most = d / 2 * math.log1p(1 / sigma**2)
    for readout in ("bridge", "donsker_varadhan"):
        found = neural_dependency(z, folds=2, hidden=(64,), max_epochs=5, readout=readout)
        assert found.nats > most  # neither readout is a bound here
        assert any("far too low or too high" in warning for warning in found.warnings)
    near, _ = correlated(n, 4, seed=3)
    assert not any("far too" in warning for warning in neural_dependency(near, **QUICK).warnings)


def test_what_is_refused() -> None:
    z = np.zeros((100, 3)) + np.arange(100)[:, None] % np.array([2, 3, 5])
    with pytest.raises(TooFewSamples):
        neural_dependency(z[:39])
    with pytest.raises(TooFewSamples, match="smallest part"):
        neural_dependency(np.random.default_rng(0).normal(size=(60, 30)))
    with pytest.raises(InvalidArgument, match="NaN"):
        neural_dependency(np.where(z == 1, np.nan, z))
    with pytest.raises(InvalidArgument, match="hidden"):
        neural_dependency(z, hidden=())
    with pytest.raises(UnknownName, match="bridge"):
        neural_dependency(z, readout="brige")
    with pytest.raises(InvalidArgument, match="head_start"):
        neural_dependency(z, head_start="no")  # type: ignore[arg-type]
    with pytest.raises(UnknownName, match="Did you mean 'gaussian'"):
        total_correlation(z, "gausian")
    with pytest.raises(UnknownName, match="Known: bias_correction, k, normalization"):
        total_correlation(z, "ksg", kk=3)
    with pytest.raises(InvalidArgument, match="cannot be combined"):
        total_correlation(z, KSG(), k=5)


@pytest.mark.parametrize("method", ["ksg", "cca", Gaussian(), KSG(), "neural"])
def test_every_method_agrees_on_a_gaussian(method: object) -> None:
    z, truth = correlated(3000, 3, seed=10, rho=0.6)
    parameters = QUICK if method == "neural" else {}
    found = total_correlation(z, method, **parameters)  # type: ignore[arg-type]
    assert found.nats == pytest.approx(truth, abs=0.06)
    assert found.quantity == "TC(Z)"


def test_the_chain_of_lower_bounds_is_a_lower_bound() -> None:
    z, truth = correlated(1000, 3, seed=11, rho=0.6)
    found = total_correlation(z, Neural(max_epochs=5))
    assert found.kind is Kind.LOWER_BOUND
    assert found.nats == pytest.approx(truth, abs=0.12)
    assert any("chain rule" in warning for warning in found.warnings)


def test_the_bridge_is_unbiased_where_the_mean_of_exponentials_is_not() -> None:
    """p = N(2, 1) and q = N(0, 1): KL = 2, and few samples of q lie where p does. A constant in T doesn't matter."""
    found, spread = [], []
    for seed in range(100):
        generator = torch.Generator().manual_seed(seed)
        p = torch.randn(500, generator=generator, dtype=torch.float64) + 2
        q = torch.randn(500, 4, generator=generator, dtype=torch.float64)
        value, shares = bridged(2 * p + 5, 2 * q + 5)
        assert float(shares.mean()) == pytest.approx(float(value))
        found.append(float(value))
        spread.append(float(shares.std()) / math.sqrt(500))
    assert np.mean(found) == pytest.approx(2.0, abs=3 * float(np.std(found)) / 10)
    assert np.mean(spread) == pytest.approx(float(np.std(found)), rel=0.25)
