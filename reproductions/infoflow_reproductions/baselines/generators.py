"""Generators of images: by prior matching, and two adversarial games."""

from __future__ import annotations

import abc
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from infoflow.core.settings import NonNegativeFloat, PositiveFloat, PositiveInt, validated
from infoflow.objectives.objective import ModelObjective, Players
from infoflow.objectives.prior_matching import (
    AdversarialMatching,
    KernelMatching,
    PriorMatching,
    adversarial_loss,
    without_gradient,
)
from infoflow.objectives.priors import Gaussian, Prior, prior_by_name


class Generative(ModelObjective):
    """Base class of generators that train against a judge.

    Parameters
    ----------
    generator
        Network from vectors (n, features) to images.
    judge
        Network from images to scores or features.
    features
        Length of the vectors.
    penalty
        Weight of the penalty on the judge's gradient; None is the usual weight of the class.
    prior
        Distribution of the vectors, or its name.

    Examples
    --------
    >>> issubclass(NonSaturatingGAN, Generative), issubclass(WassersteinGAN, Generative)
    (True, True)
    """

    usual_penalty = 1.0

    @validated
    def __init__(
        self,
        generator: nn.Module,
        judge: nn.Module,
        features: PositiveInt,
        *,
        penalty: NonNegativeFloat | None = None,
        prior: str | Prior = "gaussian",
    ) -> None:
        super().__init__()
        self.generator, self.judge = generator, judge
        self.features = features
        self.penalty = self.usual_penalty if penalty is None else penalty
        self.prior = prior_by_name(prior)

    @property
    def learner(self) -> nn.Module:
        """The generator."""
        return self.generator

    @property
    def opponent(self) -> nn.Module:
        """The judge."""
        return self.judge

    def players(self) -> Players:
        """Return the judge first, then the generator."""
        return {"judge": (self.judge, self.opponent_loss), "generator": (self.generator, self)}

    def sample(self, n: int, like: Tensor) -> Tensor:
        """Return n images, on the device and of the type of `like`."""
        images: Tensor = self.generator(self.prior.sample(like.new_empty(n, self.features)))
        return images

    def drawn(self, inputs: Tensor) -> Tensor:
        """Return as many images as inputs, without a gradient for the generator."""
        with torch.no_grad():
            return self.sample(len(inputs), inputs)

    @abc.abstractmethod
    def forward(self, inputs: Tensor) -> Tensor:
        """Return the generator's loss, without a gradient for the judge."""

    @abc.abstractmethod
    def opponent_loss(self, inputs: Tensor) -> Tensor:
        """Return the judge's loss for real inputs (n, ...), without a gradient for the generator."""


class NonSaturatingGAN(Generative):
    """The non-saturating game with a penalty on the judge's gradient.

    Parameters
    ----------
    generator
        Network G from vectors (n, features) to images.
    judge
        Network D from images to scores (n, 1).
    features
        Length of the vectors.
    penalty
        Weight w of the penalty, by default 1.
    prior
        Distribution of the vectors, or its name.

    Notes
    -----
    ::

        judge       softplus(−D(x)) + softplus(D(G(z))) + (w/4)(‖∇D(x)‖² + ‖∇D(G(z))‖²)
        generator   softplus(−D(G(z)))

    References
    ----------
    Goodfellow et al.: Generative adversarial nets, 2014. Mescheder et al.: Which training methods for GANs do actually
    converge?, 2018 (penalty).

    Examples
    --------
    >>> from infoflow.models import DCGANDecoder
    >>> from infoflow_reproductions.networks.dcgan_discriminator import DCGANDiscriminator
    >>> gan = NonSaturatingGAN(DCGANDecoder(4, (1, 8, 8), widths=(8, 4)), DCGANDiscriminator((1, 8, 8), widths=(4,)), 4)
    >>> gan.opponent_loss(torch.zeros(3, 1, 8, 8)).shape
    torch.Size([])
    """

    def forward(self, inputs: Tensor) -> Tensor:
        fooled = F.softplus(-without_gradient(self.judge, self.sample(len(inputs), inputs))).mean()
        self.record({"fooled": fooled})
        return fooled

    def opponent_loss(self, inputs: Tensor) -> Tensor:
        value = adversarial_loss(self.judge, inputs, self.drawn(inputs), self.penalty)
        self.record({"judge": value})
        return value


class WassersteinGAN(Generative):
    """The Wasserstein game with a gradient of norm 1 between data and samples (WGAN-GP).

    Parameters
    ----------
    generator
        Network G from vectors (n, features) to images.
    judge
        Network D from images to scores (n, 1).
    features
        Length of the vectors.
    penalty
        Weight w of the penalty, by default 10.
    prior
        Distribution of the vectors, or its name.

    Notes
    -----
    The published schedule gives the judge five steps per step of the generator; here each has one::

        judge       E D(G(z)) − E D(x) + w E (‖∇D(ε x + (1 − ε) G(z))‖ − 1)²
        generator   −E D(G(z))

    References
    ----------
    Gulrajani et al.: Improved training of Wasserstein GANs, 2017, eq. 3.

    Examples
    --------
    >>> from infoflow.models import DCGANDecoder
    >>> from infoflow_reproductions.networks.dcgan_discriminator import DCGANDiscriminator
    >>> gan = WassersteinGAN(DCGANDecoder(4, (1, 8, 8), widths=(8, 4)), DCGANDiscriminator((1, 8, 8), widths=(4,)), 4)
    >>> gan.opponent_loss(torch.zeros(3, 1, 8, 8)).shape
    torch.Size([])
    """

    usual_penalty = 10.0

    def forward(self, inputs: Tensor) -> Tensor:
        value = without_gradient(self.judge, self.sample(len(inputs), inputs)).mean()
        self.record({"judged": value})
        return -value

    def opponent_loss(self, inputs: Tensor) -> Tensor:
        drawn = self.drawn(inputs)
        gap = self.judge(drawn).mean() - self.judge(inputs).mean()
        share = torch.rand(len(inputs), *[1] * (inputs.ndim - 1), dtype=inputs.dtype, device=inputs.device)
        between = (share * inputs + (1 - share) * drawn).requires_grad_()
        with torch.enable_grad():
            (slope,) = torch.autograd.grad(self.judge(between).sum(), between, create_graph=torch.is_grad_enabled())
        # The gradient of the norm is not finite at 0, where a constant judge starts.
        norm = (slope.flatten(1).square().sum(1) + 1e-12).sqrt()
        loss: Tensor = gap + self.penalty * (norm - 1).square().mean()
        self.record({"judge": loss})
        return loss


class PriorMatchingGenerator(Generative):
    """Generation by prior matching: a judge maps data and samples to two Gaussians, whose means the generator matches.

    Parameters
    ----------
    generator
        Network G from vectors (n, features) to images.
    judge
        Network F from images to features (n, d).
    features
        Length of the vectors.
    separation
        Mean m of the data's Gaussian; that of the samples is −m.
    penalty
        Weight w of the penalty, by default 0.1.
    prior
        Distribution of the vectors, or its name.
    matchings
        Divergences of the data and of the samples from their Gaussians; by default `KernelMatching`. Discriminators of
        theirs are trained as a third player.
    toward
        What the mean of the samples' features is moved to: that of the batch's "data", or m, that of their "prior".

    Notes
    -----
    One random direction per image estimates the Frobenius norm of the Jacobian ∂F without bias::

        judge       matching(F(x), N(+m, 1)) + matching(F(G(z)), N(−m, 1)) + (w/4d)(E ‖∂F(x)‖² + E ‖∂F(G(z))‖²)
        generator   ‖E F(x) − E F(G(z))‖² / d,     or ‖m − E F(G(z))‖² / d

    The paper has one feature, two discriminators and the second form: a judge with one output, two
    `AdversarialMatching(1, Gaussian(±m))`, and `toward="prior"`.

    References
    ----------
    Hjelm et al.: Learning deep representations by mutual information estimation and maximization, ICLR 2019, appendix
    A.7, eq. 11 to 13. Mescheder et al., 2018 (penalty).

    Examples
    --------
    >>> from infoflow.models import DCGANDecoder
    >>> from infoflow_reproductions.networks.dcgan_discriminator import DCGANDiscriminator
    >>> judge = DCGANDiscriminator((1, 8, 8), widths=(4,), outputs=6)
    >>> generator = PriorMatchingGenerator(DCGANDecoder(4, (1, 8, 8), widths=(8, 4)), judge, 4)
    >>> loss = generator(torch.zeros(3, 1, 8, 8))
    >>> sorted(generator.terms)
    ['gap']
    """

    usual_penalty = 0.1

    @validated
    def __init__(
        self,
        generator: nn.Module,
        judge: nn.Module,
        features: PositiveInt,
        *,
        separation: PositiveFloat = 1.0,
        penalty: NonNegativeFloat | None = None,
        prior: str | Prior = "gaussian",
        matchings: tuple[PriorMatching, PriorMatching] | None = None,
        toward: Literal["data", "prior"] = "data",
    ) -> None:
        super().__init__(generator, judge, features, penalty=penalty, prior=prior)
        usual = KernelMatching(Gaussian(separation)), KernelMatching(Gaussian(-separation))
        self.of_data, self.of_samples = matchings or usual
        self.separation, self.toward = separation, toward

    def players(self) -> Players:
        """Return the discriminators first, where there are some, then the judge and the generator."""
        found = [matching.opponent for matching in self._adversarial]
        if not found:
            return super().players()
        return {"discriminators": (nn.ModuleList(found), self.discriminators_loss), **super().players()}

    @property
    def _adversarial(self) -> list[AdversarialMatching]:
        return [one for one in (self.of_data, self.of_samples) if isinstance(one, AdversarialMatching)]

    def forward(self, inputs: Tensor) -> Tensor:
        if self.toward == "data":
            both = without_gradient(self.judge, torch.cat([inputs, self.sample(len(inputs), inputs)]))
            of_data, of_samples = both.chunk(2)
            wanted = of_data.detach().mean(0)
        else:
            of_samples = without_gradient(self.judge, self.sample(len(inputs), inputs))
            wanted = of_samples.new_tensor(self.separation)
        gap = (wanted - of_samples.mean(0)).square().mean()
        self.record({"gap": gap})
        return gap

    def discriminators_loss(self, inputs: Tensor) -> Tensor:
        """Return the loss of both discriminators for real inputs (n, ...), without a gradient for the other networks.

        Parameters
        ----------
        inputs : Tensor of shape (n, ...)
            Real images.
        """
        with torch.no_grad():
            judged = self.judge(torch.cat([inputs, self.drawn(inputs)])).chunk(2)
        pairs = zip((self.of_data, self.of_samples), judged, strict=True)
        losses = [matching.opponent_loss(y) for matching, y in pairs if isinstance(matching, AdversarialMatching)]
        value = torch.stack(losses).sum()
        self.record({"discriminators": value})
        return value

    def opponent_loss(self, inputs: Tensor) -> Tensor:
        both = torch.cat([inputs, self.drawn(inputs)])
        if not self.penalty:
            judged, steepness = self.judge(both), both.new_zeros(())
        else:
            both = both.detach().requires_grad_()
            with torch.enable_grad():
                judged = self.judge(both)
                along = torch.randn_like(judged) / judged.shape[1] ** 0.5
                (slope,) = torch.autograd.grad((judged * along).sum(), both, create_graph=torch.is_grad_enabled())
            steepness = slope.flatten(1).square().sum(1).mean()
        of_data, of_samples = judged.chunk(2)
        data, samples = self.of_data(of_data), self.of_samples(of_samples)
        self.record({"data": data, "samples": samples, "steepness": steepness})
        return data + samples + self.penalty / 2 * steepness
