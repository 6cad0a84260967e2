"""Confidence intervals by resampling, and permutation tests, for any estimator."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit
from torch import Tensor, from_numpy
from tqdm import tqdm

from infoflow.core.arrays import numeric
from infoflow.core.checks import paired
from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.core.estimate import Estimate, Interval
from infoflow.core.protocols import Estimator
from infoflow.core.settings import Fraction, Integer, PositiveInt, Seed, validated
from infoflow.estimators.wrappers.surrogates import Surrogates, effective_samples, surrogate_rows

Method = Literal["subsampling", "blocks", "bootstrap", "jackknife"]

# Groups of the grouped jackknife.
_GROUPS = 20

# Fewest blocks of a series, so that half of them can be drawn in more ways than there are replicates.
_BLOCKS = 10


def _select(values: Any, index: NDArray[np.intp]) -> Any:
    """The samples of that index, in the type of the array, so that classes remain classes."""
    return values[from_numpy(index).to(values.device)] if isinstance(values, Tensor) else values[index]


def _paired(x: Any, y: Any) -> tuple[Any, Any]:
    """Both as arrays that can be indexed: tensors as they are, all else as NumPy arrays."""
    sides: list[Any] = []
    for value, name in ((x, "x"), (y, "y")):
        values = value if isinstance(value, Tensor) else numeric(value, name)
        if values.ndim == 0:
            raise InvalidArgument(name, "samples of shape (n, ...)", got_text="a single number")
        sides.append(values)
    paired(sides[0], sides[1])
    return sides[0], sides[1]


def _run(tasks: Sequence[Callable[[], float]], n_jobs: int, bar: str | None = None) -> NDArray[np.float64]:
    """The results in order, with a progress bar of that name on the standard error stream; None for no bar."""
    found: Iterable[float] = (task() for task in tasks) if n_jobs == 1 else _in_processes(tasks, n_jobs)
    return np.array(list(tqdm(found, total=len(tasks), desc=bar, unit="estimate", disable=bar is None)))


def _in_processes(tasks: Sequence[Callable[[], float]], n_jobs: int) -> Iterable[float]:
    from joblib import Parallel, delayed  # loads slowly, and one process needs none of it

    results: Iterable[float] = Parallel(n_jobs=n_jobs, return_as="generator")(delayed(task)() for task in tasks)
    return results


@dataclass(frozen=True)
class _Again:
    """One more estimate, of selected samples; an object, so that it can be pickled for another process."""

    estimator: Estimator
    x: Any
    y: Any
    index_x: NDArray[np.intp]
    index_y: NDArray[np.intp]

    def __call__(self) -> float:
        return self.estimator.estimate(_select(self.x, self.index_x), _select(self.y, self.index_y)).nats


@validated
def interval(
    estimator: Estimator,
    x: Any,
    y: Any,
    method: Method = "subsampling",
    *,
    level: Fraction = 0.95,
    replicates: Annotated[int, Integer(10)] = 100,
    fraction: Fraction = 0.5,
    seed: Seed = 0,
    n_jobs: int = 1,
    estimate: Estimate | None = None,
    progress: bool = False,
) -> Interval:
    """Compute a confidence interval of an estimate from estimates of other selections of the same samples.

    Parameters
    ----------
    estimator
        Object with `estimate(x, y)`.
    x, y : array-like of shape (n, ...)
        Paired samples.
    method
        "subsampling": `replicates` times m = `fraction` n samples without replacement, whose deviations from their
        mean, times √(m / (n - m)), stand for those of the estimate (m = n/2 is half-sampling). No sample occurs twice,
        so nearest neighbors remain valid. "blocks": the same with blocks of consecutive samples, for samples in order
        of time; the length of the blocks follows from the autocorrelation.
        "bootstrap": n samples with replacement and the basic interval; repeated
        samples have distance 0 and look like perfect dependence to estimators that count neighbors or distances, so
        use it with `Gaussian` and `CCA`. "jackknife": leaves out one of 20 groups at a time; 20 estimates and
        Student's t.
    level
        Confidence level.
    replicates
        Number of selections.
    fraction
        Share of the samples in a subsample.
    seed
        Seed of the selections.
    n_jobs
        Processes at once; -1 means one for each processor.
    estimate
        The estimate of all samples, if it is known already.
    progress
        Whether to show a progress bar on the standard error stream.

    Returns
    -------
    Interval
        In nats. It covers chance, not bias: what other samples of this size would have given.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range, or bootstrap replicates are shifted by more than their spread explains,
        since ties then determine the result; `UnknownName` for another method; `TooFewSamples` for fewer than 4,
        or for fewer than 10 blocks.

    References
    ----------
    Politis, Romano (1994), subsampling; Carlstein (1986), blocks of a series; Efron (1979), bootstrap;
    Shao, Wu (1989), grouped jackknife.

    Examples
    --------
    >>> import numpy as np
    >>> from infoflow.estimators.gaussian.gaussian import Gaussian
    >>> x, noise = np.random.default_rng(0).normal(size=(2, 400))
    >>> interval(Gaussian(), x, x + noise, replicates=50)  # ½ log 2 = 0.3466
    Interval(low=0.3..., high=0.4..., spans='subsampling', level=0.95)
    """
    x, y = _paired(x, y)
    n = len(x)
    if n < 4:
        raise TooFewSamples("x", "at least 4 samples for an interval", n)
    nats = (estimator.estimate(x, y) if estimate is None else estimate).nats
    rng = np.random.default_rng(seed)
    if method == "jackknife":
        return _jackknife(estimator, x, y, nats, rng, level, n_jobs, method if progress else None)
    if method == "bootstrap":
        selections = [np.sort(rng.integers(n, size=n)) for _ in range(replicates)]
        scale = 1.0
    elif method == "blocks":
        blocks = _blocks(x, y)
        m = min(max(int(fraction * len(blocks)), 1), len(blocks) - 1)
        chosen = [rng.choice(len(blocks), size=m, replace=False) for _ in range(replicates)]
        selections = [np.concatenate([blocks[b] for b in np.sort(drawn)]) for drawn in chosen]
        scale = math.sqrt(m / (len(blocks) - m))
    else:
        m = min(max(int(fraction * n), 2), n - 1)
        selections = [np.sort(rng.choice(n, size=m, replace=False)) for _ in range(replicates)]
        scale = math.sqrt(m / (n - m))
    values = _run([_Again(estimator, x, y, s, s) for s in selections], n_jobs, method if progress else None)
    if not np.isfinite(values).all() or not math.isfinite(nats):
        return Interval(-math.inf, math.inf, spans=method, level=level)
    deviations = values - values.mean()
    if method == "bootstrap":
        shift = float(values.mean()) - nats
        # The bootstrap of a smooth estimate repeats its bias, small relative to its spread; ties shift it more.
        if abs(shift) > 3 * float(values.std()) + 1e-9:
            raise InvalidArgument(
                f"The bootstrap replicates are {abs(shift):.3g} nats {'above' if shift > 0 else 'below'} the estimate, "
                "since repeated samples (ties) mislead this estimator. Use method='subsampling'."
            )
    tail = (1 - level) / 2
    below, above = np.quantile(deviations, [tail, 1 - tail])
    return Interval(nats - scale * float(above), nats - scale * float(below), spans=method, level=level)


def inflated(x: Any, y: Any) -> float:
    """τ = 1 + 2 Σ ρ_x(l) ρ_y(l): by how much the autocorrelation of both sides multiplies the variance of a mean.

    >>> walk = np.random.default_rng(0).normal(size=(2, 1000)).cumsum(axis=1)
    >>> inflated(*walk) > 50, inflated(*np.diff(walk))
    (True, 1.0)
    """
    return len(x) / effective_samples(_columns(x), _columns(y))


def _columns(values: Any) -> NDArray[np.float64]:
    array = values.detach().cpu().numpy() if isinstance(values, Tensor) else values
    return np.asarray(array, dtype=np.float64).reshape(len(array), -1)


def _blocks(x: Any, y: Any) -> list[NDArray[np.intp]]:
    """Indices of consecutive samples in blocks of the length that suits an autoregression of first order.

    The length is (3n/2)^⅓ (2ρ/(1 − ρ²))^⅔ with ρ = (τ − 1)/(τ + 1) (Carlstein 1986).
    """
    n, factor = len(x), inflated(x, y)
    length = max(1, round((1.5 * n) ** (1 / 3) * ((factor**2 - 1) / (2 * factor)) ** (2 / 3)))
    if n < _BLOCKS * length:
        raise TooFewSamples("x", f"at least {_BLOCKS} blocks of {length} samples, as their autocorrelation requires", n)
    return np.array_split(np.arange(n), n // length)


def _jackknife(
    estimator: Estimator,
    x: Any,
    y: Any,
    nats: float,
    rng: np.random.Generator,
    level: float,
    n_jobs: int,
    bar: str | None,
) -> Interval:
    order = rng.permutation(len(x))
    groups = np.array_split(order, min(_GROUPS, len(order)))
    everyone = np.arange(len(order))
    kept = [np.setdiff1d(everyone, group) for group in groups]
    values = _run([_Again(estimator, x, y, s, s) for s in kept], n_jobs, bar)
    if not np.isfinite(values).all() or not math.isfinite(nats):
        return Interval(-math.inf, math.inf, spans="jackknife", level=level)
    count = len(groups)
    error = math.sqrt((count - 1) / count * float(np.square(values - values.mean()).sum()))
    half = float(stdtrit(count - 1, 0.5 + level / 2)) * error
    return Interval(nats - half, nats + half, spans="jackknife", level=level)


@dataclass(frozen=True, eq=False)
class ShuffledNull:
    """Estimates of randomly re-paired samples: the bias and the noise of an estimator at I(X;Y) = 0.

    Parameters
    ----------
    values : numpy.ndarray of shape (B,)
        Estimates in nats.

    Examples
    --------
    >>> null = ShuffledNull(np.array([0.0, 0.1, -0.1, 0.02]))
    >>> null.p_value(0.05)  # (1 + 1) / (1 + 4)
    0.4
    """

    values: NDArray[np.float64]

    @property
    def mean(self) -> float:
        """Mean over the permutations: the bias for independent data with these margins."""
        return float(self.values.mean())

    @property
    def spread(self) -> float:
        """Standard deviation over the permutations."""
        return float(self.values.std(ddof=1)) if len(self.values) > 1 else 0.0

    def p_value(self, nats: float) -> float:
        """Compute (1 + number of permutations that reach `nats`) / (1 + B), exact under independence and never 0.

        Parameters
        ----------
        nats
            The estimate of the samples as they are paired.

        Returns
        -------
        float
            The p-value.

        References
        ----------
        Phipson, Smyth (2010), Permutation p-values should never be zero.

        Examples
        --------
        >>> ShuffledNull(np.zeros(99)).p_value(1.0)
        0.01
        """
        return (1 + int((self.values >= nats).sum())) / (1 + len(self.values))


@validated
def shuffled_null(
    estimator: Estimator,
    x: Any,
    y: Any,
    *,
    permutations: PositiveInt = 200,
    surrogates: Surrogates = "shuffle",
    seed: Seed = 0,
    n_jobs: int = 1,
    progress: bool = False,
) -> ShuffledNull:
    """Estimate random re-pairings of x and y, for a p-value and for the bias at independence.

    Parameters
    ----------
    estimator
        Object with `estimate(x, y)`.
    x, y : array-like of shape (n, ...)
        Paired samples.
    permutations
        Number of re-pairings.
    surrogates
        "shuffle" permutes single samples; "rotate" and "blocks" keep the order within series.
    seed
        Seed of the permutations.
    n_jobs
        Processes at once; -1 means one for each processor.
    progress
        Whether to show a progress bar on the standard error stream.

    Returns
    -------
    ShuffledNull
        The estimates.

    Raises
    ------
    InvalidArgument
        For unequal lengths, and as the estimator raises.

    References
    ----------
    Fisher (1935), The Design of Experiments; for information: François et al. (2006).

    Examples
    --------
    >>> import numpy as np
    >>> from infoflow.estimators.gaussian.gaussian import Gaussian
    >>> x, y = np.random.default_rng(0).normal(size=(2, 100))
    >>> null = shuffled_null(Gaussian(), x, y, permutations=50)
    >>> abs(null.mean) < 0.01, null.p_value(0.5)
    (True, 0.0196)
    """
    x, y = _paired(x, y)
    n = len(x)
    rng = np.random.default_rng(seed)
    everyone = np.arange(n)
    rows = surrogate_rows(n, permutations, surrogates, rng)
    again = [_Again(estimator, x, y, everyone, row) for row in rows]
    return ShuffledNull(_run(again, n_jobs, "permutations" if progress else None))
