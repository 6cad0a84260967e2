"""Which estimator suits these samples, and why."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from torch import Tensor, float64

from infoflow.core.checks import classes, is_classes, paired, samples
from infoflow.core.estimate import Estimate, Kind
from infoflow.core.protocols import Estimator
from infoflow.estimators.gaussian.gaussianity import missed_information
from infoflow.estimators.registry import create

_LOG = logging.getLogger(__name__)

# Up to this many dimensions of x and y together nearest neighbors see whatever there is to see, and fast.
_LOW = 4

# Fewer samples leave a critic too little to fit, to select and to report on; neighbors do up to more dimensions then.
_ENOUGH, _LOW_WITH_FEW = 1000, 6

# With few samples in many dimensions a Gaussian copula that misses under this share of what it sees loses the least.
_TOLERABLE = 0.1

# A lower bound caps near the log of a fold of samples; from this share of it on, it falls behind.
_CAP, _FOLDS = 0.55, 4

# A Gaussian part seen with fewer samples a dimension is largely made up, of pictures above all.
_SAMPLES_A_DIMENSION = 50

# Samples that the look at the data takes; it is a choice, not the estimate.
_LOOK = 10_000

# Share of tied values in some column from which on a variable is no longer continuous.
_TIES = 0.05


@dataclass(frozen=True)
class Recommendation:
    """An estimator's name and parameters, the reason in words, and names of others worth a look.

    >>> print(Recommendation("ksg", "few dimensions", {"k": 5}).why)
    few dimensions
    """

    estimator: str
    why: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    alternatives: tuple[str, ...] = ()

    def create(self) -> Estimator:
        """The estimator itself, ready to use.

        >>> Recommendation("ksg", "few dimensions", {"k": 5}).create()
        KSG(k=5...)
        """
        chosen: Estimator = create(self.estimator, **self.parameters)
        return chosen


def recommend(x: Any, y: Any) -> Recommendation:
    """The estimator of I(X;Y) that suits x (n, ...) and y (n, ...), from their types, their dimensions and a test.

    - classes on both sides: "discrete"; on one: "ksg" (its class form);
    - more than 5 % tied values in a column: "mixed", for ties are symbols there;
    - a Gaussian copula holds (`gaussianity.missed_information` is not significant): "gaussian" with `copula`, which
      then is as good as it gets, and with `shrinkage` where samples are few for the dimensions;
    - it doesn't, in up to 4 dimensions: "ksg";
    - in more: "neural", whose critics start from the Gaussian part and learn the rest (some seconds at n = 10000),
      but "doe" where that part alone is more than a lower bound can show;
    - with under 1000 samples instead: "ksg", unless in more than 6 dimensions the copula misses less than a tenth of
      what it sees, which is less than neighbors would lose.

    Looks at 10000 samples at most. Raises InvalidArgument for unequal n, NaN or infinity.

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=2000)
    >>> recommend(x, np.exp(x + rng.normal(size=2000))).estimator
    'gaussian'
    >>> print(recommend(x, x**2 + rng.normal(size=2000)).why)
    a Gaussian copula does not hold (p = ..., it would miss about ... nats); 2 dimensions are few enough for neighbors
    """
    symbolic = is_classes(x), is_classes(y)
    if all(symbolic):
        return _discrete(x, y)
    left = classes(x, "x")[0][:, None] if symbolic[0] else samples(x, "x", dtype=float64)
    right = classes(y, "y")[0][:, None] if symbolic[1] else samples(y, "y", dtype=float64)
    paired(left, right)
    dimensions = left.shape[1] + right.shape[1]
    if any(symbolic):
        why = (
            f"one side is classes, the other continuous ({dimensions - 1} dimensions): neighbors within classes (Ross)"
        )
        return Recommendation("ksg", why, alternatives=("mixed", "adaptive-binning"))
    every = slice(None, None, -(-len(left) // _LOOK))
    return _continuous(left[every], right[every], dimensions, len(left))


def _discrete(x: Any, y: Any) -> Recommendation:
    (codes_x, count_x), (codes_y, count_y) = classes(x, "x"), classes(y, "y")
    paired(codes_x, codes_y)
    cells, n = count_x * count_y, len(codes_x)
    if n >= 20 * cells:
        return Recommendation("discrete", f"classes on both sides, and {n} samples for {cells} cells: counting")
    why = f"classes on both sides, and only {n} samples for {cells} cells: counting, with its bias corrected"
    return Recommendation("discrete", why, {"correction": "grassberger"}, ("discrete:correction=nsb",))


def _continuous(x: Tensor, y: Tensor, dimensions: int, n: int) -> Recommendation:
    tied = max(_ties(x), _ties(y))
    if tied > _TIES:
        why = f"{tied:.0%} of the values in some column are ties: partly discrete, and neighbors must count symbols"
        return Recommendation("mixed", why, alternatives=("adaptive-binning", "ksg"))
    if len(x) < 3 * dimensions:
        why = f"{len(x)} samples of {dimensions} dimensions are too few for anything but a shrunken covariance"
        return Recommendation("gaussian", why, {"copula": True, "shrinkage": "oas"}, ("compressed", "sliced"))
    missed = missed_information(x, y)
    if not missed.significant:
        why = f"a Gaussian copula holds as far as {len(x)} samples tell (p = {missed.p_value:.2g})"
        return Recommendation("gaussian", why, {"copula": True}, ("ksg", "cca"))
    amount = f"about {missed.nats:.2g} nats" if missed.nats < 1 else "more than a nat"
    why = f"a Gaussian copula does not hold (p = {missed.p_value:.2g}, it would miss {amount})"
    if dimensions <= (_LOW if n >= _ENOUGH else _LOW_WITH_FEW):
        few = f"{dimensions} dimensions are few enough for neighbors"
        return Recommendation("ksg", f"{why}; {few}", alternatives=("mixed", "neural"))
    if n >= _ENOUGH and len(x) >= _SAMPLES_A_DIMENSION * dimensions and missed.gaussian > _cap(n):
        large = f"{missed.gaussian:.2g} nats of it are Gaussian already, and lower bounds cap near log {n // _FOLDS}"
        return Recommendation("doe", f"{why}; {large}", alternatives=("gaussian-mixture", "flow"))
    if n >= _ENOUGH:
        learned = f"in {dimensions} dimensions neighbors lose much of it, and {n} samples are enough to learn it"
        return Recommendation("neural", f"{why}; {learned}", alternatives=("smile", "ksg", "compressed", "sliced"))
    others = ("neural", "compressed", "sliced")
    if missed.nats < _TOLERABLE * missed.gaussian:
        worse = f"but neighbors would lose more than that in {dimensions} dimensions"
        return Recommendation("gaussian", f"{why}, {worse}", {"copula": True}, ("ksg", *others))
    partly = f"neighbors find what it can't, but too little of it unless most of the {dimensions} dimensions are idle"
    return Recommendation("ksg", f"{why}; {partly}", alternatives=others)


def _cap(n: int) -> float:
    """Nats beyond which a lower bound from n samples is likely too small."""
    return _CAP * math.log(n / _FOLDS)


def _ties(values: Tensor) -> float:
    """The largest share of repeated values among the columns that vary at all."""
    ordered = np.sort(values.cpu().numpy(), axis=0)
    varying = ordered[:, ordered[0] < ordered[-1]]
    if varying.shape[1] == 0:
        return 0.0
    return float((varying[1:] == varying[:-1]).mean(axis=0).max())


@dataclass(frozen=True)
class Auto:
    """Asks `recommend` and does what it says; the estimate names the estimator that was chosen.

    Where that is a lower bound and has come near what lower bounds can show, "doe" is asked too, and the larger of the
    two is the answer: a difference of entropies has no such ceiling. The estimate says so then.

    >>> Auto().estimate([0, 0, 1, 1] * 30, [1, 1, 0, 0] * 30).estimator
    'Discrete'
    """

    def estimate(self, x: Any, y: Any) -> Estimate:
        """I(X;Y) in nats by the recommended estimator; raises what `recommend` and that estimator raise.

        >>> import numpy as np
        >>> x, noise = np.random.default_rng(0).normal(size=(2, 5000))
        >>> Auto().estimate(x, x + noise).nats  # ½ log 2 = 0.3466
        0.35
        """
        return self.settle(x, y, lambda estimator: estimator.estimate(x, y))[1]

    def settle(self, x: Any, y: Any, run: Callable[[Estimator], Estimate]) -> tuple[Estimator, Estimate]:
        """The estimator that is used in the end, and what it `run` came to.

        >>> estimator, estimate = Auto().settle([0, 1] * 9, [1, 0] * 9, lambda e: e.estimate([0, 1] * 9, [1, 0] * 9))
        >>> estimate.estimator
        'Discrete'
        """
        chosen = self.choose(x, y)
        found = run(chosen)
        if found.kind is not Kind.LOWER_BOUND or found.nats <= _cap(found.n):
            return chosen, found
        dense: Estimator = Recommendation("doe", "").create()
        other = run(dense)
        _LOG.info("%s: %.3f nats is near what lower bounds can show; doe: %.3f", chosen, found.nats, other.nats)
        if other.nats <= found.nats:
            return chosen, found
        why = f"{found.estimator} came to {found.nats:.2f} nats, near what lower bounds can show of {found.n} samples: "
        return dense, replace(other, warnings=(*other.warnings, why + "densities were asked instead"))

    def choose(self, x: Any, y: Any) -> Estimator:
        """The recommended estimator; the reason goes to the log.

        >>> Auto().choose([0.1, 0.2, 0.5], [0.3, 0.1, 0.7])
        Gaussian(shrinkage='oas', copula=True, bias_correction=True)
        """
        chosen = recommend(x, y)
        _LOG.info("%s, for %s", chosen.estimator, chosen.why)
        return chosen.create()
