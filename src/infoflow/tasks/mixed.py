"""Pairs in which one side is a class, or is both discrete and continuous."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from scipy import special, stats

from infoflow.core.settings import Fraction, NonNegativeFloat, Number, PositiveInt, Seed, Settings, validated
from infoflow.tasks.discrete import Codes
from infoflow.tasks.gaussian import Array, bivariate
from infoflow.theory.gaussian_mixture import binary_mixture_information


@dataclass(frozen=True)
class UniformOnClass(Settings):
    """Uniform class Y in 0..m-1 and X uniform on [Y, Y + 2], so that neighboring classes overlap.

    Parameters
    ----------
    classes
        Number m of classes.

    Notes
    -----
    I(X;Y) = log m - (m - 1)/m log 2.

    References
    ----------
    Gao, Kannan, Oh, Viswanath: Estimating mutual information for discrete-continuous mixtures (2017), experiment II.

    Examples
    --------
    >>> UniformOnClass(5).mutual_information
    1.0549
    """

    classes: PositiveInt = 5

    @property
    def name(self) -> str:
        """Name with the number of classes."""
        return f"uniform-on-class-{self.classes}"

    @property
    def mutual_information(self) -> float:
        """I(X;Y) in nats."""
        return math.log(self.classes) - (self.classes - 1) / self.classes * math.log(2)

    @validated
    def sample(self, n: PositiveInt, seed: Seed) -> tuple[Array, Codes]:
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
        >>> UniformOnClass().sample(3, seed=0)[1].shape
        (3,)
        """
        rng = np.random.default_rng(seed)
        y = rng.integers(self.classes, size=n)
        return y[:, None] + 2 * rng.random((n, 1)), y

    def pointwise(self, x: Array, y: Codes) -> Array:
        """Return the pointwise information log p(x, y) / p(x) p(y).

        Parameters
        ----------
        x, y : ndarray of shape (n, ...)
            Points in the form of `sample`.

        Returns
        -------
        ndarray of shape (n,)
            Pointwise information in nats; its mean under the joint distribution is I(X;Y).

        Notes
        -----
        It is log m minus the log of the number of classes that reach x.

        Examples
        --------
        >>> UniformOnClass(5).pointwise(np.array([[0.5], [1.5]]), np.array([0, 1]))  # log 5, log 5/2
        array([1.6094, 0.9163])
        """
        upper = np.minimum(np.floor(x[:, 0]), self.classes - 1)
        lower = np.maximum(np.floor(x[:, 0]) - 1, 0)
        return np.asarray(math.log(self.classes) - np.log(upper - lower + 1))


@dataclass(frozen=True)
class ZeroInflatedPoisson(Settings):
    """X exponential of mean 1; Y Poisson of mean X, but 0 with probability `zeros` whatever X is.

    Parameters
    ----------
    zeros
        Probability that a count is replaced by 0, below 1.

    Notes
    -----
    With p = zeros, m = (1 + p)/2 = P(Y=0), and the information of a plain Poisson count
    I₀ = 2 log 2 - γ - Σ_k 2^{-k} log k = 0.3012:

        I(X;Y) = (1 - p) [I₀ - ½ log 2 + ¼] + [p²/4 - ¼ - ½ p² log p] / (1 - p) - m log m.

    The often quoted (1 - p) I₀ is I(X;Y|replaced or not), which is larger for 0 < p < 1, since a zero does not reveal
    whether it was replaced.

    References
    ----------
    Gao, Kannan, Oh, Viswanath: Estimating mutual information for discrete-continuous mixtures (2017), experiment III.

    Examples
    --------
    >>> ZeroInflatedPoisson(0.0).mutual_information
    0.3012
    >>> ZeroInflatedPoisson(0.15).mutual_information  # 0.85 I₀ = 0.2560
    0.2298
    """

    zeros: Annotated[float, Number(0, 1, open_high=True)] = 0.15

    @property
    def name(self) -> str:
        """Name with the share of zeros."""
        return f"zero-inflated-poisson-{self.zeros:g}"

    @property
    def mutual_information(self) -> float:
        """I(X;Y) in nats."""
        p, k = self.zeros, np.arange(1, 64)
        plain = 2 * math.log(2) - np.euler_gamma - float((np.log(k) * 0.5**k).sum())
        zero = (p**2 / 4 - 0.25 - 0.5 * float(special.xlogy(p**2, p))) / (1 - p)
        return (1 - p) * (plain - 0.5 * math.log(2) + 0.25) + zero - float(special.xlogy((1 + p) / 2, (1 + p) / 2))

    @validated
    def sample(self, n: PositiveInt, seed: Seed) -> tuple[Array, Codes]:
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
        >>> ZeroInflatedPoisson().sample(3, seed=0)[1].dtype
        dtype('int64')
        """
        rng = np.random.default_rng(seed)
        x = rng.exponential(size=(n, 1))
        return x, np.where(rng.random(n) < self.zeros, 0, rng.poisson(x[:, 0])).astype(np.int64)

    def pointwise(self, x: Array, y: Codes) -> Array:
        """Return the pointwise information log p(x, y) / p(x) p(y).

        Parameters
        ----------
        x, y : ndarray of shape (n, ...)
            Points in the form of `sample`.

        Returns
        -------
        ndarray of shape (n,)
            Pointwise information in nats; its mean under the joint distribution is I(X;Y).

        Notes
        -----
        It is log P(y|x) / P(y).

        Examples
        --------
        >>> ZeroInflatedPoisson(0.0).pointwise(np.array([[1.0]]), np.array([0]))  # log 2 - 1
        array([-0.3069])
        """
        p = self.zeros
        given = (1 - p) * stats.poisson.pmf(y, x[:, 0]) + p * (y == 0)
        marginal = (1 - p) * 0.5 ** (y + 1.0) + p * (y == 0)
        return np.asarray(np.log(given) - np.log(marginal))


@dataclass(frozen=True)
class GaussianWithAtoms(Settings):
    """Mixture of a Gaussian pair and of atoms X, Y = ±1.

    Parameters
    ----------
    correlation
        Correlation of the Gaussian pair.
    agreement
        Probability that the atoms of X and Y are equal.
    share
        Probability of the Gaussian pair.

    Notes
    -----
    Atoms and Gaussian never coincide, so either side reveals which of them it is. With the binary entropy H_b,

        I(X;Y) = H_b(share) - share ½ log(1 - ρ²) + (1 - share) [log 2 - H_b(agreement)].

    References
    ----------
    Gao, Kannan, Oh, Viswanath: Estimating mutual information for discrete-continuous mixtures (2017), experiment I.

    Examples
    --------
    >>> GaussianWithAtoms().mutual_information
    1.292362
    """

    correlation: Annotated[float, Number(-1, 1, open_low=True, open_high=True)] = 0.9
    agreement: Fraction = 0.9
    share: Fraction = 0.5

    @property
    def name(self) -> str:
        """Name with its three numbers."""
        return f"gaussian-with-atoms-{self.correlation:g}-{self.agreement:g}-{self.share:g}"

    @property
    def mutual_information(self) -> float:
        """I(X;Y) in nats."""

        def binary_entropy(p: float) -> float:
            return float(special.entr(p) + special.entr(1 - p))

        gaussian = bivariate(self.correlation).mutual_information
        atoms = math.log(2) - binary_entropy(self.agreement)
        return binary_entropy(self.share) + self.share * gaussian + (1 - self.share) * atoms

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
        >>> GaussianWithAtoms().sample(3, seed=0)[1].shape
        (3, 1)
        """
        rng = np.random.default_rng(seed)
        normal = rng.standard_normal((2, n, 1))
        smooth_y = self.correlation * normal[0] + math.sqrt(1 - self.correlation**2) * normal[1]
        atom_x = rng.choice([-1.0, 1.0], size=(n, 1))
        atom_y = atom_x * np.where(rng.random((n, 1)) < self.agreement, 1.0, -1.0)
        smooth = rng.random((n, 1)) < self.share
        return np.where(smooth, normal[0], atom_x), np.where(smooth, smooth_y, atom_y)

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

        Notes
        -----
        Densities are relative to the sum of Lebesgue measure and the atoms.

        Examples
        --------
        >>> GaussianWithAtoms().pointwise(np.array([[1.0]]), np.array([[1.0]]))  # log(0.5 · 0.45 / 0.25²)
        array([1.2809])
        """
        atom = ((np.abs(x) == 1) & (np.abs(y) == 1))[:, 0]
        agree = np.where(x[:, 0] == y[:, 0], self.agreement, 1 - self.agreement)
        smooth = bivariate(self.correlation).pointwise(x, y) - math.log(self.share)
        return np.where(atom, np.log(2 * agree) - math.log(1 - self.share), smooth)


@dataclass(frozen=True)
class BinaryGaussianMixture(Settings):
    """Class Y of probability 1/2 in {0, 1} and X ~ N(±μ, 1) with μ along the diagonal.

    Parameters
    ----------
    separation
        Squared norm s = ‖μ‖².
    dim
        Number of dimensions of X.

    Notes
    -----
    I(X;Y) = s - E log cosh U with U ~ N(s, s), a one-dimensional integral that is accurate to 1e-12.

    References
    ----------
    Yi et al.: arXiv:2209.10058.

    Examples
    --------
    >>> [round(BinaryGaussianMixture(s).mutual_information, 4) for s in (0.1, 1.0, 4.0)]
    [0.0476, 0.3368, 0.6327]
    """

    separation: NonNegativeFloat = 1.0
    dim: PositiveInt = 1

    @property
    def name(self) -> str:
        """Name with separation and dimension."""
        return f"binary-gaussian-mixture-{self.dim}-{self.separation:g}"

    @property
    def mutual_information(self) -> float:
        """I(X;Y) in nats."""
        return float(binary_mixture_information(self.separation))

    @validated
    def sample(self, n: PositiveInt, seed: Seed) -> tuple[Array, Codes]:
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
        >>> BinaryGaussianMixture(dim=3).sample(2, seed=0)[0].shape
        (2, 3)
        """
        rng = np.random.default_rng(seed)
        y = rng.integers(2, size=n)
        shift = math.sqrt(self.separation / self.dim)
        return rng.standard_normal((n, self.dim)) + shift * (2 * y[:, None] - 1), y

    def pointwise(self, x: Array, y: Codes) -> Array:
        """Return the pointwise information log p(x, y) / p(x) p(y).

        Parameters
        ----------
        x, y : ndarray of shape (n, ...)
            Points in the form of `sample`.

        Returns
        -------
        ndarray of shape (n,)
            Pointwise information in nats; its mean under the joint distribution is I(X;Y).

        Notes
        -----
        It is log 2 - log(1 + e^{-2 y μᵀx}) with y = ±1.

        Examples
        --------
        >>> BinaryGaussianMixture(1.0).pointwise(np.zeros((1, 1)), np.array([1]))
        array([0.])
        """
        margin = math.sqrt(self.separation / self.dim) * x.sum(axis=1) * (2 * y - 1)
        return np.asarray(math.log(2) - np.logaddexp(0.0, -2 * margin))
