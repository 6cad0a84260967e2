"""The result of a probe: a number with its kind, interval and warnings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import stats

from infoflow.core.errors import DidNotConverge
from infoflow.core.estimate import Estimate, Interval, Kind


@dataclass(frozen=True)
class Score:
    """One number about a representation, with what is needed to judge it.

    Parameters
    ----------
    measure
        Name of the measure.
    value
        The number.
    unit
        "fraction" for an accuracy, "nats", or "" for an index such as SSIM.
    kind
        What the number is in relation to the quantity.
    n
        Number of samples on which it was measured.
    interval
        Interval around the value; its `spans` names the source of the variation, such as runs or test samples.
    runs
        Values of the single runs or resamples, where there are several.
    settings
        Settings of the measure.
    warnings
        Sentences that name cause, consequence and remedy.

    Raises
    ------
    DidNotConverge
        If the value is not finite.

    Examples
    --------
    >>> print(Score.of_runs("MLP", [0.70, 0.72, 0.74], unit="fraction", n=1000))
    MLP = 0.7200 [0.6703, 0.7697] over runs, fraction, point estimate, n = 1000
    """

    measure: str
    value: float
    unit: str
    kind: Kind
    n: int
    interval: Interval | None = None
    runs: tuple[float, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise DidNotConverge(f"The value of {self.measure} is {self.value}, which is not a finite number.")

    @classmethod
    def of_runs(
        cls,
        measure: str,
        values: Sequence[float],
        *,
        unit: str,
        n: int,
        settings: Mapping[str, Any] | None = None,
        warnings: Sequence[str] = (),
    ) -> Score:
        """Summarize runs by their mean and Student's 95 % interval.

        Parameters
        ----------
        measure
            Name of the measure.
        values
            One value per run. A single one has no interval, and the score a warning.
        unit
            Unit of the values.
        n
            Number of samples on which each was measured.
        settings
            Settings of the measure.
        warnings
            Warnings of the measure.

        Returns
        -------
        Score
            A point estimate.
        """
        runs = tuple(float(value) for value in values)
        mean, interval, cautions = float(np.mean(runs)), None, tuple(warnings)
        if len(runs) > 1:
            half = student_half_width(runs) / len(runs) ** 0.5
            interval = Interval(mean - half, mean + half, "runs")
        else:
            cautions += ("There was one run only, so the variation between runs is unknown. Use runs=3 or more.",)
        return cls(measure, mean, unit, Kind.POINT, n, interval, runs, dict(settings or {}), cautions)

    @classmethod
    def of_estimate(cls, measure: str, estimate: Estimate) -> Score:
        """Convert an estimate; a saturated one gets a warning.

        Parameters
        ----------
        measure
            Name of the measure.
        estimate
            Estimate in nats.

        Returns
        -------
        Score
            The estimate in nats with its kind, interval and warnings.
        """
        cautions = tuple(estimate.warnings)
        if estimate.saturated:
            ceiling = f"{estimate.ceiling_name} = {estimate.ceiling:.4g} nats"
            cautions += (f"The estimate has reached its ceiling {ceiling}, so it is a lower bound. Use more samples.",)
        return cls(
            measure,
            estimate.nats,
            "nats",
            estimate.kind,
            estimate.n,
            estimate.interval,
            settings={"estimator": estimate.estimator, **estimate.parameters},
            warnings=cautions,
        )

    def __str__(self) -> str:
        spread = ""
        if self.interval is not None:
            spread = f" [{self.interval.low:.4f}, {self.interval.high:.4f}] over {self.interval.spans}"
        parts = [f"{self.measure} = {self.value:.4f}{spread}", self.unit, str(self.kind), f"n = {self.n}"]
        return ", ".join(part for part in parts if part) + "".join(f"\n  warning: {w}" for w in self.warnings)


def student_half_width(values: Sequence[float], level: float = 0.95) -> float:
    """Half the width of Student's interval of one further value, from the standard deviation of these.

    >>> round(student_half_width([0.70, 0.72, 0.74]), 3)
    0.086
    """
    return float(stats.t.ppf((1 + level) / 2, len(values) - 1)) * float(np.std(values, ddof=1))


def accuracy_interval(correct: int, n: int, level: float = 0.95) -> Interval:
    """Wilson's interval of an accuracy over the test samples.

    >>> interval = accuracy_interval(90, 100)
    >>> round(interval.low, 3), round(interval.high, 3)
    (0.826, 0.945)
    """
    low, high = stats.binomtest(correct, n).proportion_ci(level, method="wilson")
    return Interval(float(low), float(high), "test samples", level)
