"""Extrapolation in 1/N: the bias of counts goes, curves are refused, intervals hold; blocks of series."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

import infoflow
from infoflow.core.errors import TooFewSamples
from infoflow.estimators import KSG, Discrete, Gaussian, extrapolate, interval

# A symmetric channel of 8 symbols that replaces 40 % of them at random.
KEPT = 0.6 + 0.4 / 8
CHANNEL = math.log(8) + KEPT * math.log(KEPT) + (1 - KEPT) * math.log((1 - KEPT) / 7)


def channel(n: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    x = rng.integers(8, size=n)
    return x, np.where(rng.random(n) < 0.6, x, rng.integers(8, size=n))


def pair(n: int, dimensions: int, correlation: float, seed: int) -> NDArray[np.float64]:
    x, noise = np.random.default_rng(seed).normal(size=(2, n, dimensions))
    return np.stack([x, correlation * x + math.sqrt(1 - correlation**2) * noise])


def autoregression(n: int, phi: float, seed: int) -> NDArray[np.float64]:
    noise = np.random.default_rng(seed).normal(size=(n + 200, 2))
    values = np.zeros_like(noise)
    for t in range(1, len(noise)):
        values[t] = phi * values[t - 1] + noise[t]
    return values[200:].T


@pytest.mark.slow
def test_the_bias_of_counts_is_removed_and_the_interval_holds_the_truth() -> None:
    lines = [extrapolate(Discrete(), *channel(1000, seed), seed=seed) for seed in range(20)]
    raw = np.array([line.means[0] for line in lines]) - CHANNEL
    intercepts = np.array([line.estimate for line in lines]) - CHANNEL
    assert abs(intercepts.mean()) < 0.6 * abs(raw.mean())
    accepted = [line for line in lines if line.linear]
    assert len(accepted) >= 14
    assert sum(CHANNEL in line.interval for line in accepted) >= 0.9 * len(accepted)


@pytest.mark.slow
def test_the_interval_holds_the_truth_where_a_bias_of_another_order_looks_linear() -> None:
    truth = -0.5 * math.log(1 - 0.9**2)
    lines = [extrapolate(KSG(k=20), *pair(600, 1, 0.9, seed), seed=seed) for seed in range(8)]
    assert sum(truth in line.interval for line in lines) >= 7


def test_a_curve_is_refused_and_the_value_kept() -> None:
    x, y = pair(1000, 3, 0.9, 0)  # neighbors in six dimensions: the bias falls far slower than 1/N
    line = extrapolate(KSG(), x, y)
    assert not line.linear
    assert "quadratic" in line.warnings[0]
    found = infoflow.mutual_information(x, y, "ksg", interval="extrapolation")
    assert found.nats == KSG().estimate(x, y).nats
    assert any("quadratic" in text for text in found.warnings)


def test_too_few_samples() -> None:
    x, y = channel(200, 0)
    with pytest.raises(TooFewSamples, match="300 samples"):
        extrapolate(Discrete(), x, y)
    found = infoflow.mutual_information(x, y, "discrete", interval="extrapolation")
    assert found.nats == Discrete().estimate(x, y).nats
    assert any("too small" in text for text in found.warnings)


def test_the_result_names_the_raw_value_and_is_reproducible() -> None:
    x, y = channel(1000, 1)
    first, again = (infoflow.mutual_information(x, y, "discrete", interval="extrapolation", seed=3) for _ in range(2))
    assert first == again
    assert first.interval is not None
    assert first.interval.spans == "extrapolation"
    assert f"{Discrete().estimate(x, y).nats:.4f}" in first.why
    assert first.nats < Discrete().estimate(x, y).nats


def test_the_plot_shows_all_sizes() -> None:
    line = extrapolate(Discrete(), *channel(400, 0))
    axes = line.plot()
    assert axes.get_xlabel() == "1/N"
    np.testing.assert_allclose(axes.containers[0].lines[0].get_xdata(), 1 / np.array(line.sizes))
    assert line.plot(axes) is axes


@pytest.mark.slow
def test_block_intervals_of_series_are_wider_by_their_autocorrelation() -> None:
    # A correlation of independent series spreads by √(τ/n), τ = (1 + φ²)/(1 − φ²) = 9.5 at φ = 0.9 (Bartlett).
    widths = []
    for seed in range(10):
        x, y = autoregression(2000, 0.9, seed)
        y = y + x  # the estimate is regular where it is not 0
        single, blocks = (interval(Gaussian(), x, y, method, seed=seed) for method in ("subsampling", "blocks"))
        widths.append((blocks.high - blocks.low) / (single.high - single.low))
    assert 2.0 < np.mean(widths) < 4.0
