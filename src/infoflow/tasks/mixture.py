"""Mixtures of Gaussians, whose information has no closed form but can be computed to a stated error."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import special
from scipy.stats import qmc

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import PositiveInt, Seed, Settings, validated
from infoflow.entropies import gaussian as closed_form
from infoflow.tasks.gaussian import Array, log_density_ratio

# Nodes per dimension of the product rule for one-dimensional X and Y, and of a coarser one for the error.
_NODES, _COARSE_NODES = 361, 271
# Beyond two dimensions: points of a Sobol sequence for each component, and its independent random shifts.
_POINTS, _SHIFTS = 2**13, 16


@dataclass(frozen=True, eq=False)
class GaussianMixture(Settings):
    """Mixture Σ_k w_k N(μ_k, Σ_k) of Gaussians over (X, Y).

    Parameters
    ----------
    name
        Name of the task.
    weights : array-like of shape (k,)
        Positive weights with sum 1.
    means : array-like of shape (k, d)
        Means of the components.
    covariances : array-like of shape (k, d, d)
        Covariances of the components.
    dim_x
        Number of the first variables, which are X; the others are Y.

    Raises
    ------
    InvalidArgument
        If the weights do not add up to 1, shapes do not fit, or a matrix is not a covariance.

    Notes
    -----
    I(X;Y) = Σ_k w_k E_k log p(x, y) / p(x) p(y) has no closed form. For one-dimensional X and Y each E_k is computed by
    a product rule, otherwise by randomized quasi Monte Carlo; `error` bounds the error of `mutual_information`.

    References
    ----------
    Czyż et al.: arXiv:2310.10240, "fine distributions".

    Examples
    --------
    >>> task = GaussianMixture("x", [0.5, 0.5], [[-3, -3], [3, 3]], [np.eye(2), np.eye(2)], 1)
    >>> task.mutual_information  # nearly log 2
    0.685481
    >>> f"{task.error:.0e}"
    '1e-12'
    """

    name: str
    weights: Any
    means: Any
    covariances: Any
    dim_x: PositiveInt

    def __post_init__(self) -> None:
        super().__post_init__()
        weights = np.array(self.weights, dtype=np.float64)
        means, covariances = (np.array(v, dtype=np.float64) for v in (self.means, self.covariances))
        if weights.ndim != 1 or not np.isclose(weights.sum(), 1) or not (weights > 0).all():
            raise InvalidArgument("weights", "positive numbers with sum 1", self.weights)
        k = len(weights)
        if means.ndim != 2 or len(means) != k or covariances.shape != (k, means.shape[1], means.shape[1]):
            raise InvalidArgument(
                "means and covariances must be of shape (k, d) and (k, d, d) for k weights, "
                f"got {means.shape} and {covariances.shape} for {k} weights."
            )
        closed_form.entropy(covariances)  # raises for a matrix that is not a covariance
        if self.dim_x >= means.shape[1]:
            raise InvalidArgument("dim_x", f"smaller than the number of variables ({means.shape[1]})", self.dim_x)
        for field, value in (("weights", weights / weights.sum()), ("means", means), ("covariances", covariances)):
            object.__setattr__(self, field, value)

    @property
    def mutual_information(self) -> float:
        """I(X;Y) in nats, to within `error`."""
        return self._expectation[0]

    @property
    def error(self) -> float:
        """Bound on the error of `mutual_information`: the change from a coarser rule, or 3 standard errors."""
        return self._expectation[1]

    @cached_property
    def _expectation(self) -> tuple[float, float]:
        roots = np.linalg.cholesky(self.covariances)

        def expectation(normal: Array, weight: Array) -> float:
            total = 0.0
            for share, mean, root in zip(self.weights, self.means, roots, strict=True):
                joint = mean + normal @ root.T
                total += float(share) * float(weight @ self.pointwise(joint[:, : self.dim_x], joint[:, self.dim_x :]))
            return total

        def product_rule(nodes: int) -> float:
            # The trapezium rule converges exponentially for smooth functions that vanish at both ends.
            points = np.linspace(-9, 9, nodes)
            weights = np.exp(-0.5 * points**2)
            weights /= weights.sum()
            grid = np.stack([axis.ravel() for axis in np.meshgrid(points, points)], axis=1)
            return expectation(grid, np.outer(weights, weights).ravel())

        dimension = self.means.shape[1]
        if dimension == 2:
            fine = product_rule(_NODES)
            return fine, max(abs(fine - product_rule(_COARSE_NODES)), 1e-12)
        even = np.full(_POINTS, 1 / _POINTS)
        sobol = qmc.Sobol(dimension, scramble=False).random(_POINTS)
        shifts = np.random.default_rng(0).random((_SHIFTS, dimension))
        runs = [expectation(special.ndtri((sobol + shift) % 1.0), even) for shift in shifts]
        return float(np.mean(runs)), 3 * float(np.std(runs, ddof=1)) / _SHIFTS**0.5

    @validated
    def sample(self, n: PositiveInt, seed: Seed) -> tuple[Array, Array]:
        """Draw pairs; the same seed gives the same pairs.

        Parameters
        ----------
        n
            Number of pairs.
        seed
            Seed of the draw.

        Returns
        -------
        x, y : ndarray of shape (n, ...)
            The sides of the pairs.

        Examples
        --------
        >>> cross().sample(3, seed=0)[0].shape
        (3, 1)
        """
        rng = np.random.default_rng(seed)
        component = rng.choice(len(self.weights), size=n, p=self.weights)
        normal = rng.standard_normal((n, self.means.shape[1]))
        roots = np.linalg.cholesky(self.covariances)
        joint = self.means[component] + np.einsum("nij,nj->ni", roots[component], normal)
        return joint[:, : self.dim_x], joint[:, self.dim_x :]

    def pointwise(self, x: Array, y: Array) -> Array:
        """Return the pointwise information log p(x, y) / p(x) p(y).

        Parameters
        ----------
        x, y : ndarray of shape (n, ...)
            Points in the form of `sample`.

        Returns
        -------
        ndarray of shape (n,)
            Pointwise information in nats; its mean under the joint distribution is I(X;Y).

        Examples
        --------
        >>> cross().pointwise(np.zeros((1, 1)), np.zeros((1, 1))).shape
        (1,)
        """

        def log_density(values: Array, part: slice) -> Array:
            terms = [
                np.log(share) + closed_form.log_density(values, mean[part], covariance[part, part]).numpy()
                for share, mean, covariance in zip(self.weights, self.means, self.covariances, strict=True)
            ]
            return np.asarray(special.logsumexp(terms, axis=0))

        return log_density_ratio(log_density, x, y)


def cross(correlation: float = 0.95) -> GaussianMixture:
    """Create a mixture of two Gaussians of opposite correlation: dependent, but uncorrelated.

    Parameters
    ----------
    correlation
        Correlation ±ρ of the components.

    Returns
    -------
    GaussianMixture
        The task.

    Examples
    --------
    >>> cross().mutual_information  # below -½ log(1 - 0.95²) = 1.1639
    0.6634
    """
    covariances = [[[1.0, sign * correlation], [sign * correlation, 1.0]] for sign in (1, -1)]
    return GaussianMixture(f"cross-{correlation:g}", [0.5, 0.5], np.zeros((2, 2)), covariances, 1)


@validated
def clusters(dim: PositiveInt = 2, distance: float = 4.0) -> GaussianMixture:
    """Create four spherical clusters in (X, Y), whose centers are paired one to one.

    Parameters
    ----------
    dim
        Number of dimensions of X, and of Y.
    distance
        Distance of neighboring centers of X along its first coordinate. The centers of Y are the same, in another
        order.

    Returns
    -------
    GaussianMixture
        The task.

    Examples
    --------
    >>> clusters().mutual_information  # below log 4 = 1.3863
    1.205
    """
    means = np.zeros((4, 2 * dim))
    means[:, 0] = distance * np.arange(4)
    means[:, dim] = distance * np.array([2, 0, 3, 1])
    covariances = np.broadcast_to(np.eye(2 * dim), (4, 2 * dim, 2 * dim))
    return GaussianMixture(f"clusters-{dim}-{distance:g}", np.full(4, 0.25), means, covariances, dim)
