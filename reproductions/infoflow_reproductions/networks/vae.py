"""Autoencoders with a limited number of nats: with a Gaussian latent, or with information dropout."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import PositiveFloat, PositiveInt, Seed, validated
from infoflow.entropies.elementwise import gaussian_divergence
from infoflow.layers import InformationDropout, noise
from infoflow.models.seeded import seeded

Latent = Literal["gaussian", "information"]

# With it σ = exp(½ log σ²) and its square lie within float32.
_LOG_VARIANCE = 20.0


class VariationalAutoencoder(nn.Module):
    """Autoencoder of linear layers: inputs – hidden (ReLU) – latent – hidden (ReLU) – logits of Bernoulli pixels.

    Parameters
    ----------
    inputs
        Number of pixels.
    latent
        "gaussian" for q = N(μ(x), σ²(x)) and r = N(0, 1) (Kingma and Welling 2014); "information" for an
        `InformationDropout` layer with Softplus and the log-normal prior, whose mean and deviation are learned.
    units
        Units of the latent.
    hidden
        Units of each hidden layer.
    max_alpha
        Upper bound on α, a sigmoid of a branch of its own, of information dropout. Section 8 states
        0.7 for all experiments.
    seed
        Random seed of the parameters.

    Raises
    ------
    InvalidArgument
        If a number is out of range.
    UnknownName
        If there is no such latent.

    Notes
    -----
    The bound, whose expectation is one draw in training and in evaluation mode, is

    .. math::

        E_{z \\sim q(z|x)} \\Big[\\sum_j x_j \\log p_j + (1 - x_j) \\log (1 - p_j)\\Big] - KL(q(z|x) \\| r(z))
        \\le \\log p(x).

    References
    ----------
    Achille, Soatto: Information dropout, IEEE TPAMI 40 (2018), sections 7 (autoencoders) and 8.

    Examples
    --------
    >>> network = VariationalAutoencoder(latent="information", units=16, hidden=32)
    >>> reconstruction, divergence = network.bound(torch.rand(5, 784))
    >>> reconstruction.shape, bool((divergence > 0).all())
    (torch.Size([5]), True)
    """

    @validated
    def __init__(
        self,
        inputs: PositiveInt = 784,
        *,
        latent: Latent = "gaussian",
        units: PositiveInt = 256,
        hidden: PositiveInt = 512,
        max_alpha: PositiveFloat = 0.7,
        seed: Seed = 0,
    ) -> None:
        super().__init__()
        self.latent = latent
        self.inputs = inputs
        with seeded(seed):
            self.encoder = nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU())
            if latent == "gaussian":
                self.bottleneck: nn.Module = nn.Linear(hidden, 2 * units)
            else:
                self.bottleneck = InformationDropout(nn.Linear(hidden, units), "log-normal", max_alpha)
            self.decoder = nn.Sequential(nn.Linear(units, hidden), nn.ReLU(), nn.Linear(hidden, inputs))

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return one draw of the latent and its divergence from the prior.

        Parameters
        ----------
        x : Tensor of shape (n, inputs)
            Pixels in [0, 1].

        Returns
        -------
        tuple of Tensor
            Latent z of shape (n, units), and KL(q(z|x) ‖ r(z)) of shape (n,) in nats.
        """
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
        """Return the two parts of the bound, which is their difference.

        Parameters
        ----------
        x : Tensor of shape (n, inputs)
            Pixels in [0, 1].

        Returns
        -------
        tuple of Tensor
            E log p(x|z) by one draw, and the divergence, each of shape (n,) in nats.

        Raises
        ------
        InvalidArgument
            If `x` has another shape.
        """
        if x.ndim != 2 or x.shape[1] != self.inputs:
            raise InvalidArgument("x", f"of shape (n, {self.inputs})", got_text=f"shape {tuple(x.shape)}")
        z, divergence = self.encode(x)
        logits = self.decoder(z)
        # Not a density of pixels between 0 and 1, but the quantity that the papers report.
        likelihood = -functional.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)
        return likelihood, divergence

    def forward(self, x: Tensor) -> Tensor:
        """Return the bound of each sample.

        Parameters
        ----------
        x : Tensor of shape (n, inputs)
            Pixels in [0, 1].

        Returns
        -------
        Tensor of shape (n,)
            The bound in nats.
        """
        likelihood, divergence = self.bound(x)
        return likelihood - divergence
