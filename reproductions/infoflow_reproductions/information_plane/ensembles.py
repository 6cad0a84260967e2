"""Infinite ensembles of networks: their information on new inputs, for linear targets and the parity of digits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from infoflow.data import load
from infoflow.entropies.discrete import entropy
from infoflow.pairwise.exponentials import row_log_sums
from infoflow_reproductions.harness.trial import Context
from infoflow_reproductions.information_plane.curves import Curve, one_seed, result_of
from infoflow_reproductions.information_plane.recipe import OUTPUT
from infoflow_reproductions.networks.infinite import InfiniteConvolution, InfiniteEnsemble, Kernel

LOWER, UPPER = "SampleBound(lower)", "SampleBound(upper)"
"""The bounds on I(X;Z) as the plane's table names them."""


@dataclass(frozen=True)
class Ensemble:
    """An ensemble with its data and the times at which its information is measured."""

    activation: Kernel
    weight_variance: float
    inputs: int
    snr: float
    depth: int
    samples: int
    probe: int
    times: tuple[int, ...]
    draws: int
    seed: int


@dataclass(frozen=True)
class Parity:
    """An ensemble of convolutional networks that tell even digits from odd ones."""

    activation: Kernel
    weight_variance: float
    data: str
    """mnist or digits."""
    depth: int
    samples: int
    probe: int
    times: tuple[int, ...]
    draws: int
    seed: int


def ensemble(settings: Ensemble, context: Context) -> dict[str, Any]:
    """Z ~ N(μ(x, t), Σ(x, t)) of an ensemble trained on Y = w·X + noise, X ~ N(0, I): its information on new X.

    I(X;Z) by sample bounds with the known p(z|x). I(Y;Z) ≥ −½ log(1 − ρ²), as Y is Gaussian: it only needs the error of
    the best linear predictor of Y from Z.
    """
    generator = torch.Generator().manual_seed(settings.seed)
    inputs, snr = settings.inputs, settings.snr

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    teacher = normal(inputs)
    teacher /= teacher.norm()
    x, test = normal(settings.samples, inputs), normal(settings.probe, inputs)
    y, test_y = (part @ teacher + normal(len(part)) / math.sqrt(snr) for part in (x, test))
    network = InfiniteEnsemble(settings.activation, settings.depth, settings.weight_variance)
    trained = list(zip(*network.trained(x, y, test, settings.times), strict=True))
    noise = normal(settings.draws, settings.probe)
    ceiling = 0.5 * math.log1p(snr)
    label = [min(_linear_information(mean, variance, test_y), ceiling) for mean, variance in trained]
    return _result(settings, trained, noise, test_y, label, (ceiling, "I(X;Y)"))


def parity(settings: Parity, context: Context) -> dict[str, Any]:
    """Z of an ensemble of convolutional networks trained on the parity of digits: its information on test images.

    I(X;Z) by sample bounds. I(Y;Z) ≥ H(Y) less the cross-entropy of a logistic model of Z, on images that it was not
    fitted to.
    """
    generator = torch.Generator().manual_seed(settings.seed)
    split = load(settings.data, root=context.data_root)
    parts = []
    for part, count in ((split.train, settings.samples), (split.test, settings.probe)):
        images, digits = part.images()
        chosen = torch.randperm(len(images), generator=generator)[:count]
        parts.append((images[chosen, 0].flatten(1).double(), 1.0 - 2.0 * (digits[chosen] % 2).double()))
    (x, y), (test, test_y) = parts
    network = InfiniteConvolution(settings.activation, settings.depth, settings.weight_variance)
    trained = list(zip(*network.trained(x, y, test, settings.times), strict=True))
    noise = torch.randn(settings.draws, len(test), generator=generator, dtype=torch.float64)
    ceiling = _label_entropy(test_y > 0)
    label = [
        logistic_information(mean + noise * variance.clamp_min(0).sqrt(), test_y > 0) for mean, variance in trained
    ]
    return _result(settings, trained, noise, test_y, label, (ceiling, "H(Y)"))


def sample_bounds(mean: Tensor, variance: Tensor, noise: Tensor) -> tuple[float, float]:
    """Lower and upper bound of I(X;Z), Z|x_i ~ N(mean_i, variance_i), from n inputs and (draws, n) normal numbers.

        lower = E log p(z|x_i) / (1/n Σ_j p(z|x_j)) ≤ log n,   upper: the same without j = i.

    Nats.

    Parameters
    ----------
    mean, variance : Tensor of shape (n,)
        Of Z given each input.
    noise : Tensor of shape (draws, n)
        Standard normal numbers.

    Returns
    -------
    tuple of float
        Lower and upper bound.

    References
    ----------
    Poole et al., On variational bounds of mutual information (2019), eq. 10 and 13, with the true conditional as
    critic.

    Examples
    --------
    >>> generator = torch.Generator().manual_seed(0)
    >>> x = torch.randn(1000, generator=generator)
    >>> low, high = sample_bounds(x, torch.ones(1000), torch.randn(8, 1000, generator=generator))
    >>> low < 0.3466 + 0.05, 0.3466 - 0.05 < high  # ½ log 2
    (True, True)
    """
    n = len(mean)
    spread = variance.clamp_min(1e-12)
    z = mean + noise * spread.sqrt()
    lower = upper = 0.0
    for row in z:
        density = -((row[:, None] - mean).square() / spread + spread.log()) / 2
        own = density.diagonal().clone()
        others = row_log_sums(density.fill_diagonal_(-math.inf))
        lower += float((own - torch.logaddexp(own, others) + math.log(n)).mean())
        upper += float((own - others + math.log(n - 1)).mean())
    return max(lower / len(z), 0.0), max(upper / len(z), 0.0)


def logistic_information(z: Tensor, y: Tensor) -> float:
    """Lower bound on I(Y;Z) of a binary Y by a logistic model of Z, in nats: H(Y) less its held-out cross-entropy.

    Parameters
    ----------
    z : Tensor of shape (draws, n)
        Draws of Z for every input.
    y : boolean Tensor of shape (n,)
        Labels.

    Returns
    -------
    float
        The bound, 0 where the model predicts worse than the shares of the classes.

    Examples
    --------
    >>> y = torch.arange(100) < 50
    >>> logistic_information(y[None, [*range(0, 100, 3), *range(1, 100, 3), *range(2, 100, 3)]].double() * 0, y)
    0.0
    """
    from sklearn.linear_model import LogisticRegression

    z, labels = z.double(), y.double().expand_as(z)
    z = (z - z.mean()) / z.std().clamp_min(1e-12)  # so that the slight penalty of the model has one meaning
    halves = (slice(0, None, 2), slice(1, None, 2))
    loss = 0.0
    for fitted, held_out in (halves, halves[::-1]):
        model = LogisticRegression(C=1e6).fit(z[:, fitted].reshape(-1, 1).numpy(), labels[:, fitted].flatten().numpy())
        logits = float(model.coef_[0, 0]) * z[:, held_out] + float(model.intercept_[0])
        loss += float(F.binary_cross_entropy_with_logits(logits, labels[:, held_out])) / 2
    return max(_label_entropy(y) - loss, 0.0)


def _label_entropy(y: Tensor) -> float:
    return float(entropy(y.long().bincount()))


def _result(
    settings: Ensemble | Parity,
    trained: Sequence[tuple[Tensor, Tensor]],
    noise: Tensor,
    y: Tensor,
    label: Sequence[float],
    ceiling: tuple[float, str],
) -> dict[str, Any]:
    """Both bounds on I(X;Z), the bound on I(Y;Z), and the squared error on new inputs."""
    bounds = [sample_bounds(mean, variance, noise) for mean, variance in trained]
    losses = [float((mean - y).square().mean() + variance.mean()) for mean, variance in trained]
    kinds: Sequence[tuple[str, Literal["lower bound", "upper bound"], float, str]] = (
        (LOWER, "lower bound", math.log(len(y)), "log N"),
        (UPPER, "upper bound", math.inf, ""),
    )
    curves = []
    for number, (name, kind, top, top_name) in enumerate(kinds):
        nats = one_seed(both[number] for both in bounds)
        for axis, quantity, how, values, limit, limit_name in (
            ("input", "I(X;Z)", kind, nats, top, top_name),
            ("label", "I(Z;Y)", "lower bound", one_seed(label), *ceiling),
        ):
            place = OUTPUT, 0, name, axis, quantity, how, settings.times, [settings.seed]
            curves.append(Curve(*place, values, limit, limit_name, n=len(y)))
    return result_of(curves, {"test_loss": losses}, settings.times, settings.seed, "finite: an ensemble is noisy")


def _linear_information(mean: Tensor, variance: Tensor, y: Tensor) -> float:
    spread = float(mean.var() + variance.mean())
    if spread <= 0:
        return 0.0
    shared = float(((mean - mean.mean()) * (y - y.mean())).mean())
    return -0.5 * math.log1p(-min(shared**2 / (spread * float(y.var())), 1 - 1e-12))
