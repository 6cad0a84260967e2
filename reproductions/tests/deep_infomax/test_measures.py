"""The measures of Table 3 where the answer is known, for representations of its 64 features."""

from __future__ import annotations

import math

import numpy as np
import pytest
from infoflow_reproductions.deep_infomax.dependence import FOLDS, LIMIT
from infoflow_reproductions.deep_infomax.settings import Learning

from infoflow.estimators import neural_dependency
from infoflow.probes import NeuralDependency

FEATURES = 64


@pytest.mark.parametrize("rho", [0.0, 0.5])
def test_dependence_of_64_features_is_the_closed_form(rho: float) -> None:
    """Thirty-two independent pairs of correlation ρ have −16 log(1 − ρ²) nats: 0 or 4.60.

    From few samples the estimate is a little low, since a fold has fewer of them than there are correlations.
    """
    rng = np.random.default_rng(0)
    one, noise = rng.normal(size=(2, 4000, FEATURES // 2))
    y = np.concatenate([one, rho * one + math.sqrt(1 - rho**2) * noise], 1)
    found = NeuralDependency(settings={"hidden": (32,), "max_epochs": 2, "folds": 2}).score(y).value
    truth = -16 * math.log(1 - rho**2)
    assert found == pytest.approx(truth, abs=0.3, rel=0.12)


def test_the_limit_of_comparisons_is_the_one_that_the_estimate_warns_of() -> None:
    """For the 10,000 test images of CIFAR-10."""
    y = np.random.default_rng(0).normal(size=(10_000, 1)).repeat(8, 1)
    found = neural_dependency(y, folds=FOLDS, hidden=(16,), max_epochs=1)
    assert any(f"= {LIMIT:.2f} nats (the shuffled rows" in warning for warning in found.warnings)


def test_the_published_number_of_epochs_and_units_of_the_probe_are_used() -> None:
    """Section 4.1: one hidden layer of 200 units with dropout; section 4.2: Adam, 1000 epochs, rate 1e-4."""
    full = Learning()
    assert (full.epochs, full.learning_rate, full.size.features, full.size.discriminator) == (
        1000,
        1e-4,
        64,
        [1000, 200],
    )
