"""What a probe answers: a number, of what kind, how sure, and what to be careful of."""

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
    """One number about a representation, with what is needed to trust it or not.

    `unit` is "fraction" (an accuracy), "nats", or "" (an index such as SSIM). `interval` says what it spans: runs that
    differ in their seed, resampled samples, folds. `runs` are the single numbers behind it, where there are several.

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
            raise DidNotConverge(f"{self.measure} came to {self.value}; there is no number worth returning")

    @classmethod
    def of_runs(
        cls,
        measure: str,
        values: Sequence[float],
        *,
        unit: str,
        n: int,
        kind: Kind = Kind.POINT,
        settings: Mapping[str, Any] | None = None,
        warnings: Sequence[str] = (),
        level: float = 0.95,
    ) -> Score:
        """The mean over runs, with Student's interval; without one where there is one run only, which is warned of."""
        runs = tuple(float(value) for value in values)
        mean, interval, cautions = float(np.mean(runs)), None, tuple(warnings)
        if len(runs) > 1:
            half = float(stats.t.ppf((1 + level) / 2, len(runs) - 1)) * float(np.std(runs, ddof=1)) / len(runs) ** 0.5
            interval = Interval(mean - half, mean + half, "runs", level)
        else:
            cautions += ("one run only, so nothing is known of how far runs differ; want runs of 3 or more",)
        return cls(measure, mean, unit, kind, n, interval, runs, dict(settings or {}), cautions)

    @classmethod
    def of_estimate(cls, measure: str, estimate: Estimate, *, warnings: Sequence[str] = ()) -> Score:
        """An estimate in nats as a score. A saturated one gets a warning that says so."""
        cautions = (*warnings, *estimate.warnings)
        if estimate.saturated:
            cautions += (f"at its ceiling {estimate.ceiling_name} = {estimate.ceiling:.4g} nats: at least this much",)
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


def proportion_interval(right: int, n: int, level: float = 0.95) -> Interval:
    """Wilson's interval of an accuracy, over the samples that it was counted on.

    >>> interval = proportion_interval(90, 100)
    >>> round(interval.low, 3), round(interval.high, 3)
    (0.826, 0.945)
    """
    low, high = stats.binomtest(right, n).proportion_ci(level, method="wilson")
    return Interval(float(low), float(high), "test samples", level)
