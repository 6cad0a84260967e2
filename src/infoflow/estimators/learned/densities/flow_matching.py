"""Continuous normalizing flows that are fitted by flow matching and evaluated by integrating their divergence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from infoflow.core.settings import PositiveInt
from infoflow.estimators.learned.densities.networks import DensityObjective, NetworkDensities
from infoflow.estimators.learned.estimator import Widths
from infoflow.estimators.learned.training import Objective

# Up to this many dimensions a divergence is summed exactly; in more, it is estimated from one random direction.
_EXACT = 5

# Frequencies of time that the velocity depends on.
_FREQUENCIES = 4


class Velocity(nn.Module):
    """v(r_t, t, x) of the path r_t = cos(πt/2) ε + sin(πt/2) r from noise ε to residuals r.

    Both ends are about standard normal, and so is every point between; the velocity starts as 0, the identity.
    `forward` is the objective of flow matching, minus the squared error of each sample's velocity.
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
        """Velocity (n, d) at r (n, d), time (n, 1) and x (n, p)."""
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
        """Objective (n,) of x (n, p), r (n, d) and draws (n, 1 + d): a time in [0, 1] and the noise."""
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
    """log q(r|x), (n,), by integrating r back to noise and its divergence along the path (Runge–Kutta, fourth order).

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


class FlowMatchingObjective(DensityObjective):
    """Minus the squared error of velocities at random times of paths from random noise."""

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions

    def draw(self, count: int, generator: torch.Generator) -> tuple[Tensor, ...]:
        # Times spread evenly over a batch: a stratified mean has less noise.
        times = torch.randperm(count, generator=generator) + torch.rand(count, generator=generator)
        noise = torch.randn(count, self.dimensions, generator=generator)
        return (torch.cat([times[:, None] / count, noise], 1).float(),)


@dataclass(frozen=True, kw_only=True)
class FlowMatching(NetworkDensities):
    """I(X;Y) = E[log q(y|x) − log q(y)] by two continuous flows whose velocities are fitted by flow matching.

    Parameters
    ----------
    folds
        Number of folds; each is reported on once, by densities that were not fitted or preprocessed with it.
    validation
        Share of the samples outside of a fold that stops and selects.
    preprocessing
        Transform of each dimension, learned on the training samples; "gaussianize" only standardizes a dimension that
        a normal distribution fits already, because ranks would add noise.
    level
        Level of the interval.
    seed
        Random seed; the same seed gives the same estimate.
    hidden
        Widths of the hidden layers of each velocity.
    batch_size
        Samples in a batch.
    max_epochs
        Largest number of epochs.
    patience
        Epochs without progress on the validation samples after which training ends.
    learning_rate
        Learning rate of AdamW.
    weight_decay
        Weight decay of AdamW.
    device
        The torch device of the computation.
    steps
        Runge–Kutta steps of the integration.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range.

    Notes
    -----
    log q(y|x) = log N(y_0) − ∫₀¹ div v(y_t, t, x) dt, with dy_t/dt = v(y_t, t, x) and y_1 = y.

    Both flows start from noise, so that each sample has its pointwise value. Fitting is a regression without an
    integral; evaluation takes `steps` Runge–Kutta steps, and in more than 5 dimensions one random direction per sample
    for the divergence (Hutchinson), which is unbiased and makes pointwise values noisy.

    The regression is not the likelihood and hardly resolves sharp edges: where a flow has a lower likelihood on the
    validation samples than the linear Gaussian model before it, the model is used alone. `DifferenceOfEntropies` and
    `NormalizingFlow` are more accurate where Y given X is not smooth. Linear models, folds, interval and errors are
    those of `DifferenceOfEntropies`.

    References
    ----------
    Butakov et al. (2025), "FMMI: Flow matching mutual information estimation". Lipman et al. (2023), "Flow matching
    for generative modeling", ICLR. Albergo and Vanden-Eijnden (2023), "Building normalizing flows with stochastic
    interpolants", ICLR.

    Examples
    --------
    >>> import torch
    >>> x, noise = torch.randn(2, 1000, 1, generator=torch.Generator().manual_seed(0))
    >>> e = FlowMatching(max_epochs=3, folds=2, steps=4).estimate(x, x + 0.01 * noise)  # ½ log(1 + 10⁴) = 4.61
    >>> e.kind, 4.4 < e.nats < 4.8
    (<Kind.DIFFERENCE_OF_BOUNDS: 'difference of bounds'>, True)
    """

    hidden: Widths = (128, 128)
    steps: PositiveInt = 10

    @property
    def _likelihoods(self) -> bool:
        return False

    def _network(self, features: int, dimensions: int, seed: int) -> nn.Module:
        return Velocity(features, dimensions, self.hidden, seed)

    def _objective(self, dimensions: int) -> Objective:
        return FlowMatchingObjective(dimensions)

    def read(self, network: nn.Module, x: Tensor, r: Tensor, seed: int) -> Tensor:
        """Evaluate log q(r|x), (n,), by integrating the divergence of the velocity; `seed` draws its directions."""
        assert isinstance(network, Velocity)
        return log_density(network, x, r, self.steps, torch.Generator().manual_seed(seed))
