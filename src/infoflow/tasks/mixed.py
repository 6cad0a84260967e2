"""Pairs of which one side is a class, or is both discrete and continuous."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from infoflow.core.checks import integer, positive
from infoflow.core.errors import InvalidArgument
from infoflow.tasks.discrete import Codes
from infoflow.tasks.gaussian import Array, bivariate
from infoflow.theory.gaussian_mixture import binary_mixture_information


@dataclass(frozen=True)
class UniformOnClass:
    """A uniform class Y in 0..m-1 and X uniform on [Y, Y + 2], so that neighboring classes overlap.

    I(X;Y) = log m - (m - 1)/m log 2. (Gao, Kannan, Oh, Viswanath 2017, experiment II.)

    >>> UniformOnClass(5).mutual_information
    1.0549
    """

    classes: int = 5

    def __post_init__(self) -> None:
        integer(self.classes, "classes")

    @property
    def name(self) -> str:
        """Name with the number of classes."""
        return f"uniform-on-class-{self.classes}"

    @property
    def mutual_information(self) -> float:
        """I(X;Y) in nats."""
        return math.log(self.classes) - (self.classes - 1) / self.classes * math.log(2)

    def sample(self, n: int, seed: int) -> tuple[Array, Codes]:
        """n pairs, x (n, 1) and classes y (n,), the same for the same seed.

        >>> UniformOnClass().sample(3, seed=0)[1].shape
        (3,)
        """
        rng = np.random.default_rng(integer(seed, "seed", minimum=0))
        y = rng.integers(self.classes, size=integer(n, "n"))
        return y[:, None] + 2 * rng.random((n, 1)), y

    def pointwise(self, x: Array, y: Codes) -> Array:
        """Pointwise information in nats, (n,): log m less the log of how many classes reach x.

        >>> UniformOnClass(5).pointwise(np.array([[0.5], [1.5]]), np.array([0, 1]))  # log 5, log 5/2
        array([1.6094, 0.9163])
        """
        upper = np.minimum(np.floor(x[:, 0]), self.classes - 1)
        lower = np.maximum(np.floor(x[:, 0]) - 1, 0)
        return np.asarray(math.log(self.classes) - np.log(upper - lower + 1))


@dataclass(frozen=True)
class ZeroInflatedPoisson:
    """X exponential of mean 1; Y Poisson of mean X, but 0 with probability `zeros` whatever X is.

    With p = zeros, m = (1 + p)/2 = P(Y=0), and the information of a plain Poisson count
    I₀ = 2 log 2 - γ - Σ_k 2^{-k} log k = 0.3012:

        I(X;Y) = (1 - p) [I₀ - ½ log 2 + ¼] + [p²/4 - ¼ - ½ p² log p] / (1 - p) - m log m.

    The often quoted (1 - p) I₀ is I(X;Y|zeroed or not), which is larger for 0 < p < 1: a zero doesn't say why it is
    one. Raises InvalidArgument unless 0 <= zeros < 1. (The example is experiment III of Gao et al. 2017.)

    >>> ZeroInflatedPoisson(0.0).mutual_information
    0.3012
    >>> ZeroInflatedPoisson(0.15).mutual_information  # 0.85 I₀ = 0.2560
    0.2298
    """

    zeros: float = 0.15

    def __post_init__(self) -> None:
        if positive(self.zeros, "zeros", zero=True) >= 1:
            raise InvalidArgument(f"zeros is {self.zeros!r}; want 0 <= zeros < 1")

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

    def sample(self, n: int, seed: int) -> tuple[Array, Codes]:
        """n pairs, x (n, 1) and counts y (n,) as classes, the same for the same seed.

        >>> ZeroInflatedPoisson().sample(3, seed=0)[1].dtype
        dtype('int64')
        """
        rng = np.random.default_rng(integer(seed, "seed", minimum=0))
        x = rng.exponential(size=(integer(n, "n"), 1))
        return x, np.where(rng.random(n) < self.zeros, 0, rng.poisson(x[:, 0])).astype(np.int64)

    def pointwise(self, x: Array, y: Codes) -> Array:
        """Pointwise information log P(y|x) / P(y) in nats, (n,).

        >>> ZeroInflatedPoisson(0.0).pointwise(np.array([[1.0]]), np.array([0]))  # log 2 - 1
        array([-0.3069])
        """
        p = self.zeros
        given = (1 - p) * stats.poisson.pmf(y, x[:, 0]) + p * (y == 0)
        marginal = (1 - p) * 0.5 ** (y + 1.0) + p * (y == 0)
        return np.asarray(np.log(given) - np.log(marginal))


@dataclass(frozen=True)
class GaussianWithAtoms:
    """With probability `share` a Gaussian pair of that `correlation`, else X and Y = ±1 that agree with `agreement`.

    Atoms and Gaussian never coincide, so either side tells which it was: with the binary entropy H_b,

        I(X;Y) = H_b(share) - share ½ log(1 - ρ²) + (1 - share) [log 2 - H_b(agreement)].

    Raises InvalidArgument for what is no correlation or no probability. (Gao et al. 2017, experiment I.)

    >>> GaussianWithAtoms().mutual_information
    1.292362
    """

    correlation: float = 0.9
    agreement: float = 0.9
    share: float = 0.5

    def __post_init__(self) -> None:
        bivariate(self.correlation)  # refuses what is no correlation
        for argument in ("agreement", "share"):
            if not 0 < getattr(self, argument) < 1:
                raise InvalidArgument(f"{argument} is {getattr(self, argument)!r}; want a probability in (0, 1)")

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

    def sample(self, n: int, seed: int) -> tuple[Array, Array]:
        """n pairs, x (n, 1) and y (n, 1), floats with many ties at ±1; the same for the same seed.

        >>> GaussianWithAtoms().sample(3, seed=0)[1].shape
        (3, 1)
        """
        rng = np.random.default_rng(integer(seed, "seed", minimum=0))
        normal = rng.standard_normal((2, integer(n, "n"), 1))
        smooth_y = self.correlation * normal[0] + math.sqrt(1 - self.correlation**2) * normal[1]
        atom_x = rng.choice([-1.0, 1.0], size=(n, 1))
        atom_y = atom_x * np.where(rng.random((n, 1)) < self.agreement, 1.0, -1.0)
        smooth = rng.random((n, 1)) < self.share
        return np.where(smooth, normal[0], atom_x), np.where(smooth, smooth_y, atom_y)

    def pointwise(self, x: Array, y: Array) -> Array:
        """Pointwise information in nats, (n,): the log of the joint's density relative to the product of the sides.

        >>> GaussianWithAtoms().pointwise(np.array([[1.0]]), np.array([[1.0]]))  # log(0.5 · 0.45 / 0.25²)
        array([1.2809])
        """
        atom = ((np.abs(x) == 1) & (np.abs(y) == 1))[:, 0]
        agree = np.where(x[:, 0] == y[:, 0], self.agreement, 1 - self.agreement)
        smooth = bivariate(self.correlation).pointwise(x, y) - math.log(self.share)
        return np.where(atom, np.log(2 * agree) - math.log(1 - self.share), smooth)


@dataclass(frozen=True)
class BinaryGaussianMixture:
    """A fair class Y in {0, 1} and X ~ N(±μ, 1) in `dim` dimensions, μ along the diagonal with ‖μ‖² = `separation`.

    With s = ‖μ‖²: I(X;Y) = s - E log cosh U, U ~ N(s, s), a one-dimensional integral (accurate to 1e-12). Raises
    InvalidArgument for a negative separation. (Yi et al., arXiv 2209.10058.)

    >>> [round(BinaryGaussianMixture(s).mutual_information, 4) for s in (0.1, 1.0, 4.0)]
    [0.0476, 0.3368, 0.6327]
    """

    separation: float = 1.0
    dim: int = 1

    def __post_init__(self) -> None:
        positive(self.separation, "separation", zero=True)
        integer(self.dim, "dim")

    @property
    def name(self) -> str:
        """Name with separation and dimension."""
        return f"binary-gaussian-mixture-{self.dim}-{self.separation:g}"

    @property
    def mutual_information(self) -> float:
        """I(X;Y) in nats."""
        return float(binary_mixture_information(self.separation))

    def sample(self, n: int, seed: int) -> tuple[Array, Codes]:
        """n pairs, x (n, dim) and classes y (n,), the same for the same seed.

        >>> BinaryGaussianMixture(dim=3).sample(2, seed=0)[0].shape
        (2, 3)
        """
        rng = np.random.default_rng(integer(seed, "seed", minimum=0))
        y = rng.integers(2, size=integer(n, "n"))
        shift = math.sqrt(self.separation / self.dim)
        return rng.standard_normal((n, self.dim)) + shift * (2 * y[:, None] - 1), y

    def pointwise(self, x: Array, y: Codes) -> Array:
        """Pointwise information in nats, (n,): log 2 - log(1 + e^{-2 y μᵀx}) with y = ±1.

        >>> BinaryGaussianMixture(1.0).pointwise(np.zeros((1, 1)), np.array([1]))
        array([0.])
        """
        margin = math.sqrt(self.separation / self.dim) * x.sum(axis=1) * (2 * y - 1)
        return np.asarray(math.log(2) - np.logaddexp(0.0, -2 * margin))
