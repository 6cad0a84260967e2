"""Statistics over random seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from infoflow_reproductions.harness.inference import Sample


class OverSeeds(NamedTuple):
    """A mean over seeds with a 95 % confidence interval; with one seed the interval is unbounded.

    Parameters
    ----------
    mean
        Mean of the seeds' values.
    low
        Lower end of the interval.
    high
        Upper end of the interval.
    seeds
        Number of seeds.
    """

    mean: float
    low: float
    high: float
    seeds: int

    def __str__(self) -> str:
        return self.text()

    @property
    def below(self) -> float:
        """Length of the error bar below the mean; 0 where the interval is unbounded or from one seed."""
        return self.mean - self.low if self.seeds > 1 and math.isfinite(self.low) else 0.0

    @property
    def above(self) -> float:
        """Length of the error bar above the mean; 0 where the interval is unbounded or from one seed."""
        return self.high - self.mean if self.seeds > 1 and math.isfinite(self.high) else 0.0

    def text(self, digits: str = ".4g", unit: str = "") -> str:
        """Return the mean and the interval as text.

        Parameters
        ----------
        digits
            Format of each number.
        unit
            Unit that follows the mean.

        Returns
        -------
        str
            Such as "2 % [1.5, 2.5]".
        """
        mean = f"{self.mean:{digits}}" + (f" {unit}" if unit else "")
        return f"{mean} (one seed)" if self.seeds < 2 else f"{mean} [{self.low:{digits}}, {self.high:{digits}}]"


def over_seeds(values: Sequence[float], *, span: tuple[float, float] | None = None) -> OverSeeds:
    """Return the mean of values and its confidence interval by Student's t.

    Parameters
    ----------
    values
        One value per seed.
    span
        Range of the quantity, which the interval does not leave.

    Returns
    -------
    OverSeeds
        Mean and interval m ± t_{0.975, n−1} s / √n, which `inference.Sample` computes on a logit scale within a range.

    Examples
    --------
    >>> print(over_seeds([1.0, 2.0, 3.0]))
    2 [-0.4841, 4.484]
    >>> print(over_seeds([0.90, 0.94, 0.98], span=(0.0, 1.0)))
    0.94 [0.729, 0.9892]
    """
    sample = Sample.of(values, span=span)
    if sample.n < 2 or not np.isfinite(np.asarray(values, float)).all():
        return OverSeeds(sample.mean, -math.inf, math.inf, sample.n)
    return OverSeeds(sample.mean, *sample.interval, sample.n)


def differences(first: Sequence[float], second: Sequence[float]) -> list[float]:
    """Return first − second, seed by seed.

    Parameters
    ----------
    first, second
        One value per seed, in the same order.

    Returns
    -------
    list of float
        One difference per seed.

    Examples
    --------
    >>> differences([3.0, 2.0], [1.0, 1.0])
    [2.0, 1.0]
    """
    return [a - b for a, b in zip(first, second, strict=True)]


def seed_count(seeds: int) -> str:
    """Return a number of seeds as text.

    Parameters
    ----------
    seeds
        The number.

    Returns
    -------
    str
        Such as "3 seeds".

    Examples
    --------
    >>> seed_count(1), seed_count(4)
    ('1 seed', '4 seeds')
    """
    return f"{seeds} seed{'s' * (seeds != 1)}"


def how_many(settings: Mapping[str, Any]) -> str:
    """Return the number of seeds of a run as text.

    Parameters
    ----------
    settings
        Settings of the run: `seeds`, and `variants` that may limit it (`at_most`).

    Returns
    -------
    str
        Such as "3 seeds".

    Examples
    --------
    >>> how_many({"seeds": 10, "variants": [{"at_most": 0}, {"at_most": 2}]}), how_many({"seeds": 1})
    ('2 to 10 seeds', '1 seed')
    """
    if "seeds" not in settings:
        return "seeds unknown"
    seeds = int(settings["seeds"])
    variants = [variant for variant in settings.get("variants", ()) if isinstance(variant, Mapping)]
    counts = [min(seeds, variant.get("at_most") or seeds) for variant in variants] or [seeds]
    least, most = min(counts), max(counts)
    return seed_count(most) if least == most else f"{least} to {seed_count(most)}"
