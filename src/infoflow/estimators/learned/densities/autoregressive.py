"""A density of vectors as a product of one-dimensional mixtures, each conditioned on the previous dimensions."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Components of a mixture start this far apart; equal ones would have equal gradients.
_APART = 0.5

# Scales of residuals whose variance is 1.
_SMALLEST, _LARGEST = -7.0, 4.0


class Masked(nn.Module):
    """A linear map from units to units of at least their own degree (`strict`: of more)."""

    mask: Tensor

    def __init__(self, inputs: Tensor, outputs: Tensor, generator: torch.Generator, *, strict: bool) -> None:
        super().__init__()
        allowed = inputs[None, :] < outputs[:, None] if strict else inputs[None, :] <= outputs[:, None]
        self.register_buffer("mask", allowed.float())
        # torch's initialization of a linear layer, from our generator and by the number of inputs that the mask leaves.
        fan_in = self.mask.sum(1, keepdim=True).clamp(min=1).rsqrt()
        self.weight = nn.Parameter((2 * torch.rand(allowed.shape, generator=generator) - 1) * fan_in)
        self.bias = nn.Parameter((2 * torch.rand(len(outputs), generator=generator) - 1) * fan_in[:, 0])

    def forward(self, values: Tensor) -> Tensor:
        return F.linear(values, self.weight * self.mask, self.bias)


class AutoregressiveMixture(nn.Module):
    """log q(r|x) = Σ_i log Σ_k π_ik(x, r_<i) φ(r_i; μ_ik(x, r_<i), σ_ik(x, r_<i)).

    φ is a Gaussian or a logistic density. Masked layers enforce the order (Germain et al. 2015). The initial density is
    nearly standard normal for every x, because it has the residuals of a linear Gaussian model.
    """

    def __init__(
        self, features: int, dimensions: int, hidden: Sequence[int], components: int, family: str, seed: int
    ) -> None:
        super().__init__()
        self.dimensions, self.components, self.family = dimensions, components, family
        generator = torch.Generator().manual_seed(seed)
        # x has degree 0, r_i has degree i, and a unit depends on inputs of at most its own degree.
        degrees = torch.cat([torch.zeros(features), torch.arange(1, dimensions + 1)])
        layers: list[nn.Module] = []
        for width in hidden:
            units = torch.arange(width) % dimensions
            layers += [Masked(degrees, units, generator, strict=False), nn.GELU()]
            degrees = units
        outputs = torch.arange(1, dimensions + 1).repeat_interleave(3 * components)
        last = Masked(degrees, outputs, generator, strict=True)
        self.layers = nn.Sequential(*layers, last)
        with torch.no_grad():
            last.weight.zero_()
            last.bias.copy_(self._start().repeat(dimensions))

    def _start(self) -> Tensor:
        """Weights, means and log scales of a mixture of mean 0 and variance 1."""
        means = torch.linspace(-_APART, _APART, self.components) if self.components > 1 else torch.zeros(1)
        variance = 1 - means.square().mean()
        if self.family == "logistic":
            variance = variance * 3 / math.pi**2
        return torch.cat([torch.zeros_like(means), means, (variance.log() / 2).expand_as(means)])

    def forward(self, x: Tensor, r: Tensor) -> Tensor:
        """log q(r|x), (n,), in nats, of x (n, p) and r (n, d)."""
        out = self.layers(torch.cat([x, r], 1)).view(-1, self.dimensions, 3, self.components)
        logits, means, log_scales = out.unbind(2)
        log_scales = log_scales.clamp(_SMALLEST, _LARGEST)
        z = (r[:, :, None] - means) * (-log_scales).exp()
        if self.family == "logistic":
            log_density = -z - 2 * F.softplus(-z) - log_scales
        else:
            log_density = -(z.square() + math.log(2 * math.pi)) / 2 - log_scales
        total: Tensor = (logits.log_softmax(-1) + log_density).logsumexp(-1).sum(-1)
        return total
