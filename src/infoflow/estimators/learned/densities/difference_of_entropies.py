"""Difference of entropies: two cross-entropies, each minimized by a density of its own.

A density of vectors is a product of one-dimensional mixtures, each conditioned on the previous dimensions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from infoflow.core.settings import PositiveInt
from infoflow.estimators.learned.densities.networks import NetworkDensities

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


@dataclass(frozen=True, kw_only=True)
class DifferenceOfEntropies(NetworkDensities):
    """I(X;Y) as the cross-entropy of Y minus that of Y given X, each minimized by a density of its own.

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
        Widths of the masked layers of each density.
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
    components
        Components of the mixture in each dimension.
    family
        Distribution of a component.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range.

    Notes
    -----
    Î = min_q CE(Y; q) − min_q CE(Y|X; q) = E[log q(y|x)] − E[log q(y)].

    The estimate is not a bound on I(X;Y), because it is a difference of two upper bounds, but it has no ceiling near
    log n either, and is made for large information. Each density is a linear Gaussian model (a regression of the rank
    and covariance that do best on the validation samples) whose residuals have an autoregressive mixture density.

    The interval is Student's over the folds, at least as wide as the standard error of the samples' pointwise values;
    it does not cover what the densities cannot fit. If X or Y are classes, the other one has the densities. A
    difference below 0 is reported as 0.

    References
    ----------
    McAllester and Stratos (2020), "Formal limitations on the measurement of mutual information", AISTATS, Eq. 3.

    Examples
    --------
    >>> import torch
    >>> x, noise = torch.randn(2, 2000, 1, generator=torch.Generator().manual_seed(0))
    >>> e = DifferenceOfEntropies(max_epochs=5).estimate(x, x + 0.001 * noise)  # ½ log(1 + 10⁶) = 6.91
    >>> e.kind, 6.7 < e.nats < 7.1
    (<Kind.DIFFERENCE_OF_BOUNDS: 'difference of bounds'>, True)
    """

    components: PositiveInt = 8
    family: Literal["gaussian", "logistic"] = "gaussian"

    def _network(self, features: int, dimensions: int, seed: int) -> nn.Module:
        return AutoregressiveMixture(features, dimensions, self.hidden, self.components, self.family, seed)
