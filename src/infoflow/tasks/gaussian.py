"""Gaussian pairs: information in closed form, for any covariance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infoflow.core.checks import integer, positive
from infoflow.core.errors import InvalidArgument
from infoflow.entropies import gaussian as closed_form

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Gaussian:
    """Jointly Gaussian (X, Y) of mean 0: the first `dim_x` variables of `covariance` (d, d) are X, the others Y.

    I(X;Y) = ½ log |Σx| |Σy| / |Σ|. Raises InvalidArgument unless the covariance is symmetric and positive definite and
    leaves something for either side. (Cover and Thomas, eq. 8.56.)

    >>> task = Gaussian("pair", [[1.0, 0.8], [0.8, 1.0]], 1)
    >>> x, y = task.sample(1000, seed=0)
    >>> x.shape, y.shape, task.mutual_information
    ((1000, 1), (1000, 1), 0.5108)
    """

    name: str
    covariance: Any
    dim_x: int

    def __post_init__(self) -> None:
        matrix = np.array(self.covariance, dtype=np.float64)
        object.__setattr__(self, "covariance", matrix)
        closed_form.entropy(matrix)  # refuses what is no covariance
        if not 1 <= integer(self.dim_x, "dim_x") < len(matrix):
            raise InvalidArgument(f"dim_x is {self.dim_x}, but the covariance has {len(matrix)} variables")
        matrix.setflags(write=False)

    @property
    def mutual_information(self) -> float:
        """I(X;Y) in nats."""
        return float(closed_form.mutual_information(np.array(self.covariance), self.dim_x))

    def sample(self, n: int, seed: int) -> tuple[Array, Array]:
        """n pairs, x (n, dim_x) and y (n, d - dim_x), the same for the same seed.

        >>> bivariate(0.5).sample(2, seed=0)[0].shape
        (2, 1)
        """
        rng = np.random.default_rng(integer(seed, "seed", minimum=0))
        joint = rng.standard_normal((integer(n, "n"), len(self.covariance))) @ np.linalg.cholesky(self.covariance).T
        return joint[:, : self.dim_x], joint[:, self.dim_x :]

    def pointwise(self, x: Array, y: Array) -> Array:
        """Pointwise information log p(x, y) / p(x) p(y) in nats, (n,); its mean under the joint is I(X;Y).

        >>> bivariate(0.0).pointwise(np.ones((1, 1)), np.ones((1, 1)))
        array([0.])
        """
        dim_x, joint = self.dim_x, np.concatenate([x, y], axis=1)
        parts = ((joint, np.s_[:]), (joint[:, :dim_x], np.s_[:dim_x]), (joint[:, dim_x:], np.s_[dim_x:]))
        h_xy, h_x, h_y = (
            closed_form.log_density(v, np.zeros(v.shape[1]), self.covariance[s, s].copy()).numpy() for v, s in parts
        )
        return np.asarray(h_xy - h_x - h_y)


def bivariate(correlation: float, name: str | None = None) -> Gaussian:
    """Two Gaussian variables of that correlation: I = -½ log(1 - ρ²) nats.

    >>> bivariate(0.75).mutual_information
    0.413339
    """
    return Gaussian(name or f"1v1-normal-{correlation:g}", [[1.0, correlation], [correlation, 1.0]], 1)


def dense(dim: int, off_diagonal: float = 0.5, name: str | None = None) -> Gaussian:
    """X and Y of `dim` variables each, of variance 1, every two of the 2 dim correlated alike (Czyż et al. 2023).

    >>> dense(50).mutual_information
    1.6243
    """
    total = 2 * integer(dim, "dim")
    covariance = np.full((total, total), float(off_diagonal)) + (1 - off_diagonal) * np.eye(total)
    return Gaussian(name or f"multinormal-dense-{dim}-{dim}-{off_diagonal:g}", covariance, dim)


def sparse(dim: int, pairs: int = 2, strength: float = 2.0, name: str | None = None) -> Gaussian:
    """X and Y of `dim` variables each, of which the first `pairs` are correlated one to one, all others noise.

    X_i = λZ_i + E_i and Y_i = λZ_i + F_i of independent normals, so ρ = λ² / (1 + λ²): 0.8 at λ = `strength` = 2.
    Raises InvalidArgument for more pairs than dimensions. (Czyż et al. 2023, "2-pair".)

    >>> sparse(25).mutual_information  # 2 · 0.5108
    1.021651
    """
    if integer(pairs, "pairs") > integer(dim, "dim"):
        raise InvalidArgument(f"pairs is {pairs}, but there are only {dim} dimensions")
    correlation = strength**2 / (1 + strength**2)
    return _one_to_one(name or f"multinormal-sparse-{dim}-{dim}-{pairs}-{float(strength)}", dim, pairs, correlation)


def gaussian_with(mutual_information: float, dim: int = 1, name: str | None = None) -> Gaussian:
    """X and Y of `dim` variables each, correlated one to one, so that I(X;Y) is what is wanted (nats).

    ρ = √(1 - e^{-2I / dim}) for every pair. Raises InvalidArgument for negative or infinite information.

    >>> gaussian_with(1.0, dim=5).mutual_information
    1.0
    """
    nats = positive(mutual_information, "mutual_information", zero=True)
    correlation = math.sqrt(-math.expm1(-2 * nats / integer(dim, "dim")))
    return _one_to_one(name or f"gaussian-{dim}-{dim}-{nats:g}nats", dim, dim, correlation)


def _one_to_one(name: str, dim: int, pairs: int, correlation: float) -> Gaussian:
    covariance = np.eye(2 * dim)
    index = np.arange(pairs)
    covariance[index, dim + index] = covariance[dim + index, index] = correlation
    return Gaussian(name, covariance, dim)
