"""Estimates of subsamples against 1/N, extrapolated to infinitely many samples."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from infoflow.core.errors import TooFewSamples
from infoflow.core.estimate import Estimate, Interval, Kind
from infoflow.core.figures import axes
from infoflow.core.protocols import Estimator
from infoflow.core.settings import Fraction, Integer, PositiveInt, Seed, validated
from infoflow.estimators.wrappers.significance import _Again, _paired, _run, inflated

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Fewest samples of the smallest subsample.
_SMALLEST = 30

# A quadratic term counts from this p-value on, if it moves the intercept by more than half of its standard error.
_CURVED = 0.05


@dataclass(frozen=True)
class Extrapolation:
    """Estimates of disjoint subsamples of several sizes N, and the line in 1/N through them.

    Parameters
    ----------
    sizes
        Sizes N of the subsamples, the largest first.
    means
        Mean estimate in nats over the subsamples of each size.
    errors
        Standard error of each mean, from the spread between subsamples of all sizes.
    slope
        Slope of the line, in nats times samples: the bias at N samples is slope / N.
    estimate
        Intercept of the line in nats: the estimate for infinitely many samples.
    interval
        Interval of the intercept. It covers chance in the samples and in the fit, and holds only if `linear`.
    linear
        Whether the means lie on a line. If not, the intercept is not an estimate of anything.
    warnings
        Sentences with cause, consequence and remedy.

    Examples
    --------
    >>> line = Extrapolation((100, 50), (0.4, 0.3), (0.1, 0.1), -10.0, 0.5, Interval(0.3, 0.7, "extrapolation"), True)
    >>> line.estimate + line.slope / 100
    0.4
    """

    sizes: tuple[int, ...]
    means: tuple[float, ...]
    errors: tuple[float, ...]
    slope: float
    estimate: float
    interval: Interval
    linear: bool
    warnings: tuple[str, ...] = ()

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the means against 1/N with the line and the interval of its intercept.

        Parameters
        ----------
        ax
            Axes to draw on; a new figure by default.

        Returns
        -------
        matplotlib.axes.Axes
            The axes.
        """
        ax = axes(ax, 5.0, 3.5)
        inverse = 1.0 / np.array(self.sizes)
        ax.errorbar(inverse, self.means, yerr=self.errors, fmt="o", color="black", label="subsamples")
        ends = np.array([0.0, inverse.max()])
        ax.plot(ends, self.estimate + self.slope * ends, "-" if self.linear else ":", color="#2c6fbb", label="line")
        reach = [[self.estimate - self.interval.low], [self.interval.high - self.estimate]]
        label = f"N → ∞, {self.interval.level:.0%}" if self.linear else "N → ∞, rejected: not linear"
        ax.errorbar([0.0], [self.estimate], yerr=reach, fmt="s", color="#2c6fbb", capsize=4, label=label)
        ax.set_xlabel("1/N")
        ax.set_ylabel("nats")
        ax.legend()
        return ax


@validated
def extrapolate(
    estimator: Estimator,
    x: Any,
    y: Any,
    *,
    parts: Annotated[int, Integer(5)] = 10,
    partitions: PositiveInt = 1,
    level: Fraction = 0.95,
    seed: Seed = 0,
    n_jobs: int = 1,
) -> Extrapolation:
    """Extrapolate estimates of subsamples to infinitely many samples by a line in 1/N.

    Parameters
    ----------
    estimator
        Object with `estimate(x, y)`.
    x, y : array-like of shape (n, ...)
        Paired samples.
    parts
        The samples are divided into 1, 2, ... and up to so many disjoint subsamples of equal size.
    partitions
        Number of random divisions for each size; more of them reduce the error of the fit.
    level
        Confidence level of the interval.
    seed
        Seed of the divisions.
    n_jobs
        Processes at once; -1 means one for each processor.

    Returns
    -------
    Extrapolation
        Means by size, line, interval, and whether the means lie on a line.

    Raises
    ------
    TooFewSamples
        If the smallest subsamples have fewer than 30 samples, or fewer than the estimator requires.
    InvalidArgument
        For unequal lengths, and as the estimator raises.

    Notes
    -----
    The means are fitted with weights 1/error². The variance of the intercept is that of the fit, from its residuals,
    plus that of an estimate of all samples, which all sizes share: v τ / n, with v the variance of a subsample's
    estimate times its size and τ = 1 + 2 Σ ρ_x(l) ρ_y(l) for the autocorrelation of samples in order. A fit with a
    quadratic term decides whether the means lie on a line: they do not where the term is statistically significant
    (5 %) and moves the intercept by more than half of its standard error; where accepted, the move and
    the correction itself count as further standard errors, since a bias of another order than 1/N can look linear.
    The bias of plug-in estimates falls as 1/N. That of `KSG` often does not: of Gaussian pairs with
    correlations from 0.9 to 0.99 its estimate of all samples is nearer to the truth than the intercept.

    References
    ----------
    Strong, Koberle, de Ruyter van Steveninck, Bialek (1998), Entropy and Information in Neural Spike Trains.
    Holmes, Nemenman (2019), Estimation of mutual information for real-valued data with error bars and controlled bias.

    Examples
    --------
    >>> import numpy as np
    >>> from infoflow.estimators.histogram.discrete import Discrete
    >>> x, y = np.random.default_rng(0).integers(8, size=(2, 2000))  # independent: the plug-in bias is 49 / 2N
    >>> line = extrapolate(Discrete(), x, y)
    >>> line.linear, 0 in line.interval, 20 < line.slope < 30
    (True, True, True)
    """
    x, y = _paired(x, y)
    n = len(x)
    if n < parts * _SMALLEST:
        raise TooFewSamples("x", f"at least {parts * _SMALLEST} samples for {parts} subsamples", n)
    rng = np.random.default_rng(seed)
    sizes = np.array([n // count for count in range(1, parts + 1)])
    tasks, groups = [_Again(estimator, x, y, np.arange(n), np.arange(n))], [0]
    for count in range(2, parts + 1):
        for _ in range(partitions):
            order = rng.permutation(n)
            for part in order[: count * sizes[count - 1]].reshape(count, -1):
                tasks.append(_Again(estimator, x, y, np.sort(part), np.sort(part)))
            groups += [count - 1] * count
    values, group = _run(tasks, n_jobs), np.array(groups)
    return _fitted(sizes, values, group, partitions, inflated(x, y), level)


def _fitted(
    sizes: NDArray[np.intp],
    values: NDArray[np.float64],
    group: NDArray[np.intp],
    partitions: int,
    inflation: float,
    level: float,
) -> Extrapolation:
    """The line through the means of values by group."""
    means = np.array([values[group == g].mean() for g in range(len(sizes))])
    if not np.isfinite(means).all():
        everywhere = Interval(-math.inf, math.inf, "extrapolation", level)
        caution = ("an estimate of a subsample is infinite: there is no line in 1/N; remove duplicated columns",)
        unknown = (math.inf,) * len(sizes)
        return Extrapolation(_ints(sizes), _floats(means), unknown, 0.0, _floats(means)[0], everywhere, False, caution)
    # Within one division: the divisions repeat the same samples.
    squares = sum(float(sizes[g] * np.square(values[group == g] - means[g]).sum()) for g in range(1, len(sizes)))
    variance = squares / (partitions * sum(range(1, len(sizes))))
    errors = np.sqrt(variance / (sizes * np.arange(1, len(sizes) + 1)))
    weights = np.where(errors > 0, 1.0 / np.maximum(errors, 1e-300), 1.0)
    scaled = sizes[0] / sizes
    line, fit_error, _ = _least_squares(scaled, means, weights, 1)
    curve, _, p_value = _least_squares(scaled, means, weights, 2)
    error = math.sqrt(variance * inflation / sizes[0] + fit_error**2)
    moved = float(abs(curve[0] - line[0]))
    linear = not (p_value < _CURVED and moved > error / 2)
    error = math.hypot(error, moved, float(line[1]))  # line[1] is the correction at n samples
    warnings: tuple[str, ...] = ()
    if not linear:
        warnings = (
            f"the estimates of subsamples do not lie on a line in 1/N (p = {p_value:.2g} for a quadratic term that "
            f"moves the intercept by {moved:.3g} nats), so that the extrapolation is not valid; use more samples, or "
            "an estimator with less bias",
        )
    half = float(stdtrit(len(sizes) - 2, 0.5 + level / 2)) * error
    estimate = float(line[0])
    return Extrapolation(
        _ints(sizes),
        _floats(means),
        _floats(errors),
        float(line[1] * sizes[0]),
        estimate,
        Interval(estimate - half, estimate + half, "extrapolation", level),
        linear,
        warnings,
    )


def _least_squares(
    at: NDArray[np.float64], means: NDArray[np.float64], weights: NDArray[np.float64], degree: int
) -> tuple[NDArray[np.float64], float, float]:
    """Coefficients of a weighted polynomial, standard error of the first, p-value of the last one."""
    design = np.vander(at, degree + 1, increasing=True) * weights[:, None]
    coefficients, *_ = np.linalg.lstsq(design, means * weights, rcond=None)
    residuals = means * weights - design @ coefficients
    free = len(at) - degree - 1
    covariance = np.linalg.inv(design.T @ design) * float(residuals @ residuals) / free
    first, last = np.sqrt(np.diag(covariance))[[0, -1]]
    t = abs(coefficients[-1]) / max(float(last), 1e-300)
    return coefficients.astype(np.float64), float(first), float(2 * stdtr(free, -t))


def _ints(values: NDArray[np.intp]) -> tuple[int, ...]:
    return tuple(int(value) for value in values)


def _floats(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def extrapolated(found: Estimate, estimator: Estimator, x: Any, y: Any, *, seed: int, n_jobs: int) -> Estimate:
    """The estimate with the intercept in place of its number, or with a warning where the extrapolation is refused."""
    if found.kind not in (Kind.POINT, Kind.PLUG_IN):
        return _refused(found, f"the {found.kind} is not extrapolated, since the intercept would have another kind")
    if found.saturated:
        return _refused(found, "the estimate is at its ceiling and is not extrapolated; use more samples")
    try:
        line = extrapolate(estimator, x, y, seed=seed, n_jobs=n_jobs)
    except TooFewSamples as error:
        return _refused(found, f"the estimate is not extrapolated, since the subsamples are too small: {error}")
    if not line.linear:
        return _refused(found, *line.warnings)
    floor = 0.0 if found.kind is Kind.PLUG_IN else min(0.0, *line.means)
    nats = min(max(line.estimate, floor), found.ceiling)
    low, high = min(max(line.interval.low, floor), nats), max(line.interval.high, nats)
    note = f"extrapolated to infinitely many samples from {found.nats:.4f} nats at n = {found.n}"
    return dataclasses.replace(
        found,
        nats=nats,
        interval=Interval(low, high, "extrapolation", line.interval.level),
        why="; ".join(part for part in (found.why, note) if part),
    )


def _refused(found: Estimate, *warnings: str) -> Estimate:
    return dataclasses.replace(found, warnings=(*found.warnings, *warnings))
