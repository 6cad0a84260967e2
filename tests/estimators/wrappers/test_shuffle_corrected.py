"""Subtracting the mean of shuffled samples: unbiased at independence, never above the ceiling, never undefined."""

from __future__ import annotations

import numpy as np
import pytest

from infoflow.core.errors import TooFewSamples
from infoflow.estimators.histogram.discrete import Discrete
from infoflow.estimators.wrappers.shuffle_corrected import ShuffleCorrected


def test_the_bias_of_large_tables_is_removed() -> None:
    rng = np.random.default_rng(0)
    plain, corrected = [], []
    for _ in range(10):
        x, y = rng.integers(0, 15, (2, 200))
        plain.append(Discrete().estimate(x, y).nats)
        corrected.append(ShuffleCorrected("discrete").estimate(x, y).nats)
    assert np.mean(plain) > 0.4
    assert np.mean(corrected) == pytest.approx(0.0, abs=0.03)


def test_negative_estimates_of_shuffled_samples_lift_nothing_above_the_ceiling() -> None:
    x = np.arange(9.0)
    for seed in range(20):
        found = ShuffleCorrected("ksg:k=2", seed=seed).estimate(x, x)
        assert found.nats <= found.ceiling


def test_samples_whose_shuffled_estimates_are_infinite_are_too_few() -> None:
    x = [-1.0, 2.0, -1.0, -1.0]  # of 4 shuffled samples every fourth is the same again
    with pytest.raises(TooFewSamples, match="The estimate of shuffled samples is inf nats"):
        ShuffleCorrected("gaussian").estimate(x, x)
