"""Layers of the paper's encoders, other networks as encoders, and decoders of the same shapes."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.models import (
    Backbone,
    ConvolutionalEncoder,
    DCGANDecoder,
    torchvision_encoder,
)


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_the_encoder_of_32_by_32_images() -> None:
    encoder = ConvolutionalEncoder()
    # conv k4 without bias + two numbers of each norm; fc 4096 -> 1024 likewise; vector with bias.
    convolutions = 16 * (3 * 64 + 64 * 128 + 128 * 256) + 2 * (64 + 128 + 256)
    assert parameters(encoder) == convolutions + 4096 * 1024 + 2 * 1024 + 1024 * 64 + 64
    assert encoder.conv(encoder.local(torch.zeros(2, 3, 32, 32))).shape == (2, 256, 4, 4)


def test_the_encoder_of_64_by_64_images_has_its_map_at_8_by_8() -> None:
    encoder = ConvolutionalEncoder((3, 64, 64), widths=(64, 128, 256, 512), local=2)
    local, vector = encoder(torch.zeros(2, 3, 64, 64))
    assert (local.shape, vector.shape) == ((2, 256, 8, 8), (2, 64))


def test_parameters_depend_on_the_seed_and_the_global_state_is_unchanged() -> None:
    state = torch.get_rng_state()
    first, second, other = (ConvolutionalEncoder(widths=(4, 8), local=0, units=8, seed=s) for s in (3, 3, 4))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first.vector.weight, second.vector.weight)
    assert not torch.equal(first.vector.weight, other.vector.weight)


@pytest.mark.parametrize(
    "settings",
    [{"shape": (3, 30, 32)}, {"shape": (3,)}, {"shape": (3, 32, 32, 32)}, {"local": 3}, {"local": -1}, {"units": 0}],
)
def test_shapes_that_make_no_encoder(settings: dict[str, object]) -> None:
    with pytest.raises(InvalidArgument):
        ConvolutionalEncoder(**settings)  # type: ignore[arg-type]


def test_inputs_of_another_shape_raise() -> None:
    with pytest.raises(InvalidArgument, match=r"^inputs must be of shape \(n, 3, 32, 32\)"):
        ConvolutionalEncoder()(torch.zeros(2, 3, 28, 28))


def test_any_network_can_be_an_encoder() -> None:
    network = nn.Sequential(nn.Conv1d(2, 5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(50, 4))
    encoder = Backbone(network, "1")
    x = torch.randn(3, 2, 12)
    local, vector = encoder(x)
    torch.testing.assert_close((local, vector), (network[1](network[0](x)), network(x)))
    assert not network[1]._forward_hooks
    with pytest.raises(UnknownName, match="module of the network"):
        Backbone(network, "layer3")
    with pytest.raises(InvalidArgument, match=r"^local must be a module that returns a map .*'3' returned"):
        Backbone(network, "3")(x)


def test_torchvision_networks_are_encoders() -> None:
    pytest.importorskip("torchvision")
    for name in ("resnet18", "mobilenet_v2", "shufflenet_v2_x0_5", "squeezenet1_1"):
        encoder = torchvision_encoder(name, features=5).eval()
        with torch.no_grad():
            local, vector = encoder(torch.zeros(1, 3, 64, 64))
        assert local.ndim == 4
        assert vector.shape == (1, 5)
    with pytest.raises(UnknownName, match="'resnet18'"):
        torchvision_encoder("resnet19")
    with pytest.raises(InvalidArgument, match=r"^local must be the name of a module.*'vit_b_16'"):
        torchvision_encoder("vit_b_16")


def test_the_decoder_has_the_shapes_of_the_encoder() -> None:
    decoder = DCGANDecoder(64, (3, 32, 32))
    images = decoder(torch.randn(4, 64)).detach()
    assert images.shape == (4, 3, 32, 32)
    assert float(images.abs().max()) <= 1
    with pytest.raises(InvalidArgument, match=r"^vectors must be of shape \(n, 64\), got shape \(4, 63\)"):
        decoder(torch.zeros(4, 63))
    with pytest.raises(InvalidArgument, match=r"^shape must.*divisible by 8"):
        DCGANDecoder(64, (3, 28, 28))
