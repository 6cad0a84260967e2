"""Multivariate Student-t pairs: heavy tails, and dependence even where nothing is correlated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special, stats

from infoflow.core.checks import integer, positive
from infoflow.tasks.gaussian import Array, Gaussian


@dataclass(frozen=True, eq=False)
class Student:
    """(X, Y) jointly Student-t of `df` degrees of freedom with a dispersion matrix (the identity unless given).

    I(X;Y) is that of a Gaussian with this covariance, plus c(dx) + c(dy) - c(dx + dy) with

        c(d) = log Γ(ν/2) - log Γ((ν + d)/2) + (ν + d)/2 [ψ((ν + d)/2) - ψ(ν/2)],

    which depends on dimensions and ν only: one scale, drawn for both sides, ties them together. Raises InvalidArgument
    for df <= 0 and what is no covariance. (Arellano-Valle et al. 2013, Scand. J. Statistics 40, eq. 7.)

    >>> Student("t", dim_x=2, dim_y=2, df=1).mutual_information
    0.431946
    """

    name: str
    dim_x: int
    dim_y: int
    df: float
    dispersion: Any = None

    def __post_init__(self) -> None:
        total = integer(self.dim_x, "dim_x") + integer(self.dim_y, "dim_y")
        positive(self.df, "df")
        matrix = np.eye(total) if self.dispersion is None else self.dispersion
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

    def sample(self, n: int, seed: int) -> tuple[Array, Array]:
        """n pairs, x (n, dim_x) and y (n, dim_y), the same for the same seed.

        >>> student(1, 1, 3).sample(2, seed=0)[1].shape
        (2, 1)
        """
        rng = np.random.default_rng(integer(seed, "seed", minimum=0))
        normal = rng.standard_normal((integer(n, "n"), self.dim_x + self.dim_y))
        scale = np.sqrt(rng.chisquare(self.df, size=(n, 1)) / self.df)
        joint = normal @ np.linalg.cholesky(self.dispersion).T / scale
        return joint[:, : self.dim_x], joint[:, self.dim_x :]

    def pointwise(self, x: Array, y: Array) -> Array:
        """Pointwise information log p(x, y) / p(x) p(y) in nats, (n,); its mean under the joint is I(X;Y).

        >>> student(1, 1, 1).pointwise(np.zeros((1, 1)), np.zeros((1, 1)))  # log(π/2)
        array([0.4516])
        """

        def log_density(values: Array, part: slice) -> Array:
            return np.atleast_1d(stats.multivariate_t(shape=self.dispersion[part, part], df=self.df).logpdf(values))

        joint = np.concatenate([x, y], axis=1)
        left, right = slice(None, self.dim_x), slice(self.dim_x, None)
        return log_density(joint, slice(None)) - log_density(x, left) - log_density(y, right)


def student(dim_x: int, dim_y: int, df: float, name: str | None = None) -> Student:
    """Student-t pair without correlations (identity dispersion).

    >>> student(5, 5, 2).mutual_information
    0.448151
    """
    return Student(name or f"student-identity-{dim_x}-{dim_y}-{df:g}", dim_x, dim_y, df)
