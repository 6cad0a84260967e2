from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from infoflow.core.errors import InvalidArgument, TooFewSamples, UnknownName
from infoflow.models import ConvolutionalEncoder
from infoflow.probes import features


class Returning(nn.Module):
    """Encoder with batch norm and dropout that returns `make(map, vector)`."""

    def __init__(self, make: Any) -> None:
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Dropout(0.5))
        self.fc = nn.Linear(3 * 36, 5)
        self.make = make

    def forward(self, x: Tensor) -> Any:
        hidden = self.conv(x)
        return self.make(hidden, self.fc(hidden.flatten(1)))


Pair = namedtuple("Pair", ["local", "vector"])
IMAGES = torch.randn(7, 1, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (lambda m, y: y, ["Y"]),
        (lambda m, y: (m, y), ["conv", "Y"]),
        (lambda m, y: [m, y.relu(), y], ["conv", "fc", "Y"]),
        (lambda m, y: Pair(m, y), ["local", "vector"]),
        (lambda m, y: {"map": m, "hidden": None, "y": y}, ["map", "y"]),
    ],
)
def test_names_of_returned_tensors(make: Any, names: list[str]) -> None:
    found = features(Returning(make), IMAGES, batch_size=3)
    assert list(found) == names
    assert found[names[-1]].shape == (7, 5)


def test_modules_by_name_and_with_other_names() -> None:
    encoder = Returning(lambda m, y: (m, y))
    found = features(encoder, IMAGES, {"map": "conv.2", "Y": "output"}, batch_size=3)
    returned = features(encoder, IMAGES, batch_size=7)
    torch.testing.assert_close(found["map"], returned["conv"])  # dropout is off in evaluation mode
    torch.testing.assert_close(found["Y"], returned["Y"])
    assert list(features(encoder, IMAGES, ["fc"])) == ["fc"]


def test_layers_that_the_encoder_names() -> None:
    encoder = ConvolutionalEncoder((1, 8, 8), widths=(4, 8), local=0, units=16, features=4)
    assert {name: tuple(v.shape) for name, v in features(encoder, IMAGES).items()} == {
        "conv": (7, *features(encoder, IMAGES, ["conv"])["conv"].shape[1:]),
        "fc": (7, 16),
        "Y": (7, 4),
    }


def test_the_encoder_is_unchanged() -> None:
    encoder = Returning(lambda m, y: y).train()
    encoder.conv[1].eval()
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    flags = [module.training for module in encoder.modules()]
    state = torch.get_rng_state()
    found = features(encoder, IMAGES)
    assert [module.training for module in encoder.modules()] == flags
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)
    assert not found["Y"].requires_grad
    assert not any(module._forward_hooks for module in encoder.modules())


def test_functions_arrays_and_half_precision() -> None:
    assert features(lambda x: x.sum((1, 2, 3)), IMAGES.numpy())["Y"].shape == (7,)
    half = nn.Linear(4, 2).to(torch.bfloat16)
    assert features(half, np.ones((3, 4)))["Y"].dtype == torch.float32


def test_tokens_stay_integers_and_prepare_is_applied() -> None:
    assert features(nn.Embedding(10, 3), torch.tensor([[1, 2], [3, 4]]))["Y"].shape == (2, 2, 3)
    bytes_ = torch.full((2, 3), 255, dtype=torch.uint8)
    assert features(nn.Identity(), bytes_, prepare=lambda x: x / 255)["Y"].max() == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda m, y: None, "NoneType"),
        (lambda m, y: "text", "a str"),
        (lambda m, y: (), "tuple of 0"),
        (lambda m, y: (m, m, m, y), "tuple of 4"),
        (lambda m, y: {}, "no tensor"),
        (lambda m, y: (m, "text"), "'Y'.*str"),
        (lambda m, y: y.sum(), r"^features 'Y' must.*shape \(\)"),
        (lambda m, y: y[:1], r"^features 'Y' must.*shape \(1, 5\)"),
        (lambda m, y: y[:, :0], r"^features 'Y' must.*shape \(7, 0\)"),
        (lambda m, y: y * float("nan"), "^features 'Y'.*35 NaN"),
        (lambda m, y: y.to(torch.complex64), "complex64"),
    ],
)
def test_unusable_results_of_the_encoder_raise(make: Any, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        features(Returning(make), IMAGES)


def test_invalid_arguments_raise() -> None:
    encoder = Returning(lambda m, y: y)
    with pytest.raises(InvalidArgument, match="a batch of shape"):
        features(encoder, torch.zeros(3, 2, 8, 8))
    with pytest.raises(UnknownName, match="'conv"):
        features(encoder, IMAGES, ["con"])
    with pytest.raises(TooFewSamples, match="^inputs must"):
        features(encoder, IMAGES[:0])
    with pytest.raises(InvalidArgument, match="^layers must"):
        features(encoder, IMAGES, "conv")
    with pytest.raises(InvalidArgument, match="^encoder must"):
        features(3, IMAGES)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match="^features 'Y' must be of one shape"):
        features(lambda x: x[:, :1].expand(-1, len(x)), torch.zeros(5, 2), batch_size=3)
