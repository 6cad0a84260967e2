"""The choice of an estimator for given samples, with its reason."""

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

# Up to this many dimensions of x and y together nearest neighbors are accurate and fast.
_LOW = 4

# Fewer samples are too few to fit, select and evaluate a critic; nearest neighbors then serve more dimensions.
_ENOUGH, _LOW_WITH_FEW = 1000, 6

# With few samples in many dimensions a Gaussian copula that misses less than this share has the smallest error.
_TOLERABLE = 0.1

# A lower bound is capped near the log of the samples in a fold; from this share of the cap on, it is too low.
_CAP, _FOLDS = 0.55, 4

# With fewer samples per dimension, as for images, the Gaussian part is mostly noise.
_SAMPLES_A_DIMENSION = 50

# Samples used for the choice.
_LOOK = 10_000

# Share of tied values in some column from which on a variable is no longer continuous.
_TIES = 0.05


@dataclass(frozen=True)
class Recommendation:
    """An estimator's name and settings, the reason, and alternatives.

    Parameters
    ----------
    estimator
        Name of the estimator.
    why
        Reason for the choice, as text.
    parameters
        Settings of the estimator.
    alternatives
        Names of other estimators to compare with.

    Examples
    --------
    >>> print(Recommendation("ksg", "few dimensions", {"k": 5}).why)
    few dimensions
    """

    estimator: str
    why: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    alternatives: tuple[str, ...] = ()

    def create(self) -> Estimator:
        """Create the estimator.

        Returns
        -------
        Estimator
            An object with `estimate(x, y)`.

        Examples
        --------
        >>> Recommendation("ksg", "few dimensions", {"k": 5}).create()
        KSG(k=5...)
        """
        chosen: Estimator = create(self.estimator, **self.parameters)
        return chosen


def recommend(x: Any, y: Any) -> Recommendation:
    """Choose an estimator of I(X;Y) by the types of the variables, their dimensions and a test of a Gaussian copula.

    Parameters
    ----------
    x, y : array-like of shape (n, ...)
        Paired samples, of which at most 10000 are used; one-dimensional integers are classes.

    Returns
    -------
    Recommendation
        Name and settings of the estimator, the reason, and alternatives.

    Raises
    ------
    InvalidArgument
        If the samples are not finite numbers or their lengths differ.

    Notes
    -----
    The rules, in this order:

    - classes on both sides: "discrete"; on one: "ksg" (its class form);
    - more than 5 % tied values in a column: "mixed", which treats ties as symbols;
    - a Gaussian copula is not rejected (`missed_information` is not significant): "gaussian" with `copula`, and with
      `shrinkage` where samples are few for the dimensions;
    - it is rejected, in up to 4 dimensions: "ksg";
    - in more: "neural", whose critics start from the Gaussian part and learn the rest (some seconds at n = 10000),
      but "doe" where that part alone exceeds what a lower bound can reach;
    - with fewer than 1000 samples instead: "ksg", unless in more than 6 dimensions the copula misses less than a tenth
      of its own information, which is less than nearest neighbors would lose.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=2000)
    >>> recommend(x, np.exp(x + rng.normal(size=2000))).estimator
    'gaussian'
    >>> print(recommend(x, x**2 + rng.normal(size=2000)).why)
    a Gaussian copula is rejected (p = ..., it would miss about ... nats); 2 dimensions are few enough for neighbors
    """
    symbolic = is_classes(x), is_classes(y)
    if all(symbolic):
        return _discrete(x, y)
    left = classes(x, "x")[0][:, None] if symbolic[0] else samples(x, "x", dtype=float64)
    right = classes(y, "y")[0][:, None] if symbolic[1] else samples(y, "y", dtype=float64)
    paired(left, right)
    dimensions = left.shape[1] + right.shape[1]
    if any(symbolic):
        why = f"classes and a continuous variable ({dimensions - 1} dimensions): neighbors within classes (Ross)"
        return Recommendation("ksg", why, alternatives=("mixed", "adaptive-binning"))
    every = slice(None, None, -(-len(left) // _LOOK))
    return _continuous(left[every], right[every], dimensions, len(left))


def _discrete(x: Any, y: Any) -> Recommendation:
    (codes_x, count_x), (codes_y, count_y) = classes(x, "x"), classes(y, "y")
    paired(codes_x, codes_y)
    cells, n = count_x * count_y, len(codes_x)
    if n >= 20 * cells:
        return Recommendation("discrete", f"classes on both sides, and {n} samples for {cells} cells: counting")
    why = f"classes on both sides, and only {n} samples for {cells} cells: counting with a bias correction"
    return Recommendation("discrete", why, {"correction": "grassberger"}, ("discrete:correction=nsb",))


def _continuous(x: Tensor, y: Tensor, dimensions: int, n: int) -> Recommendation:
    tied = max(_ties(x), _ties(y))
    if tied > _TIES:
        why = f"{tied:.0%} of the values in some column are ties: the variable is partly discrete"
        return Recommendation("mixed", why, alternatives=("adaptive-binning", "ksg"))
    if len(x) < 3 * dimensions:
        why = f"{len(x)} samples of {dimensions} dimensions are too few for more than a shrunken covariance"
        return Recommendation("gaussian", why, {"copula": True, "shrinkage": "oas"}, ("compressed", "sliced"))
    missed = missed_information(x, y)
    if not missed.significant:
        why = f"a Gaussian copula is not rejected by {len(x)} samples (p = {missed.p_value:.2g})"
        return Recommendation("gaussian", why, {"copula": True}, ("ksg", "cca"))
    amount = f"about {missed.nats:.2g} nats" if missed.nats < 1 else "more than a nat"
    why = f"a Gaussian copula is rejected (p = {missed.p_value:.2g}, it would miss {amount})"
    if dimensions <= (_LOW if n >= _ENOUGH else _LOW_WITH_FEW):
        few = f"{dimensions} dimensions are few enough for neighbors"
        return Recommendation("ksg", f"{why}; {few}", alternatives=("mixed", "neural"))
    if n >= _ENOUGH and len(x) >= _SAMPLES_A_DIMENSION * dimensions and missed.gaussian > _cap(n):
        large = f"{missed.gaussian:.2g} nats are Gaussian, and lower bounds are capped near log {n // _FOLDS}"
        return Recommendation("doe", f"{why}; {large}", alternatives=("gaussian-mixture", "flow"))
    if n >= _ENOUGH:
        learned = f"in {dimensions} dimensions neighbors would lose much, and {n} samples are enough to train on"
        return Recommendation("neural", f"{why}; {learned}", alternatives=("smile", "ksg", "compressed", "sliced"))
    others = ("neural", "compressed", "sliced")
    if missed.nats < _TOLERABLE * missed.gaussian:
        worse = f"but neighbors would lose more than that in {dimensions} dimensions"
        return Recommendation("gaussian", f"{why}, {worse}", {"copula": True}, ("ksg", *others))
    partly = f"neighbors find a part of the rest, little where most of the {dimensions} dimensions matter"
    return Recommendation("ksg", f"{why}; {partly}", alternatives=others)


def _cap(n: int) -> float:
    """Nats beyond which a lower bound from n samples is likely too low."""
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
    """Estimate by what `recommend` chooses; the estimate names the estimator.

    Notes
    -----
    Where that is a lower bound close to its cap, "doe" is computed too, and the larger of the two is returned with a
    warning: a difference of entropies has no such ceiling.

    Examples
    --------
    >>> Auto().estimate([0, 0, 1, 1] * 30, [1, 1, 0, 0] * 30).estimator
    'Discrete'
    """

    def estimate(self, x: Any, y: Any) -> Estimate:
        """Estimate I(X;Y) in nats by the recommended estimator.

        Parameters
        ----------
        x, y : array-like of shape (n, ...)
            Paired samples; one-dimensional integers are classes.

        Returns
        -------
        Estimate
            Of the kind of the estimator that it names.

        Raises
        ------
        InvalidArgument
            As `recommend` and the estimator raise.

        Examples
        --------
        >>> import numpy as np
        >>> x, noise = np.random.default_rng(0).normal(size=(2, 5000))
        >>> Auto().estimate(x, x + noise).nats  # ½ log 2 = 0.3466
        0.35
        """
        return self.estimate_with(x, y, lambda estimator: estimator.estimate(x, y))[1]

    def estimate_with(self, x: Any, y: Any, run: Callable[[Estimator], Estimate]) -> tuple[Estimator, Estimate]:
        """Choose an estimator, and return it with its estimate.

        Parameters
        ----------
        x, y : array-like of shape (n, ...)
            Paired samples.
        run
            Function that applies an estimator to the samples.

        Returns
        -------
        tuple of Estimator and Estimate
            The estimator that was used in the end, and the result of `run` with it.

        Examples
        --------
        >>> x, y = [0, 1] * 9, [1, 0] * 9
        >>> estimator, estimate = Auto().estimate_with(x, y, lambda chosen: chosen.estimate(x, y))
        >>> estimate.estimator
        'Discrete'
        """
        chosen = self.choose(x, y)
        found = run(chosen)
        if found.kind is not Kind.LOWER_BOUND or found.nats <= _cap(found.n):
            return chosen, found
        dense: Estimator = Recommendation("doe", "").create()
        other = run(dense)
        _LOG.info("%s: %.3f nats is close to the cap of lower bounds; doe: %.3f", chosen, found.nats, other.nats)
        if other.nats <= found.nats:
            return chosen, found
        why = (
            f"{found.estimator} gave {found.nats:.2f} nats, close to the cap of lower bounds from {found.n} samples, "
            "so that densities were used instead"
        )
        return dense, replace(other, warnings=(*other.warnings, why))

    def choose(self, x: Any, y: Any) -> Estimator:
        """Create the recommended estimator, and log the reason.

        Parameters
        ----------
        x, y : array-like of shape (n, ...)
            Paired samples.

        Returns
        -------
        Estimator
            An object with `estimate(x, y)`.

        Examples
        --------
        >>> Auto().choose([0.1, 0.2, 0.5], [0.3, 0.1, 0.7])
        Gaussian(shrinkage='oas', copula=True, bias_correction=True)
        """
        chosen = recommend(x, y)
        _LOG.info("%s, for %s", chosen.estimator, chosen.why)
        return chosen.create()
