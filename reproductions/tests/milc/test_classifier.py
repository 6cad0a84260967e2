"""The trial: reproducibility, measurements, settings, and runs that diverge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from infoflow_reproductions import Context
from infoflow_reproductions.milc.classifier import Training, network_of, run
from infoflow_reproductions.milc.losses import LOSSES, loss_of, title

from infoflow.core.errors import UnknownName

PLAIN = Training("digits", "mlp", "ce", seed=0, epochs=3, batch_size=64, learning_rate=0.1, size=700, held_out=200)


def outcome(checkpoint: Path, **changed: Any) -> Mapping[str, Any]:
    return run(replace(PLAIN, **changed), context=Context(None, "cpu", checkpoint, False))


def test_the_same_settings_give_the_same_numbers(tmp_path: Path) -> None:
    one, again, other = (outcome(tmp_path / str(i), seed=seed) for i, seed in enumerate((0, 0, 1)))
    assert one == again
    assert one["curve_test_accuracy"] != other["curve_test_accuracy"]
    assert one["steps"] == 3 * 11
    assert one["curve_epoch"] == [0, 1, 2, 3]
    assert one["curve_test_accuracy"][-1] == one["test_accuracy"] > one["curve_test_accuracy"][0]
    for part in ("train", "test", "held_out"):
        between = one[f"{part}_label_entropy"] - one[f"{part}_conditional_entropy"]
        assert one[f"{part}_mutual_information"] == pytest.approx(between)


def test_every_setting_changes_the_run(tmp_path: Path) -> None:
    plain = outcome(tmp_path / "plain")
    changes: list[dict[str, Any]] = [
        {"loss": "mil", "weight": 0.5},
        {"loss": "mil", "weight": 5.0},
        {"learning_rate": 0.05},
        {"augment": True},
        {"weight_decay": 0.1},
        {"batch_size": 50},
        {"standardized": True},
    ]
    outcomes = [outcome(tmp_path / str(i), **changed) for i, changed in enumerate(changes)]
    curves = [one["curve_train_conditional_entropy"] for one in outcomes]
    curves.append(plain["curve_train_conditional_entropy"])
    assert len({tuple(curve) for curve in curves}) == len(curves)
    assert len({replace(PLAIN, **changed).name for changed in [{}, *changes]}) == len(changes) + 1
    # λ = 0 is cross-entropy.
    zero = outcome(tmp_path / "zero", loss="mil", weight=0.0)["curve_train_conditional_entropy"]
    assert zero == pytest.approx(plain["curve_train_conditional_entropy"], abs=1e-5)


def test_a_run_that_diverges_counts_as_guessing(tmp_path: Path) -> None:
    found = outcome(tmp_path / "diverged", loss="mil", weight=1e6, learning_rate=1e30)
    assert found["diverged"]
    assert found["test_accuracy"] == found["held_out_accuracy"] == 0.1
    assert "curve_epoch" not in found


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_has_finite_gradients(name: str) -> None:
    logits = torch.randn(32, 10, generator=torch.Generator().manual_seed(0)).requires_grad_()
    labels = torch.arange(32) % 10
    value = loss_of(name, 50.0, torch.bincount(labels, minlength=10))(logits, labels)
    value.backward()
    assert logits.grad is not None
    assert bool(torch.isfinite(logits.grad).all())
    assert float(logits.grad.abs().sum()) > 0
    assert title(name)


def test_unknown_names_are_rejected() -> None:
    with pytest.raises(UnknownName, match="loss"):
        loss_of("cee", 0.0, torch.ones(10))
    with pytest.raises(UnknownName, match="resnet"):
        network_of("resnet19", (3, 32), stem="small", seed=0)


def test_networks_have_the_published_sizes() -> None:
    assert sum(p.numel() for p in network_of("mlp", (1, 28), stem="small", seed=0).parameters()) == 55_050
    assert network_of("cnn", (3, 16), stem="small", seed=0)(torch.zeros(2, 3, 16, 16)).shape == (2, 10)
