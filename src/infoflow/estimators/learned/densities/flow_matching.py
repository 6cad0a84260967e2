"""Continuous normalizing flows that are fitted by flow matching, read off by integrating their divergence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from infoflow.core import checks
from infoflow.estimators.learned.densities.fitting import Draw
from infoflow.estimators.learned.densities.learned import LearnedDensities

# Up to this many dimensions a divergence is summed exactly; in more, one random direction a sample stands for all.
_EXACT = 5

# Frequencies of time that the velocity sees.
_FREQUENCIES = 4


class Velocity(nn.Module):
    """v(r_t, t, x) of the path r_t = cos(πt/2) ε + sin(πt/2) r from noise ε to residuals r.

    Both ends are about standard normal, and so is all between; a flow that has nothing to do is 0, and so it starts.
    `forward` is what flow matching maximizes, minus the squared error of each sample's velocity.
    """

    def __init__(self, features: int, dimensions: int, hidden: Sequence[int], seed: int) -> None:
        super().__init__()
        self.dimensions = dimensions
        generator = torch.Generator().manual_seed(seed)
        widths = [features + dimensions + 2 * _FREQUENCIES, *hidden, dimensions]
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            layers += [_Linear(inputs, outputs, generator), nn.SiLU()]
        self.layers = nn.Sequential(*layers[:-1])
        with torch.no_grad():
            for weight in self.layers[-1].parameters():
                weight.zero_()

    def velocity(self, r: Tensor, time: Tensor, x: Tensor) -> Tensor:
        """(n, d) at r (n, d), time (n, 1) and x (n, p)."""
        out: Tensor = self.layers(self._inputs(r, time, x))
        return out

    def _inputs(self, r: Tensor, time: Tensor, x: Tensor) -> Tensor:
        angles = math.pi / 2 * time * torch.arange(1, _FREQUENCIES + 1).to(time)
        return torch.cat([r, x, angles.sin(), angles.cos()], 1)

    def divergence(self, r: Tensor, time: Tensor, x: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
        """The velocity, and Σ_u uᵀ(∂v/∂r)u (n,) over the directions u (k, n, d): the divergence for unit vectors."""
        values = self._inputs(r, time, x)
        changes = F.pad(directions, (0, values.shape[1] - r.shape[1]))
        for layer in self.layers:
            if isinstance(layer, _Linear):
                values, changes = layer(values), changes @ layer.weight.mT
            else:
                gate = values.sigmoid()
                values, changes = values * gate, changes * (gate * (1 + values * (1 - gate)))
        return values, (changes * directions).sum((0, 2))

    def forward(self, x: Tensor, r: Tensor, draws: Tensor) -> Tensor:
        """(n,) of x (n, p), r (n, d) and draws (n, 1 + d): a time in [0, 1] and the noise."""
        time, noise = draws[:, :1], draws[:, 1:]
        sine, cosine = (math.pi / 2 * time).sin(), (math.pi / 2 * time).cos()
        target = math.pi / 2 * (cosine * r - sine * noise)
        return -(self.velocity(cosine * noise + sine * r, time, x) - target).square().sum(1)


class _Linear(nn.Module):
    def __init__(self, inputs: int, outputs: int, generator: torch.Generator) -> None:
        super().__init__()
        bound = inputs**-0.5
        self.weight = nn.Parameter((2 * torch.rand(outputs, inputs, generator=generator) - 1) * bound)
        self.bias = nn.Parameter((2 * torch.rand(outputs, generator=generator) - 1) * bound)

    def forward(self, values: Tensor) -> Tensor:
        return F.linear(values, self.weight, self.bias)


def log_density(flow: Velocity, x: Tensor, r: Tensor, steps: int, generator: torch.Generator) -> Tensor:
    """(n,) log q(r|x): r is followed back to noise (Runge–Kutta, fourth order), and the divergence summed on the way.

    log q(r_1|x) = log N(r_0) − ∫₀¹ div v(r_t, t, x) dt
    """
    d = r.shape[1]
    if d <= _EXACT:
        directions = torch.eye(d).to(r)[:, None, :].expand(d, len(r), d)
    else:
        signs = torch.randint(0, 2, r.shape, generator=generator).to(r)
        directions = (2 * signs - 1)[None]

    def slope(r: Tensor, time: float) -> tuple[Tensor, Tensor]:
        return flow.divergence(r, torch.full_like(r[:, :1], time), x, directions)

    total, step = torch.zeros_like(r[:, 0]), 1 / steps
    for k in range(steps):
        time = 1 - k * step
        v1, d1 = slope(r, time)
        v2, d2 = slope(r - step / 2 * v1, time - step / 2)
        v3, d3 = slope(r - step / 2 * v2, time - step / 2)
        v4, d4 = slope(r - step * v3, time - step)
        r = r - step / 6 * (v1 + 2 * v2 + 2 * v3 + v4)
        total = total + step / 6 * (d1 + 2 * d2 + 2 * d3 + d4)
    return -(r.square().sum(1) + d * math.log(2 * math.pi)) / 2 - total


@dataclass(frozen=True)
class FlowMatching(LearnedDensities):
    """I(X;Y) = E[log q(y|x) − log q(y)] by two continuous flows, whose velocities are fitted by flow matching.

        log q(y|x) = log N(y_0) − ∫₀¹ div v(y_t, t, x) dt,   dy_t/dt = v(y_t, t, x),   y_1 = y

    The difference of entropies of FMMI (Butakov et al. 2025), with both flows starting from noise, so that each sample
    has its pointwise value. Fitting is a regression without any integral; reading off takes `steps` Runge–Kutta steps,
    and in more than 5 dimensions one random direction a sample for the divergence (Hutchinson), which is right on
    average and makes pointwise values noisy. The regression is not the likelihood and hardly sees sharp edges: where
    that leaves a flow worse on the second part than the linear Gaussian model before it, the model stays alone. Good
    where Y given X is smooth; elsewhere `DifferenceOfEntropies` and `NormalizingFlow` come closer. Otherwise as
    `DifferenceOfEntropies`, whose linear models, folds, warnings and errors it shares. Lipman et al. (2023); Albergo
    and Vanden-Eijnden (2023).

    >>> import torch
    >>> x, noise = torch.randn(2, 1000, 1, generator=torch.Generator().manual_seed(0))
    >>> e = FlowMatching(max_epochs=3, folds=2, steps=4).estimate(x, x + 0.01 * noise)  # ½ log(1 + 10⁴) = 4.61
    >>> e.kind, 4.4 < e.nats < 4.8
    (<Kind.DIFFERENCE_OF_BOUNDS: 'difference of bounds'>, True)
    """

    hidden: tuple[int, ...] = (128, 128)
    steps: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.integer(self.steps, "steps")

    @property
    def _likelihoods(self) -> bool:
        return False

    def _network(self, features: int, dimensions: int, seed: int) -> nn.Module:
        return Velocity(features, dimensions, self.hidden, seed)

    def _draws(self, dimensions: int) -> Draw:
        def draw(count: int, generator: torch.Generator) -> Tensor:
            # Times spread evenly over a batch: a stratified mean has less noise.
            times = torch.randperm(count, generator=generator) + torch.rand(count, generator=generator)
            noise = torch.randn(count, dimensions, generator=generator)
            return torch.cat([times[:, None] / count, noise], 1).float()

        return draw

    def read(self, network: nn.Module, x: Tensor, r: Tensor, seed: int) -> Tensor:
        assert isinstance(network, Velocity)
        generator = torch.Generator().manual_seed(seed)
        return log_density(network, x, r, self.steps, generator)
