"""The convolutional networks of the information-plane literature, and modules after activations."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.layers import GaussianNoise, QuantizedActivation
from infoflow.models import MLP, Convolution, ConvolutionalNet, Stacked, after_activations, seeded, stack


def lenet(image: tuple[int, int] = (1, 28), seed: int = 0) -> ConvolutionalNet:
    layers = [Convolution(6, 5, padding=2, pool="average"), Convolution(16, 5, pool="average")]
    return ConvolutionalNet(image, layers, [120, 84], "tanh", seed=seed)


@pytest.mark.parametrize("side", [16, 28, 32])
def test_the_layers_determine_the_side_of_the_maps(side: int) -> None:
    network = ConvolutionalNet((3, side), [Convolution(4, 5), Convolution(8, 3, 1, "max")], [7], "tanh", classes=5)
    assert network.linear1.in_features == 8 * ((side - 4) // 2) ** 2
    assert network(torch.zeros(2, 3, side, side)).shape == (2, 5)


def test_parameters_depend_on_the_seed_only() -> None:
    state = torch.get_rng_state()
    first, same, other = (lenet(seed=seed).conv1.weight for seed in (1, 1, 2))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(("initialization", "std"), [("he", math.sqrt(2 / 225)), ("saxe", 0.8796 / math.sqrt(1600))])
def test_kernels_count_their_pixels_in_the_initialization(initialization: str, std: float) -> None:
    layers = [Convolution(9, 3), Convolution(64, 5)]  # 9·5·5 inputs and 64·5·5 outputs
    network = ConvolutionalNet((1, 12), layers, [], "relu", initialization=initialization, seed=1)
    assert network.conv2.weight.std().item() == pytest.approx(std, rel=0.03)
    assert not network.conv2.bias.any()


def test_the_default_initialization_is_that_of_torch() -> None:
    with seeded(4):
        expected = nn.Conv2d(1, 6, 5, padding=2)
    found = lenet(seed=4).conv1
    assert torch.allclose(found.weight, expected.weight)
    assert torch.allclose(found.bias, expected.bias)


def test_too_small_images_and_unknown_names_raise() -> None:
    with pytest.raises(InvalidArgument, match=r"^image must be large enough .* after convolution 2, got \(1, 8\)"):
        lenet((1, 8))
    with pytest.raises(UnknownName, match=r"^unknown pool 'maxx'. Did you mean 'max'"):
        ConvolutionalNet((1, 28), [Convolution(4, 3, pool="maxx")], [8])
    with pytest.raises(UnknownName, match=r"^unknown initialization 'hee'. Did you mean 'he'"):
        ConvolutionalNet((1, 28), [Convolution(4, 3)], [8], initialization="hee")


def test_a_stacked_network_with_noise_is_still_stacked() -> None:
    members = [MLP([3, 4, 5, 2], seed=seed) for seed in range(3)]
    noisy = after_activations(stack(members), "noise", lambda _: GaussianNoise(0.1))
    assert isinstance(noisy, Stacked)
    x = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(noisy.eval()(x)[1], members[1](x), atol=1e-6)


def test_modules_are_built_for_the_width_of_the_layer_before() -> None:
    widths: list[int] = []

    def make(width: int) -> nn.Module:
        widths.append(width)
        return QuantizedActivation(4, -1.0, 1.0)

    network = after_activations(lenet(), "quantized", make)
    assert widths == [6, 16, 120, 84]
    assert [name for name, _ in network.named_children()][:3] == ["conv1", "tanh1", "quantized1"]
    with pytest.raises(InvalidArgument, match=r"^network must be one with an activation after a linear"):
        after_activations(nn.Sequential(nn.Linear(2, 2)), "noise", make)
