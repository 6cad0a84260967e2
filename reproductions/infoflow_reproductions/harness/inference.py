"""Intervals, p-values and effect sizes of a mean over seeds, from its mean, standard deviation and number of seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from scipy import stats

LEVEL = 0.05
"""Level of every test; intervals have the coverage 1 − LEVEL."""

PERCENT, POINTS, PART, CORRELATION = (0.0, 100.0), (-100.0, 100.0), (0.0, 1.0), (-1.0, 1.0)
"""Ranges of a percentage, a difference of two, a proportion, and a correlation."""

_RANGES = {
    "test accuracy": PART,
    "accuracy": PART,
    "%": PERCENT,
    "points": POINTS,
    "percentage points": POINTS,
    "points below": POINTS,
}

_AMOUNTS = ("nats", "bits", "kernel distance")
"""Units of information, entropies, losses and distances. An estimate or a bound of them may be negative."""


def range_of(unit: str, values: Sequence[float]) -> tuple[float, float] | None:
    """Return the range of a level by its unit, or None where the unit has no range that contains the values.

    Parameters
    ----------
    unit
        Unit of the values.
    values
        One value per seed.

    Returns
    -------
    tuple of float or None
        Lowest and highest possible value.

    Examples
    --------
    >>> range_of("%", [12.0]), range_of("%", [-3.0]), range_of("nats", [1.0]), range_of("nats", [-0.1])
    ((0.0, 100.0), (-100.0, 100.0), (0.0, inf), None)
    """
    if unit in _AMOUNTS:
        return (0.0, math.inf) if all(value >= 0 for value in values) and len(values) else None
    return _finite_range(unit, values)


def _finite_range(unit: str, values: Sequence[float]) -> tuple[float, float] | None:
    low, high = _RANGES.get(unit, (math.inf, -math.inf))
    if unit == "%" and any(value < 0 for value in values):
        low, high = POINTS  # a difference of two percentages
    return (low, high) if all(low <= value <= high for value in values) and len(values) else None


def range_against(unit: str, values: Sequence[float], threshold: float) -> tuple[float, float] | None:
    """Return the range of values that are tested against a threshold, or None where the unit has none with all values.

    Parameters
    ----------
    unit
        Unit of the values.
    values
        One value per seed. Their signs do not matter, as a range that began at 0 would exclude 0 from every interval.
    threshold
        Value that their mean is tested against.

    Returns
    -------
    tuple of float or None
        Lowest and highest possible value: those of a level where the threshold is one that a level could have on both
        sides, and otherwise those of a difference.

    Examples
    --------
    >>> range_against("%", [12.0], 0.0), range_against("accuracy", [0.1], 0.0), range_against("nats", [1.0], 0.0)
    ((-100.0, 100.0), (-1.0, 1.0), None)
    >>> range_against("%", [12.0], 10.0), range_against("points", [12.0], 10.0)
    ((0.0, 100.0), (-100.0, 100.0))
    """
    if 0 < threshold < _RANGES.get(unit, PART)[1]:
        return _finite_range(unit, values)
    width = _RANGES[unit][1] if unit in _RANGES else -math.inf
    return (-width, width) if all(-width <= value <= width for value in values) and len(values) else None


@dataclass(frozen=True)
class Sample:
    """Mean, standard deviation and number of the values of seeds, with the value that the mean is tested against.

    Parameters
    ----------
    mean
        Mean over seeds.
    deviation
        Standard deviation over seeds, with n − 1 in the denominator.
    n
        Number of seeds.
    threshold
        Value that the mean is tested against.
    low
        Lowest possible value of the quantity; None if there is none.
    high
        Highest possible value of the quantity; None if there is none, infinite if there is only a lowest one.
    anytime
        Whether seeds were added after results had been seen. Interval and p-value are then valid at any such time.
    values
        The value of each seed, where they are known; `difference` pairs them.

    Notes
    -----
    Without a range, the interval is that of Student's t. With a range, it is Student's t on the scale log((v − low) /
    (high − v)), or log(v − low) without a highest value, where the standard error follows by the delta method, so that
    its ends lie within the range.

    If `anytime`, Student's quantile is replaced by that of a mixture over effects δ ~ N(0, 1) in standard deviations
    with the right Haar prior on the deviation: with ν = n − 1 and r = n + 1 the evidence against a mean is
    r^(−1/2) ((1 + t²/ν) / (1 + t²/(νr)))^((ν+1)/2), a martingale under that mean, so that it reaches 1 / 0.05 with
    probability at most 0.05 at whatever number of seeds one stops. Few seeds give an unbounded interval.

    References
    ----------
    Wang & Ramdas, Anytime-valid t-tests and confidence sequences for Gaussian means with unknown variance, 2023.

    Examples
    --------
    >>> sample = Sample.of([0.90, 0.94, 0.98], span=(0.0, 1.0))
    >>> [round(end, 3) for end in sample.interval], [round(end, 3) for end in Sample.of([0.90, 0.94, 0.98]).interval]
    ([0.729, 0.989], [0.841, 1.039])
    """

    mean: float
    deviation: float
    n: int
    threshold: float = 0.0
    low: float | None = None
    high: float | None = None
    anytime: bool = False
    values: tuple[float, ...] = field(default=(), repr=False, compare=False)

    @classmethod
    def of(
        cls,
        values: Sequence[float],
        threshold: float = 0.0,
        *,
        span: tuple[float, float] | None = None,
        anytime: bool = False,
    ) -> Sample:
        """Return the sample of values.

        Parameters
        ----------
        values
            One value per seed.
        threshold
            Value that the mean is tested against.
        span
            Range of the quantity.
        anytime
            Whether seeds were added after results had been seen.

        Returns
        -------
        Sample
            The sample.
        """
        array = np.asarray(values, float)
        mean = float(array.mean()) if len(array) else math.nan
        deviation = float(array.std(ddof=1)) if len(array) > 1 else math.nan
        low, high = span or (None, None)
        return cls(mean, deviation, len(array), threshold, low, high, anytime, tuple(array.tolist()))

    def times(self, factor: float) -> Sample:
        """Return the sample of a multiple of the quantity, without threshold and range.

        Parameters
        ----------
        factor
            The factor; with −1 the sample is that of the negative.

        Returns
        -------
        Sample
            The sample.
        """
        values = tuple(factor * value for value in self.values)
        return Sample(factor * self.mean, abs(factor) * self.deviation, self.n, anytime=self.anytime, values=values)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % confidence interval of the mean; from too few seeds, the whole range of the quantity."""
        whole = (-math.inf if self.low is None else self.low, math.inf if self.high is None else self.high)
        if self.too_few or not math.isfinite(self.mean) or not math.isfinite(self.deviation):
            return whole
        if self.deviation == 0:
            return self.mean, self.mean
        half = self._quantile() * self._error()
        center = self._scaled(self.mean)
        return self._unscaled(center - half), self._unscaled(center + half)

    @property
    def too_few(self) -> bool:
        """Whether there are too few seeds for an interval: one, or below five where it must be valid at any number."""
        return math.isinf(self._quantile())

    @property
    def p(self) -> float:
        """The two-sided p-value of a mean equal to the threshold; NaN with fewer than two seeds."""
        t = self._t()
        if math.isnan(t):
            return math.nan
        if not self.anytime:
            return float(2 * stats.t.sf(abs(t), self.n - 1))
        degrees, ratio = self.n - 1, self.n + 1
        square = t * t
        # For an infinite t this is the limit.
        grown = ratio if math.isinf(square) else (1 + square / degrees) / (1 + square / (degrees * ratio))
        return float(min(1.0, math.sqrt(ratio) * grown ** (-(degrees + 1) / 2)))

    @property
    def effect(self) -> float:
        """The effect (mean − threshold) / deviation with Hedges' correction; NaN with fewer than three seeds."""
        if self.n < 3 or not math.isfinite(self.deviation):
            return math.nan
        distance = self.mean - self.threshold
        if self.deviation == 0:
            return math.copysign(math.inf, distance) if distance else 0.0
        degrees = self.n - 1
        correction = math.exp(math.lgamma(degrees / 2) - math.lgamma((degrees - 1) / 2)) / math.sqrt(degrees / 2)
        return correction * distance / self.deviation

    @property
    def above(self) -> bool | None:
        """Whether the mean lies above the threshold (True) or below it (False), statistically significantly."""
        low, high = self.interval
        if self.too_few or not math.isfinite(self.mean):
            return None
        return True if low > self.threshold else False if high < self.threshold else None

    def text(self, *, mean: bool = True) -> str:
        """Return the mean and the interval as text.

        Parameters
        ----------
        mean
            Whether the mean precedes the interval.

        Returns
        -------
        str
            Such as "2 [1.5, 2.5]".
        """
        low, high = self.interval
        interval = f"[{low:.4g}, {high:.4g}]"
        if not mean:
            return interval
        return f"{self.mean:.4g} (one seed)" if self.n < 2 else f"{self.mean:.4g} {interval}"

    def record(self) -> dict[str, Any]:
        """Return the fields by name, without the values of seeds, which are stored with their figures.

        Returns
        -------
        dict
            Values that have a JSON form.
        """
        return {name: value for name, value in asdict(self).items() if name != "values"}

    def _quantile(self) -> float:
        if self.n < 2:
            return math.inf
        degrees = self.n - 1
        if not self.anytime:
            return float(stats.t.ppf(1 - LEVEL / 2, degrees))
        ratio = self.n + 1
        grown = (math.sqrt(ratio) / LEVEL) ** (2 / (degrees + 1))
        return math.sqrt(degrees * (grown - 1) / (1 - grown / ratio)) if grown < ratio else math.inf

    def _t(self) -> float:
        if self.n < 2 or not math.isfinite(self.mean) or not math.isfinite(self.deviation):
            return math.nan
        distance = self._scaled(self.mean) - self._scaled(self.threshold)
        if self.deviation == 0:
            return math.copysign(math.inf, distance) if distance else 0.0
        return distance / self._error()

    @property
    def _bounded(self) -> tuple[float, float] | None:
        """The range, where both ends are known and the mean lies between them."""
        if self.low is None or self.high is None or not self.low < self.mean < self.high:
            return None
        return self.low, self.high

    def _error(self) -> float:
        """The standard error on the scale of the test."""
        error = self.deviation / math.sqrt(self.n)
        if self._bounded is None:
            return error
        low, high = self._bounded
        if math.isinf(high):
            return error / (self.mean - low)
        return error * (high - low) / ((self.mean - low) * (high - self.mean))

    def _scaled(self, value: float) -> float:
        if self._bounded is None:
            return value
        low, high = self._bounded
        if value <= low or value >= high:
            return -math.inf if value <= low else math.inf
        return math.log(value - low) if math.isinf(high) else math.log((value - low) / (high - value))

    def _unscaled(self, value: float) -> float:
        if self._bounded is None:
            return value
        low, high = self._bounded
        value = max(-700.0, min(700.0, value))
        return low + math.exp(value) if math.isinf(high) else low + (high - low) / (1 + math.exp(-value))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values that are adjusted for their number by Holm's method.

    Parameters
    ----------
    p_values
        P-values of one family of tests. NaN is left as it is and does not count.

    Returns
    -------
    list of float
        Adjusted p-values in the same order: at most 0.05 where the test stays significant.

    References
    ----------
    Holm, A simple sequentially rejective multiple test procedure, 1979.

    Examples
    --------
    >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    order = sorted((i for i, p in enumerate(p_values) if not math.isnan(p)), key=lambda i: p_values[i])
    found = [math.nan] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * p_values[index]))
        found[index] = highest
    return found


def difference(first: Sample, second: Sample) -> Sample:
    """Return the difference of two means, paired by seed where possible.

    Parameters
    ----------
    first, second
        Samples of the same seeds in the same order, where both have the values of equally many; otherwise independent.

    Returns
    -------
    Sample
        Of the differences by seed, or, where values are missing or their numbers differ, a sample of Welch's degrees of
        freedom: its `n` is their number plus 1, rounded down, and its deviation has the standard error of the
        difference.

    Examples
    --------
    >>> found = difference(Sample(3.0, 1.0, 5), Sample(1.0, 1.0, 5))
    >>> found.mean, found.n, round(found.p, 4)
    (2.0, 9, 0.0133)
    >>> difference(Sample.of([0.5, 0.7, 0.9]), Sample.of([0.25, 0.5, 0.75])).n
    3
    """
    if is_paired(first, second):
        return Sample.of([one - other for one, other in zip(first.values, second.values, strict=True)])
    parts = [one.deviation**2 / one.n for one in (first, second)]
    square = sum(parts)
    if square == 0 or min(first.n, second.n) < 2:
        return Sample(first.mean - second.mean, 0.0 if square == 0 else math.nan, min(first.n, second.n))
    degrees = square**2 / sum(part**2 / (one.n - 1) for part, one in zip(parts, (first, second), strict=True))
    n = int(degrees + 1e-9) + 1
    return Sample(first.mean - second.mean, math.sqrt(square * n), n)


def is_paired(first: Sample, second: Sample) -> bool:
    """Return whether the difference of two means is judged by pairs of seeds.

    Parameters
    ----------
    first, second
        The samples.

    Returns
    -------
    bool
        True if both have the values of equally many seeds.

    Examples
    --------
    >>> is_paired(Sample.of([1.0, 2.0]), Sample.of([1.0, 2.0])), is_paired(Sample(1.0, 0.5, 2), Sample.of([1.0, 2.0]))
    (True, False)
    """
    return bool(first.values) and len(first.values) == len(second.values)
