"""Mixtures of Gaussians: no closed form, but an expectation that can be computed to a stated error."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import special
from scipy.stats import qmc

from infoflow.core.checks import integer
from infoflow.core.errors import InvalidArgument
from infoflow.entropies import gaussian as closed_form
from infoflow.tasks.gaussian import Array

# Nodes a dimension of the product rule for one-dimensional X and Y, and of the coarser one that tells its error.
_NODES, _COARSE_NODES = 361, 271
# Beyond two dimensions: points of a Sobol sequence for each component, and independent random shifts of it.
_POINTS, _SHIFTS = 2**13, 16


@dataclass(frozen=True, eq=False)
class GaussianMixture:
    """Σ_k w_k N(μ_k, Σ_k) over (X, Y) together; the first `dim_x` variables are X.

    `weights` (k,), `means` (k, d), `covariances` (k, d, d). I(X;Y) = Σ_k w_k E_k log p(x, y) / p(x) p(y) has no closed
    form. With one-dimensional X and Y each E_k is a product rule, else randomized quasi Monte Carlo;
    `error` says how far off `mutual_information` may be. Raises InvalidArgument for weights that don't add up to 1,
    shapes that don't fit and what is no covariance. (Czyż et al. 2023, arXiv 2310.10240, "fine distributions".)

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
    dim_x: int

    def __post_init__(self) -> None:
        weights = np.array(self.weights, dtype=np.float64)
        means, covariances = (np.array(v, dtype=np.float64) for v in (self.means, self.covariances))
        if weights.ndim != 1 or not np.isclose(weights.sum(), 1) or not (weights > 0).all():
            raise InvalidArgument(f"weights are {self.weights!r}; want positive numbers that add up to 1")
        k = len(weights)
        if means.ndim != 2 or len(means) != k or covariances.shape != (k, means.shape[1], means.shape[1]):
            raise InvalidArgument(
                f"{k} weights, means of shape {means.shape} and covariances of shape {covariances.shape} don't fit; "
                "want (k,), (k, d) and (k, d, d)"
            )
        closed_form.entropy(covariances)  # refuses what is no covariance
        if not 1 <= integer(self.dim_x, "dim_x") < means.shape[1]:
            raise InvalidArgument(f"dim_x is {self.dim_x}, but there are {means.shape[1]} variables")
        for field, value in (("weights", weights / weights.sum()), ("means", means), ("covariances", covariances)):
            object.__setattr__(self, field, value)

    @property
    def mutual_information(self) -> float:
        """I(X;Y) in nats, to within `error`."""
        return self._expectation[0]

    @property
    def error(self) -> float:
        """What `mutual_information` may be off by: the change from a coarser rule, or 3 standard errors."""
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

    def sample(self, n: int, seed: int) -> tuple[Array, Array]:
        """n pairs, x (n, dim_x) and y (n, d - dim_x), the same for the same seed.

        >>> cross().sample(3, seed=0)[0].shape
        (3, 1)
        """
        rng = np.random.default_rng(integer(seed, "seed", minimum=0))
        component = rng.choice(len(self.weights), size=integer(n, "n"), p=self.weights)
        normal = rng.standard_normal((n, self.means.shape[1]))
        roots = np.linalg.cholesky(self.covariances)
        joint = self.means[component] + np.einsum("nij,nj->ni", roots[component], normal)
        return joint[:, : self.dim_x], joint[:, self.dim_x :]

    def pointwise(self, x: Array, y: Array) -> Array:
        """Pointwise information log p(x, y) / p(x) p(y) in nats, (n,); its mean under the joint is I(X;Y).

        >>> cross().pointwise(np.zeros((1, 1)), np.zeros((1, 1))).shape
        (1,)
        """

        def log_density(values: Array, part: slice) -> Array:
            terms = [
                np.log(share) + closed_form.log_density(values, mean[part], covariance[part, part]).numpy()
                for share, mean, covariance in zip(self.weights, self.means, self.covariances, strict=True)
            ]
            return np.asarray(special.logsumexp(terms, axis=0))

        joint = np.concatenate([x, y], axis=1)
        left, right = slice(None, self.dim_x), slice(self.dim_x, None)
        return log_density(joint, slice(None)) - log_density(x, left) - log_density(y, right)


def cross(correlation: float = 0.95) -> GaussianMixture:
    """Two Gaussians of opposite correlation on top of each other: dependent, but uncorrelated.

    >>> cross().mutual_information  # -½ log(1 - 0.95²) = 1.1639, less what it takes to tell the arms apart
    0.6634
    """
    covariances = [[[1.0, sign * correlation], [sign * correlation, 1.0]] for sign in (1, -1)]
    return GaussianMixture(f"cross-{correlation:g}", [0.5, 0.5], np.zeros((2, 2)), covariances, 1)


def clusters(dim: int = 2, distance: float = 4.0) -> GaussianMixture:
    """Four round clusters in (X, Y) of `dim` dimensions each, whose centers are paired one to one.

    The centers of X are `distance` apart in a row along its first coordinate, and those of Y are the same, shuffled.

    >>> clusters().mutual_information  # below log 4 = 1.3863
    1.205
    """
    means = np.zeros((4, 2 * integer(dim, "dim")))
    means[:, 0] = distance * np.arange(4)
    means[:, dim] = distance * np.array([2, 0, 3, 1])
    covariances = np.broadcast_to(np.eye(2 * dim), (4, 2 * dim, 2 * dim))
    return GaussianMixture(f"clusters-{dim}-{distance:g}", np.full(4, 0.25), means, covariances, dim)
