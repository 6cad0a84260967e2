"""The neural dependency measure: total correlation by a discriminator of samples and their shuffled columns."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal, cast

import torch
from torch import Tensor, nn

from infoflow.bounds import Bound, Side, donsker_varadhan, jensen_shannon
from infoflow.core import checks
from infoflow.core.blocks import Builder
from infoflow.core.errors import TooFewSamples
from infoflow.core.estimate import Estimate, Interval, Kind
from infoflow.core.settings import Integer, OneOf, PositiveFloat, PositiveInt
from infoflow.critics import ACTIVATIONS
from infoflow.entropies.total_correlation import varying
from infoflow.estimators.learned.critics.bridge import bridged
from infoflow.estimators.learned.critics.neural import BoundObjective
from infoflow.estimators.learned.estimator import HiddenWidths, TrainingSettings, warnings_on
from infoflow.estimators.learned.held_out import MINIMUM, quantile, split
from infoflow.estimators.learned.training import Fitted, Part
from infoflow.estimators.preprocessing import learn

# Trained by the logistic loss: Donsker and Varadhan's own mean of e^T is too noisy to train and to select by.
_BOUND = Bound("neural_dependency", donsker_varadhan, Side.LOWER, quantity="TC(Z)", objective=jensen_shannon)

# Shuffled rows for each row of the report part: the mean of e^T is the noisiest term, and needs no gradient there.
_REPORT_SHUFFLES = 8

# Shares by which the correlations may be shrunk towards 0; the validation samples decide.
_SHRINKAGES = (0.001, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0)


@dataclass(frozen=True, kw_only=True)
class DependencySettings(TrainingSettings):
    """Settings of `neural_dependency`.

    Parameters
    ----------
    folds
        Number of folds; each is reported on once.
    validation
        Share of the samples outside of a fold that stops and selects.
    preprocessing
        Transform of each column, learned on the training samples.
    level
        Level of the interval.
    seed
        Random seed; the same seed gives the same estimate.
    hidden
        Widths of the hidden layers, at least one: a linear discriminator does not see dependence.
    batch_size
        Samples in a batch; at least as many as columns are taken.
    max_epochs
        Largest number of epochs.
    patience
        Epochs without progress on the validation samples after which training ends.
    learning_rate
        Learning rate of AdamW.
    weight_decay
        Weight decay of AdamW.
    readout
        "bridge" estimates log E[e^T(z̃)] from z and z̃ together (a point estimate with less variance);
        "donsker_varadhan" is the published lower bound.
    sigmoid
        Whether the discriminator takes σ(z), without preprocessing and head start.
    head_start
        Whether the discriminator starts as the log density ratio of a Gaussian with the correlations of z.
    activation
        Activation between the layers.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range.

    Examples
    --------
    >>> DependencySettings(readout="donsker_varadhan").hidden
    (1000, 200)
    """

    readout: Literal["bridge", "donsker_varadhan"] = "bridge"
    sigmoid: bool = False
    head_start: bool = True
    hidden: HiddenWidths = (1000, 200)
    activation: Annotated[str, OneOf(tuple(ACTIVATIONS))] = "relu"
    batch_size: Annotated[int, Integer(4)] = 500
    max_epochs: PositiveInt = 50
    learning_rate: PositiveFloat = 1e-3


def neural_dependency(z: Any, **settings: Any) -> Estimate:
    """Estimate the total correlation of the columns of a representation by the neural dependency measure (NDM).

    Parameters
    ----------
    z : array-like of shape (n, ...)
        Samples; axes after the first are flattened into columns.
    **settings
        Fields of `DependencySettings`.

    Returns
    -------
    Estimate
        TC(Z) in nats, with Student's interval over the folds.

    Raises
    ------
    InvalidArgument
        If `z` is not finite samples, or a setting is outside of its range.
    TooFewSamples
        If there are fewer than 40 samples, or a part holds fewer samples than `z` has columns.
    DidNotConverge
        If no fit was finite.

    Notes
    -----
    TC(Z) = KL(p(z) ‖ Π_j p(z_j)) ≥ E[T(z)] − log E[e^T(z̃)], where z̃ is z with each column shuffled on its own.

    The discriminator T learns by logistic loss to separate z from z̃ on the training samples; shuffles are new in every
    batch. The sample mean of e^T(z̃) in the readout "donsker_varadhan" may have infinite variance (it has for Gaussians
    whose correlation matrix has an eigenvalue of 2 or more). A value below 0 is reported as 0. A value above the
    logarithm of the number of shuffled rows, with either readout, is no bound and can be far too low or too high; it
    has a warning. Constant columns are dropped, with a warning. With `sigmoid`, the quantity is the same but harder to
    learn where σ saturates.

    References
    ----------
    Hjelm et al. (2019), "Learning deep representations by mutual information estimation and maximization", ICLR,
    section 4. Brakel and Bengio (2017), "Learning independent features with adversarial nets for non-linear ICA".

    Examples
    --------
    >>> a, b = torch.randn(2, 2000, generator=torch.Generator().manual_seed(1))
    >>> e = neural_dependency(torch.stack([a, 0.8 * a + 0.6 * b], 1), hidden=(64,), max_epochs=5)
    >>> e.quantity, 0.4 < e.nats < 0.6  # exactly −½ log(1 − 0.64) = 0.511
    ('TC(Z)', True)
    """
    chosen = DependencySettings(**settings)
    values = checks.samples(z, "z", minimum=MINIMUM, dtype=torch.float32)
    n = values.shape[0]
    values, warnings = varying(values)
    if values.shape[1] < 2:
        warnings += ("z has fewer than two varying columns, so its total correlation is 0",)
        return _estimate(chosen, n, 0.0, 0.0, warnings)
    least = min(len(part) for part in split(n, chosen.folds, chosen.validation, chosen.seed)[0])
    if least < values.shape[1]:
        raise TooFewSamples(
            f"z must hold as many samples in each part as varying columns ({values.shape[1]}), got {least} of {n} in "
            "the smallest part. Use more samples or fewer folds."
        )
    # A caller without gradients must not switch off those of the discriminator.
    with torch.inference_mode(False), torch.enable_grad():
        return _fit(values.clone(), chosen, warnings)


class Discriminator(nn.Module):
    """T(z) = perceptron(z) − ½ zᵀ A z − c, a correction to a Gaussian's log ratio, A = R⁻¹ − 1 and c = ½ log |R|.

    The perceptron starts as 0. Negatives are made of the batch: each column is taken from a row at another distance,
    so no two entries of a negative come from one sample. Batches must be shuffled.
    """

    def __init__(self, correlations: Tensor | None, features: int, settings: DependencySettings, seed: int) -> None:
        super().__init__()
        self.shuffles = 1
        self.network = Builder(seed, False).perceptron([features, *settings.hidden, 1], settings.activation)
        if settings.head_start:
            for parameter in self.network[-1].parameters():
                nn.init.zeros_(parameter)
        r = torch.eye(features) if correlations is None else correlations.cpu()
        self.register_buffer("interaction", (torch.linalg.inv(r.double()) - torch.eye(features)).float())
        self.register_buffer("constant", (torch.logdet(r.double()) / 2).float())

    def score(self, z: Tensor) -> Tensor:
        """Scores (...) of z (..., d)."""
        quadratic = (z @ self.interaction * z).sum(-1) / 2  # type: ignore[operator]
        result: Tensor = self.network(z)[..., 0] - quadratic - self.constant
        return result

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        n, d = z.shape
        # Distances are distinct below n; those of further shuffles continue where the last one ended.
        distance = torch.arange(self.shuffles * d, device=z.device).view(self.shuffles, d) % n
        source = (torch.arange(n, device=z.device)[:, None, None] + distance) % n  # (n, shuffles, d)
        shuffled = z[:, None, :].expand(n, self.shuffles, d).gather(0, source)
        return self.score(z), self.score(shuffled)


def _fit(values: Tensor, settings: DependencySettings, warnings: tuple[str, ...]) -> Estimate:
    n, d = values.shape
    rows = split(n, settings.folds, settings.validation, settings.seed, values.device)
    seeds = [settings.seed + fold for fold in range(settings.folds)]
    folds, networks = [], []
    for fold, seed in zip(rows, seeds, strict=True):
        transform = learn(values[fold[0]], "none" if settings.sigmoid else settings.preprocessing)
        parts = [transform(values[part]) for part in fold]
        start = _correlations(parts[0], parts[1]) if settings.head_start and not settings.sigmoid else None
        networks.append(Discriminator(start, d, settings, seed).to(values.device))
        folds.append([part.sigmoid() if settings.sigmoid else part for part in parts])
    train, validate, reported = (Part(torch.stack(part)) for part in zip(*folds, strict=True))
    what = "the objective of the discriminator"
    # In a smaller batch, shuffled rows would keep columns together.
    fitted = settings.train(networks, BoundObjective(_BOUND), train, validate, seeds, what=what, least=d)
    cast(Discriminator, fitted.stack.skeleton).shuffles = _REPORT_SHUFFLES
    with torch.no_grad():
        positive, negative = (scores.double() for scores in fitted.stack(*reported.inputs))
    found, shares = (bridged if settings.readout == "bridge" else _donsker_varadhan)(positive, negative)
    spread = max(float(found.std()), float(shares.std(1).mean()) / math.sqrt(reported.size))
    raw = float(found.mean())
    half = quantile(settings.level, settings.folds) * spread / math.sqrt(settings.folds)
    warnings += tuple(_warnings(raw, half, reported.size * _REPORT_SHUFFLES, fitted))
    return _estimate(settings, n, raw, half, warnings)


def _correlations(fit_part: Tensor, select: Tensor) -> Tensor:
    """Correlations of the training samples, shrunk so that the validation samples are likeliest."""
    columns = fit_part.double() - fit_part.double().mean(0)
    r = torch.corrcoef(columns.T).nan_to_num(0.0)
    eye = torch.eye(len(r), dtype=r.dtype, device=r.device)
    scale = columns.square().mean(0).sqrt()
    held_out = (select.double() - fit_part.double().mean(0)) / scale
    tried = []
    for share in _SHRINKAGES:
        shrunk = (1 - share) * r + share * eye
        ratio = -(held_out @ (torch.linalg.inv(shrunk) - eye) * held_out).sum(1) / 2 - torch.logdet(shrunk) / 2
        tried.append((float(ratio.mean()), share))
    share = max(tried)[1]
    return (1 - share) * r + share * eye


def _donsker_varadhan(positive: Tensor, negative: Tensor) -> tuple[Tensor, Tensor]:
    """Value of each fold (folds,) and share of each row (folds, n), by the delta method."""
    values = donsker_varadhan(positive, negative)
    weights = (negative - negative.amax((1, 2), keepdim=True)).exp().mean(2)
    return values, positive - weights / weights.mean(1, keepdim=True)


def _warnings(raw: float, half: float, shuffled: int, fitted: Fitted) -> Iterator[str]:
    if raw > 0.6 * math.log(shuffled):
        yield (
            f"no value near or above log {shuffled} = {math.log(shuffled):.2f} nats (the shuffled rows of a fold) can "
            "be trusted: samples and shuffled rows hardly overlap and the value follows the size of the "
            "discriminator's scores, so the estimate may be far too low or too high; use more samples, fewer columns, "
            "or total_correlation(z, 'gaussian')"
        )
    yield from warnings_on(
        raw,
        half,
        math.inf,
        "discriminators",
        gap=float(fitted.gap.median()),
        late=int((~fitted.stopped).sum()),
        count=len(fitted.stopped),
        simpler="a smaller discriminator or more weight_decay",
        steadier="more samples or a larger batch_size",
    )
    if half < 1e-9:
        yield "no dependence was detected on held-out samples; a weak one may need more samples"


def _estimate(settings: DependencySettings, n: int, raw: float, half: float, warnings: tuple[str, ...]) -> Estimate:
    nats, low, high = (max(value, 0.0) for value in (raw, raw - half, raw + half))
    return Estimate(
        nats,
        quantity="TC(Z)",
        kind=Kind.POINT if settings.readout == "bridge" else Kind.LOWER_BOUND,
        estimator="neural_dependency",
        n=n,
        parameters=asdict(settings),
        interval=Interval(low, high, spans=f"{settings.folds} folds", level=settings.level),
        warnings=warnings,
    )
