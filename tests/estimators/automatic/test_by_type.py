"""One estimator for each pair of types: its values, intervals and what it leaves to other estimators."""

from __future__ import annotations

import numpy as np
import pytest

from infoflow import mutual_information
from infoflow.estimators import KSG


def pair(n: int, rho: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    x, noise = np.random.default_rng(seed).normal(size=(2, n))
    return x, rho * x + np.sqrt(1 - rho**2) * noise


def test_numbers_have_five_neighbors_on_ranks_whatever_their_dependence() -> None:
    for rho in (0.0, 0.5, 0.95):
        x, y = pair(800, rho)
        found = mutual_information(x, np.exp(y), "by-type")
        assert found.estimator == "KSG"
        assert found.nats == pytest.approx(KSG(k=5).estimate(x, np.exp(y)).nats, abs=1e-12)


def test_symbols_are_estimated_as_by_the_default() -> None:
    x, y = pair(600, 0.6)
    classes = np.digitize(y, [-0.5, 0.5])
    for first, second in ((x, classes), (classes, x), (np.digitize(x, [0.0]), classes)):
        found, default = mutual_information(first, second, "by-type"), mutual_information(first, second)
        assert (found.nats, found.interval, found.warnings) == (default.nats, default.interval, default.warnings)


@pytest.mark.parametrize("rho", [0.0, 0.6, 0.9])
def test_intervals_hold_the_truth_in_most_samples(rho: float) -> None:
    truth = -0.5 * np.log(1 - rho**2)
    held = [truth in mutual_information(*pair(400, rho, seed), "by-type").interval for seed in range(20)]
    assert sum(held) >= 18


def test_repeated_values_and_columns_of_a_vector() -> None:
    x, y = pair(2000, 0.8)
    rounded = mutual_information(x.round(1), y.round(1), "by-type")
    assert rounded.nats == pytest.approx(-0.5 * np.log(1 - 0.64), abs=0.06)
    wide = np.stack([x, pair(2000, 0.0, 1)[0]], axis=1)
    found = mutual_information(wide, y, "by-type")
    assert found.nats == pytest.approx(-0.5 * np.log(1 - 0.64), abs=0.08)
    assert any("3 dimensions" in text for text in found.warnings)
    assert mutual_information([0.1, 0.7, 0.3], [0.2, 0.9, 0.4], "by-type").n == 3
