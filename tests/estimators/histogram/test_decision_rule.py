"""DecisionRule against scikit-learn's discrete information."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import entropy
from sklearn.metrics import mutual_info_score

from infoflow.core.errors import InvalidArgument
from infoflow.estimators.histogram.decision_rule import DecisionRule


def test_agrees_with_discrete_information() -> None:
    rng = np.random.default_rng(0)
    t, y = rng.normal(size=(500, 4)), rng.integers(0, 5, 500)
    t[np.arange(500), y % 4] += 1.5
    decisions = t.argmax(1)
    found = DecisionRule().measure(t, y)
    assert found.label.nats == pytest.approx(mutual_info_score(decisions, y))
    assert found.input.nats == pytest.approx(entropy(np.bincount(decisions)))
    assert found == (DecisionRule().entropy(t), DecisionRule().estimate(t, y))
    assert found.input.ceiling == pytest.approx(math.log(4))


def test_softmax_has_the_decisions_of_its_logits() -> None:
    rng = np.random.default_rng(0)
    t, y = rng.normal(size=(80, 3)), rng.integers(0, 3, 80)
    softmax = np.exp(t) / np.exp(t).sum(1, keepdims=True)
    assert DecisionRule().estimate(softmax, y).nats == DecisionRule().estimate(t, y).nats


def test_perfect_and_blind_networks() -> None:
    y = np.arange(12) % 3
    perfect = DecisionRule().estimate(np.eye(3)[y], y)
    assert perfect.saturated
    assert perfect.nats == pytest.approx(math.log(3))
    blind = DecisionRule().measure(np.zeros((12, 3)), y)
    assert blind.label.nats == 0
    assert "12 of 12 samples have no single largest unit" in blind.label.warnings[0]


def test_bad_input() -> None:
    with pytest.raises(InvalidArgument, match=r"^t must be .* got one unit"):
        DecisionRule().entropy(np.ones((4, 1)))
    with pytest.raises(InvalidArgument, match=r"^x and y must hold the same"):
        DecisionRule().estimate(np.ones((4, 2)), [0, 1, 2])


def test_a_layer_of_another_width_is_warned_of() -> None:
    y = np.arange(12) % 3
    hidden = DecisionRule().measure(np.random.default_rng(0).normal(size=(12, 5)), y)
    assert "5 units for 3 classes" in " ".join(hidden.label.warnings)
    assert not DecisionRule().measure(np.eye(3)[y], y).label.warnings
