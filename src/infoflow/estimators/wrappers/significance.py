"""How sure an estimate is: intervals by resampling, and what the estimator says of independent data.

Works with any estimator: it is only called again, on other selections of the same samples.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor, from_numpy

from infoflow.core.checks import choice, integer
from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.core.estimate import Estimate, Interval
from infoflow.core.protocols import Estimator

METHODS = ("subsampling", "bootstrap", "jackknife")

# Groups of the grouped jackknife.
_GROUPS = 20


def _select(values: Any, index: NDArray[np.intp]) -> Any:
    """The samples of that index, in the caller's own kind of array, so that classes stay classes."""
    if isinstance(values, Tensor):
        return values[from_numpy(index).to(values.device)]
    return np.asarray(values)[index]


def _count(x: Any, y: Any) -> int:
    sizes = [values.shape[0] if isinstance(values, Tensor) else len(np.asarray(values)) for values in (x, y)]
    if sizes[0] != sizes[1]:
        raise InvalidArgument(f"x holds {sizes[0]} samples but y holds {sizes[1]}; want pairs")
    return sizes[0]


def _run(tasks: Iterable[Callable[[], float]], n_jobs: int) -> NDArray[np.float64]:
    if n_jobs == 1:
        return np.array([task() for task in tasks])
    return np.array(Parallel(n_jobs=n_jobs)(delayed(task)() for task in tasks))


@dataclass(frozen=True)
class _Again:
    """One more estimate, of selected samples; an object, so that it can be sent to another process."""

    estimator: Estimator
    x: Any
    y: Any
    index_x: NDArray[np.intp]
    index_y: NDArray[np.intp]

    def __call__(self) -> float:
        return self.estimator.estimate(_select(self.x, self.index_x), _select(self.y, self.index_y)).nats


def interval(
    estimator: Estimator,
    x: Any,
    y: Any,
    method: str = "subsampling",
    *,
    level: float = 0.95,
    replicates: int = 100,
    fraction: float = 0.5,
    seed: int = 0,
    n_jobs: int = 1,
    estimate: Estimate | None = None,
) -> Interval:
    """A confidence interval for what `estimator` estimates, from estimates of other selections of the samples.

    - "subsampling" (the default): `replicates` times m = `fraction` n samples *without* replacement. Their deviations
      from their mean, times √(m / (n - m)), stand for those of the estimate from what it estimates (Politis and Romano
      1994; m = n/2 is half-sampling). Nothing occurs twice, so nearest neighbors stay what they are.
    - "bootstrap": n samples *with* replacement; the basic interval (Efron 1979). Repeated samples have distance 0: they
      look like perfect dependence to estimators that count neighbors or distances (k-NN, kernels, hashing, critics).
      Good for `Gaussian` and `CCA`. Raises InvalidArgument where the replicates are shifted by more than their
      spread explains, since ties then decide the result.
    - "jackknife": leaves out one of 20 groups at a time (Shao and Wu 1989); 20 estimates, and Student's t.

    The interval is about chance, not bias: it says what other samples of this size would have given. `estimate`, where
    known already, saves one call. Raises UnknownName for another method and TooFewSamples for too small a selection.

    >>> import numpy as np
    >>> from infoflow.estimators.gaussian.gaussian import Gaussian
    >>> x, noise = np.random.default_rng(0).normal(size=(2, 400))
    >>> interval(Gaussian(), x, x + noise, replicates=50)  # ½ log 2 = 0.3466
    Interval(low=0.3..., high=0.4..., spans='subsampling', level=0.95)
    """
    choice(method, "interval method", METHODS)
    integer(replicates, "replicates", minimum=10)
    integer(seed, "seed", minimum=0)
    if not 0 < level < 1:
        raise InvalidArgument(f"level is {level!r}; want a number between 0 and 1")
    if not 0 < fraction < 1:
        raise InvalidArgument(f"fraction is {fraction!r}; want a number between 0 and 1")
    n = _count(x, y)
    if n < 4:
        raise TooFewSamples(f"x holds {n} samples; an interval needs at least 4")
    nats = (estimator.estimate(x, y) if estimate is None else estimate).nats
    rng = np.random.default_rng(seed)
    if method == "jackknife":
        return _jackknife(estimator, x, y, nats, rng, level, n_jobs)
    if method == "bootstrap":
        selections = [np.sort(rng.integers(n, size=n)) for _ in range(replicates)]
        scale = 1.0
    else:
        m = min(max(int(fraction * n), 2), n - 1)
        selections = [np.sort(rng.choice(n, size=m, replace=False)) for _ in range(replicates)]
        scale = math.sqrt(m / (n - m))
    values = _run([_Again(estimator, x, y, s, s) for s in selections], n_jobs)
    if not np.isfinite(values).all() or not math.isfinite(nats):
        return Interval(-math.inf, math.inf, spans=method, level=level)
    deviations = values - values.mean()
    if method == "bootstrap":
        shift = float(values.mean()) - nats
        # The bootstrap of a smooth estimate repeats its bias, which is small beside its spread; ties are another thing.
        if abs(shift) > 3 * float(values.std()) + 1e-9:
            raise InvalidArgument(
                f"bootstrap replicates are {abs(shift):.3g} nats {'above' if shift > 0 else 'below'} the estimate: "
                "repeated samples (ties) mislead this estimator; want method='subsampling'"
            )
    tail = (1 - level) / 2
    below, above = np.quantile(deviations, [tail, 1 - tail])
    return Interval(nats - scale * float(above), nats - scale * float(below), spans=method, level=level)


def _jackknife(
    estimator: Estimator, x: Any, y: Any, nats: float, rng: np.random.Generator, level: float, n_jobs: int
) -> Interval:
    order = rng.permutation(_count(x, y))
    groups = np.array_split(order, min(_GROUPS, len(order)))
    everyone = np.arange(len(order))
    kept = [np.setdiff1d(everyone, group) for group in groups]
    values = _run([_Again(estimator, x, y, s, s) for s in kept], n_jobs)
    if not np.isfinite(values).all() or not math.isfinite(nats):
        return Interval(-math.inf, math.inf, spans="jackknife", level=level)
    count = len(groups)
    error = math.sqrt((count - 1) / count * float(np.square(values - values.mean()).sum()))
    half = float(stats.t.ppf(0.5 + level / 2, count - 1)) * error
    return Interval(nats - half, nats + half, spans="jackknife", level=level)


@dataclass(frozen=True, eq=False)
class ShuffledNull:
    """What an estimator says when the pairing is destroyed: its bias and its noise at I(X;Y) = 0.

    >>> null = ShuffledNull(np.array([0.0, 0.1, -0.1, 0.02]))
    >>> null.p_value(0.05)  # (1 + 1) / (1 + 4)
    0.4
    """

    values: NDArray[np.float64]
    """Estimates (B,) in nats of shuffled pairs."""

    @property
    def mean(self) -> float:
        """Mean over the shufflings: the estimator's bias for independent data of these margins."""
        return float(self.values.mean())

    @property
    def spread(self) -> float:
        """Standard deviation over the shufflings."""
        return float(self.values.std(ddof=1)) if len(self.values) > 1 else 0.0

    def p_value(self, nats: float) -> float:
        """(1 + number of shufflings that reach `nats`) / (1 + B): exact under independence, and never 0.

        (Phipson and Smyth 2010.)

        >>> ShuffledNull(np.zeros(99)).p_value(1.0)
        0.01
        """
        return (1 + int((self.values >= nats).sum())) / (1 + len(self.values))


def shuffled_null(
    estimator: Estimator, x: Any, y: Any, *, permutations: int = 200, seed: int = 0, n_jobs: int = 1
) -> ShuffledNull:
    """Estimates of `permutations` random re-pairings of x and y, for a p-value and for the bias at independence.

    Raises InvalidArgument for unequal n and what the estimator raises. (Fisher 1935; for information: François et al.
    2006.)

    >>> import numpy as np
    >>> from infoflow.estimators.gaussian.gaussian import Gaussian
    >>> x, y = np.random.default_rng(0).normal(size=(2, 100))
    >>> null = shuffled_null(Gaussian(), x, y, permutations=50)
    >>> abs(null.mean) < 0.01, null.p_value(0.5)
    (True, 0.0196)
    """
    n = _count(x, y)
    integer(permutations, "permutations")
    rng = np.random.default_rng(integer(seed, "seed", minimum=0))
    everyone = np.arange(n)
    again = [_Again(estimator, x, y, everyone, rng.permutation(n)) for _ in range(permutations)]
    return ShuffledNull(_run(again, n_jobs))
