"""Mutual information by critics that are trained, selected and evaluated on three different parts of the samples."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from infoflow.bounds import BOUNDS, Bound, BoundName, ExponentialAverage, Free, Side, by_name
from infoflow.core import checks
from infoflow.core.estimate import Estimate, Kind
from infoflow.core.settings import NonNegativeFloat, OneOf, PositiveFloat, PositiveInt, check
from infoflow.critics import ACTIVATIONS, Bilinear, Concatenated, Separable, SeparablePictures
from infoflow.critics.pictures import Shape
from infoflow.estimators.learned.critics.head_start import (
    Described,
    Form,
    Residual,
    critic_columns,
    head_start,
    pairs_width,
)
from infoflow.estimators.learned.estimator import (
    Device,
    HeldOutEstimator,
    TrainingSettings,
    Widths,
    warnings_on,
)
from infoflow.estimators.learned.floor import below_correlations
from infoflow.estimators.learned.held_out import MINIMUM, Fit, Fold, Reported, Shuffles, Spread, split
from infoflow.estimators.learned.stack import Stack, Weights
from infoflow.estimators.learned.training import Fitted, Objective, Part

CRITICS = ("separable", "bilinear", "concatenated", "convolutional")

# Rows scored against one another when reporting: many, so that the ceiling is high, but a table of scores stays small.
_REPORT_ROWS = {"separable": 2048, "bilinear": 2048, "concatenated": 256}

# Rows scored against one another where only the scores of the positives are used.
_TEST_ROWS = 64

# The largest table of scores, over all members, that one training step may hold.
_TABLE = 2**22


def usable_bounds() -> list[str]:
    """Return the bounds that take scores of pairs alone and measure the mutual information."""
    return [bound.name for bound in BOUNDS.values() if bound.measures_critics]


class Variable(NamedTuple):
    """One variable as features; classes are one-hot coded."""

    values: Tensor
    classes: bool
    shape: Shape | int
    """(C, H, W) of images; the number of features of anything else."""

    @property
    def key(self) -> tuple[Any, ...]:
        """Problems whose variables have equal keys can be stacked."""
        return self.values.shape, self.classes, self.shape


class Problem(NamedTuple):
    """One pair of variables."""

    x: Variable
    y: Variable


@dataclass(frozen=True)
class _Trained:
    """What the critics of one problem report, fold by fold."""

    reported: list[Reported]
    history: list[list[tuple[float, float]]]
    gap: Tensor
    stopped: Tensor
    finite: Tensor
    view: int
    """The view that won in the first of these folds."""
    negatives: int
    batch: int

    def with_folds(self, other: _Trained) -> _Trained:
        """These folds and then the other ones."""
        return replace(
            self,
            reported=[*self.reported, *other.reported],
            history=[*self.history, *other.history],
            gap=torch.cat([self.gap, other.gap]),
            stopped=torch.cat([self.stopped, other.stopped]),
            finite=torch.cat([self.finite, other.finite]),
        )


class BoundObjective(Objective):
    """The training objective of a bound, with the running average that some bounds take."""

    def __init__(self, bound: Bound) -> None:
        self.bound = bound
        self.average = ExponentialAverage() if bound.averaged else None

    def on_batch(self, stack: Stack, batch: Part) -> Tensor:
        positive, negative = stack(*batch.inputs)
        if self.average is None:
            return self.bound.training_objective(positive, negative)
        self.average = self.average.updated(negative)
        return self.bound.function(positive, negative, self.average)

    def held_out(self, stack: Stack, part: Part, weights: Weights, batch: int) -> Tensor:
        """The mean over blocks of the batch's size, without the remainder: the negatives are those of the block."""
        size = min(batch, part.size)
        blocks = [block for block in part.blocks(size) if block.size == size]
        return torch.stack([self.bound.training_objective(*stack(*b.inputs, weights=weights)) for b in blocks]).mean(0)

    def at_start(self, stack: Stack, train: Part, value: Tensor, weights: Weights, batch: int) -> Tensor:
        return self.held_out(stack, train, weights, batch)

    def keep(self, members: Tensor) -> None:
        if self.average is not None and self.average.log_mean is not None:
            self.average = replace(self.average, log_mean=self.average.log_mean[members])


@dataclass(frozen=True, kw_only=True)
class Neural(TrainingSettings, HeldOutEstimator):
    """Mutual information by a critic that is trained on one part, selected by a second and evaluated on a third.

    Parameters
    ----------
    folds
        Number of folds; each is reported on once, by critics that were not fitted, stopped or preprocessed with it.
    validation
        Share of the samples outside of a fold that stops and selects.
    preprocessing
        Transform of each dimension, learned on the training samples; classes are one-hot coded instead.
    level
        Level of the interval.
    seed
        Random seed; the same seed gives the same estimate.
    hidden
        Widths of the hidden layers.
    batch_size
        Samples in a batch; each is a negative of all others.
    max_epochs
        Largest number of epochs.
    patience
        Epochs without progress on the validation samples after which training ends.
    learning_rate
        Learning rate of AdamW.
    weight_decay
        Weight decay of AdamW.
    bound
        Bound of `infoflow.bounds` that takes scores of negatives and measures the mutual information.
    critic
        "separable", "bilinear", "concatenated"; "convolutional" for images (n, C, H, W) of one or both variables, with
        which preprocessing="standardize" and learning_rate=2e-3 are good settings; or a function
        `(x_features, y_features, seed) -> nn.Module` whose forward pass returns positive and negative scores.
    embedding
        Dimensions of the embedding of a separable critic.
    activation
        Activation between the layers.
    restarts
        Critics per fold with different seeds, whose scores are averaged.
    head_start
        Whether critics of the first three names start as the Gaussian log density ratio of canonical pairs.
    economical
        Whether the first fold decides which of two competing critics the others train (see Notes), and each critic
        stops by its own patience; False trains both critics in all folds until the last one stops, which takes about
        twice as long and finds about 0.001 nats more.
    required
        Nats that the first fold must find for `estimate` to train the others where `economical`; with less, the
        estimate is that of the first fold. Pointwise values and tests train all folds.
    device
        The torch device of the computation.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range.

    Notes
    -----
    The estimate is the mean over folds k of bound(T_k on fold k), T_k = argmax of the bound's objective on the other
    folds. All folds and restarts train as one batched stack. The interval is Student's over the folds, at least as wide
    as the standard error of the samples' pointwise values. A lower bound below 0 is reported as 0.

    With `head_start`, the canonical pairs are those of the training samples (of the columns, or of the columns and
    their radius, as the validation samples decide). Two critics per fold, with and without the columns themselves,
    compete on the validation samples.

    Warnings report saturation, overfitting, high variance and training that ended early.

    References
    ----------
    Belghazi et al. (2018), "MINE: Mutual information neural estimation", ICML. Poole et al. (2019), "On variational
    bounds of mutual information", ICML. Song and Ermon (2020), "Understanding the limitations of variational mutual
    information estimators", ICLR.

    Examples
    --------
    >>> x, noise = torch.randn(2, 2000, 1, generator=torch.Generator().manual_seed(0))
    >>> e = Neural(max_epochs=10).estimate(x, x + noise)  # exactly ½ log 2 = 0.347
    >>> e.kind, 0.25 < e.nats < 0.4
    (<Kind.LOWER_BOUND: 'lower bound'>, True)
    """

    bound: Annotated[BoundName, OneOf(usable_bounds)] = "infonce"
    critic: str | Callable[[int, int, int], nn.Module] = "separable"
    hidden: Widths = (64, 64, 64)
    embedding: PositiveInt = 32
    activation: Annotated[str, OneOf(tuple(ACTIVATIONS))] = "gelu"
    restarts: PositiveInt = 1
    learning_rate: PositiveFloat = 5e-3
    head_start: bool = True
    economical: bool = False
    required: NonNegativeFloat = 0.0
    device: Device = "cpu"

    def __post_init__(self) -> None:
        object.__setattr__(self, "bound", by_name(self.bound).name)
        super().__post_init__()
        if not callable(self.critic):
            check(self.critic, "critic", OneOf(CRITICS))

    def estimate_many(self, pairs: Iterable[tuple[Any, Any]]) -> list[Estimate]:
        """Estimate many pairs, those of one shape in one batched fit; the results are those of single fits.

        Parameters
        ----------
        pairs : iterable of (x, y)
            Samples of each pair.

        Returns
        -------
        list of Estimate
            One estimate per pair.

        Notes
        -----
        Pairs that train side by side share the calls of operations, not the arithmetic. On one thread of a CPU this is
        1.2 to 1.5 times as fast as a loop with the default critics, whose time is that of passes over activations and
        tables of scores, and five to seven times with critics of 16 units and batches of 64.
        """
        return [result.estimate for result in self._fit_many(pairs, every_sample=False)]

    def fit_many(self, pairs: Iterable[tuple[Any, Any]]) -> list[Fit]:
        """Fit many pairs; those of one shape train together, as many at a time as memory allows.

        Parameters
        ----------
        pairs : iterable of (x, y)
            Samples of each pair.

        Returns
        -------
        list of Fit
            One fit per pair.
        """
        return self._fit_many(pairs, every_sample=True)

    def _fit_many(self, pairs: Iterable[tuple[Any, Any]], *, every_sample: bool) -> list[Fit]:
        problems = [self._problem(x, y) for x, y in pairs]
        groups: dict[tuple[Any, ...], list[int]] = {}
        for index, problem in enumerate(problems):
            groups.setdefault((problem.x.key, problem.y.key), []).append(index)
        at_once = max(1, _TABLE // (2 * self.folds * self.restarts * self.batch_size**2))
        results: dict[int, Fit] = {}
        for members in groups.values():
            for start in range(0, len(members), at_once):
                chosen = members[start : start + at_once]
                found = self._fit([problems[index] for index in chosen], None, every_sample=every_sample)
                results.update(zip(chosen, found, strict=True))
        return [results[index] for index in range(len(problems))]

    def _fit_for_estimate(self, x: Any, y: Any) -> Fit:
        return self._fit([self._problem(x, y)], None, every_sample=False)[0]

    def _fit_and_test(self, x: Any, y: Any, shuffles: Shuffles | None) -> Fit:
        return self._fit([self._problem(x, y)], shuffles)[0]

    def _problem(self, x: Any, y: Any) -> Problem:
        problem = Problem(self._side(x, "x"), self._side(y, "y"))
        checks.paired(problem.x.values, problem.y.values)
        return problem

    def _side(self, value: Any, name: str) -> Variable:
        if checks.is_classes(value):
            codes, count = checks.classes(value, name, minimum=MINIMUM)
            return Variable(F.one_hot(codes, count).float().to(self.device), True, count)
        samples = checks.samples(value, name, minimum=MINIMUM, dtype=torch.float32).to(self.device)
        shape = tuple(np.shape(value))[1:]
        return Variable(
            samples, False, shape if self.critic == "convolutional" and len(shape) == 3 else samples.shape[1]
        )

    def _critic(self, x_features: int, y_features: int, seed: int, shapes: Sequence[Shape | int] = ()) -> nn.Module:
        if callable(self.critic):
            return self.critic(x_features, y_features, seed)
        if self.critic == "bilinear":
            return Bilinear(x_features, y_features, seed=seed)
        if self.critic == "concatenated":
            return Concatenated(x_features, y_features, self.hidden, activation=self.activation, seed=seed)
        if self.critic == "convolutional":
            x, y = shapes
            return SeparablePictures(x, y, self.embedding, self.hidden, activation=self.activation, seed=seed)
        return Separable(
            x_features, y_features, self.embedding, self.hidden, activation=self.activation, shortcut=True, seed=seed
        )

    # A caller without gradients (no_grad, inference_mode) must not switch off those of the critics.
    @torch.inference_mode(False)
    @torch.enable_grad()
    def _fit(self, problems: Sequence[Problem], shuffles: Shuffles | None, *, every_sample: bool = True) -> list[Fit]:
        rows = split(len(problems[0].x.values), self.folds, self.validation, self.seed, self.device)
        if self.economical:
            required = -math.inf if every_sample else self.required
            return [self._fit_by_turns(problem, rows, shuffles, required) for problem in problems]
        every = range(self.folds)
        trained = self._train(problems, rows, every, self._views(problems[0]), shuffles)
        return [self._result(problem, rows, each) for problem, each in zip(problems, trained, strict=True)]

    def _fit_by_turns(self, problem: Problem, rows: list[Fold], shuffles: Shuffles | None, required: float) -> Fit:
        """The first fold decides which view the others train, and whether they are trained at all."""
        views = self._views(problem)
        first = self._train([problem], rows, range(1), views, shuffles)[0]
        if float(first.reported[0].value) < required:
            return self._result(problem, rows[:1], first)
        rest = self._train([problem], rows, range(1, self.folds), (views[first.view],), shuffles)[0]
        return self._result(problem, rows, first.with_folds(rest))

    def _train(
        self,
        problems: Sequence[Problem],
        every: list[Fold],
        folds: range,
        views: tuple[bool, ...],
        shuffles: Shuffles | None,
    ) -> list[_Trained]:
        """Train and report on these folds of each problem."""
        bound, rows = by_name(self.bound), [every[fold] for fold in folds]
        shape = (len(problems), len(folds), len(views), self.restarts)
        train, validate, report = self._parts(problems, rows, views)
        initial, order = self._seeds(shape, folds)
        per_problem = len(folds) * len(views) * self.restarts
        networks = self._networks(bound, problems[0], train, initial[:per_problem])
        fitted = self.train(
            networks * len(problems),
            BoundObjective(bound),
            train,
            validate,
            order,
            what=f"the {bound.name} objective",
            remedy=" or choose a bounded objective (jensen_shannon_mi, infonce)",
            groups=len(problems),
            folds=len(folds),
            rivals=self._rivals(shape) if self.economical else None,
        )
        every_member = torch.arange(math.prod(shape)).view(shape)
        return [self._reports(bound, fitted, members, train.size, report, shuffles) for members in every_member]

    @staticmethod
    def _rivals(shape: tuple[int, int, int, int]) -> Tensor:
        """A number for each problem, fold and restart, whose views compete."""
        problems, folds, views, restarts = shape
        numbers = torch.arange(problems * folds * restarts).view(problems, folds, 1, restarts)
        return numbers.expand(problems, folds, views, restarts).flatten()

    def _seeds(self, shape: tuple[int, int, int, int], folds: range) -> tuple[list[int], list[int]]:
        """Seeds of weights and of orders; views and problems share them."""
        drawn = np.random.SeedSequence(self.seed).generate_state(2 * self.folds * self.restarts, np.uint64) >> 1
        shared = drawn.reshape(self.folds, 1, self.restarts, 2)[list(folds)]
        initial, order = (np.broadcast_to(shared[..., part], shape).ravel().tolist() for part in (0, 1))
        return initial, order

    def _networks(self, bound: Bound, problem: Problem, train: Part, seeds: list[int]) -> list[nn.Module]:
        """One critic per seed, in the precision of the features, whatever the default of torch is."""
        forms = (Form(side.values.shape[1], side.classes) for side in problem)
        given = pairs_width(*forms) + 2 if self._has_head_start else 0
        x, y = train.inputs
        shapes = problem.x.shape, problem.y.shape
        networks = [self._critic(x.shape[2] - given, y.shape[2] - given, seed, shapes) for seed in seeds]
        if given:
            offset = float(bound.score(torch.zeros(()))) if bound.score is not None else 0.0
            networks = [Residual(network, given, offset) for network in networks]
        return [network.to(self.device, x.dtype) for network in networks]

    @property
    def _has_head_start(self) -> bool:
        return self.head_start and self.critic in CRITICS[:3]

    def _views(self, problem: Problem) -> tuple[bool, ...]:
        """For each critic that is fitted, whether it sees the columns themselves besides their canonical pairs."""
        columns = sum(side.values.shape[1] for side in problem)
        return (True, False) if self._has_head_start and columns > 2 else (True,)

    def _sides(self, problem: Problem, rows: Fold) -> list[Described]:
        return [Described.of(side.values, rows, side.classes, self.preprocessing) for side in problem]

    def _parts(self, problems: Sequence[Problem], rows: list[Fold], views: tuple[bool, ...]) -> list[Part]:
        """Training, validation and report samples of every member."""
        columns = [view for problem in problems for fold in rows for view in self._columns(problem, fold, views)]
        return [
            Part(
                *(
                    torch.stack([view[part][side] for view in columns]).repeat_interleave(self.restarts, 0)
                    for side in (0, 1)
                )
            )
            for part in range(3)
        ]

    def _columns(self, problem: Problem, rows: Fold, views: tuple[bool, ...]) -> list[list[tuple[Tensor, Tensor]]]:
        """For each view, x and y on each part."""
        x, y = self._sides(problem, rows)
        if not self._has_head_start:
            return [list(zip(x.values, y.values, strict=True))]
        pairs = head_start(x, y)
        return [[critic_columns(x, y, pairs, part, whole=whole) for part in range(3)] for whole in views]

    def _reports(
        self,
        bound: Bound,
        fitted: Fitted,
        members: Tensor,
        trained_on: int,
        report: Part,
        shuffles: Shuffles | None,
    ) -> _Trained:
        """What the `members` (folds, views, restarts) of one problem report."""
        views, chosen = _selected(fitted, members)
        reported = []
        for fold in chosen.tolist():
            own = [member for member in fold if math.isfinite(fitted.best[member])]
            value, shares, negatives = self._report(fitted.stack, bound, report, own)
            p_value = None if shuffles is None else self._p_value(fitted.stack, report, own, shuffles)
            reported.append(Reported(value, shares, p_value))
        used = chosen.flatten().to(fitted.best.device)
        return _Trained(
            reported,
            [fitted.history[member] for member in members.flatten().tolist()],
            fitted.gap[used],
            fitted.stopped[used],
            torch.isfinite(fitted.best[used]),
            int(views[0]),
            negatives,
            min(self.batch_size, trained_on),
        )

    def _result(self, problem: Problem, rows: list[Fold], trained: _Trained) -> Fit:
        """The result of one problem from the critics of these folds."""
        bound = by_name(self.bound)
        found = Spread.of(rows, trained.reported, len(problem.x.values), self.level)
        constant = [name for name, (v, *_) in zip("xy", problem, strict=True) if bool((v == v[0]).all())]
        ceiling = (0.0, f"H({constant[0].upper()})") if constant else _ceiling(bound, problem, trained.negatives)
        never = bool(constant) or bound.side is Side.UPPER
        low = () if never else below_correlations(problem.x.values, problem.y.values, found.value, found.half)
        warnings = (*low, *self._warnings(bound, found, ceiling[0], trained))
        kind = Kind.LOWER_BOUND if bound.side is Side.LOWER else Kind.POINT
        history = [
            {"member": float(member), "epoch": float(epoch), "training": training, "validation": validation}
            for member, epochs in enumerate(trained.history)
            for epoch, (training, validation) in enumerate(epochs, 1)
        ]
        estimate = self._estimate(found, kind, ceiling, constant, warnings)
        if len(rows) < self.folds and estimate.interval is not None:
            estimate = replace(estimate, interval=replace(estimate.interval, spans="samples of the first fold"))
        return Fit(estimate, found.shares.cpu(), history)

    @torch.no_grad()
    def _report(self, stack: Stack, bound: Bound, part: Part, members: list[int]) -> tuple[Tensor, Tensor, int]:
        """Of one fold: the value, the pointwise value of each row (rows,), and the number of negatives per row."""
        own, samples = stack.subset(members), part.subset(members)
        limit = _REPORT_ROWS.get(self.critic, 256) if isinstance(self.critic, str) else 256
        count = -(-part.size // limit)
        size = -(-part.size // count)
        values, shares = [], torch.empty(part.size, dtype=torch.float64, device=part.inputs[0].device)
        negatives = 0
        for block in range(count):
            # Blocks of one size that together hold every row; the last one overlaps if need be.
            start = min(block * size, part.size - size)
            rows = slice(start, start + size)
            positive, negative = (s.double().mean(0) for s in own(*samples.rows(rows).inputs))
            values.append(bound(positive, negative))
            shares[rows] = _log_ratio(bound, positive, negative)
            negatives = negative.shape[-1]
        return torch.stack(values).mean(), shares, negatives

    @torch.no_grad()
    def _p_value(self, stack: Stack, part: Part, members: list[int], shuffles: Shuffles) -> float:
        """Of one fold: whether its pairs score higher than pairs of shuffled samples."""
        own = stack.subset(members)
        x, y = part.subset(members).inputs

        def statistic(order: Tensor) -> float:
            total = 0.0
            # Small blocks, as the scores of the negatives are not used.
            for rows in torch.split(torch.arange(part.size), _TEST_ROWS):
                if len(rows) == 1:  # critics do not score one pair alone
                    continue
                positive, _ = own(x[:, rows], y[:, order[rows]])
                total += float(positive.double().mean(0).sum())
            return total

        return shuffles.p_value(part.size, statistic)

    @property
    def _spans(self) -> str:
        return f"{self.folds} folds" + (f" of {self.restarts} seeds each" if self.restarts > 1 else "")

    def _warnings(self, bound: Bound, found: Spread, ceiling: float, trained: _Trained) -> Iterator[str]:
        batch = trained.batch
        limit = bound.ceiling(batch - 1)
        if math.isfinite(limit) and found.value > limit - 1:
            yield (
                f"within 1 nat of the ceiling of {batch} candidates in training ({limit:.2f} nats), so the estimate is "
                "likely too low; raise batch_size"
            )
        rows = len(found.shares) / self.folds
        shown = f"log {rows:.0f} = {math.log(rows):.2f} nats (the samples of a fold)"
        remedy = "use more samples, or an estimator by densities (estimator='doe', 'flow' or 'gaussian-mixture')"
        if bound.side is Side.LOWER and found.value > 0.6 * math.log(rows):
            yield f"no lower bound can be trusted near {shown}, so the estimate is likely too low; {remedy}"
        if bound.side is Side.ESTIMATE and found.value > math.log(rows):
            yield (
                f"above {shown} pairs and shuffled pairs hardly overlap, so the estimate may be far too low or too "
                f"high; {remedy}"
            )
        yield from warnings_on(
            found.value,
            found.half,
            ceiling,
            "critics",
            gap=float(trained.gap.median()),
            late=int((~trained.stopped).sum()),
            count=len(trained.stopped),
            simpler="a smaller critic or more weight_decay",
            steadier="more samples, restarts, or another bound",
        )
        lost = int((~trained.finite).sum())
        if lost:
            yield f"{lost} of {len(trained.finite)} critics diverged and were left out; lower learning_rate"


def _selected(fitted: Fitted, members: Tensor) -> tuple[Tensor, Tensor]:
    """The best view of each fold on the validation samples, (folds,), and its members, (folds, restarts)."""
    best = fitted.best[members]
    finite = torch.isfinite(best)
    means = torch.where(finite, best, 0).sum(-1) / finite.sum(-1)
    view = torch.where(finite.any(-1), means, -math.inf).argmax(1).cpu()
    return view, members[torch.arange(len(members)), view]


def _ceiling(bound: Bound, problem: Problem, negatives: int) -> tuple[float, str]:
    """The lowest ceiling and its name."""
    options = [(bound.ceiling(negatives), bound.ceiling_name)]
    for side, name in zip(problem, ("H(X)", "H(Y)"), strict=True):
        if side.classes:
            share = side.values.mean(0, dtype=torch.float64)
            options.append((float(-torch.special.xlogy(share, share).sum()), name))
    return min(options)


def _log_ratio(bound: Bound, positive: Tensor, negative: Tensor) -> Tensor:
    """Pointwise log p(y|x)/p(y) of the positives; E_product[ratio] = 1 fixes what the bound leaves free."""
    if bound.free is Free.FUNCTION_OF_X:
        return positive - torch.logsumexp(negative, -1) + math.log(negative.shape[-1])
    if bound.free is Free.CONSTANT:
        return positive - torch.logsumexp(negative.flatten(), 0) + math.log(negative.numel())
    assert bound.log_ratio is not None  # true of all bounds that measure critics
    return bound.log_ratio(positive)
