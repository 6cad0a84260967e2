"""Injective maps of one side, which do not change the mutual information.

Each is a small frozen object that is called on samples and has an `inverse`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy import special

from infoflow.core.errors import InvalidArgument
from infoflow.core.protocols import Task
from infoflow.core.settings import PositiveInt, Seed, validated
from infoflow.tasks.gaussian import Array


class Map(Protocol):
    """An injective map of samples of shape (n, ...) with its inverse."""

    def __call__(self, values: Array) -> Array: ...

    def inverse(self, values: Array) -> Array:
        """Recover the samples that are mapped to `values`.

        Parameters
        ----------
        values : ndarray of shape (n, ...)
            Mapped samples.

        Returns
        -------
        ndarray of shape (n, ...)
            Samples that are mapped to these.
        """
        ...


@dataclass(frozen=True)
class Identity:
    """The identity.

    Examples
    --------
    >>> Identity()(np.array([[2.0]]))
    array([[2.]])
    """

    def __call__(self, values: Array) -> Array:
        return values

    def inverse(self, values: Array) -> Array:
        """Return the values.

        Parameters
        ----------
        values : ndarray of shape (n, ...)
            Mapped samples.

        Returns
        -------
        ndarray of shape (n, ...)
            Samples that are mapped to these.

        Examples
        --------
        >>> Identity().inverse(np.array([[2.0]]))
        array([[2.]])
        """
        return values


@dataclass(frozen=True)
class NormalCDF:
    """Map Φ(x) of every coordinate, which makes standard normals uniform.

    Examples
    --------
    >>> NormalCDF()(np.array([[0.0]]))
    array([[0.5]])
    """

    def __call__(self, values: Array) -> Array:
        return np.asarray(special.ndtr(values))

    def inverse(self, values: Array) -> Array:
        """Return Φ⁻¹(u).

        Parameters
        ----------
        values : ndarray of shape (n, ...)
            Mapped samples.

        Returns
        -------
        ndarray of shape (n, ...)
            Samples that are mapped to these.

        Examples
        --------
        >>> NormalCDF().inverse(np.array([[0.5]]))
        array([[0.]])
        """
        return np.asarray(special.ndtri(values))


@dataclass(frozen=True)
class HalfCube:
    """Map x √|x| of every coordinate, which gives longer tails.

    Examples
    --------
    >>> HalfCube()(np.array([[-4.0]]))
    array([[-8.]])
    """

    def __call__(self, values: Array) -> Array:
        return np.asarray(values * np.sqrt(np.abs(values)))

    def inverse(self, values: Array) -> Array:
        """Return sign(z) |z|^⅔.

        Parameters
        ----------
        values : ndarray of shape (n, ...)
            Mapped samples.

        Returns
        -------
        ndarray of shape (n, ...)
            Samples that are mapped to these.

        Examples
        --------
        >>> HalfCube().inverse(np.array([[-8.0]]))
        array([[-4.]])
        """
        return np.asarray(np.sign(values) * np.cbrt(values) ** 2)


@dataclass(frozen=True)
class Asinh:
    """Map asinh(x) of every coordinate, which gives shorter tails.

    Examples
    --------
    >>> Asinh()(np.array([[1.0]]))
    array([[0.8814]])
    """

    def __call__(self, values: Array) -> Array:
        return np.asarray(np.arcsinh(values))

    def inverse(self, values: Array) -> Array:
        """Return sinh(z).

        Parameters
        ----------
        values : ndarray of shape (n, ...)
            Mapped samples.

        Returns
        -------
        ndarray of shape (n, ...)
            Samples that are mapped to these.

        Examples
        --------
        >>> Asinh().inverse(np.array([[0.8814]]))
        array([[1.0000]])
        """
        return np.asarray(np.sinh(values))


@dataclass(frozen=True)
class Spiral:
    """Rotation exp(‖x‖² A speed) x in a plane of two coordinates, by an angle that grows with the norm.

    Parameters
    ----------
    first, second
        Coordinates of the plane; A rotates `first` towards `second`.
    speed
        Angle per squared norm; 1 / dimensions in the reference.

    Notes
    -----
    The norm does not change, so the inverse rotates back by the same angle.

    References
    ----------
    Czyż et al.: Beyond normal, NeurIPS 2023, section 2.

    Examples
    --------
    >>> Spiral(0, 1, speed=np.pi / 2)(np.array([[1.0, 0.0]])).round(6)
    array([[0., 1.]])
    """

    first: int
    second: int
    speed: float

    def __call__(self, values: Array) -> Array:
        return self._turn(values, self.speed)

    def inverse(self, values: Array) -> Array:
        """Rotate back by the same angle.

        Parameters
        ----------
        values : ndarray of shape (n, ...)
            Mapped samples.

        Returns
        -------
        ndarray of shape (n, ...)
            Samples that are mapped to these.

        Examples
        --------
        >>> Spiral(0, 1, speed=np.pi / 2).inverse(np.array([[0.0, 1.0]])).round(6)
        array([[1., 0.]])
        """
        return self._turn(values, -self.speed)

    def _turn(self, values: Array, speed: float) -> Array:
        if max(self.first, self.second) >= values.shape[1]:
            raise InvalidArgument(
                "values", f"of at least {max(self.first, self.second) + 1} dimensions for this spiral", values.shape[1]
            )
        angle = speed * np.square(values).sum(axis=1)
        cos, sin = np.cos(angle), np.sin(angle)
        turned = values.copy()
        turned[:, self.first] = cos * values[:, self.first] - sin * values[:, self.second]
        turned[:, self.second] = sin * values[:, self.first] + cos * values[:, self.second]
        return turned


@dataclass(frozen=True)
class SwissRoll:
    """Map of u in [0, 1] to a spiral in the plane: (t cos t, t sin t) / 21 with t = 3π/2 (1 + 2u).

    Examples
    --------
    >>> SwissRoll()(np.array([[0.5]])).round(3)  # t = 3π
    array([[-0.449,  0.   ]])
    """

    def __call__(self, values: Array) -> Array:
        t = 1.5 * np.pi * (1 + 2 * values[:, 0])
        return np.stack([t * np.cos(t), t * np.sin(t)], axis=1) / 21

    def inverse(self, values: Array) -> Array:
        """Recover u from the distance to the center, t = 21 ‖z‖.

        Parameters
        ----------
        values : ndarray of shape (n, ...)
            Mapped samples.

        Returns
        -------
        ndarray of shape (n, ...)
            Samples that are mapped to these.

        Examples
        --------
        >>> SwissRoll().inverse(SwissRoll()(np.array([[0.5]])))
        array([[0.5]])
        """
        return (21 * np.hypot(values[:, :1], values[:, 1:]) / (1.5 * np.pi) - 1) / 2


@dataclass(frozen=True)
class Wiggly:
    """Map x + Σ a sin(f x + p) of every coordinate.

    Parameters
    ----------
    waves
        Amplitude a, frequency f and phase p of each wave, with Σ |a f| < 1, so that the map is increasing.

    Raises
    ------
    InvalidArgument
        If the waves are too strong.

    Examples
    --------
    >>> Wiggly(((0.5, 1.0, 0.0),))(np.array([[0.0]]))
    array([[0.]])
    """

    waves: tuple[tuple[float, float, float], ...]

    def __post_init__(self) -> None:
        if sum(abs(a * f) for a, f, _ in self.waves) >= 1:
            raise InvalidArgument("waves", "invertible, Σ |a f| < 1", self.waves)

    def __call__(self, values: Array) -> Array:
        return np.asarray(values + sum(a * np.sin(f * values + p) for a, f, p in self.waves))

    def inverse(self, values: Array) -> Array:
        """Solve for x by bisection, to rounding.

        Parameters
        ----------
        values : ndarray of shape (n, ...)
            Mapped samples.

        Returns
        -------
        ndarray of shape (n, ...)
            Samples that are mapped to these.

        Examples
        --------
        >>> wave = Wiggly(((0.5, 1.0, 0.0),))
        >>> wave.inverse(wave(np.array([[1.5]])))
        array([[1.5]])
        """
        reach = sum(abs(a) for a, _, _ in self.waves)
        return _solve(self, values, values - reach, values + reach)


@dataclass(frozen=True)
class Bimodal:
    """Quantile function of a mixture of two normals of variance 1, which gives a uniform coordinate two modes.

    Parameters
    ----------
    weight
        Weight of the mode at `low`.
    low, high
        Modes.

    Examples
    --------
    >>> Bimodal(0.5, -1.0, 3.0)(np.array([[0.5]]))
    array([[1.]])
    """

    weight: float
    low: float
    high: float

    def __call__(self, values: Array) -> Array:
        ends = np.full_like(values, self.low - 12), np.full_like(values, self.high + 12)
        return _solve(self.inverse, values, *ends)

    def inverse(self, values: Array) -> Array:
        """Return the distribution function of the mixture.

        Parameters
        ----------
        values : ndarray of shape (n, ...)
            Mapped samples.

        Returns
        -------
        ndarray of shape (n, ...)
            Samples that are mapped to these.

        Examples
        --------
        >>> Bimodal(0.5, -1.0, 3.0).inverse(np.array([[1.0]]))
        array([[0.5]])
        """
        return np.asarray(
            self.weight * special.ndtr(values - self.low) + (1 - self.weight) * special.ndtr(values - self.high)
        )


def _solve(rising: Callable[[Array], Array], target: Array, low: Array, high: Array) -> Array:
    """Solve an increasing function for the values `target` by bisection."""
    for _ in range(64):
        middle = (low + high) / 2
        below = rising(middle) < target
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2


@dataclass(frozen=True)
class Transformed:
    """A task whose sides are mapped injectively: I(f(X); g(Y)) = I(X;Y).

    Parameters
    ----------
    name
        Name of the task.
    base
        The task that is mapped.
    map_x, map_y
        Maps of X and Y.

    Raises
    ------
    InvalidArgument
        If the base is not a task.

    References
    ----------
    Kraskov, Stögbauer, Grassberger: Estimating mutual information, Phys. Rev. E 69 (2004), appendix.

    Examples
    --------
    >>> from infoflow.tasks.gaussian import bivariate
    >>> task = Transformed("stretched", bivariate(0.75), HalfCube(), Asinh())
    >>> task.mutual_information
    0.413339
    """

    name: str
    base: Any
    map_x: Map = Identity()
    map_y: Map = Identity()

    def __post_init__(self) -> None:
        if not isinstance(self.base, Task):
            raise InvalidArgument("base", "a task with name, sample and mutual_information", self.base)

    @property
    def mutual_information(self) -> float:
        """I(X;Y) in nats: that of the base."""
        return float(self.base.mutual_information)

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
        >>> from infoflow.tasks.gaussian import sparse
        >>> Transformed("spiral", sparse(3), Spiral(0, 1, 1 / 3), Spiral(1, 2, 1 / 3)).sample(4, seed=0)[0].shape
        (4, 3)
        """
        x, y = self.base.sample(n, seed)
        return self.map_x(x), self.map_y(y)

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
        It is that of the base at the points that are mapped to these.

        Examples
        --------
        >>> from infoflow.tasks.gaussian import bivariate
        >>> Transformed("same", bivariate(0.5)).pointwise(np.zeros((1, 1)), np.zeros((1, 1)))  # -½ log(1 - ¼)
        array([0.1438])
        """
        return np.asarray(self.base.pointwise(self.map_x.inverse(x), self.map_y.inverse(y)))
