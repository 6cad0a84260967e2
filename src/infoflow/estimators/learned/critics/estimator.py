"""Mutual information by critics that are fitted, selected and evaluated on three different parts of the data."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from infoflow.bounds import BOUNDS, Bound, Free, Side, by_name
from infoflow.core import checks
from infoflow.core.errors import DidNotConverge, InvalidArgument
from infoflow.core.estimate import Estimate, Interval, Kind
from infoflow.critics import ACTIVATIONS, Bilinear, Concatenated, Separable
from infoflow.estimators.learned.critics.ensemble import Ensemble
from infoflow.estimators.learned.critics.fitting import Fitted, Part, fit
from infoflow.estimators.learned.critics.head_start import Described, Residual, critic_columns, head_start, pairs_width
from infoflow.estimators.learned.held_out import Fit, Fold, Schedule, Shuffles, combined, half_width, split
from infoflow.estimators.preprocessing import PREPROCESSINGS

CRITICS = ("separable", "bilinear", "concatenated")
MINIMUM = 40  # samples: fewer leave nothing to select or report by

# Rows against one another when reporting: many, so that the ceiling is far, but a table of them stays small.
_REPORT_ROWS = {"separable": 2048, "bilinear": 2048, "concatenated": 256}

# Rows against one another where only their partners' scores are asked for.
_TEST_ROWS = 64

# The largest table of scores, over all members, that one training step may hold.
_TABLE = 2**22


def usable_bounds() -> list[str]:
    """The bounds that a critic of pairs alone can be fitted by and that speak of the mutual information."""
    return [bound.name for bound in BOUNDS.values() if bound.measures_critics]


@dataclass(frozen=True)
class Problem:
    """One pair as features: classes are one-hot coded already."""

    x: Tensor
    y: Tensor
    x_classes: bool
    y_classes: bool


@dataclass(frozen=True)
class Outcome:
    """What one problem's folds and members came to."""

    values: Tensor  # the bound on each fold's third part
    shares: Tensor  # each sample's pointwise value
    negatives: int  # that a reported row met
    fitted_on: int  # samples
    gap: Tensor  # per member, how much better the objective was on the fit part
    best: Tensor  # per member, the objective on the second part
    stopped: Tensor  # per member, whether patience ran out
    p_value: float | None


@dataclass(frozen=True)
class Neural:
    """Mutual information by a critic that is fitted on one part, selected on a second and reported on a third.

        Î = mean over folds of bound(T_k on fold k),   T_k = argmax of the bound's objective on the other folds

    Each of `folds` folds is reported on once, by critics (`restarts` of them, their scores averaged) that saw nothing
    of it: not in fitting, not in early stopping, not in preprocessing. All folds and restarts train as one batched
    ensemble. The interval is Student's over the folds, no narrower than the standard error of the samples' own
    contributions.

    `bound` names one of `infoflow.bounds` that takes scores; `critic` is "separable", "bilinear", "concatenated", or a
    function `(x_features, y_features, seed) -> nn.Module` with `scores(x, y)`. `preprocessing` ("gaussianize", "asinh",
    "standardize", "none") acts on each dimension and is learned on the fit part; an integer x or y (classes) is one-hot
    coded instead. With `head_start`, critics of the names above begin as the Gaussian log ratio of the canonical pairs
    of the fit part (of the columns, or of columns and their radius, as the second part decides) and learn what is
    missing; two critics a fold, with and without the columns themselves, compete on the second part. The report part
    has no say in any of it. `validation` is the share of the non-reported samples that selects. A lower bound below 0
    is reported as 0. Same seed, same answer.

    Takes (n, ...) and (n, ...) with n >= 40; raises InvalidArgument or TooFewSamples for what doesn't fit,
    DidNotConverge when no member ever had a finite objective. Warnings tell of saturation, overfitting, high variance
    and an exhausted epoch budget. Belghazi et al. (2018); Poole et al. (2019); Song and Ermon (2020).

    >>> x, noise = torch.randn(2, 2000, 1, generator=torch.Generator().manual_seed(0))
    >>> e = Neural(max_epochs=10).estimate(x, x + noise)  # exactly ½ log 2 = .347
    >>> e.kind, 0.25 < e.nats < 0.4
    (<Kind.LOWER_BOUND: 'lower bound'>, True)
    """

    bound: str = "infonce"
    critic: str | Callable[[int, int, int], nn.Module] = "separable"
    hidden: tuple[int, ...] = (64, 64, 64)
    embedding: int = 32
    activation: str = "gelu"
    folds: int = 4
    restarts: int = 1
    validation: float = 0.15
    batch_size: int = 256
    max_epochs: int = 100
    patience: int = 5
    learning_rate: float = 5e-3
    weight_decay: float = 1e-2
    preprocessing: str = "gaussianize"
    head_start: bool = True
    level: float = 0.95
    seed: int = 0
    device: str = "cpu"

    def __post_init__(self) -> None:
        checks.choice(by_name(self.bound).name, "bound for a critic of pairs", usable_bounds())
        if not callable(self.critic):
            checks.choice(self.critic, "critic", CRITICS)
        for name in ("embedding", "restarts", "max_epochs", "patience"):
            checks.integer(getattr(self, name), name)
        checks.integer(self.folds, "folds", minimum=2)
        checks.integer(self.batch_size, "batch_size", minimum=4)
        checks.integer(self.seed, "seed", minimum=0)
        if not isinstance(self.hidden, tuple):  # a list could not be hashed
            raise InvalidArgument(f"hidden is {self.hidden!r}; want a tuple of layer widths")
        for width in self.hidden:
            checks.integer(width, "hidden")
        checks.positive(self.learning_rate, "learning_rate")
        checks.positive(self.weight_decay, "weight_decay", zero=True)
        checks.flag(self.head_start, "head_start")
        checks.choice(self.activation, "activation", ACTIVATIONS)
        checks.choice(self.preprocessing, "preprocessing", PREPROCESSINGS)
        try:
            torch.device(self.device)
        except (RuntimeError, TypeError):
            raise InvalidArgument(f"device is {self.device!r}; want one that torch knows, such as 'cuda:0'") from None
        for name in ("validation", "level"):
            if not 0 < checks.positive(getattr(self, name), name) < 1:
                raise InvalidArgument(f"{name} is {getattr(self, name)!r}; want a share between 0 and 1")

    def estimate(self, x: Any, y: Any) -> Estimate:
        """The estimate of I(X;Y) in nats, with interval, ceiling and warnings."""
        return self.fit(x, y).estimate

    def pointwise(self, x: Any, y: Any) -> Tensor:
        """The held-out pointwise mutual information log p(y_i|x_i)/p(y_i) of each sample, shape (n,), in nats."""
        return self.fit(x, y).pointwise

    def tested(self, x: Any, y: Any, *, permutations: int = 200, seed: int = 0) -> Estimate:
        """The estimate with the p-value of a permutation test of independence, from one fit.

        The statistic is the mean score of held-out pairs, y shuffled within each fold's report part: exact there, for
        the critics haven't seen it; the folds' p-values combine to twice their mean. Shuffling the samples themselves
        (`shuffled_null`) would fit again for every shuffle.
        """
        shuffles = Shuffles(checks.integer(permutations, "permutations"), checks.integer(seed, "seed", minimum=0))
        with torch.inference_mode(False), torch.enable_grad():
            return self._fit([self._problem(x, y)], shuffles)[0].estimate

    def fit(self, x: Any, y: Any) -> Fit:
        """The estimate together with each sample's share and the training history."""
        return self.fit_many([(x, y)])[0]

    def estimate_many(self, pairs: Iterable[tuple[Any, Any]]) -> list[Estimate]:
        """Estimates for many pairs, all of one shape side by side in one batched fit; the same as one by one."""
        return [result.estimate for result in self.fit_many(pairs)]

    def fit_many(self, pairs: Iterable[tuple[Any, Any]]) -> list[Fit]:
        """`fit` for many pairs. Those of one shape train together, as many at a time as memory allows."""
        problems = [self._problem(x, y) for x, y in pairs]
        results: dict[int, Fit] = {}
        groups: dict[tuple[Any, ...], list[int]] = {}
        for index, problem in enumerate(problems):
            shape = (problem.x.shape, problem.y.shape, problem.x_classes, problem.y_classes)
            groups.setdefault(shape, []).append(index)
        at_once = max(1, _TABLE // (2 * self.folds * self.restarts * self.batch_size**2))
        for members in groups.values():
            for start in range(0, len(members), at_once):
                chosen = members[start : start + at_once]
                # A caller that needs no gradients must not keep the critics from theirs.
                with torch.inference_mode(False), torch.enable_grad():
                    fits = self._fit([problems[index] for index in chosen])
                results.update(zip(chosen, fits, strict=True))
        return [results[index] for index in range(len(problems))]

    def _problem(self, x: Any, y: Any) -> Problem:
        encoded, flags = [], []
        for value, name in ((x, "x"), (y, "y")):
            is_classes = checks.is_classes(value)
            if is_classes:
                codes, count = checks.classes(value, name, minimum=MINIMUM)
                samples = F.one_hot(codes, count).float()
            else:
                samples = checks.samples(value, name, minimum=MINIMUM, dtype=torch.float32)
            encoded.append(samples.to(self.device))
            flags.append(is_classes)
        checks.paired(encoded[0], encoded[1])
        return Problem(encoded[0], encoded[1], flags[0], flags[1])

    def _critic(self, x_features: int, y_features: int, seed: int) -> nn.Module:
        if callable(self.critic):
            return self.critic(x_features, y_features, seed)
        if self.critic == "bilinear":
            return Bilinear(x_features, y_features, seed=seed)
        if self.critic == "concatenated":
            return Concatenated(x_features, y_features, self.hidden, activation=self.activation, seed=seed)
        return Separable(
            x_features, y_features, self.embedding, self.hidden, activation=self.activation, shortcut=True, seed=seed
        )

    def _fit(self, problems: Sequence[Problem], shuffles: Shuffles | None = None) -> list[Fit]:
        n = problems[0].x.shape[0]
        bound = by_name(self.bound)
        parts = split(n, self.folds, self.validation, self.seed, self.device)
        # Member (problem, fold, restart), in this order: seeds depend on the last two only.
        seeds = np.random.SeedSequence(self.seed).generate_state(2 * self.folds * self.restarts, np.uint64) >> 1
        initial, order = [int(s) for s in seeds[::2]], [int(s) for s in seeds[1::2]]
        views = self._views(problems[0])
        stacks: list[tuple[list[Tensor], list[Tensor]]] = [([], []), ([], []), ([], [])]
        for problem in problems:
            for fold in parts:
                for view in self._columns(problem, fold, views):
                    for part, (x, y) in enumerate(view):
                        stacks[part][0].append(x)
                        stacks[part][1].append(y)
        train, validate, report = (self._stack(x, y) for x, y in stacks)
        # Seeds by fold and restart: the views of one fold start and are shuffled alike.
        initial, order = (
            [s for k in range(0, len(seeds), self.restarts) for _ in views for s in seeds[k : k + self.restarts]]
            for seeds in (initial, order)
        )
        given = pairs_width(*self._sides(problems[0], parts[0])) + 2 if self._has_head_start else 0
        offset = float(bound.score(torch.zeros(()))) if bound.score is not None else 0.0
        features = train.x.shape[2] - given, train.y.shape[2] - given
        networks: list[nn.Module] = [self._critic(*features, s) for s in initial]
        if given:
            networks = [Residual(network, given, offset) for network in networks]
        # In the features' precision, whatever torch's default is.
        ensemble = Ensemble.of([network.to(self.device, train.x.dtype) for network in networks * len(problems)])
        schedule = Schedule(self.batch_size, self.max_epochs, self.patience, self.learning_rate, self.weight_decay)
        fitted = fit(ensemble, bound, train, validate, schedule, order * len(problems), groups=len(problems))
        if not bool(torch.isfinite(fitted.best).view(len(problems), self.folds, -1).any(-1).all()):
            raise DidNotConverge(
                f"the {bound.name} objective was never finite on held-out samples; lower learning_rate "
                f"({self.learning_rate}) or choose a bounded objective (jensen_shannon_mi, infonce)"
            )
        size = self.folds * len(views) * self.restarts
        return [
            self._fold_up(bound, problem, parts, fitted, train.size, report, range(k * size, (k + 1) * size), shuffles)
            for k, problem in enumerate(problems)
        ]

    def _fold_up(
        self,
        bound: Bound,
        problem: Problem,
        parts: list[Fold],
        fitted: Fitted,
        fitted_on: int,
        report: Part,
        members: range,
        shuffles: Shuffles | None,
    ) -> Fit:
        """One problem's result from its own members of the ensemble."""
        values, negatives = [], 0
        p_values: list[float] = []
        shares = torch.empty(problem.x.shape[0], dtype=torch.float64, device=problem.x.device)
        # (fold, view, restart); the second part chooses between views, and restarts are averaged.
        best = fitted.best[members.start : members.stop].view(self.folds, -1, self.restarts)
        finite = torch.isfinite(best)
        means = torch.where(finite, best, 0).sum(-1) / finite.sum(-1)
        view = torch.where(finite.any(-1), means, -math.inf).argmax(1)
        grid = torch.arange(members.start, members.stop).view(best.shape)
        chosen = grid[torch.arange(self.folds), view.cpu()]
        for fold, (_, _, rows) in enumerate(parts):
            own = [m for m in chosen[fold].tolist() if math.isfinite(fitted.best[m])]
            value, shares[rows], negatives = self._report(fitted.ensemble, bound, report, own)
            values.append(value)
            if shuffles is not None:
                p_values.append(self._p_value(fitted.ensemble, report, own, shuffles))
        history = [
            {"member": float(m), "epoch": float(epoch), "training": training, "validation": validation}
            for m, member in enumerate(members)
            for epoch, (training, validation) in enumerate(fitted.history[member], 1)
        ]
        mine = chosen.flatten().to(fitted.best.device)
        outcome = Outcome(
            values=torch.stack(values),
            shares=shares,
            negatives=negatives,
            fitted_on=fitted_on,
            gap=fitted.training[mine] - fitted.best[mine],
            best=fitted.best[mine],
            stopped=fitted.stopped[mine],
            p_value=combined(p_values) if p_values else None,
        )
        return Fit(self._estimate(bound, problem, outcome), shares.cpu(), history)

    @property
    def _has_head_start(self) -> bool:
        return self.head_start and not callable(self.critic)

    def _views(self, problem: Problem) -> tuple[bool, ...]:
        """Whether a critic sees the columns themselves beside their canonical pairs, for each that is fitted."""
        return (True, False) if self._has_head_start and problem.x.shape[1] + problem.y.shape[1] > 2 else (True,)

    def _sides(self, problem: Problem, fold: Fold) -> tuple[Described, Described]:
        x = Described.of(problem.x, fold, problem.x_classes, self.preprocessing)
        return x, Described.of(problem.y, fold, problem.y_classes, self.preprocessing)

    def _columns(self, problem: Problem, fold: Fold, views: tuple[bool, ...]) -> list[list[tuple[Tensor, Tensor]]]:
        """For each view x and y on each part."""
        x, y = self._sides(problem, fold)
        if not self._has_head_start:
            return [list(zip(x.values, y.values, strict=True))]
        pairs = head_start(x, y)
        return [[critic_columns(x, y, pairs, part, whole=whole) for part in range(3)] for whole in views]

    def _stack(self, x: list[Tensor], y: list[Tensor]) -> Part:
        """One entry a (problem, fold), repeated for each restart."""
        return Part(*(torch.stack(values).repeat_interleave(self.restarts, 0) for values in (x, y)))

    @torch.no_grad()
    def _report(self, ensemble: Ensemble, bound: Bound, part: Part, members: list[int]) -> tuple[Tensor, Tensor, int]:
        """Of one fold: the bound's value, each row's pointwise value (rows,), and how many negatives a row met."""
        own = ensemble.subset(members)
        limit = _REPORT_ROWS.get(self.critic, 256) if isinstance(self.critic, str) else 256
        count = -(-part.size // limit)
        size = -(-part.size // count)
        values, shares = [], torch.empty(part.size, dtype=torch.float64, device=part.x.device)
        negatives = 0
        for block in range(count):
            # Blocks of one size that together hold every row, the last one overlapping if need be.
            rows = slice(min(block * size, part.size - size), min(block * size, part.size - size) + size)
            scores = own.scores(part.x[members, rows], part.y[members, rows])
            positive, negative = (s.double().mean(0) for s in scores)
            values.append(bound(positive, negative))
            shares[rows] = _log_ratio(bound, positive, negative)
            negatives = negative.shape[-1]
        return torch.stack(values).mean(), shares, negatives

    @torch.no_grad()
    def _p_value(self, ensemble: Ensemble, part: Part, members: list[int], shuffles: Shuffles) -> float:
        """Of one fold: whether its pairs score higher than others of its samples would."""
        own = ensemble.subset(members)

        def statistic(order: Tensor) -> float:
            total = 0.0
            # Small blocks: what the critic thinks of strangers is not asked here.
            for rows in torch.split(torch.arange(part.size), _TEST_ROWS):
                if len(rows) == 1:  # a critic can't score one pair alone
                    continue
                positive, _ = own.scores(part.x[members][:, rows], part.y[members][:, order[rows]])
                total += float(positive.double().mean(0).sum())
            return total

        return shuffles.p_value(part.size, statistic)

    def _estimate(self, bound: Bound, problem: Problem, outcome: Outcome) -> Estimate:
        n = problem.x.shape[0]
        raw = float(outcome.values.mean())
        half = half_width(outcome.values, outcome.shares, self.level)
        ceiling, ceiling_name = self._ceiling(bound, problem, outcome.negatives)
        constant = [
            f"{name} is constant, so the mutual information is 0"
            for name, values in (("x", problem.x), ("y", problem.y))
            if bool((values == values[0]).all())
        ]
        if constant:
            ceiling, ceiling_name = 0.0, f"H({constant[0][0].upper()})"
        nats, low, high = (min(max(value, 0.0), ceiling) for value in (raw, raw - half, raw + half))
        spans = f"{self.folds} folds" + (f" of {self.restarts} seeds each" if self.restarts > 1 else "")
        return Estimate(
            nats,
            quantity="I(X;Y)",
            kind=Kind.LOWER_BOUND if bound.side is Side.LOWER else Kind.POINT,
            estimator=type(self).__name__,
            n=n,
            parameters={field.name: getattr(self, field.name) for field in fields(self)},
            ceiling=ceiling,
            ceiling_name=ceiling_name,
            interval=Interval(low, high, spans=spans, level=self.level),
            p_value=outcome.p_value,
            warnings=(*constant, *self._warnings(bound, raw, half, outcome, ceiling)),
        )

    def _ceiling(self, bound: Bound, problem: Problem, negatives: int) -> tuple[float, str]:
        options = [(bound.ceiling(negatives), bound.ceiling_name)]
        for values, is_classes, name in (
            (problem.x, problem.x_classes, "H(X)"),
            (problem.y, problem.y_classes, "H(Y)"),
        ):
            if is_classes:
                share = values.mean(0, dtype=torch.float64)
                options.append((float(-torch.special.xlogy(share, share).sum()), name))
        return min(options)

    def _warnings(self, bound: Bound, raw: float, half: float, outcome: Outcome, ceiling: float) -> Iterator[str]:
        members = len(outcome.gap)
        if raw > ceiling:
            yield f"the value {raw:.3f} lies above the ceiling {ceiling:.3f} and was set to it; collect more samples"
        batch = min(self.batch_size, outcome.fitted_on)
        if math.isfinite(bound.ceiling(batch - 1)) and raw > bound.ceiling(batch - 1) - 1:
            yield (
                f"within 1 nat of what {batch} candidates can show in training ({bound.ceiling(batch - 1):.2f} nats): "
                "likely an underestimate; raise batch_size"
            )
        rows = len(outcome.shares) / self.folds
        if bound.side is Side.LOWER and raw > 0.6 * math.log(rows):
            yield (
                f"no lower bound can be trusted near log {rows:.0f} = {math.log(rows):.2f} nats (the samples reported "
                "on in a fold): likely an underestimate; use more samples, or an estimator by densities "
                "(estimator='doe', 'flow' or 'gaussian-mixture')"
            )
        if raw < -max(half, 0.02):
            yield f"the bound was {raw:.3f} and is reported as 0: the critic overfitted; use more samples"
        gap = float(outcome.gap.median())
        if gap > max(0.2, 0.5 * max(raw, 0.0)):
            yield (
                f"overfitting: the objective is {gap:.2f} nats higher on the fit part than on held-out samples; "
                "use more samples, a smaller critic or more weight_decay"
            )
        if half > max(0.15, 0.25 * raw):
            yield f"high variance: ±{half:.2f} nats over the folds; use more samples, restarts, or another bound"
        late = int((~outcome.stopped).sum())
        if late:
            yield (
                f"{late} of {members} critics were still improving after max_epochs={self.max_epochs}; raise max_epochs"
            )
        lost = int((~torch.isfinite(outcome.best)).sum())
        if lost:
            yield f"{lost} of {members} critics diverged and were left out; lower learning_rate"


def _log_ratio(bound: Bound, positive: Tensor, negative: Tensor) -> Tensor:
    """The pointwise log p(y|x)/p(y) of the positives; what a bound leaves free is fixed by E_product[ratio] = 1."""
    if bound.free is Free.FUNCTION_OF_X:
        return positive - torch.logsumexp(negative, -1) + math.log(negative.shape[-1])
    if bound.free is Free.CONSTANT:
        return positive - torch.logsumexp(negative.flatten(), 0) + math.log(negative.numel())
    assert bound.log_ratio is not None  # true of all usable bounds
    return bound.log_ratio(positive)
