"""Variational dropout: Gaussian noise on activations or weights with a learned scale, the same for all inputs."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from infoflow.core.checks import tensors
from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import OneOf, PositiveFloat, PositiveInt, check, validated
from infoflow.layers.stochastic import Evaluation, StochasticLayer

Approximation = Literal["molchanov", "kingma"]

# (γ + log 2)/2: E log |1 + √α n| − ½ log α tends to minus this for α → ∞, where the KL is 0.
_NOISE_ALONE = 0.5 * (0.5772156649015329 + math.log(2.0))

_APPLIED: dict[type[nn.Module], Callable[..., Tensor]] = {
    nn.Linear: functional.linear,
    nn.Conv1d: functional.conv1d,
    nn.Conv2d: functional.conv2d,
}


def variational_dropout_divergence(alpha: Tensor, approximation: Approximation = "molchanov") -> Tensor:
    """Compute the KL of s ~ N(θ, αθ²) from a prior uniform in log|s|, element by element.

    Parameters
    ----------
    alpha
        Variances α of the noise relative to θ².
    approximation
        "molchanov", within 0.01 nats for every α, or "kingma", within 0.04 nats for α ≤ 1, where a larger α counts
        as 1.

    Returns
    -------
    Tensor
        Nats, of the shape of `alpha`; they tend to 0 for α → ∞.

    Raises
    ------
    UnknownName
        If there is no such approximation.

    Notes
    -----
    The exact value is E log|1 + √α n| − ½ log α + (γ + log 2)/2, n ~ N(0, 1), whatever θ. "molchanov" is
    k₁(1 − sigmoid(k₂ + k₃ log α)) + ½ log(1 + 1/α) with k = 0.63576, 1.87320, 1.48695. "kingma" is
    (γ + log 2)/2 − ½ log α − c₁α − c₂α² − c₃α³ with c = 1.16145124, −1.50204118, 0.58629921, whose constant is ours.

    References
    ----------
    Molchanov et al. (2017), Variational dropout sparsifies deep neural networks, eq. 14.
    Kingma, Salimans and Welling (2015), Variational dropout and the local reparameterization trick, appendix C.

    Examples
    --------
    >>> variational_dropout_divergence(torch.tensor([0.01, 1.0, 100.0]))
    tensor([2.9390, 0.4312, 0.0051])
    """
    if check(approximation, "approximation", OneOf(get_args(Approximation))) == "kingma":
        alpha = alpha.clamp(max=1.0)
        cubic = 1.16145124 * alpha - 1.50204118 * alpha.square() + 0.58629921 * alpha**3
        return _NOISE_ALONE - 0.5 * alpha.log() - cubic
    log_alpha = alpha.log()
    return 0.63576 * torch.sigmoid(-1.87320 - 1.48695 * log_alpha) + 0.5 * functional.softplus(-log_alpha)


class _LearnedAlpha(StochasticLayer):
    """Noise with parameters α, the same for every sample, whose cost belongs to the model and needs no forward pass."""

    log_alpha: nn.Parameter

    @validated
    def __init__(self, approximation: Approximation, evaluation: Evaluation) -> None:
        super().__init__(evaluation)
        self.approximation = approximation

    @property
    def alpha(self) -> Tensor:
        """The variances of the noise relative to the square of what it multiplies."""
        log_alpha = self.log_alpha
        # The cubic is invalid beyond 1 and has no gradient there that would reduce α.
        return log_alpha.clamp(max=0.0).exp() if self.approximation == "kingma" else log_alpha.exp()

    def divergence(self) -> Tensor:
        """Compute the KL from the log-uniform prior in nats, (1, units), the same for every sample; needs no pass."""
        return self._divergence()

    def _divergence(self, *kept: Tensor) -> Tensor:
        cost = variational_dropout_divergence(self.alpha, self.approximation)
        return cost.flatten(1).sum(1)[None] if cost.ndim > 1 else cost.reshape(1, -1)

    def extra_repr(self) -> str:
        return f"approximation={self.approximation!r}, evaluation={self.evaluation!r}"


class VariationalDropout(_LearnedAlpha):
    """Variational dropout on activations: z = f·(1 + √α n), n ~ N(0, 1), with a learned α.

    Parameters
    ----------
    units
        Number of units, the size of axis 1 of inputs (n, units, places...).
    alpha
        Initial value of α.
    shared
        Whether all units share one α.
    approximation
        Approximation of the KL, see `variational_dropout_divergence`.
    evaluation
        Noise in evaluation mode: "deterministic" (off), "mean" (the same, since the mean is 1) or "sampled" (on).

    Raises
    ------
    InvalidArgument
        If an argument is out of range; in a call if the input has another number of units.

    Notes
    -----
    Gaussian dropout whose scale is learned by the KL from a log-uniform prior; Kingma's type A, where the noise on an
    input of a layer is correlated noise on all weights from it. The KL, one term per unit (or one for all), belongs to
    the model and not to a sample; variational Bayes divides it by the number of training samples, as the bottleneck's
    β/N with β = 1 does.

    References
    ----------
    Kingma, Salimans and Welling (2015), Variational dropout and the local reparameterization trick, section 3.1.

    Examples
    --------
    >>> layer = VariationalDropout(3, alpha=1.0)
    >>> layer(torch.ones(2, 3)).shape, layer.divergence().sum()
    (torch.Size([2, 3]), tensor(1.2937, grad_fn=<SumBackward0>))
    """

    @validated
    def __init__(
        self,
        units: PositiveInt,
        alpha: PositiveFloat = 0.1,
        *,
        shared: bool = False,
        approximation: Approximation = "molchanov",
        evaluation: Evaluation = "deterministic",
    ) -> None:
        super().__init__(approximation, evaluation)
        self.units = units
        self.log_alpha = nn.Parameter(torch.full((1 if shared else units,), math.log(alpha)))

    def forward(self, f: Tensor) -> Tensor:
        """Compute the activation with noise where the noise is on.

        Parameters
        ----------
        f : Tensor of shape (n, units, ...)
            Activation.
        """
        tensors(f=f)
        if f.ndim < 2 or f.shape[1] != self.units:
            raise InvalidArgument("f", f"of shape (n, {self.units}, ...)", f)
        if not self._begin():
            return f
        std = self.alpha.sqrt().reshape(1, -1, *[1] * (f.ndim - 2))
        return f * (1 + std * torch.randn_like(f)).to(f.dtype)


class VariationalWeightDropout(_LearnedAlpha):
    """Variational dropout on weights: w ~ N(θ, αθ²) with a learned α for each weight of the `host` layer.

    Parameters
    ----------
    host
        An nn.Linear, nn.Conv1d or nn.Conv2d with zero padding, whose inputs and outputs the layer has.
    alpha
        Initial value of α.
    approximation
        Approximation of the KL, see `variational_dropout_divergence`.
    evaluation
        Noise in evaluation mode: "deterministic" (off), "mean" (the same, since weights have mean θ) or "sampled" (on).

    Raises
    ------
    InvalidArgument
        If an argument is out of range or the host is another layer.

    Notes
    -----
    The noise is sampled at the outputs, h = host(x) + √(x² ∗ αθ²) n, which has the same distribution for each single
    sample (the local reparameterization; Kingma's type B). The KL, one term per weight, belongs to the model and not to
    a sample (see `VariationalDropout`); per "unit" it is summed over the weights into each output.

    References
    ----------
    Kingma, Salimans and Welling (2015), Variational dropout and the local reparameterization trick, section 3.2.
    Molchanov et al. (2017), Variational dropout sparsifies deep neural networks.

    Examples
    --------
    >>> layer = VariationalWeightDropout(nn.Linear(4, 3), alpha=1.0)
    >>> layer(torch.ones(2, 4)).shape, layer.divergence().shape
    (torch.Size([2, 3]), torch.Size([1, 3]))
    """

    @validated
    def __init__(
        self,
        host: nn.Module,
        alpha: PositiveFloat = 0.1,
        *,
        approximation: Approximation = "molchanov",
        evaluation: Evaluation = "deterministic",
    ) -> None:
        super().__init__(approximation, evaluation)
        if type(host) not in _APPLIED or getattr(host, "padding_mode", "zeros") != "zeros":
            raise InvalidArgument("host", "nn.Linear, or nn.Conv1d or nn.Conv2d with padding_mode='zeros'", host)
        self.host = host
        weight = host.weight
        assert isinstance(weight, Tensor)
        self.log_alpha = nn.Parameter(torch.full_like(weight, math.log(alpha)))

    def forward(self, x: Tensor) -> Tensor:
        """Compute the host's output for weights sampled for every input, or for their means.

        Parameters
        ----------
        x : Tensor of shape (n, ...)
            Inputs.
        """
        tensors(x=x)
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
