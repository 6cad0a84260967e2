"""What the true I(X;T) of a recorded network is."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from infoflow.layers import GaussianNoise, QuantizedActivation
from infoflow.plane import Recording, analyse, record
from infoflow.plane.truth import COUNTED, INFINITE, NOISY, QUANTIZED, truth

GRAY = torch.linspace(0, 1, 40)[:, None]
BITS = (GRAY > 0.5).float()


@pytest.mark.parametrize(
    ("model", "inputs", "wanted"),
    [
        (nn.Tanh(), GRAY, INFINITE),
        (nn.Tanh(), BITS, COUNTED),
        (nn.Sequential(nn.Tanh(), GaussianNoise(0.1, evaluation="sampled")), GRAY, NOISY),
        (nn.Sequential(nn.Tanh(), GaussianNoise(0.1)), GRAY, INFINITE),  # off in evaluation
        (nn.Sequential(nn.Tanh(), QuantizedActivation(8, -1.0, 1.0)), GRAY, QUANTIZED),
    ],
)
def test_noise_rounding_and_inputs_say_whether_information_is_infinite(
    model: nn.Module, inputs: Tensor, wanted: str
) -> None:
    assert truth(model, [inputs]) == wanted


def test_a_plane_says_so_in_its_provenance_and_in_its_figure(tmp_path: Path) -> None:
    with record(
        nn.Sequential(nn.Tanh()), GRAY, (GRAY[:, 0] > 0.5).long(), store=tmp_path / "r", name="net"
    ) as recorder:
        recorder.snapshot(0)
        recorder.snapshot(1)
    assert Recording(tmp_path / "r").provenance["truth"] == INFINITE
    plane = analyse(tmp_path / "r", ["binning:width=0.1"])
    assert plane.provenance["recordings"]["net"]["truth"] == INFINITE
    drawn = plane.figure(tmp_path / "plane.svg").read_text()
    assert INFINITE in drawn
