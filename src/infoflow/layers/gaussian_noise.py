"""Additive noise: a channel of finite capacity."""

from __future__ import annotations

import torch
from torch import Tensor

from infoflow.core.checks import positive
from infoflow.layers.stochastic import StochasticLayer


class GaussianNoise(StochasticLayer):
    """Additive Gaussian noise: z = f + σn, n ~ N(0, 1), with σ = `std`; 0 leaves f as it is. Any shape to the same.

    What a bounded layer with it lets through is finite, and a property of the network: with `evaluation="sampled"` the
    noise is part of the network in evaluation too (Goldfeld et al. 2019, section 2), where "deterministic" has it in
    training only. The information I(X;Z) is estimated (`estimators.SamplePropagation`), not given by a prior, so
    `information_cost` leaves it out. Raises InvalidArgument for σ < 0.

    >>> layer = GaussianNoise(0.1)
    >>> layer(torch.zeros(2, 3)).std() > 0, layer.eval()(torch.zeros(2))
    (tensor(True), tensor([0., 0.]))
    """

    def __init__(self, std: float = 0.1, *, evaluation: str = "deterministic") -> None:
        super().__init__(evaluation)
        self.std = positive(std, "std", zero=True)

    def forward(self, f: Tensor) -> Tensor:
        """The activation with noise, or as it is."""
        return f + self.std * torch.randn_like(f) if self._begin() and self.std else f

    def _finite(self) -> bool:
        return False

    def _divergence(self, *kept: Tensor) -> Tensor:
        raise NotImplementedError

    def extra_repr(self) -> str:
        return f"std={self.std:g}, evaluation={self.evaluation!r}"
