"""The report's bound stays below the Bayes error of mixtures where that is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from infoflow import theory
from infoflow.core.errors import InfoflowError, InvalidArgument
from infoflow.core.estimate import Estimate, Kind
from infoflow.estimators import KSG
from infoflow.tasks import BinaryGaussianMixture


@pytest.mark.parametrize("separation", [0.25, 1.0])
def test_the_bound_is_below_the_bayes_error_and_above_nothing(separation: float) -> None:
    x, y = BinaryGaussianMixture(separation).sample(800, seed=1)
    found = theory.report(x, y)
    bayes = theory.GaussianMixture(math.sqrt(separation), 1.0).bayes_error()
    assert 0 < found.error < found.error_at_estimate
    assert found.error < bayes
    assert found.mutual_information.interval is not None
    upper = found.mutual_information.interval.high
    assert found.error == pytest.approx(theory.error_lower_bound(upper, found.label_entropy, 2))
    assert found.label_entropy == pytest.approx(math.log(2), abs=0.01)
    text = str(found)
    assert f"no classifier can err less than {found.error:.1%}" in text
    assert "95% interval" in text


def test_clear_classes_promise_nothing() -> None:
    rng = np.random.default_rng(0)
    y = np.arange(400) % 4
    found = theory.report(10.0 * y + rng.normal(size=400), y, KSG())
    assert found.error == 0
    assert found.classes == 4
    assert found.majority_error == pytest.approx(0.75)
    assert "does not rule out a classifier that never errs" in str(found)
    assert any("the interval reaches H(Y)" in warning for warning in found.warnings)


class Half:
    """Says that half of H(Y) is known, as a lower bound."""

    def estimate(self, x: object, y: object) -> Estimate:
        return Estimate(math.log(2) / 2, "I(X;Y)", Kind.LOWER_BOUND, "Half", n=100)


def test_an_estimate_that_is_a_lower_bound_is_warned_of() -> None:
    y = np.arange(100) % 2
    found = theory.report(np.zeros(100), y, Half())
    assert any("lower bound on I(X;Y)" in warning for warning in found.warnings)
    assert found.error == found.error_at_estimate == pytest.approx(0.110, abs=1e-3)  # H_b(.11) is half a bit


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.zeros(50, dtype=int), "^y must"),
        (np.linspace(0, 1, 50), "^y must be integer classes"),
        (np.arange(40) % 2, "^x and y must hold the same"),
        (np.array([0, 1]), "^y must be"),
    ],
)
def test_bad_labels_are_said_in_one_line(y: np.ndarray, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message) as caught:
        theory.report(np.random.default_rng(0).normal(size=50), y)
    assert "\n" not in str(caught.value)


def test_nan_in_x_is_refused() -> None:
    with pytest.raises(InfoflowError, match="NaN"):
        theory.report(np.full(50, np.nan), np.arange(50) % 2)
