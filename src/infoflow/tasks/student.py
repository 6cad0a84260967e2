"""Multivariate Student-t pairs: heavy tails, and dependence without correlation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special, stats

from infoflow.core.settings import PositiveFloat, PositiveInt, Seed, Settings, validated
from infoflow.tasks.gaussian import Array, Gaussian, log_density_ratio


@dataclass(frozen=True, eq=False)
class Student(Settings):
    """Jointly Student-t (X, Y).

    Parameters
    ----------
    name
        Name of the task.
    dim_x, dim_y
        Numbers of variables of X and Y.
    df
        Degrees of freedom ν.
    dispersion : array-like of shape (dim_x + dim_y, dim_x + dim_y)
        Dispersion matrix, by default the identity.

    Raises
    ------
    InvalidArgument
        If a number is out of range or the dispersion is not a covariance matrix.

    Notes
    -----
    I(X;Y) is that of a Gaussian with this covariance, plus c(dx) + c(dy) - c(dx + dy) with

        c(d) = log Γ(ν/2) - log Γ((ν + d)/2) + (ν + d)/2 [ψ((ν + d)/2) - ψ(ν/2)],

    which depends on dimensions and ν only: X and Y depend on each other through the scale that they share.

    References
    ----------
    Arellano-Valle et al.: Scandinavian Journal of Statistics 40 (2013), eq. 7.

    Examples
    --------
    >>> Student("t", dim_x=2, dim_y=2, df=1).mutual_information
    0.431946
    """

    name: str
    dim_x: PositiveInt
    dim_y: PositiveInt
    df: PositiveFloat
    dispersion: Any = None

    def __post_init__(self) -> None:
        super().__post_init__()
        matrix = np.eye(self.dim_x + self.dim_y) if self.dispersion is None else self.dispersion
        object.__setattr__(self, "dispersion", Gaussian(self.name, matrix, self.dim_x).covariance)

    @property
    def mutual_information(self) -> float:
        """I(X;Y) in nats."""

        def correction(dim: int) -> float:
            half, whole = self.df / 2, (self.df + dim) / 2
            gain = whole * (special.digamma(whole) - special.digamma(half))
            return float(special.gammaln(half) - special.gammaln(whole) + gain)

        dim_x, dim_y = self.dim_x, self.dim_y
        gaussian = Gaussian(self.name, self.dispersion, dim_x).mutual_information
        return gaussian + correction(dim_x) + correction(dim_y) - correction(dim_x + dim_y)

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
        >>> student(1, 1, 3).sample(2, seed=0)[1].shape
        (2, 1)
        """
        rng = np.random.default_rng(seed)
        normal = rng.standard_normal((n, self.dim_x + self.dim_y))
        scale = np.sqrt(rng.chisquare(self.df, size=(n, 1)) / self.df)
        joint = normal @ np.linalg.cholesky(self.dispersion).T / scale
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
        >>> student(1, 1, 1).pointwise(np.zeros((1, 1)), np.zeros((1, 1)))  # log(π/2)
        array([0.4516])
        """

        def log_density(values: Array, part: slice) -> Array:
            return np.atleast_1d(stats.multivariate_t(shape=self.dispersion[part, part], df=self.df).logpdf(values))

        return log_density_ratio(log_density, x, y)


def student(dim_x: int, dim_y: int, df: float, name: str | None = None) -> Student:
    """Create a Student-t pair without correlations.

    Parameters
    ----------
    dim_x, dim_y
        Numbers of variables of X and Y.
    df
        Degrees of freedom.
    name
        Name of the task.

    Returns
    -------
    Student
        The task, with the identity as dispersion.

    Examples
    --------
    >>> student(5, 5, 2).mutual_information
    0.448151
    """
    return Student(name or f"student-identity-{dim_x}-{dim_y}-{df:g}", dim_x, dim_y, df)
