"""Autoencoders that pass a limited number of nats: with a Gaussian latent, or through information dropout."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from infoflow.core.checks import choice, integer
from infoflow.core.errors import InvalidArgument
from infoflow.entropies.elementwise import gaussian_divergence
from infoflow.layers import InformationDropout, noise
from infoflow.models.seeded import seeded

LATENTS = ("gaussian", "information")

# Keeps σ = exp(½ log σ²) and its square within float32.
_LOG_VARIANCE = 20.0


class VariationalAutoencoder(nn.Module):
    """inputs – hidden (ReLU) – latent – hidden (ReLU) – logits of Bernoulli pixels, all linear.

        bound(x) = E_{z ~ q(z|x)} [Σ_j x_j log p_j + (1 − x_j) log(1 − p_j)] − KL(q(z|x) ‖ r(z))  ≤ log p(x)

    - `latent` "gaussian": q = N(μ(x), σ²(x)), r = N(0, 1) (Kingma and Welling 2014),
    - "information": an `InformationDropout` layer with Softplus and the log-normal prior, whose mean and deviation are
      learned. α is a sigmoid of its own branch, at most `max_alpha`.

    The expectation is one draw, in evaluation mode too. Parameters are drawn from `seed` alone.

    Raises InvalidArgument (numbers out of range, pixels outside [0, 1]), UnknownName (latent).

    Achille, Soatto: Information dropout, IEEE TPAMI 40 (2018), section 6.

    >>> network = VariationalAutoencoder(latent="information", units=16, hidden=32)
    >>> reconstruction, divergence = network.bound(torch.rand(5, 784))
    >>> reconstruction.shape, bool((divergence > 0).all())
    (torch.Size([5]), True)
    """

    def __init__(
        self,
        inputs: int = 784,
        *,
        latent: str = "gaussian",
        units: int = 256,
        hidden: int = 512,
        max_alpha: float = 1.0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.latent = choice(latent, "latent", LATENTS)
        self.inputs = integer(inputs, "inputs")
        integer(units, "units")
        integer(hidden, "hidden")
        with seeded(seed):
            self.encoder = nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU())
            if latent == "gaussian":
                self.bottleneck: nn.Module = nn.Linear(hidden, 2 * units)
            else:
                self.bottleneck = InformationDropout(nn.Linear(hidden, units), "log-normal", max_alpha)
            self.decoder = nn.Sequential(nn.Linear(units, hidden), nn.ReLU(), nn.Linear(hidden, inputs))

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """One draw of z (n, units), and KL(q(z|x) ‖ r(z)) in nats for each sample (n,)."""
        h = self.encoder(x)
        if isinstance(self.bottleneck, InformationDropout):
            with noise(self.bottleneck, True):
                z = self.bottleneck(h)
            cost = self.bottleneck.divergence()
            assert cost is not None  # a log-normal prior always has one
            return z, cost.sum(1)
        mean, log_variance = self.bottleneck(h).chunk(2, dim=1)
        std = (0.5 * log_variance.clamp(-_LOG_VARIANCE, _LOG_VARIANCE)).exp()
        return mean + std * torch.randn_like(std), gaussian_divergence(mean, std).sum(1)

    def bound(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(E log p(x|z) by one draw, KL), each (n,) in nats: the bound is their difference. x (n, inputs) in [0, 1]."""
        if x.ndim != 2 or x.shape[1] != self.inputs:
            raise InvalidArgument(f"x has shape {tuple(x.shape)}; want (n, {self.inputs})")
        z, divergence = self.encode(x)
        logits = self.decoder(z)
        # A density of pixels between 0 and 1 this is not, but the papers' figures are this.
        likelihood = -functional.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)
        return likelihood, divergence

    def forward(self, x: Tensor) -> Tensor:
        """The bound of each sample, (n,) in nats."""
        likelihood, divergence = self.bound(x)
        return likelihood - divergence
