"""The mixed form: closed forms with atoms, the plain forms at its two ends, and never above an entropy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.estimators.neighbors.ksg import KSG
from infoflow.estimators.neighbors.mixed import MixedKSG


def test_a_discrete_and_a_continuous_variable() -> None:
    # X uniform on m symbols, Y = X + 2U: I = log m - (m - 1)/m log 2 (Gao et al. 2017, section 5).
    for m in (3, 10):
        estimates = []
        for seed in range(3):
            rng = np.random.default_rng(seed)
            x = rng.integers(m, size=4000)
            estimates.append(MixedKSG().estimate(x.astype(float), x + 2 * rng.uniform(size=4000)).nats)
        assert np.mean(estimates) == pytest.approx(math.log(m) - (m - 1) / m * math.log(2), abs=0.04)


def test_a_zero_inflated_poisson() -> None:
    # X exponential, Y = 0 with p = 0.15, else Poisson(X): I = (1 - p)(2 log 2 - γ - Σ_k log k 2^-k).
    p = 0.15
    truth = (1 - p) * (2 * math.log(2) - np.euler_gamma - sum(math.log(k) * 2.0**-k for k in range(1, 60)))
    estimates = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        x = rng.exponential(size=6000)
        y = np.where(rng.uniform(size=6000) < p, 0.0, rng.poisson(x))
        estimates.append(MixedKSG().estimate(x, y).nats)
    assert np.mean(estimates) == pytest.approx(truth, abs=0.04)


def test_a_mixture_of_a_gaussian_and_four_atoms() -> None:
    # Half of the samples correlated Gaussians, half at (±4, ±4), mostly of equal signs (after section 5).
    rng = np.random.default_rng(0)
    n, rho = 12_000, 0.9
    x = rng.normal(size=n)
    y = rho * x + math.sqrt(1 - rho**2) * rng.normal(size=n)
    atoms = rng.uniform(size=n) < 0.5
    sign = rng.choice([-4.0, 4.0], size=n)
    x = np.where(atoms, sign, x)
    y = np.where(atoms, sign * np.where(rng.uniform(size=n) < 0.9, 1.0, -1.0), y)
    discrete = 2 * 0.45 * math.log(0.45 / 0.25) + 2 * 0.05 * math.log(0.05 / 0.25)
    # Atom or not is seen in either variable: I = log 2 + the mean of both parts.
    truth = math.log(2) + 0.5 * discrete - 0.25 * math.log(1 - rho**2)
    assert MixedKSG().estimate(x, y).nats == pytest.approx(truth, abs=0.05)


def test_without_ties_it_is_ksg() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 2))
    y = x[:, 0] + rng.normal(size=300)
    plain = KSG(rescale="standard")
    assert MixedKSG().estimate(x, y).nats == pytest.approx(plain.estimate(x, y).nats)
    assert np.allclose(MixedKSG().pointwise(x, y), plain.pointwise(x, y))


def test_with_symbols_only_it_is_counting() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(3, size=8000)
    y = (x + (rng.uniform(size=8000) < 0.3)) % 3
    table = np.histogram2d(x, y, bins=3)[0] / 8000
    exact = np.sum(table * np.log(table / np.outer(table.sum(1), table.sum(0)), where=table > 0, out=0 * table))
    for a, b in [(x, y), (x.astype(float), y), (x.astype(float), y.astype(float))]:
        assert MixedKSG().estimate(a, b).nats == pytest.approx(exact, abs=2e-3)


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(1, 6), st.booleans())
def test_never_above_either_entropy(seed: int, x_symbols: int, y_symbols: int, copy: bool) -> None:
    rng = np.random.default_rng(seed)
    x = rng.integers(x_symbols, size=40).astype(float)
    y = 2.0 * x if copy else rng.integers(y_symbols, size=40).astype(float)
    entropies = []
    for values in (x, y):
        share = np.unique(values, return_counts=True)[1] / 40
        entropies.append(-np.sum(share * np.log(share)))
    estimate = MixedKSG().estimate(x, y)
    assert estimate.nats <= min(entropies) + 1e-12
    assert estimate.ceiling == pytest.approx(min(entropies))
    swapped = MixedKSG().estimate(y, x)
    assert swapped.nats == pytest.approx(estimate.nats)


def test_class_codes_are_names_not_quantities() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(4, size=3000)
    x = y + 0.1 * rng.normal(size=3000)
    renamed = np.array([1000, -7, 3, 12])[y]
    estimate = MixedKSG().estimate(x, y)
    assert MixedKSG().estimate(x, renamed).nats == estimate.nats
    assert estimate.ceiling_name == "H(Y)"
    assert estimate.nats == pytest.approx(math.log(4), abs=0.02)


def test_the_scale_of_the_samples_does_not_matter_against_classes() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=600)
    x, z = y + 0.3 * rng.normal(size=600), rng.normal(size=600)
    for scale in (1e-9, 1e9):
        for estimator in (MixedKSG(rescale="none"), KSG(rescale="none")):
            assert estimator.estimate(scale * x, y).nats == pytest.approx(estimator.estimate(x, y).nats, abs=1e-6)
        found = KSG(rescale="none").conditional(scale * x, y, scale * z).nats
        assert found == pytest.approx(KSG(rescale="none").conditional(x, y, z).nats, abs=1e-6)


def test_classes_too_small_for_k_neighbors_are_warned_of() -> None:
    y = np.arange(200) // 2
    found = MixedKSG(k=3).estimate(y + 0.01 * np.random.default_rng(0).normal(size=200), y)
    assert "200 of 200 samples are in classes of y of at most k = 3 samples" in found.warnings[0]
    assert not MixedKSG(k=1).estimate(y + 0.01 * np.random.default_rng(0).normal(size=200), y).warnings


def test_constant_columns_and_variables() -> None:
    x = np.random.default_rng(0).normal(size=100)
    y = x + np.random.default_rng(1).normal(size=100)
    padded = MixedKSG().estimate(np.stack([x, np.ones(100)], 1), y)
    assert padded.nats == MixedKSG().estimate(x, y).nats
    assert "constant column" in padded.warnings[0]
    for constant in (np.zeros(100), np.zeros(100, dtype=int)):
        nothing = MixedKSG().estimate(x, constant)
        assert (nothing.nats, nothing.ceiling) == (0.0, 0.0)
        assert "y is constant" in nothing.warnings[-1]
        assert MixedKSG().pointwise(constant, x).tolist() == [0.0] * 100


def test_bad_input_is_named() -> None:
    x = torch.arange(10.0)
    with pytest.raises(InvalidArgument, match="^k must"):
        MixedKSG(k=0)
    with pytest.raises(TooFewSamples, match="^y"):
        MixedKSG().estimate(x, x[:4])
    with pytest.raises(InvalidArgument, match="10.*8"):
        MixedKSG().estimate(x, x[:8])
