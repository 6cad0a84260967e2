"""The choice among estimates from coarse to fine: the first that no finer one contradicts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from infoflow.core.estimate import Estimate, Interval, Kind
from infoflow.core.protocols import Estimator

# Standard errors by which a finer candidate must exceed a model, a model of few samples, and nearest neighbors. The
# first two are near the 99 % and 95 % quantiles of the largest excess over Gaussian samples, by simulation.
_MODEL, _MODEL_OF_FEW, _FEW = 3.6, 2.8, 100
_NEIGHBORS = 2.0

# Share of a model's own nats by which neighbors overestimate Gaussian samples of strong dependence.
_BIAS = 0.02

# Standard errors below: too many neighbors can overestimate curved densities. Fewer than three prove nothing.
_BELOW, _LEAST = 2.5, 3

# Standard errors of the difference to finer neighbors that an interval includes, by simulated curves and sharp edges.
_LOW, _HIGH = 1.5, 2.0

# Twice and half as many neighbors show whether an estimate still grows as neighbors get fewer.
_FACTOR = 2


@dataclass(frozen=True)
class Candidate:
    """An estimator with its estimate of the samples, as one term (n,) per sample, whose mean it is.

    `neighbors` is the number of neighbors of a nearest-neighbor estimator, and None for a model.
    """

    name: str
    estimator: Estimator
    terms: NDArray[np.float64]
    neighbors: int | None = None

    @cached_property
    def nats(self) -> float:
        """The estimate."""
        return float(self.terms.mean())

    @cached_property
    def error(self) -> float:
        """Standard error of the estimate, from the spread of its terms."""
        return standard_error(self.terms, self.nats)


@dataclass(frozen=True)
class Chosen:
    """The candidate that was taken, the finer ones it was compared with, what made coarser ones fail, and these.

    `doubt` states why a finer one that contradicts was not taken.
    """

    candidate: Candidate
    finer: tuple[Candidate, ...]
    rejected: tuple[str, ...]
    coarser: tuple[Candidate, ...] = ()
    doubt: str = ""

    @property
    def rise(self) -> float:
        """By how much half as many neighbors exceed twice as many, over all scales; 0 for a model.

        The bias of neighbors grows with their number, at sharp edges with its square root. Where an estimate still
        rises while it is halved twice, it is too low by about as much, or more.
        """
        k = self.candidate.neighbors
        if k is None:
            return 0.0
        by_number: dict[int, list[float]] = {}
        for each in (*self.coarser, self.candidate, *self.finer):
            if each.neighbors is not None:
                by_number.setdefault(each.neighbors, []).append(each.nats)
        few = max(each for each in by_number if each <= max(k / _FACTOR, min(by_number)))
        many = min(each for each in by_number if each >= min(_FACTOR * k, max(by_number)))
        return float(np.mean(by_number[few]) - np.mean(by_number[many]))

    @property
    def highest(self) -> float:
        """The largest upper end, two standard errors above, over the candidate and the finer ones."""
        return max(each.nats + 2 * each.error for each in (self.candidate, *self.finer))

    @property
    def reach(self) -> tuple[float, float]:
        """How far finer neighbors reach below and above, by 1.5 and 2 standard errors of the differences of terms.

        Of curved densities several neighbors are too high, of sharp edges all are too low, and the finer the nearer.
        """
        taken = self.candidate
        root = math.sqrt(len(taken.terms))
        found = [(each, float((each.terms - taken.terms).std()) / root) for each in self.finer]
        below = [each.nats - _LOW * error for each, error in found if each.neighbors and each.neighbors >= _LEAST]
        above = [each.nats + _HIGH * error for each, error in found]
        return min([taken.nats, *below]), max([taken.nats, *above])


def first_adequate(candidates: Sequence[Candidate]) -> Chosen:
    """The first candidate that no finer one contradicts; `candidates` are in order from coarse to fine.

    A finer estimate contradicts where the mean difference of the terms exceeds a number of its standard errors: above
    a model (Gaussian, blocks) 3.6, or 2.8 from fewer than 100 samples, and 2 % of its value; above nearest neighbors 2,
    and below them 2.5.

    >>> flat = Candidate("model", None, np.zeros(100))
    >>> noise = Candidate("k = 3", None, np.tile([-1.0, 1.2], 50), 3)
    >>> first_adequate([flat, noise]).candidate.name
    'model'
    """
    n = len(candidates[0].terms)
    rejected: list[str] = []
    for position, candidate in enumerate(candidates):
        finer = candidates[position + 1 :]
        reason = next(filter(None, (_contradiction(candidate, other, n) for other in finer)), "")
        if not reason:
            return Chosen(candidate, tuple(finer), tuple(rejected), tuple(candidates[:position]))
        rejected.append(reason)
    raise AssertionError("the last candidate has no finer one")  # pragma: no cover


def estimate_of(candidate: Candidate, x: Tensor, y: Tensor) -> Estimate:
    """The estimate of an estimator that is a candidate: two standard errors on either side.

    >>> from infoflow.estimators.gaussian.gaussian import Gaussian
    >>> import torch
    >>> side = torch.ones(3, 1)
    >>> estimate_of(Candidate("model", Gaussian(), np.zeros(3)), side, side).warnings
    ('x is constant, so the mutual information is 0', 'y is constant, so the mutual information is 0')
    """
    nats, half = candidate.nats, 2 * candidate.error
    return Estimate(
        nats,
        quantity="I(X;Y)",
        kind=Kind.POINT,
        estimator=type(candidate.estimator).__name__,
        n=len(candidate.terms),
        parameters=asdict(candidate.estimator),  # type: ignore[call-overload]
        interval=Interval(nats - half, nats + half, spans="samples (spread of the terms)"),
        warnings=tuple(
            f"{name} is constant, so the mutual information is 0"
            for name, side in (("x", x), ("y", y))
            if not varies(side)
        ),
    )


def varies(values: Tensor) -> bool:
    """Whether a column (n, d) varies.

    >>> import torch
    >>> varies(torch.ones(3, 2))
    False
    """
    return bool((values.amax(dim=0) > values.amin(dim=0)).any())


def standard_error(terms: NDArray[np.float64], mean: float) -> float:
    """Standard error of the mean of terms (n,), which is given.

    >>> standard_error(np.array([1.0, 3.0, 1.0, 3.0]), 2.0)
    0.5
    """
    deviation = terms - mean
    return math.sqrt(float(deviation @ deviation)) / len(terms)


def _contradiction(coarse: Candidate, fine: Candidate, n: int) -> str:
    difference = fine.terms - coarse.terms
    mean = fine.nats - coarse.nats
    error = standard_error(difference, mean)
    model = coarse.neighbors is None
    above = (_MODEL_OF_FEW if n < _FEW else _MODEL) if model else _NEIGHBORS
    allowed = _BIAS * abs(coarse.nats) if model else 0.0
    if mean > above * error + allowed + 1e-12:
        return f"{fine.name} exceeds {coarse.name} by {mean:.2g} nats ({mean / max(error, 1e-12):.1f} standard errors)"
    below = not model and fine.neighbors is not None and fine.neighbors >= _LEAST
    if below and mean < -_BELOW * error - 1e-12:
        return f"{fine.name} is {-mean:.2g} nats below {coarse.name} ({-mean / max(error, 1e-12):.1f} standard errors)"
    return ""
