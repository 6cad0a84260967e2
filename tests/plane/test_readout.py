from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.plane import Readout, Recording, record

TOKENS = torch.tensor([[5, 3, 0, 0], [2, 0, 4, 0], [1, 2, 3, 4]])
VALUES = 10.0 * TOKENS[..., None] + torch.arange(2)  # what the block below returns


class Block(nn.Module):
    """Returns a tuple, as the blocks of transformers do."""

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        return 10.0 * x[..., None] + torch.arange(2), None


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.block, self.head = Block(), nn.Identity()

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        hidden = self.block(ids)[0]
        return self.head(hidden[:, 0] if mask is None else (hidden * mask[..., None]).sum(1))


def stored(folder: Path, layer: str = "block", *, resume: bool = False, **settings: Any) -> np.ndarray:
    layers, readout = ["block", "head"], Readout(**settings)
    with record(Model(), TOKENS, [0, 1, 1], store=folder, layers=layers, readout=readout, resume=resume) as recorder:
        recorder.snapshot(0)
    return Recording(folder).activations(0, layer)[0]


@pytest.mark.parametrize(
    ("settings", "want"),
    [
        ({}, VALUES.flatten(1)),
        ({"tokens": "first"}, VALUES[:, 0]),
        ({"tokens": "last"}, VALUES[:, -1]),
        ({"tokens": "mean"}, VALUES.mean(1)),
        ({"tokens": "last", "padding": 0}, torch.stack([VALUES[0, 1], VALUES[1, 2], VALUES[2, 3]])),
        (
            {"tokens": "mean", "padding": 0},
            torch.stack([VALUES[0, :2].mean(0), VALUES[1, [0, 2]].mean(0), VALUES[2].mean(0)]),
        ),
    ],
)
def test_tokens_are_pooled(tmp_path: Path, settings: dict[str, Any], want: Tensor) -> None:
    np.testing.assert_allclose(stored(tmp_path / "run", batch_size=2, **settings), want.numpy(), rtol=1e-6)
    # A layer without tokens is unchanged.
    np.testing.assert_allclose(stored(tmp_path / "again", "head", **settings), VALUES[:, 0].numpy())


def test_call_runs_the_model(tmp_path: Path) -> None:
    got = stored(tmp_path / "run", "head", call=lambda model, ids: model(ids, mask=(ids != 0).float()))
    np.testing.assert_allclose(got, (VALUES * (TOKENS != 0)[..., None]).sum(1).numpy())


def test_a_resumed_recording_must_have_the_same_readout(tmp_path: Path) -> None:
    stored(tmp_path / "run", tokens="mean", padding=0)
    with pytest.raises(
        InvalidArgument, match=r"^maps must be flatten, tokens mean, padding 0 .*, got flatten, tokens mean\."
    ):
        stored(tmp_path / "run", tokens="mean", resume=True)
    assert not Recording(tmp_path / "run").chain


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"tokens": "frist"}, UnknownName, "Did you mean 'first'"),
        ({"padding": 0}, InvalidArgument, "^tokens must"),
        ({"tokens": "mean", "padding": 0.5}, InvalidArgument, "^padding must"),
    ],
)
def test_invalid_settings_are_rejected(tmp_path: Path, settings: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        stored(tmp_path / "run", **settings)
    assert not (tmp_path / "run").exists()


def test_padding_requires_sequences_of_tokens(tmp_path: Path) -> None:
    for x in (torch.rand(3, 4), torch.zeros(3, 4, dtype=torch.int64)):
        with pytest.raises(InvalidArgument, match=r"^probe_x must"):
            record(Model(), x, [0, 1, 1], store=tmp_path / "run", readout=Readout(tokens="mean", padding=0))
