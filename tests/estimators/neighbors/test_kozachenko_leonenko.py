"""Nearest-neighbor entropies against closed forms, and mutual information as their sum."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.estimators.neighbors.kozachenko_leonenko import KozachenkoLeonenko


def gaussian_entropy(d: int) -> float:
    return d / 2 * math.log(2 * math.pi * math.e)


@pytest.mark.parametrize("metric", ["euclidean", "chebyshev"])
def test_known_entropies(metric: str) -> None:
    rng = np.random.default_rng(0)
    estimator = KozachenkoLeonenko(metric=metric)
    for sample, truth in [
        (rng.normal(size=6000), gaussian_entropy(1)),
        (rng.uniform(size=6000) * 5, math.log(5)),
        (rng.exponential(size=6000) / 3, 1 - math.log(3)),
        (rng.normal(size=(6000, 3)), gaussian_entropy(3)),
    ]:
        assert estimator.entropy(sample).nats == pytest.approx(truth, abs=0.06)


def test_weights_take_off_most_of_the_bias_of_many_neighbors_in_many_dimensions() -> None:
    samples = [np.random.default_rng(seed).normal(size=(2000, 8)) for seed in range(2)]
    plain, weighted = (
        np.mean([KozachenkoLeonenko(k=100, weighted=w).entropy(t).nats for t in samples]) - gaussian_entropy(8)
        for w in (False, True)
    )
    assert plain > 0.2
    assert abs(weighted) < 0.6 * plain


def test_entropy_scales_as_it_must() -> None:
    t = np.random.default_rng(0).normal(size=(400, 2))
    for standardize in (True, False):
        estimator = KozachenkoLeonenko(standardize=standardize)
        base = estimator.entropy(t).nats
        assert estimator.entropy(7.0 * t - 3.0).nats == pytest.approx(base + 2 * math.log(7.0))
    standard = KozachenkoLeonenko()
    assert standard.entropy(t * [1.0, 1e3]).nats == pytest.approx(standard.entropy(t).nats + math.log(1e3))
    assert standard.entropy(torch.from_numpy(t)).nats == standard.entropy(t.tolist()).nats


def test_mutual_information_as_a_sum_of_entropies() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(6000, 2))
    y = 0.8 * x[:, :1] + 0.6 * rng.normal(size=(6000, 1))
    estimator = KozachenkoLeonenko(standardize=False)
    total = estimator.estimate(x, y)
    assert total.nats == pytest.approx(-0.5 * math.log(1 - 0.64), abs=0.06)
    parts = [estimator.entropy(v).nats for v in (x, y, np.concatenate([x, y], 1))]
    assert total.nats == pytest.approx(parts[0] + parts[1] - parts[2])
    assert estimator.estimate(y, x).nats == pytest.approx(total.nats)


def test_classes() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=4000)
    x = 8.0 * y + rng.normal(size=4000)
    estimate = KozachenkoLeonenko().estimate(x, y)
    assert estimate.nats == pytest.approx(math.log(2), abs=0.03)
    assert estimate.nats <= estimate.ceiling
    assert KozachenkoLeonenko().estimate(y, x).nats == estimate.nats
    assert KozachenkoLeonenko().estimate(rng.normal(size=4000), y).nats == pytest.approx(0.0, abs=0.05)
    with pytest.raises(TooFewSamples, match="Each class of y"):
        KozachenkoLeonenko().estimate(x[:50], np.arange(50) == 0)


def test_no_density_is_said_so() -> None:
    rng = np.random.default_rng(0)
    rounded = np.round(rng.normal(size=500))
    entropy = KozachenkoLeonenko().entropy(rounded)
    assert entropy.nats == -math.inf
    assert "atoms" in entropy.warnings[0]
    flat = KozachenkoLeonenko().entropy(np.stack([rng.normal(size=500), np.ones(500)], 1))
    assert flat.nats == -math.inf
    assert "constant" in flat.warnings[0]
    with pytest.raises(InvalidArgument, match="x has exact duplicates among its k neighbors"):
        KozachenkoLeonenko().estimate(rounded, rng.normal(size=500))
    assert math.isfinite(KozachenkoLeonenko(noise=0.1).estimate(rounded, rng.normal(size=500)).nats)


def test_constants_and_crowds() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=100)
    for constant in (np.ones(100), np.ones(100, dtype=int)):
        nothing = KozachenkoLeonenko().estimate(x, constant)
        assert nothing.nats == 0.0
        assert "y is constant" in nothing.warnings[-1]
    assert "20 dimensions" in KozachenkoLeonenko().estimate(*rng.normal(size=(2, 100, 10))).warnings[0]


def test_bad_input_is_named() -> None:
    x = np.random.default_rng(0).normal(size=(40, 6))
    with pytest.raises(InvalidArgument, match="^k"):
        KozachenkoLeonenko(weighted=True).entropy(x)
    with pytest.raises(InvalidArgument, match="40.*39"):
        KozachenkoLeonenko().estimate(x, x[:39])
    with pytest.raises(TooFewSamples, match="^t"):
        KozachenkoLeonenko().entropy(x[:4])
    with pytest.raises(InvalidArgument, match="^noise must"):
        KozachenkoLeonenko(noise=-1)
