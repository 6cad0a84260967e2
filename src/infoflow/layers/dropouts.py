"""Noise of a fixed size: binary and Gaussian dropout, and additive Gaussian noise."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor
from torch.nn import functional

from infoflow.core.checks import tensors
from infoflow.core.settings import NonNegativeFloat, Number, PositiveFloat, validated
from infoflow.entropies.elementwise import log_uniform_divergence
from infoflow.layers.stochastic import Evaluation, StochasticLayer


class BernoulliDropout(StochasticLayer):
    """Binary dropout: z = f·ε/(1 − p), with ε = 0 with probability p, else 1.

    Parameters
    ----------
    p
        Probability in [0, 1) that a value is dropped.
    evaluation
        Noise in evaluation mode: "deterministic" (off), "mean" (the same here) or "sampled" (on).

    Raises
    ------
    InvalidArgument
        If p is not in [0, 1).

    Notes
    -----
    It is `nn.Dropout` as a member of the family, so that `noise` and `evaluation` apply to it; inputs (n, units, ...)
    and outputs have the same shape. A continuous value passes unchanged with probability 1 − p, so the divergence from
    any density is infinite and `information_cost` ignores the layer.

    References
    ----------
    Srivastava et al. (2014), Dropout, JMLR 15, section 4.

    Examples
    --------
    >>> layer = BernoulliDropout(0.5)
    >>> sorted(set(layer(torch.ones(100, 10)).flatten().tolist())), layer.divergence()
    ([0.0, 2.0], None)
    """

    finite = False

    @validated
    def __init__(
        self, p: Annotated[float, Number(0, 1, open_high=True)] = 0.5, *, evaluation: Evaluation = "deterministic"
    ) -> None:
        super().__init__(evaluation)
        self.p = p

    def forward(self, f: Tensor) -> Tensor:
        """Compute the activation with noise where the noise is on.

        Parameters
        ----------
        f : Tensor of shape (n, units, ...)
            Activation.
        """
        tensors(f=f)
        return functional.dropout(f, self.p, training=True) if self._begin() else f

    def extra_repr(self) -> str:
        return f"p={self.p:g}, evaluation={self.evaluation!r}"


class GaussianDropout(StochasticLayer):
    """Constant log-normal dropout: z = f·exp(αn), n ~ N(0, 1), or exp(αn − α²/2), whose mean is 1.

    Parameters
    ----------
    alpha
        Log standard deviation α of the noise; 0 turns it off.
    noisiest
        Value α₀ at which no information is transmitted; `alpha` by default.
    mean_correction
        Whether the mean of the noise is 1.
    evaluation
        Noise in evaluation mode: "deterministic" (off), "mean" (its mean) or "sampled" (on).

    Raises
    ------
    InvalidArgument
        If α < 0 or α₀ ≤ 0.

    Notes
    -----
    It is information dropout with a constant α. Under the log-uniform prior it transmits −log(α/α₀) nats per unit,
    whatever the input. Inputs (n, units, places...) and outputs have the same shape.

    References
    ----------
    Achille and Soatto (2018), Information dropout, TPAMI 40(12), section 4.

    Examples
    --------
    >>> layer = GaussianDropout(0.35, noisiest=0.7)
    >>> layer(torch.ones(1, 2)).shape, layer.divergence()  # log 2 per unit
    (torch.Size([1, 2]), tensor([[0.6931, 0.6931]]))
    """

    @validated
    def __init__(
        self,
        alpha: NonNegativeFloat = 0.7,
        *,
        noisiest: PositiveFloat | None = None,
        mean_correction: bool = False,
        evaluation: Evaluation = "deterministic",
    ) -> None:
        super().__init__(evaluation)
        self.alpha = alpha
        self.finite = alpha > 0
        self.noisiest = alpha if noisiest is None else noisiest
        self.mean_correction = mean_correction

    def forward(self, f: Tensor) -> Tensor:
        """Compute the activation with noise, or without as `evaluation` states.

        Parameters
        ----------
        f : Tensor of shape (n, units, ...)
            Activation.
        """
        tensors(f=f)
        noisy = self._begin()
        self._keep(f.new_tensor(self.alpha, dtype=torch.float32).expand(f.shape))
        if noisy and self.alpha:
            shift = self.alpha**2 / 2 if self.mean_correction else 0.0
            return f * (self.alpha * torch.randn_like(f) - shift).exp()
        if self.evaluation == "mean" and not noisy and not self.mean_correction:
            return f * torch.tensor(self.alpha**2 / 2).exp().to(f)
        return f

    def _divergence(self, *kept: Tensor) -> Tensor:
        return log_uniform_divergence(kept[0], self.noisiest)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha:g}, noisiest={self.noisiest:g}, evaluation={self.evaluation!r}"


class GaussianNoise(StochasticLayer):
    """Additive Gaussian noise, a channel of finite capacity: z = f + σn, n ~ N(0, 1).

    Parameters
    ----------
    scale
        Standard deviation σ of the noise; 0 leaves f as it is.
    evaluation
        Noise in evaluation mode: "deterministic" (off), "mean" (the same here) or "sampled" (on).

    Raises
    ------
    InvalidArgument
        If σ < 0.

    Notes
    -----
    The information that passes a bounded layer with this noise is finite and a property of the network. With
    `evaluation="sampled"` the noise is part of the network in evaluation mode too. I(X;Z) is not given by a prior
    but estimated by `infoflow.estimators.SamplePropagation`, so `information_cost` ignores the layer.

    References
    ----------
    Goldfeld et al. (2019), Estimating information flow in deep neural networks, section 2.

    Examples
    --------
    >>> layer = GaussianNoise(0.1)
    >>> layer(torch.zeros(2, 3)).std() > 0, layer.eval()(torch.zeros(2))
    (tensor(True), tensor([0., 0.]))
    """

    finite = False

    @validated
    def __init__(self, scale: NonNegativeFloat = 0.1, *, evaluation: Evaluation = "deterministic") -> None:
        super().__init__(evaluation)
        self.scale = scale

    def forward(self, f: Tensor) -> Tensor:
        """Compute the activation with noise where the noise is on.

        Parameters
        ----------
        f : Tensor of shape (n, units, ...)
            Activation.
        """
        tensors(f=f)
        return f + self.scale * torch.randn_like(f) if self._begin() and self.scale else f

    def extra_repr(self) -> str:
        return f"scale={self.scale:g}, evaluation={self.evaluation!r}"
