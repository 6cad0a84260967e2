"""Information of Gaussian classes, exactly and by bounds.

For two balanced classes N(±μ, Σ) everything depends on the separation s = μᵀΣ⁻¹μ alone, since μᵀΣ⁻¹x is a sufficient
statistic of the class.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, special
from torch import Tensor

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import Integer, Seed, validated
from infoflow.entropies.gaussian_mixture import MonteCarlo
from infoflow.theory.error_probability import Form, error_lower_bound

Array = NDArray[np.float64]

# The trapezoidal rule converges exponentially for smooth functions that vanish at both ends; here to 1e-15.
_NODES = np.linspace(-9.0, 9.0, 401)
_WEIGHTS = np.exp(-0.5 * _NODES**2) / np.exp(-0.5 * _NODES**2).sum()

# Separations per block: 12 MiB of float64.
_BLOCK = 4096

Draws = Annotated[int, Integer(2)]


class Lower(NamedTuple):
    """Lower bounds on I(X;Y) of a binary Gaussian mixture in nats.

    `overlap` is log 2 − log(1 + e^{−s/2}), from the Bhattacharyya distance of the classes; `energy` is
    log 2 − log(1 + e^{−s}) − (n/2)(1 − log 2), from the collision entropy, and 0 where that is negative.
    """

    overlap: float
    energy: float


class Upper(NamedTuple):
    """Upper bounds on I(X;Y) of a binary Gaussian mixture in nats.

    `separation` is s itself, never below the other; `divergence` is log 2 − log(1 + e^{−2s}), from the Kullback–Leibler
    divergence 2 s of the classes.
    """

    separation: float
    divergence: float


def binary_mixture_information(separation: Any) -> Array:
    """Compute I(X;Y) for balanced classes N(±μ, Σ).

    Parameters
    ----------
    separation : float or array-like
        Separation s = μᵀΣ⁻¹μ.

    Returns
    -------
    ndarray
        Nats, of the same shape, to 1e-12.

    Raises
    ------
    InvalidArgument
        If a separation is negative or not finite.

    Notes
    -----
    By quadrature of I = s − E log cosh U = log 2 − E log(1 + e^{−2U}), U ~ N(s, s).

    References
    ----------
    Yi et al. (2022), Mutual information learned classifiers, arXiv 2209.10058.

    Examples
    --------
    >>> binary_mixture_information([0.0, 0.1, 1.0, 4.0])
    array([0. , 0.0476, 0.3368, 0.6327])
    """
    s = np.asarray(separation, dtype=np.float64)
    if not (np.isfinite(s) & (s >= 0)).all():
        raise InvalidArgument("separation", "finite and >= 0", separation)
    flat = s.reshape(-1, 1)
    found = np.empty(len(flat))
    for start in range(0, len(flat), _BLOCK):
        block = flat[start : start + _BLOCK]
        # The second form, since the first is a difference of two large numbers.
        lost = np.logaddexp(0.0, -2 * (block + np.sqrt(block) * _NODES))
        # Differences before the mean, since weights that add up to 1 but for rounding leave information at s = 0.
        found[start : start + _BLOCK] = (math.log(2) - lost) @ _WEIGHTS
    return np.clip(found, 0.0, math.log(2)).reshape(s.shape)


@dataclass(frozen=True, eq=False)
class GaussianMixture:
    """Two balanced classes Y = ±1 with X|Y ~ N(Y μ, Σ) in n dimensions.

    Parameters
    ----------
    mean : array-like of shape (n,)
        Mean μ, or a number for n = 1.
    covariance : array-like of shape (n, n)
        Covariance Σ, or a number for n = 1.

    Raises
    ------
    InvalidArgument
        If the shapes do not fit, or the covariance is not symmetric and positive definite.

    Notes
    -----
    All properties depend on s = μᵀΣ⁻¹μ alone; information is in nats.

    References
    ----------
    Yi et al. (2022), Mutual information learned classifiers, arXiv 2209.10058.

    Examples
    --------
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
            raise InvalidArgument("mean", "of shape (n,)", mean)
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "covariance", _covariances(self.covariance, len(mean), None)[0])

    @cached_property
    def separation(self) -> float:
        """s = μᵀΣ⁻¹μ, the squared distance from a class to the midpoint in units of the noise."""
        root = np.linalg.cholesky(self.covariance)
        return float(np.square(linalg.solve_triangular(root, self.mean, lower=True)).sum())

    def mutual_information(self) -> float:
        """Compute I(X;Y) = s − E log cosh U, U ~ N(s, s), in nats, to 1e-12.

        Examples
        --------
        >>> GaussianMixture(2.0, 1.0).mutual_information()
        0.6327
        """
        return float(binary_mixture_information(self.separation))

    def lower_bounds(self) -> Lower:
        """Compute the lower bounds log 2 − log(1 + e^{−s/2}) and log 2 − log(1 + e^{−s}) − (n/2)(1 − log 2) or 0.

        Examples
        --------
        >>> max(GaussianMixture(2.0, 1.0).lower_bounds())
        0.5662
        """
        s, n = self.separation, len(self.mean)
        energy = math.log(2) - math.log1p(math.exp(-s)) - n / 2 * (1 - math.log(2))
        return Lower(math.log(2) - math.log1p(math.exp(-s / 2)), max(0.0, energy))

    def upper_bounds(self) -> Upper:
        """Compute the upper bounds s and log 2 − log(1 + e^{−2s}) in nats.

        Examples
        --------
        >>> min(GaussianMixture(2.0, 1.0).upper_bounds())
        0.6928
        """
        s = self.separation
        return Upper(s, math.log(2) - math.log1p(math.exp(-2 * s)))

    def bayes_error(self) -> float:
        """Compute the error probability Φ(−√s) of the best classifier, the sign of μᵀΣ⁻¹x.

        Examples
        --------
        >>> GaussianMixture(2.0, 1.0).bayes_error()
        0.0228
        """
        return float(special.ndtr(-math.sqrt(self.separation)))

    def error_lower_bound(self, form: Form = "fano") -> float:
        """Compute `error_lower_bound` from the smaller upper bound on I(X;Y), without quadrature.

        Parameters
        ----------
        form
            Form of the bound. "paper" is its corollary, (3 − √(5 + 8 I_ub)) / 4 in bits, which is 0 from s = 0.44 on
            (0.35 with s itself for I_ub); "fano" is always positive.

        Raises
        ------
        UnknownName
            If there is no such form.

        Examples
        --------
        >>> mixture = GaussianMixture(0.5, 1.0)
        >>> mixture.error_lower_bound("paper"), mixture.error_lower_bound(), mixture.bayes_error()
        (0.0641, 0.1818, 0.3085)
        """
        return error_lower_bound(min(self.upper_bounds()), math.log(2), 2, form)


class PairwiseBounds(NamedTuple):
    """Bounds on I(X;Y) in nats from pairs of classes, without sampling."""

    lower: float
    upper: float


@dataclass(frozen=True, eq=False)
class ClassMixture:
    """C classes with X|Y=c ~ N(μ_c, Σ_c) in n dimensions and P(Y=c) = π_c.

    Parameters
    ----------
    means : array-like of shape (C, n)
        Means μ_c.
    covariance : array-like of shape (n, n) or (C, n, n)
        Covariance Σ of all classes, or of each; a number for n = 1.
    priors : array-like of shape (C,), optional
        Probabilities π of the classes, balanced by default.

    Raises
    ------
    InvalidArgument
        If the shapes do not fit, a covariance is not symmetric and positive definite, or priors are no
        probabilities > 0.

    Examples
    --------
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
            raise InvalidArgument("means", "of shape (classes, n) with at least 2 classes", means)
        count = len(means)
        priors = np.full(count, 1 / count) if self.priors is None else _numbers(self.priors, "priors")
        if priors.shape != (count,) or not (priors > 0).all() or abs(priors.sum() - 1) > 1e-6:
            raise InvalidArgument("priors", f"{count} positive numbers that add up to 1", self.priors)
        covariances = _covariances(self.covariance, means.shape[1], count)
        for name, value in (("means", means), ("covariance", covariances), ("priors", priors / priors.sum())):
            object.__setattr__(self, name, value)

    @property
    def label_entropy(self) -> float:
        """The entropy H(Y) in nats.

        Examples
        --------
        >>> ClassMixture([[0.0], [1.0], [2.0]], 1.0).label_entropy  # log 3
        1.0986
        """
        return float(special.entr(self.priors).sum())

    @validated
    def mutual_information(self, draws: Draws = 10_000, seed: Seed = 0) -> MonteCarlo:
        """Estimate I(X;Y) = E log p(x|y) / p(x) in nats by Monte Carlo, with its standard error.

        Parameters
        ----------
        draws
            Number of samples of every class.
        seed
            Random seed.

        Raises
        ------
        InvalidArgument
            If there are fewer than 2 draws.

        Examples
        --------
        >>> found = ClassMixture([[-1.0], [1.0]], 1.0).mutual_information()  # 0.3368
        >>> abs(found.nats - 0.3368) < 4 * found.error
        True
        """
        log_posterior = self._log_posterior(draws, seed)
        return self._mean([rows[:, c] - math.log(self.priors[c]) for c, rows in enumerate(log_posterior)])

    @validated
    def bayes_error(self, draws: Draws = 10_000, seed: Seed = 0) -> MonteCarlo:
        """Estimate the error probability 1 − E max_c P(c|x) of the best classifier, with its standard error.

        Parameters
        ----------
        draws
            Number of samples of every class.
        seed
            Random seed.

        Raises
        ------
        InvalidArgument
            If there are fewer than 2 draws.

        Examples
        --------
        >>> found = ClassMixture([[-1.0], [1.0]], 1.0).bayes_error()  # 0.1587
        >>> abs(found.nats - 0.1587) < 4 * found.error
        True
        """
        return self._mean([1 - np.exp(rows.max(axis=1)) for rows in self._log_posterior(draws, seed)])

    def bounds(self) -> PairwiseBounds:
        """Bound I(X;Y) by −Σ_c π_c log Σ_k π_k e^{−D(c, k)} in nats.

        Notes
        -----
        The lower bound has the Bhattacharyya distance for D, the upper bound the Kullback–Leibler divergence. For two
        balanced classes they are `overlap` and `divergence` of `GaussianMixture`.

        References
        ----------
        Kolchinsky and Tracey (2017), Estimating mixture entropy with pairwise distances, Entropy 19, 361: the Chernoff
        distance with α = ½, and the divergence.

        Examples
        --------
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
        rng = np.random.default_rng(seed)
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
        """The mean over classes; draws are stratified by class, so the error has the spread within classes only."""
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
        raise InvalidArgument(name, "real numbers", raw)
    array = raw.astype(np.float64)
    if not np.isfinite(array).all():
        raise InvalidArgument(name, "finite", got_text="NaN or infinite values")
    return array


def _covariances(value: Any, n: int, classes: int | None) -> Array:
    """(classes or 1, n, n), each symmetric and positive definite, or InvalidArgument."""
    covariance = _numbers(value, "covariance")
    if covariance.ndim == 0:
        covariance = covariance.reshape(1, 1)
    shapes = [(n, n)] if classes is None else [(n, n), (classes, n, n)]
    if covariance.shape not in shapes:
        raise InvalidArgument("covariance", f"of shape {' or '.join(map(str, shapes))}", covariance)
    covariances = np.broadcast_to(covariance, (classes or 1, n, n))
    scale = np.abs(covariances).max()
    if np.abs(covariances - np.swapaxes(covariances, 1, 2)).max() > 1e-10 * scale:
        raise InvalidArgument("covariance", "symmetric", got_text="an asymmetric matrix")
    smallest = float(np.linalg.eigvalsh(covariances).min())
    if smallest <= 1e-14 * scale:
        raise InvalidArgument(
            "covariance",
            "positive definite",
            got_text=f"a smallest eigenvalue of {smallest:.3g}",
            remedy="Drop redundant dimensions, or add a small number to the diagonal.",
        )
    return covariances
