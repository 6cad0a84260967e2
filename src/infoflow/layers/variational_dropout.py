"""Variational dropout: Gaussian noise on activations or weights, of learned size, the same for all inputs."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from infoflow.core.checks import choice, integer, positive
from infoflow.core.errors import InvalidArgument
from infoflow.layers.stochastic import StochasticLayer

APPROXIMATIONS = ("molchanov", "kingma")

# E log |1 + √α n| - ½ log α tends to this, (γ + log 2)/2 below 0, where noise is everything: the KL there is 0.
_NOISE_ALONE = 0.5 * (0.5772156649015329 + math.log(2.0))

_APPLIED: dict[type[nn.Module], Callable[..., Tensor]] = {
    nn.Linear: functional.linear,
    nn.Conv1d: functional.conv1d,
    nn.Conv2d: functional.conv2d,
}


def variational_dropout_divergence(alpha: Tensor, approximation: str = "molchanov") -> Tensor:
    """KL of s ~ N(θ, αθ²) from a prior uniform in log|s|, in nats, element by element; 0 for α → ∞, whatever θ.

    The exact value is E log|1 + √α n| − ½ log α + (γ + log 2)/2, n ~ N(0, 1). Two approximations to it:

    - "molchanov": k₁(1 − sigmoid(k₂ + k₃ log α)) + ½ log(1 + 1/α) with k = .63576, 1.87320, 1.48695: for every α,
      within .01 nats (Molchanov et al. 2017, eq. 14).
    - "kingma": (γ + log 2)/2 − ½ log α − c₁α − c₂α² − c₃α³ with c = 1.16145124, −1.50204118, .58629921: for α ≤ 1, and
      a larger α counts as 1, within .04 (Kingma et al. 2015, appendix C; the constant is ours).

    Raises UnknownName for another approximation.

    >>> variational_dropout_divergence(torch.tensor([0.01, 1.0, 100.0]))
    tensor([2.9390, 0.4312, 0.0051])
    """
    if choice(approximation, "approximation", APPROXIMATIONS) == "kingma":
        alpha = alpha.clamp(max=1.0)
        cubic = 1.16145124 * alpha - 1.50204118 * alpha.square() + 0.58629921 * alpha**3
        return _NOISE_ALONE - 0.5 * alpha.log() - cubic
    log_alpha = alpha.log()
    return 0.63576 * torch.sigmoid(-1.87320 - 1.48695 * log_alpha) + 0.5 * functional.softplus(-log_alpha)


class _LearnedAlpha(StochasticLayer):
    """Noise whose α are parameters: the same for every sample, so a cost of the model that needs no forward pass."""

    log_alpha: nn.Parameter

    def __init__(self, approximation: str, evaluation: str) -> None:
        super().__init__(evaluation)
        self.approximation = choice(approximation, "approximation", APPROXIMATIONS)

    @property
    def alpha(self) -> Tensor:
        """The variances of the noise relative to what it multiplies squared."""
        log_alpha = self.log_alpha
        # The cubic says nothing beyond 1, and there is no gradient to bring α back from there.
        return log_alpha.clamp(max=0.0).exp() if self.approximation == "kingma" else log_alpha.exp()

    def divergence(self) -> Tensor:
        """The KL from the log-uniform prior in nats, (1, units): the same for every sample, and after any passes."""
        return self._divergence()

    def _divergence(self, *kept: Tensor) -> Tensor:
        cost = variational_dropout_divergence(self.alpha, self.approximation)
        return cost.flatten(1).sum(1)[None] if cost.ndim > 1 else cost.reshape(1, -1)

    def extra_repr(self) -> str:
        return f"approximation={self.approximation!r}, evaluation={self.evaluation!r}"


class VariationalDropout(_LearnedAlpha):
    """Variational dropout on activations: z = f·(1 + √α n), n ~ N(0, 1), with a learned α for each unit, or for all.

    Gaussian dropout whose size is learned by the KL from a log-uniform prior. Kingma's type A, where the noise on an
    input of a layer is correlated noise on all weights from it. Its KL, one term a unit (or one in all), belongs to the
    model and not to a sample; variational Bayes divides it by the number of training samples, just as the
    bottleneck's β/N with β = 1 does. `units` is the size of axis 1; (n, units, places...) to the same.

    `alpha` is where α starts, `shared` has one for all units; the KL is `variational_dropout_divergence`. The mean of
    the noise is 1, so nothing has to be rescaled in evaluation. Raises InvalidArgument or UnknownName.
    (Kingma, Salimans and Welling 2015, section 3.1.)

    >>> layer = VariationalDropout(3, alpha=1.0)
    >>> layer(torch.ones(2, 3)).shape, layer.divergence().sum()
    (torch.Size([2, 3]), tensor(1.2937, grad_fn=<SumBackward0>))
    """

    def __init__(
        self,
        units: int,
        alpha: float = 0.1,
        *,
        shared: bool = False,
        approximation: str = "molchanov",
        evaluation: str = "deterministic",
    ) -> None:
        super().__init__(approximation, evaluation)
        self.units = integer(units, "units")
        start = math.log(positive(alpha, "alpha"))
        self.log_alpha = nn.Parameter(torch.full((1 if shared else units,), start))

    def forward(self, f: Tensor) -> Tensor:
        """The activation with noise, or as it is."""
        if f.ndim < 2 or f.shape[1] != self.units:
            raise InvalidArgument(f"f has shape {tuple(f.shape)}; want (n, {self.units}, ...) for {self.units} units")
        if not self._begin():
            return f
        std = self.alpha.sqrt().reshape(1, -1, *[1] * (f.ndim - 2))
        return f * (1 + std * torch.randn_like(f)).to(f.dtype)


class VariationalWeightDropout(_LearnedAlpha):
    """Variational dropout on weights: w ~ N(θ, αθ²) with a learned α for each weight of the `host` layer.

    Sampled where it costs least, at the outputs: h = host(x) + √(x² ∗ αθ²) n, of the same distribution for each sample
    alone (the local reparametrization; Kingma's type B). The KL, a term a weight, belongs to the model and not to a
    sample (see `VariationalDropout`); per "unit" it is summed over the weights into each output.

    `host` is an nn.Linear, nn.Conv1d or nn.Conv2d with zero padding; inputs and outputs are its own. Raises
    InvalidArgument for others. (Kingma, Salimans and Welling 2015, section 3.2; Molchanov et al. 2017.)

    >>> layer = VariationalWeightDropout(nn.Linear(4, 3), alpha=1.0)
    >>> layer(torch.ones(2, 4)).shape, layer.divergence().shape
    (torch.Size([2, 3]), torch.Size([1, 3]))
    """

    def __init__(
        self,
        host: nn.Module,
        alpha: float = 0.1,
        *,
        approximation: str = "molchanov",
        evaluation: str = "deterministic",
    ) -> None:
        super().__init__(approximation, evaluation)
        if type(host) not in _APPLIED or getattr(host, "padding_mode", "zeros") != "zeros":
            raise InvalidArgument(
                f"host is {host!r}; want nn.Linear, or nn.Conv1d or nn.Conv2d with padding_mode='zeros'"
            )
        self.host = host
        weight = host.weight
        assert isinstance(weight, Tensor)
        self.log_alpha = nn.Parameter(torch.full_like(weight, math.log(positive(alpha, "alpha"))))

    def forward(self, x: Tensor) -> Tensor:
        """The host's output for weights drawn anew for every sample, or for their means."""
        noisy = self._begin()
        mean: Tensor = self.host(x)
        if not noisy:
            return mean
        weight: Tensor = self.host.weight  # type: ignore[assignment]
        host = self.host
        if isinstance(host, nn.Conv1d | nn.Conv2d):
            more: tuple[object, ...] = (None, host.stride, host.padding, host.dilation, host.groups)
        else:
            more = ()
        variance = _APPLIED[type(host)](x.square(), self.alpha * weight.square(), *more)
        # The root has an infinite slope at 0, where inputs or weights are all 0.
        return mean + variance.clamp_min(1e-16).sqrt() * torch.randn_like(mean)
