"""A generator and an encoder that invert each other, trained against a discriminator of their pairs."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from infoflow.objectives.deep_infomax.encoding import encode
from infoflow.objectives.objective import ModelObjective
from infoflow.objectives.prior_matching import without_gradient
from infoflow.objectives.priors import Prior, prior_by_name


class BiGAN(ModelObjective):
    """Bidirectional GAN: a discriminator separates pairs (x, E(x)) of the data from pairs (G(z), z) of the prior.

    Parameters
    ----------
    encoder
        Network E from images to map and vector.
    generator
        Network G from vectors to images.
    discriminator
        Network D from images and vectors to scores (n, 1).
    prior
        Distribution of z, or its name.

    Notes
    -----
    The losses have the non-saturating form, and neither gives a gradient to the other's parameters::

        discriminator   E softplus(−D(x, E(x))) + E softplus(D(G(z), z))
        learner         E softplus(D(x, E(x))) + E softplus(−D(G(z), z))

    References
    ----------
    Donahue et al.: Adversarial feature learning, ICLR 2017, eq. 3. Dumoulin et al.: Adversarially learned inference,
    ICLR 2017.

    Examples
    --------
    >>> from infoflow.models import ConvolutionalEncoder, DCGANDecoder
    >>> from infoflow_reproductions.networks.dcgan_discriminator import DCGANDiscriminator
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
        """Return images and vectors of the data, followed by those of the prior.

        Parameters
        ----------
        inputs
            Images (n, ...).

        Returns
        -------
        tuple of Tensor
            Images and vectors (2n, ...).
        """
        vector = encode(self.encoder, inputs).vector
        drawn = self.prior.sample(vector)
        return torch.cat([inputs, self.generator(drawn)]), torch.cat([vector, drawn])

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the learner's loss of a batch, 2 log 2 where the discriminator separates nothing."""
        of_data, of_prior = without_gradient(self.discriminator, *self.pairs(inputs)).chunk(2)
        total = F.softplus(of_data).mean() + F.softplus(-of_prior).mean()
        self.record({"fooled": total})
        return total

    def opponent_loss(self, inputs: Tensor) -> Tensor:
        """Return the discriminator's loss, without a gradient for encoder and generator."""
        with torch.no_grad():
            images, vectors = self.pairs(inputs)
        of_data, of_prior = self.discriminator(images, vectors).chunk(2)
        total = F.softplus(-of_data).mean() + F.softplus(of_prior).mean()
        self.record({"discriminator": total})
        return total
