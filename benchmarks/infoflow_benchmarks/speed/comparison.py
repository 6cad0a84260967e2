"""Comparisons of infoflow with a baseline: how one is declared, timed and reported."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from infoflow.core.protocols import Estimator
from infoflow_benchmarks.speed.timing import extra_memory, once

# A call that takes this long (seconds) is timed once; shorter ones are repeated, and the fastest counts.
_LONG, _REPEATS = 0.5, 5
# Both sides are timed in turns, at most this many rounds or this long (seconds).
_ROUNDS, _ENOUGH = 3, 40.0


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of a speed table: the times of infoflow and of the baseline for the same task.

    Parameters
    ----------
    benchmark
        Name of the benchmark; the runner fills it in.
    case
        What was computed, and on how much data.
    reference
        What the baseline is.
    reference_seconds
        Time of the baseline.
    seconds
        Time of infoflow.
    ratio
        The baseline's time divided by infoflow's: the median over the rounds.
    target_ratio
        The ratio that infoflow should reach, if there is one.
    difference
        Largest difference between both results; None where the baseline computes a slightly different quantity.
    mebibytes
        Peak memory of infoflow, beyond what was in use before.
    reference_mebibytes
        The same of the baseline.
    note
        What a reader of the numbers must know.

    Examples
    --------
    >>> row = Row(case="N = 10", reference="np.unique", reference_seconds=2.0, seconds=0.5, ratio=4.0, target_ratio=5.0)
    >>> row.reached
    False
    """

    benchmark: str = ""
    case: str
    reference: str
    reference_seconds: float
    seconds: float
    ratio: float
    target_ratio: float | None = None
    difference: float | None = None
    mebibytes: float | None = None
    reference_mebibytes: float | None = None
    note: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether the ratio reaches its target; None where there is no target."""
        return None if self.target_ratio is None else self.ratio >= self.target_ratio


@dataclass(frozen=True)
class Timing:
    """Results of both sides, their median times in seconds, and the median of the ratios of each round."""

    ours: Any
    reference: Any
    seconds: float
    reference_seconds: float
    ratio: float


def largest_difference(timing: Timing) -> float:
    """Return the largest difference between the results of both sides."""
    return float(np.abs(np.asarray(timing.ours) - np.asarray(timing.reference)).max())


@dataclass(frozen=True)
class Comparison:
    """Two calls that do the same task: one with infoflow, the other with a baseline.

    Parameters
    ----------
    case
        What is computed, and on how much data.
    reference
        What the baseline is.
    ours
        The call that uses infoflow.
    baseline
        The call that does not.
    target_ratio
        The ratio of times that infoflow should reach, if there is one.
    difference
        How the results are compared; None where the baseline computes a slightly different quantity.
    memory
        Call whose peak memory represents the baseline's; without it no memory is measured.
    note
        What a reader of the numbers must know, as text or as a function of the timing.

    Examples
    --------
    >>> Comparison("1 + 1", "2", lambda: 1 + 1, lambda: 2).measure(quick=True).difference
    0.0
    """

    case: str
    reference: str
    ours: Callable[[], Any]
    baseline: Callable[[], Any]
    target_ratio: float | None = None
    difference: Callable[[Timing], float] | None = largest_difference
    memory: Callable[[], Any] | None = None
    note: str | Callable[[Timing], str] = ""

    def row(self, timing: Timing) -> Row:
        """Return the row of the table for a timing."""
        return Row(
            case=self.case,
            reference=self.reference,
            reference_seconds=timing.reference_seconds,
            seconds=timing.seconds,
            ratio=timing.ratio,
            target_ratio=self.target_ratio,
            difference=None if self.difference is None else self.difference(timing),
            mebibytes=None if self.memory is None else extra_memory(self.ours),
            reference_mebibytes=None if self.memory is None else extra_memory(self.memory),
            note=self.note if isinstance(self.note, str) else self.note(timing),
        )

    def measure(self, quick: bool) -> Row:
        """Time both sides and return the row of the table."""
        return self.row(compare(self.ours, self.baseline, quick=quick))


def compare(ours: Callable[[], Any], reference: Callable[[], Any], *, quick: bool = False) -> Timing:
    """Time two calls in turns in this process.

    Parameters
    ----------
    ours
        The call that uses infoflow.
    reference
        The baseline.
    quick
        Call each side once.

    Returns
    -------
    Timing
        Results and times.

    Examples
    --------
    >>> compare(lambda: 1, lambda: 2, quick=True).ours
    1
    """
    if not quick:
        ours()  # the first call includes loading of kernels
    times: list[tuple[float, float]] = []
    start = time.perf_counter()
    while not times or (not quick and len(times) < _ROUNDS and time.perf_counter() - start < _ENOUGH):
        (result, seconds), (reference_result, reference_seconds) = (_timed(call, quick) for call in (ours, reference))
        times.append((seconds, reference_seconds))
    return Timing(
        result,
        reference_result,
        statistics.median(a for a, _ in times),
        statistics.median(b for _, b in times),
        statistics.median(b / a for a, b in times),
    )


def _timed(call: Callable[[], Any], quick: bool) -> tuple[Any, float]:
    """The result of a call, and its time after a first call."""
    result, seconds = once(call)
    if quick or seconds > _LONG:
        return result, seconds
    times: list[float] = []
    while len(times) < _REPEATS and sum(times) < _LONG:
        times.append(once(call)[1])
    return result, min(times)


def estimated(estimator: Estimator, x: Any, y: Any) -> Callable[[], float]:
    """Return a call that estimates I(X;Y) in nats."""
    return lambda: estimator.estimate(x, y).nats


def training_step(
    optimizer: torch.optim.Optimizer, loss: Callable[[], Tensor], extra: Callable[[], Tensor] | None = None
) -> Callable[[], float]:
    """Return a call that does one step on `loss` plus `extra`, and returns the value of `loss`."""

    def step() -> float:
        optimizer.zero_grad()
        value = loss()
        torch.autograd.backward(value if extra is None else value + extra())
        optimizer.step()
        return value.item()

    return step
