"""Convergence and connection from artificial learning curves."""

from __future__ import annotations

import math

import numpy as np
import pytest
from infoflow_reproductions.milc.learning_curves import connection, epochs_to_reach, longer


def run(rate: float, final: float = 0.9, sign: float = 1.0) -> dict[str, object]:
    """Return a run whose gain over guessing grows as 1 − e^(−rate · epoch) to `final`."""
    epochs = np.arange(0.0, 101.0)
    growth = (1 - np.exp(-rate * epochs)) / (1 - math.exp(-rate * 100))
    accuracy = 0.1 + (final - 0.1) * growth
    return {
        "curve_epoch": epochs.tolist(),
        "curve_test_accuracy": accuracy.tolist(),
        "curve_test_mutual_information": (sign * growth**2).tolist(),
        "test_accuracy": float(accuracy[-1]),
        "test_mutual_information": sign * final,
    }


@pytest.mark.parametrize("rate", [0.1, 0.3])
def test_time_to_an_accuracy_is_that_of_the_closed_form(rate: float) -> None:
    exact = -math.log(1 - 0.95 * (1 - math.exp(-rate * 100))) / rate
    assert epochs_to_reach(run(rate), 0.1 + 0.95 * 0.8) == pytest.approx(exact, abs=0.1)
    assert epochs_to_reach(run(rate), 0.1) == 0


def test_slower_learning_takes_longer() -> None:
    slow, fast = [run(rate) for rate in (0.1, 0.11, 0.105)], [run(rate) for rate in (0.3, 0.31, 0.28)]
    (claim,) = longer("mlp", slow, fast)
    assert claim.holds is True
    (claim,) = longer("mlp", fast, slow)
    assert claim.holds is False
    # Runs that still rise in the last epoch: both have the same share of their own final gain, but not the same gain.
    (claim,) = longer("mlp", [run(rate, final=0.4) for rate in (0.01, 0.011, 0.012)], [run(0.01, final=0.9)] * 3)
    assert claim.holds is True
    (claim,) = longer("mlp", [run(0.1, final=0.12)] * 3, fast)
    assert claim.holds is None
    assert "stayed near" in claim.evidence
    assert longer("mlp", [{"diverged": True}], fast[:1]) == []


def test_connection_is_judged_along_training_and_over_settings() -> None:
    seeds = range(3)
    settings = [[run(0.1 + 0.01 * seed, final) for seed in seeds] for final in (0.5, 0.7, 0.9)]
    along, after = connection("mlp", settings[:1], settings)
    assert along.published
    assert not after.published
    assert along.holds is after.holds is True
    along, after = connection(
        "mlp", [settings[0]], [[run(0.1, final, -1.0) for _ in seeds] for final in (0.5, 0.7, 0.9)]
    )
    assert after.holds is False
    # Two points are no correlation, and diverged runs have none.
    assert len(connection("mlp", settings[:1], settings[:2])) == 1
    assert connection("mlp", [[{"diverged": True}]], [[{"diverged": True}]]) == []
