"""Layers whose first weights come from a seed of their own, never from the global random state."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from infoflow.core.checks import choice, integer

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky-relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "softplus": nn.Softplus,
}


class Builder:
    """Makes the layers of one network: its generator, and whether each weight's spectral norm is held at 1."""

    def __init__(self, seed: int | torch.Generator, spectral_norm: bool) -> None:
        if not isinstance(seed, torch.Generator):
            seed = torch.Generator().manual_seed(integer(seed, "seed", minimum=0))
        self.generator = seed
        self.spectral_norm = spectral_norm

    def linear(self, inputs: int, outputs: int, bias: bool = True) -> nn.Linear:
        """torch's default distribution: uniform in ±1/√inputs, for weights and biases alike."""
        layer = uninitialized(inputs, outputs, bias)
        limit = 1 / math.sqrt(inputs)
        for parameter in layer.parameters():
            nn.init.uniform_(parameter, -limit, limit, generator=self.generator)
        return self.normalized(layer)

    def convolution(self, inputs: int, outputs: int) -> nn.Conv2d:
        """3×3, halving height and width; torch's default distribution."""
        layer = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, device="meta").to_empty(device="cpu")
        limit = 1 / math.sqrt(9 * inputs)
        for parameter in layer.parameters():
            nn.init.uniform_(parameter, -limit, limit, generator=self.generator)
        return layer

    def normalized(self, layer: nn.Linear) -> nn.Linear:
        if self.spectral_norm:
            # torch draws the power iteration's start from the global generator: lend it a state, and give it back.
            with torch.random.fork_rng(devices=[]):
                torch.default_generator.manual_seed(0)
                nn.utils.parametrizations.spectral_norm(layer, n_power_iterations=1)
        return layer

    def perceptron(self, widths: Sequence[int], activation: str, name: str = "hidden") -> nn.Sequential:
        """Linear layers through these widths with the activation between them, none at the end."""
        kind = ACTIVATIONS[choice(activation, "activation", ACTIVATIONS)]
        widths = [integer(width, name) for width in widths]
        layers: list[nn.Module] = []
        for inputs, outputs in itertools.pairwise(widths):
            layers += [kind()] * bool(layers) + [self.linear(inputs, outputs)]
        return nn.Sequential(*layers)


def uninitialized(inputs: int, outputs: int, bias: bool = True) -> nn.Linear:
    """A linear layer whose weights are still to be drawn: torch's own would take them from the global generator."""
    return nn.Linear(inputs, outputs, bias=bias, device="meta").to_empty(device="cpu")


class Residual(nn.Module):
    """Deep InfoMax's encoding of a vector: (linear, batch norm, ReLU, linear) plus a linear shortcut, layer
    norm.

    The shortcut starts as the identity (as far as the widths go) with a little noise.
    """

    def __init__(self, inputs: int, units: int, build: Builder) -> None:
        super().__init__()
        self.body = nn.Sequential(
            build.linear(inputs, units, bias=False), nn.BatchNorm1d(units), nn.ReLU(), build.linear(units, units)
        )
        self.shortcut = uninitialized(inputs, units)
        nn.init.uniform_(self.shortcut.weight, -0.01, 0.01, generator=build.generator)
        nn.init.zeros_(self.shortcut.bias)
        with torch.no_grad():
            self.shortcut.weight.diagonal().add_(1.0)
        self.norm = nn.LayerNorm(units)
        build.normalized(self.shortcut)

    def forward(self, x: Tensor) -> Tensor:
        """Features on the last axis; all other axes count as samples of the batch norm."""
        flat = x.flatten(0, -2)
        encoded: Tensor = self.norm(self.body(flat) + self.shortcut(flat))
        return encoded.reshape(*x.shape[:-1], -1)
