"""Variational and adversarial autoencoders around any encoder."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import NonNegativeFloat, PositiveFloat, validated
from infoflow.entropies.elementwise import gaussian_divergence
from infoflow.objectives.deep_infomax.encoding import Encoding, encode
from infoflow.objectives.objective import ModelObjective
from infoflow.objectives.prior_matching import PriorMatching

# Keeps σ = exp(½ log σ²) and its square within float32.
_LOG_VARIANCE = 20.0


class MeanOfGaussian(nn.Module):
    """The encoder of a variational autoencoder without its noise.

    Its vector is the mean of q(z|x), the first half of the encoder's vector.

    Parameters
    ----------
    encoder
        Network from inputs to map and vector.

    Examples
    --------
    >>> from infoflow.models import ConvolutionalEncoder
    >>> encoder = ConvolutionalEncoder((1, 8, 8), widths=(4, 8), local=0, units=16, features=12)
    >>> MeanOfGaussian(encoder)(torch.zeros(2, 1, 8, 8))[1].shape
    torch.Size([2, 6])
    """

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        named = getattr(encoder, "layers", None)
        if isinstance(named, Mapping):  # names for the probes, relative to this module
            self.layers = {name: at if at == "output" else f"encoder.{at}" for name, at in named.items()}

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return map and mean of a batch."""
        local, vector = self.encoder(inputs)
        return local, vector.chunk(2, 1)[0]


class BetaAutoencoder(ModelObjective):
    """Variational autoencoder (β = 1) or β-VAE: reconstruction plus β times the divergence of the latent.

    Parameters
    ----------
    encoder
        Network from inputs to map and vector; the vector holds μ and log σ², so it is twice as long as z.
    decoder
        Network from z to an image of the inputs' shape.
    beta
        Weight β of the divergence.
    deviation
        Standard deviation s of the decoder's Gaussian.

    Raises
    ------
    InvalidArgument
        From `forward`, if the encoder returns no map, the vector has an odd length, or the decoder another shape.

    Notes
    -----
    total = E_{z ~ N(μ(x), σ²(x))} ‖x − decoder(z)‖² / (2 s²) + β Σ KL(N(μ, σ²) ‖ N(0, 1)), in nats per input, without
    the constant of the likelihood. The terms are `reconstruction` and `divergence`.

    References
    ----------
    Kingma and Welling: Auto-encoding variational Bayes, ICLR 2014. Higgins et al.: beta-VAE, ICLR 2017.

    Examples
    --------
    >>> from infoflow.models import ConvolutionalEncoder, DCGANDecoder
    >>> encoder = ConvolutionalEncoder((1, 8, 8), widths=(4, 8), local=0, units=16, features=12)
    >>> objective = BetaAutoencoder(encoder, DCGANDecoder(6, (1, 8, 8), widths=(8, 4)), beta=4.0)
    >>> loss = objective(torch.zeros(5, 1, 8, 8))
    >>> sorted(objective.terms)
    ['divergence', 'reconstruction']
    """

    @validated
    def __init__(
        self, encoder: nn.Module, decoder: nn.Module, *, beta: NonNegativeFloat = 1.0, deviation: PositiveFloat = 1.0
    ) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.beta, self.deviation = beta, deviation

    @property
    def representation(self) -> nn.Module:
        """The encoder to evaluate: map and mean."""
        return MeanOfGaussian(self.encoder)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the loss of a batch in nats per input."""
        vector = encode(self.encoder, inputs).vector
        if vector.shape[1] % 2:
            wanted = "an encoder whose vector holds as many means as log variances"
            raise InvalidArgument("encoder", wanted, got_text=f"{vector.shape[1]} features")
        mean, log_variance = vector.chunk(2, 1)
        std = (0.5 * log_variance.clamp(-_LOG_VARIANCE, _LOG_VARIANCE)).exp()
        reconstruction = squared_error(self.decoder(mean + std * torch.randn_like(std)), inputs)
        reconstruction = reconstruction / (2 * self.deviation**2)
        divergence = gaussian_divergence(mean, std).sum(1).mean()
        self.record({"reconstruction": reconstruction, "divergence": divergence})
        return reconstruction + self.beta * divergence


def squared_error(decoded: Tensor, inputs: Tensor) -> Tensor:
    """Return the mean over a batch of ‖x − x̂‖².

    Parameters
    ----------
    decoded, inputs
        Tensors (n, ...) of one shape.

    Returns
    -------
    Tensor
        A scalar.

    Raises
    ------
    InvalidArgument
        If the shapes differ.

    Examples
    --------
    >>> squared_error(torch.ones(3, 2), torch.zeros(3, 2))
    tensor(2.)
    """
    if decoded.shape != inputs.shape:
        wanted = f"a network to the inputs' shape {tuple(inputs.shape)}"
        raise InvalidArgument("decoder", wanted, got_text=f"shape {tuple(decoded.shape)}")
    return (decoded - inputs).square().flatten(1).sum(1).mean()


class AdversarialAutoencoder(ModelObjective):
    """An autoencoder whose vector is trained to follow a prior.

    Parameters
    ----------
    encoder
        Network from inputs to map and vector.
    decoder
        Network from the vector to an image of the inputs' shape.
    matching
        Divergence from the prior; an `AdversarialMatching`, as published, brings an opponent.
    weight
        Weight of the matching.

    Raises
    ------
    InvalidArgument
        From `forward`, if the encoder returns no map or the decoder another shape.

    Notes
    -----
    total = mean over pixels of (x − decoder(y))² + weight · matching(y). The terms are `reconstruction` and `prior`.

    References
    ----------
    Makhzani et al.: Adversarial autoencoders, 2016.

    Examples
    --------
    >>> from infoflow.models import ConvolutionalEncoder, DCGANDecoder
    >>> from infoflow.objectives import AdversarialMatching
    >>> encoder = ConvolutionalEncoder((1, 8, 8), widths=(4, 8), local=0, units=16, features=6)
    >>> decoder = DCGANDecoder(6, (1, 8, 8), widths=(8, 4))
    >>> list(AdversarialAutoencoder(encoder, decoder, AdversarialMatching(6, "gaussian")).players())
    ['learner', 'opponent']
    """

    @validated
    def __init__(
        self, encoder: nn.Module, decoder: nn.Module, matching: PriorMatching, *, weight: PositiveFloat = 0.1
    ) -> None:
        super().__init__()
        self.encoder, self.decoder, self.matching = encoder, decoder, matching
        self.weight = weight

    @property
    def learner(self) -> nn.ModuleList:
        """Encoder and decoder."""
        return nn.ModuleList([self.encoder, self.decoder])

    @property
    def opponent(self) -> nn.Module | None:
        """The discriminator, where there is one."""
        return self.matching.opponent

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the loss of a batch."""
        vector = encode(self.encoder, inputs).vector
        reconstruction = squared_error(self.decoder(vector), inputs) / inputs[0].numel()
        prior = self.matching(vector)
        self.record({"reconstruction": reconstruction, "prior": prior})
        return reconstruction + self.weight * prior

    def opponent_loss(self, inputs: Tensor) -> Tensor:
        """Return the discriminator's loss, without a gradient for the encoder."""
        with torch.no_grad():
            encoding: Encoding = encode(self.encoder, inputs)
        loss: Tensor = self.matching.opponent_loss(encoding.vector)  # type: ignore[operator]
        self.record(self.matching.terms)
        return loss
