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


def test_a_perceptron_sees_what_lines_cannot() -> None:
    x = RANDOM.normal(size=(800, 2))
    y = (x[:, 0] * x[:, 1] > 0).astype(int)
    assert ClassifierBound().estimate(x, y).nats < 0.02
    assert ClassifierBound(probe="perceptron").estimate(x, y).nats > 0.3


def test_a_sure_mistake_is_finite() -> None:
    x = np.concatenate([np.zeros(50), np.ones(50)])
    y = x.astype(int)
    y[3] = 1
    assert 0.4 < ClassifierBound(penalty=1e6).estimate(x, y).nats < 0.6931


def test_few_samples_are_refused() -> None:
    with pytest.raises(TooFewSamples, match="16"):
        ClassifierBound().estimate(np.arange(8.0), np.arange(8) % 2)
