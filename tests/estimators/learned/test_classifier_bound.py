"""The classifier's bound, against posteriors that are known."""

from __future__ import annotations

import numpy as np
import pytest

from infoflow.core.errors import TooFewSamples
from infoflow.estimators import ClassifierBound

RANDOM = np.random.default_rng(0)


def test_close_to_the_truth_where_the_posterior_is_logistic() -> None:
    """Two Gaussians of one covariance: log p(1|x)/p(0|x) is linear, so the probe can be exact."""
    y = np.repeat([0, 1], 3000)
    x = RANDOM.normal(size=(6000, 3))
    x[:, 0] += 2.0 * y
    logit = 2.0 * x[:, 0] - 2.0
    posterior = 1 / (1 + np.exp(-np.where(y == 1, logit, -logit)))
    truth = np.log(2) + np.log(posterior).mean()
    found = ClassifierBound().estimate(x, y)
    assert found.nats == pytest.approx(truth, abs=0.01)
    assert found.nats <= truth + 0.01
    assert found.interval is not None
    assert truth in found.interval
    assert 0 <= found.interval.low < found.nats < found.interval.high <= found.ceiling


def test_a_perceptron_sees_what_lines_cannot() -> None:
    x = RANDOM.normal(size=(800, 2))
    y = (x[:, 0] * x[:, 1] > 0).astype(int)
    assert ClassifierBound().estimate(x, y).nats < 0.02
    assert ClassifierBound(probe="perceptron").estimate(x, y).nats > 0.3


def test_the_interval_is_the_value_and_its_error_within_the_range() -> None:
    widths = []
    for n in (200, 3200):
        y = np.arange(n) % 2
        x = np.random.default_rng(0).normal(size=n) + y
        found = ClassifierBound().estimate(x, y)
        assert found.interval is not None
        assert found.interval.low == pytest.approx(2 * found.nats - found.interval.high)
        widths.append(found.interval.high - found.interval.low)
        nothing = ClassifierBound().estimate(np.random.default_rng(1).normal(size=n), y).interval
        assert nothing is not None
        assert nothing.low == 0.0 < nothing.high
    assert widths[1] < 0.5 * widths[0]


def test_a_sure_mistake_is_finite() -> None:
    x = np.concatenate([np.zeros(50), np.ones(50)])
    y = x.astype(int)
    y[3] = 1
    assert 0.4 < ClassifierBound(penalty=1e6).estimate(x, y).nats < 0.6931


def test_few_samples_are_refused() -> None:
    with pytest.raises(TooFewSamples, match="16"):
        ClassifierBound().estimate(np.arange(8.0), np.arange(8) % 2)
