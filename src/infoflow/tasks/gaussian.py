"""Gaussian pairs, whose information has a closed form for any covariance."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import NonNegativeFloat, PositiveInt, Seed, Settings, validated
from infoflow.entropies import gaussian as closed_form

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Gaussian(Settings):
    """Jointly Gaussian (X, Y) of mean 0.

    Parameters
    ----------
    name
        Name of the task.
    covariance : array-like of shape (d, d)
        Symmetric and positive definite.
    dim_x
        Number of the first variables, which are X; the others are Y.

    Raises
    ------
    InvalidArgument
        If the matrix is not a covariance, or X or Y is empty.

    Notes
    -----
    I(X;Y) = ½ log |Σx| |Σy| / |Σ|.

    References
    ----------
    Cover, Thomas: Elements of information theory, eq. 8.56.

    Examples
    --------
    >>> task = Gaussian("pair", [[1.0, 0.8], [0.8, 1.0]], 1)
    >>> x, y = task.sample(1000, seed=0)
    >>> x.shape, y.shape, task.mutual_information
    ((1000, 1), (1000, 1), 0.5108)
    """

    name: str
    covariance: Any
    dim_x: PositiveInt

    def __post_init__(self) -> None:
        super().__post_init__()
        matrix = np.array(self.covariance, dtype=np.float64)
        object.__setattr__(self, "covariance", matrix)
        closed_form.entropy(matrix)  # raises for a matrix that is not a covariance
        if self.dim_x >= len(matrix):
            raise InvalidArgument("dim_x", f"smaller than the number of variables ({len(matrix)})", self.dim_x)
        matrix.setflags(write=False)

    @property
    def mutual_information(self) -> float:
        """I(X;Y) in nats."""
        return float(closed_form.mutual_information(np.array(self.covariance), self.dim_x))

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
        >>> bivariate(0.5).sample(2, seed=0)[0].shape
        (2, 1)
        """
        rng = np.random.default_rng(seed)
        joint = rng.standard_normal((n, len(self.covariance))) @ np.linalg.cholesky(self.covariance).T
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
        >>> bivariate(0.0).pointwise(np.ones((1, 1)), np.ones((1, 1)))
        array([0.])
        """

        def log_density(values: Array, part: slice) -> Array:
            return closed_form.log_density(
                values, np.zeros(values.shape[1]), self.covariance[part, part].copy()
            ).numpy()

        return log_density_ratio(log_density, x, y)


def log_density_ratio(log_density: Callable[[Array, slice], Array], x: Array, y: Array) -> Array:
    """Return log p(x, y) / p(x) p(y), given the log density of a slice of the joint variables."""
    joint, dim_x = np.concatenate([x, y], axis=1), x.shape[1]
    both = log_density(joint, slice(None))
    return np.asarray(both - log_density(x, slice(None, dim_x)) - log_density(y, slice(dim_x, None)))


def bivariate(correlation: float, name: str | None = None) -> Gaussian:
    """Create two correlated Gaussian variables of variance 1.

    Parameters
    ----------
    correlation
        Correlation ρ.
    name
        Name of the task.

    Returns
    -------
    Gaussian
        The task, with I = -½ log(1 - ρ²) nats.

    Examples
    --------
    >>> bivariate(0.75).mutual_information
    0.413339
    """
    return Gaussian(name or f"1v1-normal-{correlation:g}", [[1.0, correlation], [correlation, 1.0]], 1)


@validated
def dense(dim: PositiveInt, off_diagonal: float = 0.5, name: str | None = None) -> Gaussian:
    """Create X and Y of `dim` variables each, of variance 1, with one correlation of all 2 dim variables.

    Parameters
    ----------
    dim
        Number of variables of X, and of Y.
    off_diagonal
        Correlation of each pair.
    name
        Name of the task.

    Returns
    -------
    Gaussian
        The task.

    References
    ----------
    Czyż et al.: Beyond normal, NeurIPS 2023.

    Examples
    --------
    >>> dense(50).mutual_information
    1.6243
    """
    total = 2 * dim
    covariance = np.full((total, total), float(off_diagonal)) + (1 - off_diagonal) * np.eye(total)
    return Gaussian(name or f"multinormal-dense-{dim}-{dim}-{off_diagonal:g}", covariance, dim)


@validated
def sparse(dim: PositiveInt, pairs: PositiveInt = 2, strength: float = 2.0, name: str | None = None) -> Gaussian:
    """Create X and Y of `dim` variables each, of which the first `pairs` are correlated one to one, the others noise.

    Parameters
    ----------
    dim
        Number of variables of X, and of Y.
    pairs
        Number of correlated pairs.
    strength
        Factor λ of the common variable.
    name
        Name of the task.

    Returns
    -------
    Gaussian
        The task.

    Raises
    ------
    InvalidArgument
        If there are more pairs than dimensions.

    Notes
    -----
    X_i = λZ_i + E_i and Y_i = λZ_i + F_i of independent normals, so that ρ = λ² / (1 + λ²), which is 0.8 at λ = 2.

    References
    ----------
    Czyż et al.: Beyond normal, NeurIPS 2023, "2-pair".

    Examples
    --------
    >>> sparse(25).mutual_information  # 2 · 0.5108
    1.021651
    """
    if pairs > dim:
        raise InvalidArgument("pairs", f"at most the number of dimensions ({dim})", pairs)
    correlation = strength**2 / (1 + strength**2)
    return _one_to_one(name or f"multinormal-sparse-{dim}-{dim}-{pairs}-{float(strength)}", dim, pairs, correlation)


@validated
def gaussian_with(mutual_information: NonNegativeFloat, dim: PositiveInt = 1, name: str | None = None) -> Gaussian:
    """Create X and Y of `dim` variables each, correlated one to one, with a given information.

    Parameters
    ----------
    mutual_information
        I(X;Y) in nats.
    dim
        Number of variables of X, and of Y.
    name
        Name of the task.

    Returns
    -------
    Gaussian
        The task, with ρ = √(1 - e^{-2I / dim}) for every pair.

    Examples
    --------
    >>> gaussian_with(1.0, dim=5).mutual_information
    1.0
    """
    correlation = math.sqrt(-math.expm1(-2 * mutual_information / dim))
    return _one_to_one(name or f"gaussian-{dim}-{dim}-{mutual_information:g}nats", dim, dim, correlation)


def _one_to_one(name: str, dim: int, pairs: int, correlation: float) -> Gaussian:
    covariance = np.eye(2 * dim)
    index = np.arange(pairs)
    covariance[index, dim + index] = covariance[dim + index, index] = correlation
    return Gaussian(name, covariance, dim)
