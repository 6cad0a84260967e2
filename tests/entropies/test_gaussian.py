"""Gaussian closed forms against scipy's distributions, one-dimensional formulas and Monte Carlo."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from infoflow.core.errors import InvalidArgument
from infoflow.entropies import gaussian


def random_covariance(dimension: int, seed: int) -> np.ndarray:
    root = np.random.default_rng(seed).normal(size=(dimension, dimension + 2))
    return root @ root.T / dimension


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_entropy_and_log_density_agree_with_scipy(dimension: int) -> None:
    covariance = random_covariance(dimension, dimension)
    reference = stats.multivariate_normal(np.arange(dimension), covariance)
    points = np.random.default_rng(0).normal(size=(7, dimension))
    assert gaussian.entropy(covariance).item() == pytest.approx(reference.entropy(), abs=1e-10)
    np.testing.assert_allclose(
        gaussian.log_density(points, np.arange(dimension, dtype=float), covariance).numpy(),
        np.atleast_1d(reference.logpdf(points)),
    )


@settings(max_examples=20)
@given(seed=st.integers(0, 2**31), dim_x=st.integers(1, 3), dim_y=st.integers(1, 3))
def test_mutual_information_is_a_difference_of_entropies_and_invariant(seed: int, dim_x: int, dim_y: int) -> None:
    covariance = random_covariance(dim_x + dim_y, seed)
    value = gaussian.mutual_information(covariance, dim_x).item()
    parts = [covariance[:dim_x, :dim_x], covariance[dim_x:, dim_x:], covariance]
    h_x, h_y, h_xy = (stats.multivariate_normal(cov=part).entropy() for part in parts)
    assert value == pytest.approx(h_x + h_y - h_xy, abs=1e-8)
    assert value >= 0
    stretch = np.diag(np.linspace(0.5, 3.0, dim_x + dim_y))
    assert gaussian.mutual_information(stretch @ covariance @ stretch, dim_x).item() == pytest.approx(value, abs=1e-8)


def test_the_chain_rule_ties_conditional_and_plain_information() -> None:
    covariance = random_covariance(6, 3)  # x, y, z of two variables each: I(X;YZ) = I(X;Z) + I(X;Y|Z)
    without_y = covariance[np.ix_([0, 1, 4, 5], [0, 1, 4, 5])]
    total = gaussian.mutual_information(covariance, 2).item()
    conditional = gaussian.conditional_mutual_information(covariance, 2, 2).item()
    assert total == pytest.approx(gaussian.mutual_information(without_y, 2).item() + conditional, abs=1e-10)


def test_divergence_agrees_with_monte_carlo_and_vanishes_at_home() -> None:
    p, q = random_covariance(3, 1), random_covariance(3, 2)
    mean_p, mean_q = np.array([0.1, -0.4, 0.3]), np.array([0.5, 0.0, -0.2])
    value = gaussian.divergence(mean_p, p, mean_q, q).item()
    sample = stats.multivariate_normal(mean_p, p)
    points = sample.rvs(200_000, random_state=np.random.default_rng(0))
    ratio = sample.logpdf(points) - stats.multivariate_normal(mean_q, q).logpdf(points)
    assert value == pytest.approx(ratio.mean(), abs=5 * ratio.std() / np.sqrt(len(ratio)))
    assert gaussian.divergence(mean_p, p, mean_p, p).item() == pytest.approx(0.0, abs=1e-12)


def test_batches_and_tensors() -> None:
    batch = np.stack([random_covariance(4, seed) for seed in range(3)])
    together = gaussian.mutual_information(torch.tensor(batch, dtype=torch.float32), 2)
    assert together.shape == (3,)
    assert together.dtype == torch.float64
    alone = [gaussian.mutual_information(matrix, 2).item() for matrix in batch]
    np.testing.assert_allclose(together.numpy(), alone, rtol=1e-4)


@pytest.mark.parametrize(
    ("covariance", "message"),
    [
        ([[1.0, 2.0]], "square"),
        ([[1.0, 0.3], [0.1, 1.0]], "symmetric"),
        ([[1.0, 1.0], [1.0, 1.0]], "positive definite"),
        ([[float("nan")]], "NaN"),
        ([[1j]], "real"),
    ],
)
def test_what_is_no_covariance_is_refused(covariance: list[list[float]], message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        gaussian.entropy(covariance)


def test_dimensions_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InvalidArgument, match="dim_x"):
        gaussian.mutual_information(np.eye(2), 0)
    with pytest.raises(InvalidArgument, match="dim_y"):
        gaussian.mutual_information(np.eye(2), 2)
    with pytest.raises(InvalidArgument, match="number of variables"):
        gaussian.conditional_mutual_information(np.eye(2), 1, 2)
    with pytest.raises(InvalidArgument, match="mean_q"):
        gaussian.divergence([0.0], [[1.0]], [0.0, 1.0], [[1.0]])
