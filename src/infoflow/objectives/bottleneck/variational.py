"""Bottlenecks with a Gaussian code: VIB, the conditional entropy bottleneck, and the VAE."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from infoflow.core.blocks import Module
from infoflow.core.checks import integer, tensors
from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import Integer, PositiveFloat, PositiveInt, validated
from infoflow.entropies.elementwise import gaussian_divergence
from infoflow.objectives.bottleneck.objective import (
    BottleneckObjective,
    Observation,
    ObservationModel,
    batch,
    features,
)
from infoflow.objectives.bottleneck.schedules import Schedule

# softplus(x + this) is 1 at x = 0.
_UNIT = math.log(math.e - 1)
_SMALLEST = 1e-6


class _GaussianCode(BottleneckObjective):
    """An encoder (n, ...) -> (n, 2k): means, and numbers whose softplus are standard deviations (0 gives 1)."""

    def __init__(self, encoder: nn.Module, dimension: int, beta: float | Schedule, draws: int) -> None:
        super().__init__(beta)
        self.encoder, self.dimension, self.draws = encoder, dimension, draws

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Compute means and standard deviations of the code given x, (n, k) each."""
        wants = f" ({self.dimension} means, and as many numbers for standard deviations)"
        mean, size = features(self.encoder, x, 2 * self.dimension, wants=wants).chunk(2, dim=1)
        return mean, _std(size)

    def sample(self, mean: Tensor, std: Tensor) -> Tensor:
        """Draw codes (draws · n, k) from N(mean, std²)."""
        shape = (self.draws, *mean.shape)
        return (mean + std * torch.randn(shape, dtype=mean.dtype, device=mean.device)).flatten(0, 1)


class _Classifier(_GaussianCode):
    """A Gaussian code, and a decoder from codes to logits."""

    @validated
    def __init__(
        self,
        encoder: Module,
        dimension: PositiveInt,
        classes: Annotated[int, Integer(2)],
        beta: float | Schedule,
        *,
        decoder: Module | None = None,
        draws: PositiveInt = 1,
    ) -> None:
        super().__init__(encoder, dimension, beta, draws)
        self.classes = classes
        self.decoder = nn.Linear(dimension, classes) if decoder is None else decoder

    def predict(self, x: Tensor, draws: int = 0) -> Tensor:
        """Compute log probabilities (n, C).

        Parameters
        ----------
        x : Tensor of shape (n, ...)
            Inputs.
        draws
            Number of codes whose probabilities are averaged; 0 takes the mean code.
        """
        mean, std = self.encode(x)
        if not draws:
            logits: Tensor = self.decoder(mean)
            return logits.log_softmax(dim=1)
        integer(draws, "draws")
        found = [self.decoder(mean + std * torch.randn_like(mean)).log_softmax(dim=1) for _ in range(draws)]
        return torch.stack(found).logsumexp(dim=0) - math.log(draws)

    def distortion(self, mean: Tensor, std: Tensor, labels: Tensor) -> Tensor:
        """Compute the cross-entropy of the labels given codes."""
        logits = self.decoder(self.sample(mean, std))
        return self.cross_entropy(logits, labels.repeat(self.draws, *[1] * (labels.ndim - 1)))


class VariationalBottleneck(_Classifier):
    """The variational information bottleneck: E[−log q(y|z)] + β E KL(p(z|x) ‖ r(z)), with p(z|x) = N(μ(x), σ(x)²).

    Parameters
    ----------
    encoder
        Network from x to (n, 2·`dimension`): means, and numbers whose softplus are standard deviations (0 gives 1).
    dimension
        Dimension of the code.
    classes
        Number of classes.
    beta
        Weight of the rate, or its schedule.
    decoder
        Network from codes to logits; a linear layer by default.
    marginal
        Marginal r: "standard" for N(0, I), "learned" for a learned mean and scale.
    draws
        Number of codes drawn for each sample, in evaluation mode too.

    Raises
    ------
    InvalidArgument
        If an argument is out of range; in a call if the encoder's output or the labels do not fit.

    Notes
    -----
    The second term bounds I(X;Z) from above, the first H(Y|Z). The terms, in nats per sample, are `cross_entropy` and
    `rate`.

    References
    ----------
    Alemi et al. (2017), Deep variational information bottleneck, arXiv 1612.00410, eq. 17.

    Examples
    --------
    >>> _ = torch.manual_seed(0)
    >>> objective = VariationalBottleneck(nn.Linear(5, 4), dimension=2, classes=3, beta=0.01)
    >>> x, labels = torch.randn(8, 5), torch.arange(8) % 3
    >>> loss = objective(x, labels)
    >>> sorted(objective.terms), objective.predict(x).exp().sum(1)[0]
    (['cross_entropy', 'rate'], tensor(1.0000, grad_fn=<SelectBackward0>))
    """

    @validated
    def __init__(
        self,
        encoder: nn.Module,
        dimension: int,
        classes: int,
        beta: float | Schedule = 1e-3,
        *,
        decoder: nn.Module | None = None,
        marginal: Literal["standard", "learned"] = "standard",
        draws: int = 1,
    ) -> None:
        super().__init__(encoder, dimension, classes, beta, decoder=decoder, draws=draws)
        self.marginal = marginal
        if marginal == "learned":
            self.marginal_mean = nn.Parameter(torch.zeros(dimension))
            self.marginal_size = nn.Parameter(torch.zeros(dimension))

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """Compute the loss of inputs (n, ...) and labels (n,).

        Parameters
        ----------
        x : Tensor of shape (n, ...)
            Inputs.
        labels : Tensor of shape (n,)
            Classes.
        """
        tensors(x=x, labels=labels)
        mean, std = self.encode(x)
        prior = (self.marginal_mean, _std(self.marginal_size)) if self.marginal == "learned" else (0.0, 1.0)
        rate = gaussian_divergence(mean, std, *prior).sum(dim=1).mean()
        cross_entropy = self.distortion(mean, std, labels)
        self.record({"cross_entropy": cross_entropy, "rate": rate})
        return cross_entropy + self.next_beta() * rate


class ConditionalEntropyBottleneck(_Classifier):
    """The conditional entropy bottleneck: E[−log c(y|z)] + γ E[log e(z|x) − log b(z|y)], γ = `beta`.

    Parameters
    ----------
    encoder
        Network from x to (n, 2·`dimension`): means, and numbers whose softplus are standard deviations (0 gives 1).
    dimension
        Dimension of the code.
    classes
        Number of classes.
    beta
        Weight γ of the residual information, or its schedule.
    decoder
        Network from codes to logits; a linear layer by default.
    draws
        Number of codes drawn for each sample, in evaluation mode too.

    Raises
    ------
    InvalidArgument
        If an argument is out of range; in a call if the encoder's output or the labels do not fit.

    Notes
    -----
    The second term, with a learned Gaussian b(z|y) for every class, bounds the residual information I(X;Z|Y) from
    above, the information of the code beyond the label. Its mean over z is taken in closed form, as a KL. Labels must
    be integers. The terms, in nats per sample, are `cross_entropy` and `residual_information`.

    References
    ----------
    Fischer (2020), The conditional entropy bottleneck, arXiv 2002.05379, section 3.

    Examples
    --------
    >>> _ = torch.manual_seed(0)
    >>> objective = ConditionalEntropyBottleneck(nn.Linear(5, 4), dimension=2, classes=3, beta=0.1)
    >>> loss = objective(torch.randn(8, 5), torch.arange(8) % 3)
    >>> sorted(objective.terms)
    ['cross_entropy', 'residual_information']
    """

    def __init__(
        self,
        encoder: nn.Module,
        dimension: int,
        classes: int,
        beta: float | Schedule = 0.1,
        *,
        decoder: nn.Module | None = None,
        draws: int = 1,
    ) -> None:
        super().__init__(encoder, dimension, classes, beta, decoder=decoder, draws=draws)
        self.backward_mean = nn.Parameter(torch.randn(classes, dimension))
        self.backward_size = nn.Parameter(torch.zeros(classes, dimension))

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """Compute the loss of inputs (n, ...) and integer labels (n,).

        Parameters
        ----------
        x : Tensor of shape (n, ...)
            Inputs.
        labels : Tensor of shape (n,)
            Classes.
        """
        tensors(x=x, labels=labels)
        mean, std = self.encode(x)
        cross_entropy = self.distortion(mean, std, labels)
        if labels.is_floating_point():
            raise InvalidArgument(
                "labels", "integer classes, each of which has its own density", got_text="probabilities"
            )
        kept = labels >= 0  # ignore_index
        own = torch.where(kept, labels, 0)
        prior = self.backward_mean[own], _std(self.backward_size)[own]
        each = torch.where(kept, gaussian_divergence(mean, std, *prior).sum(dim=1), 0.0)
        residual = each.sum() / kept.sum().clamp_min(1)
        self.record({"cross_entropy": cross_entropy, "residual_information": residual})
        return cross_entropy + self.next_beta() * residual


class VAE(_GaussianCode):
    """The variational autoencoder, and β-VAE: E[−log p(x|z)] + β KL(N(μ(x), σ(x)²) ‖ N(0, I)).

    Parameters
    ----------
    encoder
        Network from x to (n, 2·`dimension`): means, and numbers whose softplus are standard deviations (0 gives 1).
    decoder
        Network from codes (n, `dimension`) to what `observation` takes.
    dimension
        Dimension of the code.
    beta
        Weight of the rate, or its schedule.
    observation
        "bernoulli" for logits of data in [0, 1], "gaussian" for means.
    observation_scale
        Standard deviation of the Gaussian observation model.
    draws
        Number of codes drawn for each sample, in evaluation mode too.

    Raises
    ------
    InvalidArgument
        If an argument is out of range; in a call if the data or the networks' outputs do not fit.

    Notes
    -----
    With β = 1 the loss is an upper bound on −log p(x). The terms, in nats per sample, are `reconstruction`, `rate`, and
    their sum `bound`.

    References
    ----------
    Kingma and Welling (2014), Auto-encoding variational Bayes, arXiv 1312.6114, eq. 10. β: Higgins et al. (2017).

    Examples
    --------
    >>> _ = torch.manual_seed(0)
    >>> objective = VAE(nn.Linear(6, 4), nn.Linear(2, 6), dimension=2)
    >>> loss = objective(torch.rand(8, 6))
    >>> sorted(objective.terms), torch.allclose(loss, objective.terms["bound"])
    (['bound', 'rate', 'reconstruction'], True)
    """

    @validated
    def __init__(
        self,
        encoder: Module,
        decoder: Module,
        dimension: PositiveInt,
        beta: float | Schedule = 1.0,
        *,
        observation: ObservationModel = "bernoulli",
        observation_scale: PositiveFloat = 1.0,
        draws: PositiveInt = 1,
    ) -> None:
        super().__init__(encoder, dimension, beta, draws)
        self.decoder = decoder
        self.observation = Observation(observation, observation_scale)

    def forward(self, x: Tensor, target: Tensor | None = None) -> Tensor:
        """Compute the loss of data (n, ...); a second argument, such as labels, is ignored.

        Parameters
        ----------
        x : Tensor of shape (n, ...)
            Data.
        target : Tensor, optional
            Ignored, such as labels.
        """
        tensors(x=x)
        mean, std = self.encode(x)
        decoded = self.decoder(self.sample(mean, std))
        reconstruction: Tensor = self.observation(decoded, _repeated(x, self.draws)).mean()
        rate = gaussian_divergence(mean, std).sum(dim=1).mean()
        total: Tensor = reconstruction + self.next_beta() * rate
        self.record({"reconstruction": reconstruction, "rate": rate, "bound": reconstruction + rate})
        return total

    @torch.no_grad()
    def log_likelihood(self, x: Tensor, draws: int = 64) -> Tensor:
        """Estimate log p(x) of every sample, (n,) in nats, by importance-weighted codes.

        Parameters
        ----------
        x : Tensor of shape (n, ...)
            Data.
        draws
            Number of codes.

        Notes
        -----
        It is a lower bound in expectation, tighter than the loss.

        References
        ----------
        Burda et al. (2016), Importance weighted autoencoders, arXiv 1509.00519, eq. 8.
        """
        integer(draws, "draws")
        mean, std = self.encode(batch(x, "x"))
        weights = []
        for _ in range(draws):
            n = torch.randn_like(mean)
            z = mean + std * n
            ratio = 0.5 * (n.square() - z.square()) + std.log()  # log N(z; 0, I) − log N(z; μ, σ²)
            weights.append(ratio.sum(dim=1) - self.observation(self.decoder(z), x))
        return torch.stack(weights).logsumexp(dim=0) - math.log(draws)


def _std(size: Tensor) -> Tensor:
    return functional.softplus(size + _UNIT) + _SMALLEST


def _repeated(x: Tensor, times: int) -> Tensor:
    return x if times == 1 else x.repeat(times, *[1] * (x.ndim - 1))
