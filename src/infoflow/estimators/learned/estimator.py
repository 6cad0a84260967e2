"""Base class of the estimators that are fitted on one part of the samples and report on another."""

from __future__ import annotations

import abc
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any

import torch
from torch import Tensor, nn

from infoflow.core.errors import DidNotConverge
from infoflow.core.estimate import Estimate, Interval, Kind
from infoflow.core.settings import (
    Each,
    Fraction,
    Integer,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    Seed,
    validated,
)
from infoflow.estimators.layer_estimator import StatedSettings
from infoflow.estimators.learned.held_out import Fit, Shuffles, Spread
from infoflow.estimators.learned.stack import Stack
from infoflow.estimators.learned.training import Fitted, Objective, Part, Schedule, fit
from infoflow.estimators.preprocessing import Preprocessing


@dataclass(frozen=True)
class _Device:
    wanted: str = "the name of a torch device, such as 'cuda:0'"

    def accept(self, value: Any) -> Any:
        try:
            torch.device(value)
        except (RuntimeError, TypeError):
            raise ValueError from None
        return value


Widths = Annotated[tuple[int, ...], Each(Integer(1))]
HiddenWidths = Annotated[tuple[int, ...], Each(Integer(1), 1)]
Device = Annotated[str, _Device()]


@dataclass(frozen=True, kw_only=True)
class FoldSettings(StatedSettings):
    """Settings of the folds: their number, the share that selects, preprocessing, level of the interval, seed."""

    folds: Annotated[int, Integer(2)] = 4
    validation: Fraction = 0.15
    preprocessing: Preprocessing = "gaussianize"
    level: Fraction = 0.95
    seed: Seed = 0

    def _parameters(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, kw_only=True)
class TrainingSettings(FoldSettings):
    """Settings of the folds and of the training of networks."""

    hidden: Widths = (64, 64)
    batch_size: Annotated[int, Integer(4)] = 256
    max_epochs: PositiveInt = 100
    patience: PositiveInt = 5
    learning_rate: PositiveFloat = 2e-3
    weight_decay: NonNegativeFloat = 1e-2

    def train(
        self,
        networks: Sequence[nn.Module],
        objective: Objective,
        train: Part,
        validate: Part,
        seeds: list[int],
        *,
        what: str,
        remedy: str = "",
        least: int = 1,
        groups: int = 1,
        folds: int | None = None,
        rivals: Tensor | None = None,
    ) -> Fitted:
        """Fit the networks of several problems and folds together.

        Parameters
        ----------
        networks
            One network for each member: problems, folds and restarts.
        objective
            What is minimized.
        train
            Samples of every member to train on.
        validate
            Samples of every member that select its weights.
        seeds
            Random seed of every member.
        what
            Name of the objective in the error.
        remedy
            What else the error recommends.
        least
            Smallest size of a batch.
        groups
            Number of problems.
        folds
            Number of folds of each problem; None for `self.folds`.
        rivals
            Group of every member, (M,): each stops by its own patience, and those clearly behind another of their
            group are given up. None where members are not compared.

        Returns
        -------
        Fitted
            The networks with the weights that did best on held-out samples.

        Raises
        ------
        DidNotConverge
            If the objective is not finite in a fold.
        """
        batch_size = max(self.batch_size, least)
        schedule = Schedule(batch_size, self.max_epochs, self.patience, self.learning_rate, self.weight_decay)
        ends = groups if rivals is None else len(networks)
        fitted = fit(Stack.of(networks), objective, train, validate, schedule, seeds, ends, rivals)
        if not bool(torch.isfinite(fitted.best).view(groups * (folds or self.folds), -1).any(-1).all()):
            cause = f"{what} was never finite on held-out samples."
            raise DidNotConverge(f"{cause} Lower learning_rate ({self.learning_rate}){remedy}.")
        return fitted


def warnings_on(
    raw: float,
    half: float,
    ceiling: float,
    models: str,
    *,
    gap: float,
    late: int,
    count: int,
    objective: str = "the objective",
    simpler: str = "a smaller model",
    steadier: str = "more samples",
) -> Iterator[str]:
    """Warnings that all learned estimators share: cause, consequence, remedy.

    `gap` is by how many nats the objective is higher on the training samples than on held-out ones, and `late` how many
    of `count` models still improved in the last epoch.
    """
    if raw > ceiling:
        yield f"the value {raw:.3f} lies above the ceiling {ceiling:.3f} and was set to it; collect more samples"
    if raw < -max(half, 0.02):
        yield f"the {models} overfitted: the value was {raw:.3f} and is reported as 0; use more samples"
    if gap > max(0.2, 0.5 * max(raw, 0.0)):
        yield (
            f"overfitting: {objective} is {gap:.2f} nats higher on the training samples than on "
            f"held-out samples, so the estimate is likely too low; use more samples or {simpler}"
        )
    if half > max(0.15, 0.25 * raw):
        yield (f"high variance: ±{half:.2f} nats over the folds, so the estimate is uncertain; use {steadier}")
    if late:
        yield (
            f"{late} of {count} {models} were still improving in the last epoch, so the "
            "estimate is likely too low; raise max_epochs"
        )


@dataclass(frozen=True, kw_only=True)
class HeldOutEstimator(FoldSettings, abc.ABC):
    """Mutual information by models that are trained on one part, selected by a second and evaluated on a third.

    Subclasses define the model and its score. A value below 0 is reported as 0.
    """

    def estimate(self, x: Any, y: Any) -> Estimate:
        """Estimate I(X;Y) in nats, with interval, ceiling and warnings.

        Parameters
        ----------
        x : array-like of shape (n, ...)
            Samples of X; a one-dimensional integer array means classes.
        y : array-like of shape (n, ...)
            Samples of Y, paired with those of X; likewise.

        Returns
        -------
        Estimate
            The estimate.

        Raises
        ------
        InvalidArgument
            If `x` or `y` are not finite samples of one length.
        TooFewSamples
            If there are fewer than 40 samples.
        DidNotConverge
            If no fit was finite on held-out samples.
        """
        return self._fit_for_estimate(x, y).estimate

    def pointwise(self, x: Any, y: Any) -> Tensor:
        """Estimate log p(y_i|x_i)/p(y_i) of each held-out sample.

        Parameters
        ----------
        x : array-like of shape (n, ...)
            Samples of X.
        y : array-like of shape (n, ...)
            Samples of Y.

        Returns
        -------
        Tensor
            Nats, shape (n,).
        """
        return self.fit(x, y).pointwise

    @validated
    def tested(self, x: Any, y: Any, *, permutations: PositiveInt = 200, seed: Seed = 0) -> Estimate:
        """Estimate I(X;Y) with the p-value of a permutation test of independence, from one fit.

        Parameters
        ----------
        x : array-like of shape (n, ...)
            Samples of X.
        y : array-like of shape (n, ...)
            Samples of Y.
        permutations
            Number of random orders of y.
        seed
            Random seed of the orders.

        Returns
        -------
        Estimate
            The estimate with its `p_value`.

        Notes
        -----
        The statistic is the mean score of held-out pairs, with y shuffled within the report part of each fold: exact
        there, because the models were not fitted on it. The p-values of the folds combine to twice their mean.
        Shuffling all samples (`shuffled_null`) would require a fit for every shuffle.
        """
        return self._fit_and_test(x, y, Shuffles(permutations, seed)).estimate

    def fit(self, x: Any, y: Any) -> Fit:
        """Estimate I(X;Y) and return the pointwise values and the training history with it.

        Parameters
        ----------
        x : array-like of shape (n, ...)
            Samples of X.
        y : array-like of shape (n, ...)
            Samples of Y.

        Returns
        -------
        Fit
            Estimate, pointwise values of shape (n,) and history.
        """
        return self._fit_and_test(x, y, None)

    def _fit_for_estimate(self, x: Any, y: Any) -> Fit:
        """A fit of which the estimate alone is read, so that it may leave samples out."""
        return self._fit_and_test(x, y, None)

    @abc.abstractmethod
    def _fit_and_test(self, x: Any, y: Any, shuffles: Shuffles | None) -> Fit:
        """Fit and, with `shuffles`, test on the same fit."""

    def _estimate(
        self, found: Spread, kind: Kind, ceiling: tuple[float, str], constant: Iterable[str], warnings: Iterable[str]
    ) -> Estimate:
        """The estimate of I(X;Y), cut to its range; `constant` names the arguments in which nothing varies."""
        notes = [f"{name} is constant, so the mutual information is 0" for name in constant]
        limit = ceiling[0]
        nats = min(max(found.value, 0.0), limit)
        low, high = max(nats - found.half, 0.0), min(nats + found.half, limit)
        interval = Interval(low, high, spans=self._spans, level=self.level) if low < high else None
        n, texts = len(found.shares), (*notes, *warnings)
        return self._made(nats, "I(X;Y)", n, ceiling, texts, kind=kind, interval=interval, p_value=found.p_value)

    @property
    def _spans(self) -> str:
        return f"{self.folds} folds"
