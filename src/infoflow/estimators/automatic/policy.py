"""`auto`: an estimator for any samples, with the reason for the choice."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from numpy.typing import NDArray

from infoflow.core.estimate import Estimate, Interval, Kind
from infoflow.core.protocols import Estimator
from infoflow.core.settings import Settings
from infoflow.estimators.automatic import numbers
from infoflow.estimators.automatic.by_type import by_neighbors
from infoflow.estimators.automatic.classes import within_classes
from infoflow.estimators.automatic.description import WIDTH, WIDTH_OF_NEIGHBORS
from infoflow.estimators.automatic.limits import compressed, dependent, inflation
from infoflow.estimators.automatic.symbols import counting, doubtful_order, is_sparse, table_error
from infoflow.estimators.automatic.variables import Variable, variables
from infoflow.estimators.gaussian.gaussian import Gaussian

_LOG = logging.getLogger(__name__)

# From so many samples on, large-sample theory is used as it is.
_LARGE_SAMPLE = 100

Run = Callable[[Estimator], Estimate]


@dataclass(frozen=True)
class Choice:
    """What `Auto` chose for given samples.

    Parameters
    ----------
    estimator
        The estimator.
    x, y : numpy.ndarray
        The samples as it takes them: codes (n,) of symbols, or numbers (n, d), of many redundant columns the principal
        components.
    estimate
        Its estimate of these.

    Examples
    --------
    >>> Auto().choose([0, 1] * 50, [1, 0] * 50).estimate.estimator
    'Discrete'
    """

    estimator: Estimator
    x: NDArray[Any]
    y: NDArray[Any]
    estimate: Estimate


@dataclass(frozen=True)
class Columns:
    """Columns of numbers (n, d) on both sides, what was read, and the warnings that an estimate from them needs."""

    x: torch.Tensor
    y: torch.Tensor
    note: str
    warnings: Callable[[Estimate], tuple[str, ...]]


@dataclass(frozen=True)
class Auto(Settings):
    """Estimate by an estimator that is chosen from the samples; the estimate names it and the reason (`why`).

    Parameters
    ----------
    discrete_x, discrete_y
        Whether a side holds symbols (True) or numbers (False); None decides by the values.
    compare
        Whether estimates of numbers are compared. Otherwise each pair of types has one estimator ("by-type"): numbers
        are estimated from five nearest neighbors on ranks, which is several times as fast, and estimates of different
        columns have the same bias.

    Raises
    ------
    InvalidArgument
        If a setting is of another type.

    Notes
    -----
    The values decide, not their type: K different values among n samples are symbols for K ≤ n/20, or if both sides
    have at most min(8, n/10), or if at most n/5 different pairs occur; everything else is a number.

    - Two symbols: counts with Grassberger's correction; with fewer than 5 samples per possible pair and no dependence
      beyond doubt, plain counts less their mean over shuffled samples. More than 8 symbols with fewer than 5 samples
      per pair that occurs are taken as numbers, with a warning where counts contradict them.
    - A symbol and numbers: nearest neighbors within classes (Ross 2014); above two dimensions also a linear probe.
    - Numbers: repeated values are spread over their cells. Candidates run from coarse to fine: a Gaussian, a sum over
      independent blocks of columns, and nearest neighbors from k = 80 to 1 on ranks and on values. The first that no
      finer one contradicts is taken: by 3.6 standard errors (2.8 for n < 100) of the difference of pointwise terms for
      a model, by 2 for neighbors. On a line and a line a Gaussian is left where its moments contradict it, and returned
      to where the interval of neighbors includes 0.
    - Where neighbors were taken in more than two dimensions and n ≥ 1000, critics are trained (`neural`), and densities
      (`doe`) where these reach their cap; a held-out lower bound is a floor for every answer.

    The interval of numbers extends to the upper ends of all finer candidates: coarse estimates miss fine dependence.
    Dependence finer than the samples resolve, as a fast oscillation, looks like independence to any estimator; the
    estimate then carries a warning.

    Examples
    --------
    >>> Auto().estimate([0, 0, 1, 1] * 30, [1, 1, 0, 0] * 30).estimator
    'Discrete'
    """

    discrete_x: bool | None = None
    discrete_y: bool | None = None
    compare: bool = True

    def estimate(self, x: Any, y: Any) -> Estimate:
        """Estimate I(X;Y) in nats.

        Parameters
        ----------
        x, y : array-like of shape (n, ...)
            Paired samples of numbers.

        Returns
        -------
        Estimate
            Of the kind of the estimator that it names.

        Raises
        ------
        InvalidArgument
            If the samples are not finite numbers or their lengths differ, and as the chosen estimator raises.

        Examples
        --------
        >>> import numpy as np
        >>> x, noise = np.random.default_rng(0).normal(size=(2, 5000))
        >>> Auto().estimate(x, x + noise).nats  # ½ log 2 = 0.3466
        0.35
        """
        return self.choose(x, y).estimate

    def choose(self, x: Any, y: Any, run: Callable[[Estimator, Any, Any], Estimate] | None = None) -> Choice:
        """Choose an estimator, and estimate.

        Parameters
        ----------
        x, y : array-like of shape (n, ...)
            Paired samples of numbers.
        run
            Function that applies a learned estimator to the samples, by default its method `estimate`.

        Returns
        -------
        Choice
            Estimator, samples as it takes them, and estimate.

        Raises
        ------
        InvalidArgument
            If the samples are not finite numbers or their lengths differ, and as the chosen estimator raises.

        Examples
        --------
        >>> Auto().choose([0.1, 0.2, 0.5, 0.4], [0.3, 0.1, 0.7, 0.6]).estimator
        KSG(k=1, ...)
        """
        made = self.prepared(x, y)
        if isinstance(made, Columns):
            arrays = made.x.numpy(), made.y.numpy()
            decision = numbers.decide(made.x, made.y) if self.compare else None
            if decision is None:
                estimator, estimate = by_neighbors(made.x, made.y)
            elif decision.learn:
                apply = run or (lambda each, a, b: each.estimate(a, b))
                estimator, estimate = numbers.learned(decision, len(made.x), lambda each: apply(each, *arrays))
            else:
                estimator, estimate = decision.estimator, decision.of_all()
            warnings = (*made.warnings(estimate), *estimate.warnings)
            estimate = replace(estimate, why=f"{made.note}; {estimate.why}", warnings=warnings)
            made = Choice(estimator, *arrays, estimate)
        _LOG.info("%s, for %s", made.estimate.estimator, made.estimate.why)
        return made

    def prepared(self, x: Any, y: Any) -> Choice | Columns:
        """Decide what the sides hold.

        Parameters
        ----------
        x, y : array-like of shape (n, ...)
            Paired samples of numbers.

        Returns
        -------
        Choice or Columns
            A choice where a side is symbolic or constant; otherwise the columns of both.
        """
        left, right = variables(x, y, self.discrete_x, self.discrete_y)
        note = f"{left.note}, {right.note}"
        for name, side in (("x", left), ("y", right)):
            if side.distinct == 1:
                return _made(
                    Gaussian(), _zero(side, f"{name} is constant, so the mutual information is 0"), left, right
                )
        asked = self.discrete_x is not None or self.discrete_y is not None
        if left.symbolic and right.symbolic and (asked or not is_sparse(left, right)):
            return _counted(left, right, note)
        if left.symbolic != right.symbolic:
            return Choice(*within_classes(left, right, note))
        doubts = (lambda found: ()) if asked else partial(doubtful_order, left, right)
        return Columns(compressed(left.numbers), compressed(right.numbers), note, doubts)


def _made(estimator: Estimator, estimate: Estimate, x: Variable, y: Variable) -> Choice:
    return Choice(estimator, x.samples, y.samples, estimate)


def _zero(side: Variable, warning: str) -> Estimate:
    n = len(side.numbers)
    return Estimate(0.0, "I(X;Y)", Kind.POINT, "Gaussian", n=n, warnings=(warning,), why="nothing varies on a side")


def _counted(x: Variable, y: Variable, note: str) -> Choice:
    """Two symbols: counts, with an interval from the spread of log p(x,y)/p(x)p(y)."""
    estimator, why, warnings = counting(x, y)
    found = estimator.estimate(x.samples, y.samples)
    assert x.codes is not None
    assert y.codes is not None
    tau = inflation(x.numbers, y.numbers)
    # Large-sample theory gives errors of few samples that are too small.
    width = WIDTH if len(x.numbers) >= _LARGE_SAMPLE else WIDTH_OF_NEIGHBORS
    half = width * math.sqrt(tau) * table_error(x.codes, y.codes)
    interval = Interval(found.nats - half, found.nats + half, spans="samples (large-sample theory)")
    return _made(
        estimator,
        replace(
            found,
            interval=interval,
            warnings=(*found.warnings, *warnings, *dependent(tau, len(x.codes))),
            why=f"{note}; {why}",
        ),
        x,
        y,
    )
