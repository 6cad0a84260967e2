"""Generators of images: by prior matching, and the two adversarial games that it is compared with."""

from __future__ import annotations

import abc

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from infoflow.core.checks import positive
from infoflow.core.errors import InvalidArgument
from infoflow.objectives.objective import ModelObjective, Players
from infoflow.objectives.prior_matching import KernelMatching, PriorMatching, adversarial_loss, without_gradient
from infoflow.objectives.priors import Gaussian, Prior, prior_by_name


class Generative(ModelObjective):
    """What they share: `generator` makes images of vectors (n, features) that `prior` draws, `judge` looks at images.

    >>> issubclass(NonSaturatingGAN, Generative), issubclass(WassersteinGAN, Generative)
    (True, True)
    """

    def __init__(self, generator: nn.Module, judge: nn.Module, features: int, prior: str | Prior = "gaussian") -> None:
        super().__init__()
        self.generator, self.judge = generator, judge
        self.features = features
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
        """The judge first, then the generator."""
        return {"judge": (self.judge, self.opponent_loss), "generator": (self.generator, self)}

    def sample(self, n: int, like: Tensor) -> Tensor:
        """n images, on the device and of the type of `like`."""
        images: Tensor = self.generator(self.prior.sample(like.new_empty(n, self.features)))
        return images

    def drawn(self, inputs: Tensor) -> Tensor:
        """As many images as inputs, without a gradient for the generator."""
        with torch.no_grad():
            return self.sample(len(inputs), inputs)

    @abc.abstractmethod
    def forward(self, inputs: Tensor) -> Tensor:
        """The generator's loss; the judge's parameters get no gradient."""

    @abc.abstractmethod
    def opponent_loss(self, inputs: Tensor) -> Tensor:
        """The judge's loss for real inputs (n, ...); the generator's parameters get no gradient."""


class NonSaturatingGAN(Generative):
    """The non-saturating game, with a penalty on the judge's gradient: judge (n, ...) -> (n, 1).

        judge softplus(−D(x)) + softplus(D(G(z))) + (w/4)(‖∇D(x)‖² + ‖∇D(G(z))‖²),   generator softplus(−D(G(z)))

    Goodfellow et al. (2014); w = `penalty`: Mescheder et al. (2018).

    >>> from infoflow.models import DCGANDecoder, DCGANDiscriminator
    >>> gan = NonSaturatingGAN(DCGANDecoder(4, (1, 8, 8), widths=(8, 4)), DCGANDiscriminator((1, 8, 8), widths=(4,)), 4)
    >>> gan.opponent_loss(torch.zeros(3, 1, 8, 8)).shape
    torch.Size([])
    """

    def __init__(
        self,
        generator: nn.Module,
        judge: nn.Module,
        features: int,
        *,
        penalty: float = 1.0,
        prior: str | Prior = "gaussian",
    ) -> None:
        super().__init__(generator, judge, features, prior)
        self.penalty = positive(penalty, "penalty", zero=True)

    def forward(self, inputs: Tensor) -> Tensor:
        fooled = F.softplus(-without_gradient(self.judge, self.sample(len(inputs), inputs))).mean()
        self.record({"fooled": fooled})
        return fooled

    def opponent_loss(self, inputs: Tensor) -> Tensor:
        value = adversarial_loss(self.judge, inputs, self.drawn(inputs), self.penalty)
        self.record({"judge": value})
        return value


class WassersteinGAN(Generative):
    """The Wasserstein game with the gradient's norm asked to be 1 between data and samples (WGAN-GP).

        judge E D(G(z)) − E D(x) + w E (‖∇D(ε x + (1 − ε) G(z))‖ − 1)²,   generator −E D(G(z))

    The published schedule gives the judge five steps for each of the generator's; here each has one. Gulrajani et al.
    (2017), Eq. 3.

    >>> from infoflow.models import DCGANDecoder, DCGANDiscriminator
    >>> gan = WassersteinGAN(DCGANDecoder(4, (1, 8, 8), widths=(8, 4)), DCGANDiscriminator((1, 8, 8), widths=(4,)), 4)
    >>> gan.opponent_loss(torch.zeros(3, 1, 8, 8)).shape
    torch.Size([])
    """

    def __init__(
        self,
        generator: nn.Module,
        judge: nn.Module,
        features: int,
        *,
        penalty: float = 10.0,
        prior: str | Prior = "gaussian",
    ) -> None:
        super().__init__(generator, judge, features, prior)
        self.penalty = positive(penalty, "penalty", zero=True)

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
        # The norm's gradient at 0 is not finite; a constant judge starts there.
        norm = (slope.flatten(1).square().sum(1) + 1e-12).sqrt()
        loss: Tensor = gap + self.penalty * (norm - 1).square().mean()
        self.record({"judge": loss})
        return loss


class PriorMatchingGenerator(Generative):
    """Generation by prior matching: the judge sends data to one Gaussian and samples to another; the generator moves
    the mean of its samples to that of the data.

        judge      matching(F(x), N(+m, 1)) + matching(F(G(z)), N(−m, 1)) + (w/4d)(E ‖∂F(x)‖² + E ‖∂F(G(z))‖²)
        generator  ‖E F(x) − E F(G(z))‖² / d

    F: images -> (n, d), ∂F its Jacobian, whose Frobenius norm one random direction an image estimates without bias;
    w = `penalty`, as in `NonSaturatingGAN`. Each match is a `KernelMatching` unless two others, without a
    discriminator, are given (`matchings`: of the data, of the samples). Hjelm et al. (2019), appendix A.7, who match by
    discriminators; the penalty is Mescheder et al.'s (2018).

    >>> from infoflow.models import DCGANDecoder, DCGANDiscriminator
    >>> judge = DCGANDiscriminator((1, 8, 8), widths=(4,), outputs=6)
    >>> generator = PriorMatchingGenerator(DCGANDecoder(4, (1, 8, 8), widths=(8, 4)), judge, 4)
    >>> loss = generator(torch.zeros(3, 1, 8, 8))
    >>> sorted(generator.terms)
    ['gap']
    """

    def __init__(
        self,
        generator: nn.Module,
        judge: nn.Module,
        features: int,
        *,
        separation: float = 1.0,
        penalty: float = 0.1,
        prior: str | Prior = "gaussian",
        matchings: tuple[PriorMatching, PriorMatching] | None = None,
    ) -> None:
        super().__init__(generator, judge, features, prior)
        m = positive(separation, "separation")
        self.penalty = positive(penalty, "penalty", zero=True)
        self.of_data, self.of_samples = matchings or (KernelMatching(Gaussian(m)), KernelMatching(Gaussian(-m)))
        if self.of_data.opponent is not None or self.of_samples.opponent is not None:
            raise InvalidArgument("matchings have a discriminator; want KernelMatching or SlicedWassersteinMatching")

    def forward(self, inputs: Tensor) -> Tensor:
        both = without_gradient(self.judge, torch.cat([inputs, self.sample(len(inputs), inputs)]))
        of_data, of_samples = both.chunk(2)
        gap = (of_data.detach().mean(0) - of_samples.mean(0)).square().mean()
        self.record({"gap": gap})
        return gap

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
        terms = {"data": data.detach(), "samples": samples.detach(), "steepness": steepness.detach()}
        self.record(terms)
        return data + samples + self.penalty / 2 * steepness
