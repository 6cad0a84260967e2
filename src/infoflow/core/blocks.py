"""Small network blocks whose initial weights come from a seed of their own; modules as validated arguments."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from torch import Tensor, nn

from infoflow.core.settings import Integer, OneOf, check

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky-relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "softplus": nn.Softplus,
}


@dataclass(frozen=True)
class _IsModule:
    wanted: str = "a torch.nn.Module"

    def accept(self, value: Any) -> nn.Module:
        if not isinstance(value, nn.Module):
            raise ValueError
        return value


Module = Annotated[nn.Module, _IsModule()]
"""A torch.nn.Module, checked where arguments are validated by declaration."""


class Builder:
    """Build the layers of one network.

    Parameters
    ----------
    seed
        Seed or generator of the initial weights.
    spectral_norm
        Whether each linear layer's spectral norm is kept at 1.
    """

    def __init__(self, seed: int | torch.Generator, spectral_norm: bool) -> None:
        if not isinstance(seed, torch.Generator):
            seed = torch.Generator().manual_seed(check(seed, "seed", Integer(0)))
        self.generator = seed
        self.spectral_norm = spectral_norm

    def linear(self, inputs: int, outputs: int, bias: bool = True) -> nn.Linear:
        """Linear layer with torch's default distribution: weights and biases uniform in ±1/√inputs."""
        layer = uninitialized(inputs, outputs, bias)
        limit = 1 / math.sqrt(inputs)
        for parameter in layer.parameters():
            nn.init.uniform_(parameter, -limit, limit, generator=self.generator)
        return self.normalized(layer)

    def convolution(self, inputs: int, outputs: int) -> nn.Conv2d:
        """3×3 convolution that halves height and width, with torch's default distribution."""
        layer = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, device="meta").to_empty(device="cpu")
        limit = 1 / math.sqrt(9 * inputs)
        for parameter in layer.parameters():
            nn.init.uniform_(parameter, -limit, limit, generator=self.generator)
        return layer

    def normalized(self, layer: nn.Linear) -> nn.Linear:
        """The layer, with spectral normalization if this network has it."""
        if self.spectral_norm:
            # torch draws the start of the power iteration from the global generator, whose state is restored.
            with torch.random.fork_rng(devices=[]):
                torch.default_generator.manual_seed(0)
                nn.utils.parametrizations.spectral_norm(layer, n_power_iterations=1)
        return layer

    def perceptron(self, widths: Sequence[int], activation: str, name: str = "hidden") -> nn.Sequential:
        """Linear layers of these widths with an activation between them and none at the end."""
        kind = ACTIVATIONS[check(activation, "activation", OneOf(tuple(ACTIVATIONS)))]
        widths = [check(width, name, Integer()) for width in widths]
        layers: list[nn.Module] = []
        for inputs, outputs in itertools.pairwise(widths):
            layers += [kind()] * bool(layers) + [self.linear(inputs, outputs)]
        return nn.Sequential(*layers)


def uninitialized(inputs: int, outputs: int, bias: bool = True) -> nn.Linear:
    """A linear layer without initial weights: torch would draw them from the global generator."""
    return nn.Linear(inputs, outputs, bias=bias, device="meta").to_empty(device="cpu")


class Residual(nn.Module):
    """Residual encoding of a vector in Deep InfoMax: linear, ReLU, linear; a linear shortcut; layer norm on request.

    Parameters
    ----------
    inputs, units
        Numbers of input and output features.
    build
        Builder of the layers.
    layer_norm
        Whether the sum is normalized over its features.

    Notes
    -----
    The shortcut starts as the identity, as far as the widths allow, plus uniform noise of ±0.01.
    """

    def __init__(self, inputs: int, units: int, build: Builder, *, layer_norm: bool) -> None:
        super().__init__()
        self.body = nn.Sequential(build.linear(inputs, units), nn.ReLU(), build.linear(units, units))
        self.shortcut = uninitialized(inputs, units)
        nn.init.uniform_(self.shortcut.weight, -0.01, 0.01, generator=build.generator)
        nn.init.zeros_(self.shortcut.bias)
        with torch.no_grad():
            self.shortcut.weight.diagonal().add_(1.0)
        self.norm = nn.LayerNorm(units) if layer_norm else nn.Identity()
        build.normalized(self.shortcut)

    def forward(self, x: Tensor) -> Tensor:
        """Encode features on the last axis."""
        flat = x.flatten(0, -2)
        encoded: Tensor = self.norm(self.body(flat) + self.shortcut(flat))
        return encoded.reshape(*x.shape[:-1], -1)
