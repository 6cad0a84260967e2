"""Gaussian classes: how much a sample tells of its class, exactly, and between bounds.

For two balanced classes N(±μ, Σ) everything depends on the separation s = μᵀΣ⁻¹μ alone, since μᵀΣ⁻¹x is all that x
says of its class.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, special
from torch import Tensor

from infoflow.core.checks import integer
from infoflow.core.errors import InvalidArgument
from infoflow.entropies.gaussian_mixture import MonteCarlo
from infoflow.theory.error_probability import error_lower_bound

Array = NDArray[np.float64]

# The trapezium rule converges exponentially for smooth functions that vanish at both ends; this one is good to 1e-15.
_NODES = np.linspace(-9.0, 9.0, 401)
_WEIGHTS = np.exp(-0.5 * _NODES**2) / np.exp(-0.5 * _NODES**2).sum()

# Separations handled at a time: 12 MiB of float64.
_BLOCK = 4096


class Lower(NamedTuple):
    """Lower bounds on I(X;Y) of a binary Gaussian mixture, in nats."""

    overlap: float
    """log 2 − log(1 + e^{−s/2}), from the Bhattacharyya distance of the classes."""
    energy: float
    """log 2 − log(1 + e^{−s}) − (n/2)(1 − log 2), from the collision entropy; 0 where that is negative."""


class Upper(NamedTuple):
    """Upper bounds on I(X;Y) of a binary Gaussian mixture, in nats."""

    separation: float
    """s itself; never below the other, but without a logarithm."""
    divergence: float
    """log 2 − log(1 + e^{−2s}), from the Kullback–Leibler divergence 2 s of the classes."""


def binary_mixture_information(separation: Any) -> Array:
    """I(X;Y) in nats for balanced classes N(±μ, Σ) with s = μᵀΣ⁻¹μ = `separation`, of any shape.

        I = s − E log cosh U = log 2 − E log(1 + e^{−2U}),     U ~ N(s, s),

    by quadrature, to 1e-12. Raises InvalidArgument for a separation that is negative or not finite. (Yi et al., arXiv
    2209.10058.)

    >>> binary_mixture_information([0.0, 0.1, 1.0, 4.0])
    array([0. , 0.0476, 0.3368, 0.6327])
    """
    s = np.asarray(separation, dtype=np.float64)
    if not (np.isfinite(s) & (s >= 0)).all():
        raise InvalidArgument(f"separation is {separation!r}; want finite numbers >= 0")
    flat = s.reshape(-1, 1)
    found = np.empty(len(flat))
    for start in range(0, len(flat), _BLOCK):
        block = flat[start : start + _BLOCK]
        # The second form: the first takes the difference of two large numbers.
        lost = np.logaddexp(0.0, -2 * (block + np.sqrt(block) * _NODES)) @ _WEIGHTS
        found[start : start + _BLOCK] = math.log(2) - lost
    return np.clip(found, 0.0, math.log(2)).reshape(s.shape)


@dataclass(frozen=True, eq=False)
class GaussianMixture:
    """Two balanced classes Y = ±1 with X|Y ~ N(Y μ, Σ) in n dimensions.

    `mean` μ (n,) and `covariance` Σ (n, n), or numbers for n = 1. All that follows is in nats and depends on
    s = μᵀΣ⁻¹μ. Raises InvalidArgument for shapes that don't fit, and a covariance that is not symmetric and positive
    definite. (Yi et al., arXiv 2209.10058.)

    >>> mixture = GaussianMixture([1.0, 0.0], [[1.0, 0.0], [0.0, 2.0]])
    >>> mixture.separation, mixture.mutual_information()
    (1.0, 0.3368)
    >>> mixture.lower_bounds()
    Lower(overlap=0.2191, energy=0.0730)
    >>> mixture.upper_bounds()
    Upper(separation=1.0, divergence=0.5662)
    """

    mean: Any
    covariance: Any

    def __post_init__(self) -> None:
        mean = np.atleast_1d(_numbers(self.mean, "mean"))
        if mean.ndim != 1:
            raise InvalidArgument(f"mean has shape {mean.shape}; want (n,)")
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "covariance", _covariances(self.covariance, len(mean), None)[0])

    @cached_property
    def separation(self) -> float:
        """s = μᵀΣ⁻¹μ, the squared distance from a class to the midpoint in units of the noise."""
        root = np.linalg.cholesky(self.covariance)
        return float(np.square(linalg.solve_triangular(root, self.mean, lower=True)).sum())

    def mutual_information(self) -> float:
        """I(X;Y) = s − E log cosh U, U ~ N(s, s), in nats, to 1e-12.

        >>> GaussianMixture(2.0, 1.0).mutual_information()
        0.6327
        """
        return float(binary_mixture_information(self.separation))

    def lower_bounds(self) -> Lower:
        """log 2 − log(1 + e^{−s/2}), and log 2 − log(1 + e^{−s}) − (n/2)(1 − log 2) or 0, in nats.

        >>> max(GaussianMixture(2.0, 1.0).lower_bounds())
        0.5662
        """
        s, n = self.separation, len(self.mean)
        energy = math.log(2) - math.log1p(math.exp(-s)) - n / 2 * (1 - math.log(2))
        return Lower(math.log(2) - math.log1p(math.exp(-s / 2)), max(0.0, energy))

    def upper_bounds(self) -> Upper:
        """s, and log 2 − log(1 + e^{−2s}), in nats.

        >>> min(GaussianMixture(2.0, 1.0).upper_bounds())
        0.6928
        """
        s = self.separation
        return Upper(s, math.log(2) - math.log1p(math.exp(-2 * s)))

    def bayes_error(self) -> float:
        """Φ(−√s): the error probability of the best classifier, the sign of μᵀΣ⁻¹x.

        >>> GaussianMixture(2.0, 1.0).bayes_error()
        0.0228
        """
        return float(special.ndtr(-math.sqrt(self.separation)))

    def error_lower_bound(self, form: str = "fano") -> float:
        """What `theory.error_lower_bound` says from the smaller upper bound on I(X;Y): no quadrature in it.

        "paper" is its corollary, (3 − √(5 + 8 I_ub)) / 4 in bits, which says nothing from s = .44 on (.35 with s itself
        for I_ub); "fano", the default, always does. Raises UnknownName for another form.

        >>> mixture = GaussianMixture(0.5, 1.0)
        >>> mixture.error_lower_bound("paper"), mixture.error_lower_bound(), mixture.bayes_error()
        (0.0641, 0.1818, 0.3085)
        """
        return error_lower_bound(min(self.upper_bounds()), math.log(2), 2, form)


class PairwiseBounds(NamedTuple):
    """Bounds on I(X;Y) in nats from the pairs of classes alone, without any sampling."""

    lower: float
    upper: float


@dataclass(frozen=True, eq=False)
class ClassMixture:
    """C classes with X|Y=c ~ N(μ_c, Σ_c) in n dimensions and P(Y=c) = π_c: `GaussianMixture` for more than two.

    `means` (C, n); `covariance` (n, n) for all classes, or (C, n, n); `priors` (C,), balanced by default. Raises
    InvalidArgument as `GaussianMixture` does, and for priors that are no probabilities > 0.

    >>> corners = ClassMixture([[1, 1], [1, -1], [-1, 1], [-1, -1]], np.eye(2))  # two binary mixtures of s = 1
    >>> found = corners.mutual_information(draws=20_000)
    >>> abs(found.nats - 2 * 0.3368) < 4 * found.error < 0.02
    True
    """

    means: Any
    covariance: Any
    priors: Any = None

    def __post_init__(self) -> None:
        means = _numbers(self.means, "means")
        if means.ndim != 2 or len(means) < 2:
            raise InvalidArgument(f"means have shape {means.shape}; want (classes, n) with at least 2 classes")
        count = len(means)
        priors = np.full(count, 1 / count) if self.priors is None else _numbers(self.priors, "priors")
        if priors.shape != (count,) or not (priors > 0).all() or abs(priors.sum() - 1) > 1e-6:
            raise InvalidArgument(f"priors are {self.priors!r}; want {count} positive numbers that add up to 1")
        covariances = _covariances(self.covariance, means.shape[1], count)
        for name, value in (("means", means), ("covariance", covariances), ("priors", priors / priors.sum())):
            object.__setattr__(self, name, value)

    @property
    def label_entropy(self) -> float:
        """H(Y) in nats.

        >>> ClassMixture([[0.0], [1.0], [2.0]], 1.0).label_entropy  # log 3
        1.0986
        """
        return float(special.entr(self.priors).sum())

    def mutual_information(self, draws: int = 10_000, seed: int = 0) -> MonteCarlo:
        """I(X;Y) = E log p(x|y) / p(x) in nats and its standard error, from `draws` samples of every class.

        Raises InvalidArgument for fewer than 2 draws.

        >>> found = ClassMixture([[-1.0], [1.0]], 1.0).mutual_information()  # 0.3368
        >>> abs(found.nats - 0.3368) < 4 * found.error
        True
        """
        log_posterior = self._log_posterior(draws, seed)
        return self._mean([rows[:, c] - math.log(self.priors[c]) for c, rows in enumerate(log_posterior)])

    def bayes_error(self, draws: int = 10_000, seed: int = 0) -> MonteCarlo:
        """The error probability 1 − E max_c P(c|x) of the best classifier, and its standard error.

        Raises InvalidArgument for fewer than 2 draws.

        >>> found = ClassMixture([[-1.0], [1.0]], 1.0).bayes_error()  # 0.1587
        >>> abs(found.nats - 0.1587) < 4 * found.error
        True
        """
        return self._mean([1 - np.exp(rows.max(axis=1)) for rows in self._log_posterior(draws, seed)])

    def bounds(self) -> PairwiseBounds:
        """−Σ_c π_c log Σ_k π_k e^{−D(c, k)} in nats: with the Bhattacharyya distance for D it is below I(X;Y), with the
        Kullback–Leibler divergence above. For two balanced classes: `Lower.overlap` and `Upper.divergence`.

        (Kolchinsky and Tracey 2017, Entropy 19, 361: the Chernoff distance with α = ½, and the divergence.)

        >>> ClassMixture([[-1.0], [1.0]], 1.0).bounds()
        PairwiseBounds(lower=0.2191, upper=0.5662)
        """
        gaps = self.means[:, None] - self.means[None]
        n = self.means.shape[1]
        log_det = np.linalg.slogdet(self.covariance)[1]
        middle = (self.covariance[:, None] + self.covariance[None]) / 2
        overlap = _quadratic(middle, gaps) / 8
        overlap += (np.linalg.slogdet(middle)[1] - (log_det[:, None] + log_det[None]) / 2) / 2
        inverse = np.linalg.inv(self.covariance)
        trace = np.einsum("kij,cji->ck", inverse, self.covariance)
        other = np.broadcast_to(self.covariance[None], middle.shape)
        divergence = (trace - n + _quadratic(other, gaps) + log_det[None] - log_det[:, None]) / 2

        def pairwise(distance: Array) -> float:
            total = special.logsumexp(-np.maximum(distance, 0.0), b=self.priors[None], axis=1)
            return float(np.clip(-(self.priors * total).sum(), 0.0, self.label_entropy))

        return PairwiseBounds(pairwise(overlap), pairwise(divergence))

    def _log_posterior(self, draws: int, seed: int) -> list[Array]:
        """log P(k|x) in nats, (draws, C), for samples of each class."""
        integer(draws, "draws", minimum=2)
        rng = np.random.default_rng(integer(seed, "seed", minimum=0))
        roots = np.linalg.cholesky(self.covariance)
        log_scale = np.log(np.diagonal(roots, axis1=1, axis2=2)).sum(axis=1)
        found = []
        for mean, root in zip(self.means, roots, strict=True):
            x = mean + rng.standard_normal((draws, len(mean))) @ root.T
            scores = np.empty((draws, len(self.means)))
            for k, (other, its_root) in enumerate(zip(self.means, roots, strict=True)):
                white = linalg.solve_triangular(its_root, (x - other).T, lower=True)
                scores[:, k] = math.log(self.priors[k]) - log_scale[k] - 0.5 * np.square(white).sum(axis=0)
            found.append(scores - special.logsumexp(scores, axis=1, keepdims=True))
        return found

    def _mean(self, values: list[Array]) -> MonteCarlo:
        """Draws are stratified by class, so only the spread within a class counts."""
        mean = sum(float(prior) * float(of_class.mean()) for prior, of_class in zip(self.priors, values, strict=True))
        variance = sum(
            float(prior) ** 2 * float(of_class.var(ddof=1)) / len(of_class)
            for prior, of_class in zip(self.priors, values, strict=True)
        )
        return MonteCarlo(float(mean), math.sqrt(variance))


def _quadratic(covariance: Array, gaps: Array) -> Array:
    """gapᵀ Σ⁻¹ gap for every pair."""
    return np.asarray((gaps * np.linalg.solve(covariance, gaps[..., None])[..., 0]).sum(axis=-1))


def _numbers(value: Any, name: str) -> Array:
    raw = value.detach().cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)
    if raw.dtype.kind not in "iuf" or raw.size == 0:
        raise InvalidArgument(f"{name} has dtype {raw.dtype} and shape {raw.shape}; want real numbers")
    array = raw.astype(np.float64)
    if not np.isfinite(array).all():
        raise InvalidArgument(f"{name} holds NaN or infinite values; want finite numbers")
    return array


def _covariances(value: Any, n: int, classes: int | None) -> Array:
    """(classes or 1, n, n), each symmetric and positive definite, or InvalidArgument."""
    covariance = _numbers(value, "covariance")
    if covariance.ndim == 0:
        covariance = covariance.reshape(1, 1)
    shapes = [(n, n)] if classes is None else [(n, n), (classes, n, n)]
    if covariance.shape not in shapes:
        raise InvalidArgument(
            f"covariance has shape {covariance.shape}; want {' or '.join(map(str, shapes))} for {n} dimensions"
        )
    covariances = np.broadcast_to(covariance, (classes or 1, n, n))
    scale = np.abs(covariances).max()
    if np.abs(covariances - np.swapaxes(covariances, 1, 2)).max() > 1e-10 * scale:
        raise InvalidArgument("covariance is not symmetric; want a symmetric positive definite matrix")
    smallest = float(np.linalg.eigvalsh(covariances).min())
    if smallest <= 1e-14 * scale:
        raise InvalidArgument(
            f"covariance is not positive definite (smallest eigenvalue {smallest:.3g}); "
            "drop redundant dimensions, or add a little to its diagonal"
        )
    return covariances
