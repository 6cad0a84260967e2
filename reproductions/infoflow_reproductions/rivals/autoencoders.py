"""Representations that a decoder can turn back into the input: variational and adversarial autoencoders."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from infoflow.core.checks import positive
from infoflow.core.errors import InvalidArgument
from infoflow.entropies.elementwise import gaussian_divergence
from infoflow.objectives.deep_infomax.encoding import Encoding, encode
from infoflow.objectives.objective import ModelObjective
from infoflow.objectives.prior_matching import PriorMatching

# Keeps σ = exp(½ log σ²) and its square within float32.
_LOG_VARIANCE = 20.0


class MeanOfGaussian(nn.Module):
    """The encoder without its noise: map, and the mean of q(z|x), the first half of the encoder's vector.

    >>> from infoflow.models import ConvolutionalEncoder
    >>> encoder = ConvolutionalEncoder((1, 8, 8), widths=(4, 8), local=0, units=16, features=12)
    >>> MeanOfGaussian(encoder)(torch.zeros(2, 1, 8, 8))[1].shape
    torch.Size([2, 6])
    """

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        named = getattr(encoder, "layers", None)
        if isinstance(named, Mapping):  # what the probes look at, from here
            self.layers = {name: at if at == "output" else f"encoder.{at}" for name, at in named.items()}

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Map and mean of a batch."""
        local, vector = self.encoder(inputs)
        return local, vector.chunk(2, 1)[0]


class BetaAutoencoder(ModelObjective):
    """The VAE (β = 1) and the β-VAE around any encoder: reconstruction, and β times what the latent costs.

        total = E_{z ~ N(μ(x), σ²(x))} ‖x − decoder(z)‖² / (2 s²) + β Σ KL(N(μ, σ²) ‖ N(0, 1))       nats an input

    The encoder's vector holds μ and log σ², so it is twice as long as z; s = `deviation` of the decoder's Gaussian (a
    constant of the likelihood is left out). `representation` is what to probe: map and μ.

    Raises InvalidArgument for an encoder without a map, a vector of odd length, or a decoder of another shape.
    Kingma and Welling (2014); β: Higgins et al. (2017).

    >>> from infoflow.models import ConvolutionalEncoder, DCGANDecoder
    >>> encoder = ConvolutionalEncoder((1, 8, 8), widths=(4, 8), local=0, units=16, features=12)
    >>> objective = BetaAutoencoder(encoder, DCGANDecoder(6, (1, 8, 8), widths=(8, 4)), beta=4.0)
    >>> loss = objective(torch.zeros(5, 1, 8, 8))
    >>> sorted(objective.terms)
    ['divergence', 'reconstruction']
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, *, beta: float = 1.0, deviation: float = 1.0) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.beta = positive(beta, "beta", zero=True)
        self.deviation = positive(deviation, "deviation")

    @property
    def representation(self) -> nn.Module:
        """The encoder to probe: map and mean."""
        return MeanOfGaussian(self.encoder)

    def forward(self, inputs: Tensor) -> Tensor:
        """The loss of a batch and its terms, in nats an input."""
        vector = encode(self.encoder, inputs).vector
        if vector.shape[1] % 2:
            raise InvalidArgument(f"the encoder's vector has {vector.shape[1]} features; want means and log variances")
        mean, log_variance = vector.chunk(2, 1)
        std = (0.5 * log_variance.clamp(-_LOG_VARIANCE, _LOG_VARIANCE)).exp()
        reconstruction = squared_error(self.decoder(mean + std * torch.randn_like(std)), inputs)
        reconstruction = reconstruction / (2 * self.deviation**2)
        divergence = gaussian_divergence(mean, std).sum(1).mean()
        terms = {"reconstruction": reconstruction.detach(), "divergence": divergence.detach()}
        self.record(terms)
        return reconstruction + self.beta * divergence


def squared_error(decoded: Tensor, inputs: Tensor) -> Tensor:
    """‖x − x̂‖² of an input, the mean over the batch. Raises InvalidArgument for another shape.

    >>> squared_error(torch.ones(3, 2), torch.zeros(3, 2))
    tensor(2.)
    """
    if decoded.shape != inputs.shape:
        raise InvalidArgument(
            f"the decoder gives {tuple(decoded.shape)} for inputs {tuple(inputs.shape)}; want the inputs' shape"
        )
    return (decoded - inputs).square().flatten(1).sum(1).mean()


class AdversarialAutoencoder(ModelObjective):
    """An autoencoder whose vector is asked to follow a prior.

        total = mean over pixels of (x − decoder(y))² + weight · matching(y)

    `matching` is any `PriorMatching`; with an `AdversarialMatching`, as published, it has an opponent (two players).

    Raises InvalidArgument as `BetaAutoencoder` does. Makhzani et al. (2016).

    >>> from infoflow.models import ConvolutionalEncoder, DCGANDecoder
    >>> from infoflow.objectives import AdversarialMatching
    >>> encoder = ConvolutionalEncoder((1, 8, 8), widths=(4, 8), local=0, units=16, features=6)
    >>> decoder = DCGANDecoder(6, (1, 8, 8), widths=(8, 4))
    >>> list(AdversarialAutoencoder(encoder, decoder, AdversarialMatching(6, "gaussian")).players())
    ['learner', 'opponent']
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, matching: PriorMatching, *, weight: float = 0.1) -> None:
        super().__init__()
        self.encoder, self.decoder, self.matching = encoder, decoder, matching
        self.weight = positive(weight, "weight")

    @property
    def learner(self) -> nn.ModuleList:
        """Encoder and decoder."""
        return nn.ModuleList([self.encoder, self.decoder])

    @property
    def opponent(self) -> nn.Module | None:
        """The discriminator, where there is one."""
        return self.matching.opponent

    def forward(self, inputs: Tensor) -> Tensor:
        """The loss of a batch; its reconstruction is the mean squared error of a pixel."""
        vector = encode(self.encoder, inputs).vector
        reconstruction = squared_error(self.decoder(vector), inputs) / inputs[0].numel()
        prior = self.matching(vector)
        self.record({"reconstruction": reconstruction, "prior": prior})
        return reconstruction + self.weight * prior

    def opponent_loss(self, inputs: Tensor) -> Tensor:
        """The discriminator's loss; the encoder gets no gradient."""
        with torch.no_grad():
            encoding: Encoding = encode(self.encoder, inputs)
        loss: Tensor = self.matching.opponent_loss(encoding.vector)  # type: ignore[operator]
        self.record(self.matching.terms)
        return loss
