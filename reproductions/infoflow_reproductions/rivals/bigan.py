"""A generator and an encoder that invert each other because a discriminator sees their pairs."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from infoflow.objectives.deep_infomax.encoding import encode
from infoflow.objectives.objective import ModelObjective
from infoflow.objectives.prior_matching import without_gradient
from infoflow.objectives.priors import Prior, prior_by_name


class BiGAN(ModelObjective):
    """Bidirectional GAN: pairs (x, E(x)) of data and (G(z), z) of the prior, which a discriminator tells apart.

        discriminator   E softplus(−D(x, E(x))) + E softplus(D(G(z), z))
        learner         E softplus(D(x, E(x))) + E softplus(−D(G(z), z))

    The non-saturating form. `discriminator(images, vectors)` gives (n, 1); neither loss gives the other's parameters a
    gradient. Donahue et al. (2017), Eq. 3; Dumoulin et al. (2017).

    >>> from infoflow.models import ConvolutionalEncoder, DCGANDecoder, DCGANDiscriminator
    >>> encoder = ConvolutionalEncoder((1, 8, 8), widths=(4, 8), local=0, units=16, features=6)
    >>> generator = DCGANDecoder(6, (1, 8, 8), widths=(8, 4))
    >>> judge = DCGANDiscriminator((1, 8, 8), widths=(4, 8), features=6)
    >>> list(BiGAN(encoder, generator, judge).players())
    ['learner', 'opponent']
    """

    def __init__(
        self, encoder: nn.Module, generator: nn.Module, discriminator: nn.Module, *, prior: str | Prior = "gaussian"
    ) -> None:
        super().__init__()
        self.encoder, self.generator, self.discriminator = encoder, generator, discriminator
        self.prior = prior_by_name(prior)

    @property
    def learner(self) -> nn.ModuleList:
        """Encoder and generator."""
        return nn.ModuleList([self.encoder, self.generator])

    @property
    def opponent(self) -> nn.Module:
        """The discriminator."""
        return self.discriminator

    def pairs(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Images and vectors (2n, ...): first those of the data, then those of the prior."""
        vector = encode(self.encoder, inputs).vector
        drawn = self.prior.sample(vector)
        return torch.cat([inputs, self.generator(drawn)]), torch.cat([vector, drawn])

    def forward(self, inputs: Tensor) -> Tensor:
        """The learner's loss of a batch; 2 log 2 where the discriminator can't tell."""
        of_data, of_prior = without_gradient(self.discriminator, *self.pairs(inputs)).chunk(2)
        total = F.softplus(of_data).mean() + F.softplus(-of_prior).mean()
        self.record({"fooled": total})
        return total

    def opponent_loss(self, inputs: Tensor) -> Tensor:
        """The discriminator's loss; encoder and generator get no gradient."""
        with torch.no_grad():
            images, vectors = self.pairs(inputs)
        of_data, of_prior = self.discriminator(images, vectors).chunk(2)
        total = F.softplus(-of_data).mean() + F.softplus(of_prior).mean()
        self.record({"discriminator": total})
        return total
