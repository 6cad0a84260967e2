"""The neural dependency measure: what the columns of a representation share, by telling it from its shuffled self."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, cast

import torch
from scipy import stats
from torch import Tensor, nn

from infoflow.bounds import Bound, Side, donsker_varadhan, jensen_shannon
from infoflow.core import checks
from infoflow.core.blocks import Builder
from infoflow.core.errors import DidNotConverge, InvalidArgument, TooFewSamples
from infoflow.core.estimate import Estimate, Interval, Kind
from infoflow.critics import ACTIVATIONS
from infoflow.entropies.total_correlation import varying
from infoflow.estimators.learned.critics.bridge import bridged
from infoflow.estimators.learned.critics.ensemble import Ensemble
from infoflow.estimators.learned.critics.fitting import Fitted, Part, fit
from infoflow.estimators.learned.held_out import Schedule
from infoflow.estimators.preprocessing import PREPROCESSINGS, learn

_MINIMUM = 40  # samples: fewer leave nothing to select or report by

# Told apart by logistic loss: Donsker and Varadhan's own mean of e^T is too noisy to fit and to select by.
_BOUND = Bound("neural_dependency", donsker_varadhan, Side.LOWER, quantity="TC(Z)", objective=jensen_shannon)

READOUTS = ("bridge", "donsker_varadhan")

# Shuffled rows for each row where it is reported: the mean of e^T is the noisiest part, and costs no gradient there.
_REPORT_SHUFFLES = 8

# How far the correlations may be shrunk towards 0 before they serve as a start; the second part decides.
_SHRINKAGES = (0.001, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0)


@dataclass(frozen=True)
class _Settings:
    """The arguments of `neural_dependency`, checked."""

    readout: str
    sigmoid: bool
    head_start: bool
    hidden: tuple[int, ...]
    activation: str
    folds: int
    validation: float
    batch_size: int
    max_epochs: int
    patience: int
    learning_rate: float
    weight_decay: float
    preprocessing: str
    level: float
    seed: int

    def __post_init__(self) -> None:
        checks.choice(self.readout, "readout", READOUTS)
        for name in ("sigmoid", "head_start"):
            checks.flag(getattr(self, name), name)
        for width in self.hidden:
            checks.integer(width, "hidden")
        if not self.hidden:
            raise InvalidArgument(
                "hidden is (); want at least one layer, for a linear discriminator sees no dependence"
            )
        checks.choice(self.activation, "activation", ACTIVATIONS)
        checks.choice(self.preprocessing, "preprocessing", PREPROCESSINGS)
        checks.integer(self.folds, "folds", minimum=2)
        checks.integer(self.batch_size, "batch_size", minimum=4)
        checks.integer(self.max_epochs, "max_epochs")
        checks.integer(self.patience, "patience")
        checks.integer(self.seed, "seed", minimum=0)
        checks.positive(self.learning_rate, "learning_rate")
        checks.positive(self.weight_decay, "weight_decay", zero=True)
        for name in ("validation", "level"):
            if not 0 < checks.positive(getattr(self, name), name) < 1:
                raise InvalidArgument(f"{name} is {getattr(self, name)!r}; want a share between 0 and 1")

    def sizes(self, n: int) -> tuple[int, int]:
        """How many samples each fold reports on, and how many select."""
        report = -(-n // self.folds)
        return report, max(8, round(self.validation * (n - report)))


def neural_dependency(
    z: Any,
    *,
    readout: str = "bridge",
    sigmoid: bool = False,
    head_start: bool = True,
    hidden: tuple[int, ...] = (1000, 200),
    activation: str = "relu",
    folds: int = 4,
    validation: float = 0.15,
    batch_size: int = 500,
    max_epochs: int = 50,
    patience: int = 5,
    learning_rate: float = 1e-3,
    weight_decay: float = 1e-2,
    preprocessing: str = "gaussianize",
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """The neural dependency measure (NDM): how far a representation is from having independent columns, in nats.

        TC(Z) = KL(p(z) ‖ Π_j p(z_j)) ≥ E[T(z)] − log E[e^T(z̃)],   z̃ = z with each column shuffled on its own

    `z` is (n, ...), (n, d) after flattening. A discriminator T with `hidden` layers learns, by logistic loss, to tell z
    from z̃ on one part of the samples, is stopped by a second and reported on a third; each of `folds` folds is
    reported on once. Shuffles are new in every batch. `readout` "donsker_varadhan" is the paper's, a lower bound whose
    sample mean of e^T(z̃) may have infinite variance (it has for Gaussians whose correlation matrix has an eigenvalue
    of 2 or more); "bridge" estimates log E[e^T(z̃)] from z and z̃ together, a point estimate, and a sharper one.

    With `head_start`, T begins as the log density ratio of a Gaussian with z's correlations (shrunk as the second part
    decides) and learns what is missing; without, as in the paper, it learns all, and misses more of it. `preprocessing`
    (as in `Neural`) acts on each column, is learned on the fit part and leaves TC(Z) as it is. A batch is never smaller
    than z's columns are many. `sigmoid` gives the discriminator σ(z) as it is instead, without a head start, as Deep
    InfoMax does for a representation that is matched to a uniform prior: the same quantity, but harder to see where σ
    saturates.

    A bound below 0 is reported as 0. Constant columns share nothing and are dropped, with a warning. The interval is
    Student's over the folds, no narrower than the samples' own standard error. Same seed, same answer.

    Raises InvalidArgument for what isn't samples and for settings out of range, UnknownName, TooFewSamples for n < 40
    or where a part holds fewer samples than z has columns, DidNotConverge where no fit was ever finite. Hjelm et al.
    (2019), section 4; Brakel and Bengio (2017).

    >>> a, b = torch.randn(2, 2000, generator=torch.Generator().manual_seed(1))
    >>> e = neural_dependency(torch.stack([a, 0.8 * a + 0.6 * b], 1), hidden=(64,), max_epochs=5)
    >>> e.quantity, 0.4 < e.nats < 0.6  # exactly -½ log(1 - .64) = .511
    ('TC(Z)', True)
    """
    settings = _Settings(
        readout,
        sigmoid,
        head_start,
        tuple(hidden),
        activation,
        folds,
        validation,
        batch_size,
        max_epochs,
        patience,
        learning_rate,
        weight_decay,
        preprocessing,
        level,
        seed,
    )
    values = checks.samples(z, "z", minimum=_MINIMUM, dtype=torch.float32)
    n = values.shape[0]
    values, warnings = varying(values)
    if values.shape[1] < 2:
        warnings += ("z has fewer than two varying columns, so nothing is shared",)
        return _estimate(settings, n, 0.0, 0.0, 0.0, warnings)
    report, select = settings.sizes(n)
    least = min(report, select, n - report - select)
    if least < values.shape[1]:
        raise TooFewSamples(
            f"z holds {n} samples of {values.shape[1]} varying columns, and the smallest part {least}; want at least "
            "as many there as columns, or each shuffled row would keep columns together: more samples or fewer folds"
        )
    # A caller that needs no gradients must not keep the discriminator from its own.
    with torch.inference_mode(False), torch.enable_grad():
        return _fit(values.clone(), settings, warnings)


class Discriminator(nn.Module):
    """T(z) = perceptron(z) − ½ zᵀ A z − c: a Gaussian's log ratio, A = R⁻¹ − 1 and c = ½ log |R|, and what it misses.

    The perceptron starts as 0. Negatives are made of the batch itself: column j from `shuffles` rows further on, each
    column's at another distance, so no two entries of a negative come from one sample. Batches must be shuffled.
    """

    def __init__(self, correlations: Tensor | None, features: int, settings: _Settings, seed: int) -> None:
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
        """(..., d) to (...)."""
        quadratic = (z @ self.interaction * z).sum(-1) / 2  # type: ignore[operator]
        result: Tensor = self.network(z)[..., 0] - quadratic - self.constant
        return result

    def forward(self, z: Tensor, _: Tensor) -> tuple[Tensor, Tensor]:
        n, d = z.shape
        # Distances r·j stay distinct below n; those of further shuffles start where the last left off.
        distance = torch.arange(self.shuffles * d, device=z.device).view(self.shuffles, d) % n
        source = (torch.arange(n, device=z.device)[:, None, None] + distance) % n  # (n, shuffles, d)
        shuffled = z[:, None, :].expand(n, self.shuffles, d).gather(0, source)
        return self.score(z), self.score(shuffled)


def _fit(values: Tensor, settings: _Settings, warnings: tuple[str, ...]) -> Estimate:
    n, d = values.shape
    report, select = settings.sizes(n)
    order = torch.randperm(n, generator=torch.Generator().manual_seed(settings.seed))
    stacks: tuple[list[Tensor], list[Tensor], list[Tensor]] = ([], [], [])
    networks = []
    for fold in range(settings.folds):
        rows = order.roll(-(fold * n // settings.folds)).to(values.device)
        chosen = rows[report + select :], rows[report : report + select], rows[:report]
        transform = learn(values[chosen[0]], "none" if settings.sigmoid else settings.preprocessing)
        parts = [transform(values[part]) for part in chosen]
        start = _correlations(parts[0], parts[1]) if settings.head_start and not settings.sigmoid else None
        networks.append(Discriminator(start, d, settings, settings.seed + fold).to(values.device))
        for stack, part in zip(stacks, parts, strict=True):
            stack.append(part.sigmoid() if settings.sigmoid else part)
    train, validate, reported = (Part(stacked, stacked[..., :0]) for stacked in map(torch.stack, stacks))
    ensemble = Ensemble.of(networks)
    batch = max(settings.batch_size, d)  # of fewer rows, shuffled ones would keep columns together
    schedule = Schedule(batch, settings.max_epochs, settings.patience, settings.learning_rate, settings.weight_decay)
    seeds = [settings.seed + fold for fold in range(settings.folds)]
    fitted = fit(ensemble, _BOUND, train, validate, schedule, seeds)
    if not bool(torch.isfinite(fitted.best).all()):
        raise DidNotConverge(
            "the discriminator's objective was never finite on held-out samples; lower learning_rate "
            f"({settings.learning_rate})"
        )
    cast(Discriminator, fitted.ensemble.skeleton).shuffles = _REPORT_SHUFFLES
    with torch.no_grad():
        scores = fitted.ensemble.scores(reported.x, reported.y)
    positive, negative = (s.double() for s in scores)
    values, shares = (bridged if settings.readout == "bridge" else _donsker_varadhan)(positive, negative)
    spread = max(float(values.std()), float(shares.std(1).mean()) / math.sqrt(report))
    quantile = float(stats.t.ppf((1 + settings.level) / 2, settings.folds - 1))
    raw, half = float(values.mean()), quantile * spread / math.sqrt(settings.folds)
    warnings += tuple(_warnings(raw, half, report * _REPORT_SHUFFLES, fitted, settings))
    return _estimate(settings, n, raw, raw - half, raw + half, warnings)


def _correlations(fit_part: Tensor, select: Tensor) -> Tensor:
    """The fit part's correlations, shrunk by what makes the second part likeliest."""
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
    """As `bridged`: each fold's value (folds,) and each row's share (folds, n), by the delta method."""
    values = donsker_varadhan(positive, negative)
    weights = (negative - negative.amax((1, 2), keepdim=True)).exp().mean(2)
    return values, positive - weights / weights.mean(1, keepdim=True)


def _warnings(raw: float, half: float, shuffled: int, fitted: Fitted, settings: _Settings) -> Iterator[str]:
    if raw > 0.6 * math.log(shuffled):
        yield (
            f"no such bound can be trusted near log {shuffled} = {math.log(shuffled):.2f} nats (the shuffled rows of a "
            "fold): use more samples, fewer columns, or total_correlation(z, 'gaussian')"
        )
    if raw < -max(half, 0.02):
        yield f"the bound was {raw:.3f} and is reported as 0: the discriminator overfitted; use more samples"
    gap = float((fitted.training - fitted.best).median())
    if gap > max(0.2, 0.5 * max(raw, 0.0)):
        yield (
            f"overfitting: the objective is {gap:.2f} nats higher on the fit part than on held-out samples; use more "
            "samples, a smaller discriminator or more weight_decay"
        )
    if half > max(0.15, 0.25 * raw):
        yield f"high variance: ±{half:.2f} nats over the folds; use more samples or a larger batch_size"
    if half < 1e-9:
        yield "no discriminator told z from its shuffles on held-out samples: dependence, if any, is too weak to see"
    late = int((~fitted.stopped).sum())
    if late:
        yield (
            f"{late} of {settings.folds} discriminators were still improving after max_epochs={settings.max_epochs}; "
            "raise max_epochs"
        )


def _estimate(settings: _Settings, n: int, raw: float, low: float, high: float, warnings: tuple[str, ...]) -> Estimate:
    nats, low, high = (max(value, 0.0) for value in (raw, low, high))
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
