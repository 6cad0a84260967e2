"""Dropout with noise of a fixed size: what information dropout is when nothing is learned."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from infoflow.core.checks import flag, positive
from infoflow.core.errors import InvalidArgument
from infoflow.entropies.elementwise import log_uniform_divergence
from infoflow.layers.stochastic import StochasticLayer


class BernoulliDropout(StochasticLayer):
    """Binary dropout: z = f·ε/(1 − p), ε = 0 with probability p, else 1; the mean is f. (n, units, ...) to the same.

    `nn.Dropout` as a member of the family, so that `noise` and `evaluation` work on it. Its noise lets a continuous
    value through untouched with probability 1 − p, so its divergence from any density is infinite: `information_cost`
    leaves it out. Raises InvalidArgument unless 0 ≤ p < 1. (Srivastava et al. 2014, JMLR 15, section 4.)

    >>> layer = BernoulliDropout(0.5)
    >>> sorted(set(layer(torch.ones(100, 10)).flatten().tolist())), layer.divergence()
    ([0.0, 2.0], None)
    """

    def __init__(self, p: float = 0.5, *, evaluation: str = "deterministic") -> None:
        super().__init__(evaluation)
        self.p = positive(p, "p", zero=True)
        if self.p >= 1:
            raise InvalidArgument(f"p is {p!r}; want a probability in [0, 1)")

    def forward(self, f: Tensor) -> Tensor:
        """The activation with noise, or as it is."""
        return functional.dropout(f, self.p, training=True) if self._begin() else f

    def _finite(self) -> bool:
        return False

    def _divergence(self, *kept: Tensor) -> Tensor:
        raise NotImplementedError

    def extra_repr(self) -> str:
        return f"p={self.p:g}, evaluation={self.evaluation!r}"


class GaussianDropout(StochasticLayer):
    """Constant log-normal dropout: z = f·exp(αn), n ~ N(0, 1), or exp(αn − α²/2), whose mean is 1. α = 0 is off.

    Information dropout whose α is fixed. Under the log-uniform prior it lets −log(α/α₀) nats a unit through, whatever
    the input, with α₀ = `noisiest`. (n, units, places...) to the same. Raises InvalidArgument for α < 0 or α₀ ≤ 0.
    (Achille and Soatto 2018, section 4.)

    >>> layer = GaussianDropout(0.35, noisiest=0.7)
    >>> layer(torch.ones(1, 2)).shape, layer.divergence()  # log 2 a unit
    (torch.Size([1, 2]), tensor([[0.6931, 0.6931]]))
    """

    def __init__(
        self,
        alpha: float = 0.7,
        *,
        noisiest: float | None = None,
        mean_correction: bool = False,
        evaluation: str = "deterministic",
    ) -> None:
        super().__init__(evaluation)
        self.alpha = positive(alpha, "alpha", zero=True)
        self.noisiest = positive(noisiest, "noisiest") if noisiest is not None else self.alpha
        self.mean_correction = flag(mean_correction, "mean_correction")

    def forward(self, f: Tensor) -> Tensor:
        """The activation with noise, or as `evaluation` says."""
        noisy = self._begin()
        self._keep(f.new_tensor(self.alpha, dtype=torch.float32).expand(f.shape))
        if noisy and self.alpha:
            shift = self.alpha**2 / 2 if self.mean_correction else 0.0
            return f * (self.alpha * torch.randn_like(f) - shift).exp()
        if self.evaluation == "mean" and not noisy and not self.mean_correction:
            return f * torch.tensor(self.alpha**2 / 2).exp().to(f)
        return f

    def _finite(self) -> bool:
        return self.alpha > 0

    def _divergence(self, *kept: Tensor) -> Tensor:
        return log_uniform_divergence(kept[0], self.noisiest)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha:g}, noisiest={self.noisiest:g}, evaluation={self.evaluation!r}"
