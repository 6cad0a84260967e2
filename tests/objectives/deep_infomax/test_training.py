"""Deep InfoMax in the training loop: an interrupted run ends on the same numbers, other settings are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from infoflow.core.errors import InvalidArgument
from infoflow.models import ConvolutionalEncoder
from infoflow.objectives import DeepInfoMax, Matching, deep_infomax_for
from infoflow.training import Fit, Optimizer, Player, fit

IMAGES = torch.randn(48, 1, 8, 8, generator=torch.Generator().manual_seed(1))


def objective(**settings: Any) -> DeepInfoMax:
    encoder = ConvolutionalEncoder((1, 8, 8), widths=(4, 8), local=0, units=16, features=5)
    given = {"units": 16, "coordinates": "both", "occlusion": 3, "n_negatives": 20, "matching": Matching(units=(16,))}
    return deep_infomax_for(encoder, IMAGES[:2], **{**given, **settings})


def trained(epochs: int, file: Path | None = None, **settings: Any) -> tuple[list[dict[str, float]], list[Tensor]]:
    made = objective(**settings)
    players = {name: Player(*pair) for name, pair in made.players().items()}
    history = fit(
        players,
        [IMAGES],
        Fit(epochs, 16, Optimizer(learning_rate=1e-3)),
        checkpoint=file,
        resume=True,
        fingerprint={"objective": repr(made)},
    )
    return history, [p.detach() for p in made.parameters()]


def test_the_information_rises() -> None:
    history, _ = trained(30, occlusion=None)
    assert history[-1]["learner/local"] > history[0]["learner/local"] + 0.3
    assert history[-1]["learner/absolute_coordinates"] < history[0]["learner/absolute_coordinates"]


def test_an_interrupted_run_ends_on_the_same_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, parameters = trained(4)
    monkeypatch.setattr("infoflow.training.checkpoint.SECONDS_BETWEEN", 0.0)

    class Killed(Exception):
        pass

    calls = 0
    original = DeepInfoMax.opponent_loss

    def killing(self: DeepInfoMax, inputs: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        if calls == 8:  # in the third of four epochs of three batches
            raise Killed
        return original(self, inputs)

    monkeypatch.setattr(DeepInfoMax, "opponent_loss", killing)
    with pytest.raises(Killed):
        trained(4, tmp_path / "checkpoint")
    monkeypatch.setattr(DeepInfoMax, "opponent_loss", original)
    again, same = trained(4, tmp_path / "checkpoint")
    assert again == whole
    for one, other in zip(parameters, same, strict=True):
        assert torch.equal(one, other)


def test_a_run_is_not_resumed_with_other_settings(tmp_path: Path) -> None:
    trained(1, tmp_path / "checkpoint")
    with pytest.raises(InvalidArgument, match=r"gamma=0\.5"):
        trained(1, tmp_path / "checkpoint", gamma=0.5)


def test_half_precision_and_channels_last() -> None:
    made = objective()
    players = {name: Player(*pair) for name, pair in made.players().items()}
    settings = Fit(5, 16, Optimizer(learning_rate=1e-3), precision="bfloat16", channels_last=True)
    history = fit(players, [IMAGES], settings)
    assert history[-1]["learner/loss"] < history[0]["learner/loss"]
    assert all(p.dtype == torch.float32 for p in made.parameters())
