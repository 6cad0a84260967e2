"""Network blocks draw from their own seed and leave the global random state alone."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from infoflow.core.blocks import ACTIVATIONS, Builder, Residual
from infoflow.errors import InvalidArgument, UnknownName

MAKERS: dict[str, Callable[[Builder], nn.Module]] = {
    "linear": lambda build: build.linear(5, 3),
    "convolution": lambda build: build.convolution(2, 4),
    "perceptron": lambda build: build.perceptron([5, 8, 8, 2], "relu"),
    "residual": lambda build: Residual(5, 6, build, layer_norm=True),
}


def weights(module: nn.Module) -> Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in module.parameters()])


@pytest.mark.parametrize("spectral_norm", [False, True])
@pytest.mark.parametrize("name", MAKERS)
def test_weights_depend_on_the_seed_alone(name: str, spectral_norm: bool) -> None:
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = weights(MAKERS[name](Builder(3, spectral_norm)))
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    generator = torch.Generator().manual_seed(3)
    assert torch.equal(weights(MAKERS[name](Builder(generator, spectral_norm))), first)
    assert not torch.equal(weights(MAKERS[name](Builder(4, spectral_norm))), first)
    assert bool(torch.isfinite(first).all())


def test_linear_weights_have_the_range_of_torch() -> None:
    layer = Builder(0, False).linear(100, 50)
    assert layer.weight.detach().abs().max().item() <= 1 / math.sqrt(100)
    assert layer.weight.std().item() == pytest.approx(0.1 / math.sqrt(3), rel=0.05)


def test_the_spectral_norm_is_one() -> None:
    layer = Builder(0, True).linear(20, 10)
    for _ in range(50):
        layer(torch.zeros(1, 20))
    assert torch.linalg.matrix_norm(layer.weight, 2).item() == pytest.approx(1.0, rel=1e-3)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_perceptron_ends_with_a_linear_layer(activation: str) -> None:
    network = Builder(0, False).perceptron([5, 8, 2], activation)
    assert [type(layer) for layer in network] == [nn.Linear, ACTIVATIONS[activation], nn.Linear]
    assert network(torch.zeros(4, 5)).shape == (4, 2)


def test_the_shortcut_starts_near_the_identity() -> None:
    block = Residual(6, 6, Builder(0, False), layer_norm=False)
    assert torch.allclose(block.shortcut.weight, torch.eye(6), atol=0.01)
    assert block(torch.randn(4, 7, 6, generator=torch.Generator().manual_seed(0))).shape == (4, 7, 6)


def test_invalid_arguments_are_named() -> None:
    with pytest.raises(InvalidArgument, match=r"^seed must be"):
        Builder(-1, False)
    with pytest.raises(UnknownName, match="Did you mean 'relu'"):
        Builder(0, False).perceptron([3, 2], "rlu")
    with pytest.raises(InvalidArgument, match=r"^widths must be"):
        Builder(0, False).perceptron([3, 0], "relu", "widths")
