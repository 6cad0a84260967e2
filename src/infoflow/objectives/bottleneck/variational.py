"""Bottlenecks whose code is Gaussian given the input: VIB, the conditional entropy bottleneck, and the VAE."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from infoflow.core.checks import choice, integer
from infoflow.core.errors import InvalidArgument
from infoflow.entropies.elementwise import gaussian_divergence
from infoflow.objectives.bottleneck.objective import (
    BottleneckObjective,
    Observation,
    batch,
    draws,
    features,
    module,
)
from infoflow.objectives.bottleneck.schedules import Schedule

MARGINALS = ("standard", "learned")

# softplus(x + this) is 1 at x = 0.
_UNIT = math.log(math.e - 1)
_SMALLEST = 1e-6


class _GaussianCode(BottleneckObjective):
    """An encoder (n, ...) -> (n, 2k): means, and numbers whose softplus are standard deviations (0 gives 1)."""

    def __init__(self, encoder: nn.Module, dimension: int, beta: float | Schedule, samples: int) -> None:
        super().__init__(beta)
        self.encoder = module(encoder, "encoder")
        self.dimension = integer(dimension, "dimension")
        self.draws = draws(samples)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Means and standard deviations of the code given x, (n, k) each."""
        wants = f": {self.dimension} means, and as many numbers that make standard deviations"
        mean, size = features(self.encoder, x, 2 * self.dimension, wants=wants).chunk(2, dim=1)
        return mean, _std(size)

    def sample(self, mean: Tensor, std: Tensor) -> Tensor:
        """Codes (draws · n, k), drawn from N(mean, std²)."""
        shape = (self.draws, *mean.shape)
        return (mean + std * torch.randn(shape, dtype=mean.dtype, device=mean.device)).flatten(0, 1)


class _Classifier(_GaussianCode):
    def __init__(
        self,
        encoder: nn.Module,
        dimension: int,
        classes: int,
        beta: float | Schedule,
        decoder: nn.Module | None,
        samples: int,
    ) -> None:
        super().__init__(encoder, dimension, beta, samples)
        self.classes = integer(classes, "classes", minimum=2)
        self.decoder = nn.Linear(dimension, classes) if decoder is None else module(decoder, "decoder")

    def predict(self, x: Tensor, draws: int = 0) -> Tensor:
        """Log probabilities (n, C): of the mean code, or with `draws` the log of the mean over so many codes."""
        mean, std = self.encode(x)
        if not draws:
            return self.decoder(mean).log_softmax(dim=1)  # type: ignore[no-any-return]
        integer(draws, "draws")
        found = [self.decoder(mean + std * torch.randn_like(mean)).log_softmax(dim=1) for _ in range(draws)]
        return torch.stack(found).logsumexp(dim=0) - math.log(draws)

    def distortion(self, mean: Tensor, std: Tensor, labels: Tensor) -> Tensor:
        """The cross-entropy of the labels, given codes."""
        logits = self.decoder(self.sample(mean, std))
        return self.cross_entropy(logits, labels.repeat(self.draws, *[1] * (labels.ndim - 1)))


class VariationalBottleneck(_Classifier):
    """The variational information bottleneck: E[−log q(y|z)] + β E KL(p(z|x) ‖ r(z)), with p(z|x) = N(μ(x), σ(x)²).

    The second term bounds I(X;Z) from above, the first H(Y|Z). `encoder` maps x to (n, 2·`dimension`): means, and
    numbers whose softplus are standard deviations (0 gives 1). The heads are its own: `decoder` (a linear layer unless
    given) from codes to logits, and `marginal` r, "standard" N(0, I) or with "learned" mean and scale.

    `draws` codes are drawn for each sample, in evaluation too; `predict` classifies by the mean code, or averages.
    Raises InvalidArgument or UnknownName: β < 0, an encoder of another width, data as in `nn.CrossEntropyLoss`.
    (Alemi et al. 2017, arXiv 1612.00410, eq. 17.)

    >>> _ = torch.manual_seed(0)
    >>> objective = VariationalBottleneck(nn.Linear(5, 4), dimension=2, classes=3, beta=0.01)
    >>> x, labels = torch.randn(8, 5), torch.arange(8) % 3
    >>> loss = objective(x, labels)
    >>> sorted(objective.terms), objective.predict(x).exp().sum(1)[0]
    (['cross_entropy', 'rate'], tensor(1.0000, grad_fn=<SelectBackward0>))
    """

    def __init__(
        self,
        encoder: nn.Module,
        dimension: int,
        classes: int,
        beta: float | Schedule = 1e-3,
        *,
        decoder: nn.Module | None = None,
        marginal: str = "standard",
        draws: int = 1,
    ) -> None:
        super().__init__(encoder, dimension, classes, beta, decoder, draws)
        self.marginal = choice(marginal, "marginal", MARGINALS)
        if marginal == "learned":
            self.marginal_mean = nn.Parameter(torch.zeros(dimension))
            self.marginal_size = nn.Parameter(torch.zeros(dimension))

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """Inputs (n, ...) and labels (n,) to the loss; terms `cross_entropy` and `rate`, nats per sample."""
        mean, std = self.encode(x)
        prior = (self.marginal_mean, _std(self.marginal_size)) if self.marginal == "learned" else (0.0, 1.0)
        rate = gaussian_divergence(mean, std, *prior).sum(dim=1).mean()
        cross_entropy = self.distortion(mean, std, labels)
        self.record({"cross_entropy": cross_entropy, "rate": rate})
        return cross_entropy + self.next_beta() * rate


class ConditionalEntropyBottleneck(_Classifier):
    """The conditional entropy bottleneck: E[−log c(y|z)] + γ E[log e(z|x) − log b(z|y)], γ = `beta`.

    The second term, with the learned Gaussian b(z|y) of every class, bounds the residual information I(X;Z|Y) from
    above: what the code knows beyond the label. Its mean over z is taken in closed form, as a KL. Arguments, `predict`
    and errors are those of `VariationalBottleneck`, labels integers. (Fischer 2020, arXiv 2002.05379, section 3.)

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
        super().__init__(encoder, dimension, classes, beta, decoder, draws)
        self.backward_mean = nn.Parameter(torch.randn(classes, dimension))
        self.backward_size = nn.Parameter(torch.zeros(classes, dimension))

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """Inputs (n, ...) and labels (n,) to the loss; terms `cross_entropy` and `residual_information`, in nats."""
        mean, std = self.encode(x)
        cross_entropy = self.distortion(mean, std, labels)
        if labels.is_floating_point():
            raise InvalidArgument("labels are probabilities; want integer classes, for each has a density of its own")
        kept = labels >= 0  # ignore_index
        own = torch.where(kept, labels, 0)
        prior = self.backward_mean[own], _std(self.backward_size)[own]
        each = torch.where(kept, gaussian_divergence(mean, std, *prior).sum(dim=1), 0.0)
        residual = each.sum() / kept.sum().clamp_min(1)
        terms = {"cross_entropy": cross_entropy, "residual_information": residual}
        self.record(terms)
        return cross_entropy + self.next_beta() * residual


class VAE(_GaussianCode):
    """The variational autoencoder, and β-VAE: E[−log p(x|z)] + β KL(N(μ(x), σ(x)²) ‖ N(0, I)).

    `encoder` maps x to (n, 2·`dimension`) as for `VariationalBottleneck`; `decoder` maps codes (n, `dimension`) to what
    `observation` takes: "bernoulli" logits of data in [0, 1], or "gaussian" means with `observation_std`. With β = 1
    the loss is an upper bound on −log p(x). Raises InvalidArgument or UnknownName.
    (Kingma and Welling 2014, arXiv 1312.6114, eq. 10; β: Higgins et al. 2017.)

    >>> _ = torch.manual_seed(0)
    >>> objective = VAE(nn.Linear(6, 4), nn.Linear(2, 6), dimension=2)
    >>> loss = objective(torch.rand(8, 6))
    >>> sorted(objective.terms), torch.allclose(loss, objective.terms["bound"])
    (['bound', 'rate', 'reconstruction'], True)
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        dimension: int,
        beta: float | Schedule = 1.0,
        *,
        observation: str = "bernoulli",
        observation_std: float = 1.0,
        draws: int = 1,
    ) -> None:
        super().__init__(encoder, dimension, beta, draws)
        self.decoder = module(decoder, "decoder")
        self.observation = Observation(observation, observation_std)

    def forward(self, x: Tensor, target: Tensor | None = None) -> Tensor:
        """Data (n, ...) to the loss. Terms, nats per sample: `reconstruction`, `rate`, and their sum, the `bound` on
        −log p(x). The second argument (labels, say) is not looked at."""
        mean, std = self.encode(x)
        decoded = self.decoder(self.sample(mean, std))
        reconstruction = self.observation(decoded, _repeated(x, self.draws)).mean()
        rate = gaussian_divergence(mean, std).sum(dim=1).mean()
        total = reconstruction + self.next_beta() * rate
        self.record({"reconstruction": reconstruction, "rate": rate, "bound": reconstruction + rate})
        return total

    @torch.no_grad()
    def log_likelihood(self, x: Tensor, draws: int = 64) -> Tensor:
        """log p(x) of every sample by `draws` importance-weighted codes, (n,) in nats: a lower bound in expectation,
        tighter than the loss. (Burda et al. 2016, arXiv 1509.00519, eq. 8.)"""
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
