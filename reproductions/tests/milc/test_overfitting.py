"""The training loss and the gap of cross-entropy from artificial results."""

from __future__ import annotations

from typing import Any

import pytest
from infoflow_reproductions.milc.overfitting import overfitting


def runs(loss: float, gap: float) -> list[dict[str, Any]]:
    """Return four runs whose training loss and gap vary by 0.002 and 0.001."""
    return [
        {"train_conditional_entropy": loss + 2 * step, "train_accuracy": 0.8 + gap + step, "test_accuracy": 0.8}
        for step in (-0.001, 0.0, 0.0, 0.001)
    ]


@pytest.mark.parametrize(("loss", "holds"), [(0.03, True), (0.05, None), (0.07, False)])
def test_the_training_loss_is_tested_against_a_stated_threshold(loss: float, holds: bool | None) -> None:
    small, _ = overfitting("mlp", runs(0.5, 0.0), runs(loss, 0.1))
    assert small.holds is holds
    assert "(below 0.05 nats)" in small.text
    assert small.published
    assert small.evidence.startswith(f"training loss {loss:g} [")
    assert small.evidence.endswith("nats, required below 0.05 over 4 seeds")


def test_the_gap_of_training_and_test_accuracy_is_compared() -> None:
    _, more = overfitting("mlp", runs(0.5, 0.02), runs(0.1, 0.1), published=False)
    assert more.holds is True
    assert more.sample is not None
    assert more.sample.mean == pytest.approx(8.0)
    assert not more.published
    _, less = overfitting("mlp", runs(0.5, 0.1), runs(0.1, 0.02))
    assert less.holds is None or less.holds is False
    assert less.sample is not None
    assert less.sample.mean == pytest.approx(-8.0)


def test_runs_that_diverged_have_no_training_loss() -> None:
    assert (
        overfitting("mlp", runs(0.5, 0.1), [{"train_accuracy": 0.1, "test_accuracy": 0.1, "diverged": True}] * 4) == []
    )
