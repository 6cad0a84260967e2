"""Maps of one side that leave the mutual information as it is, because they can be undone.

Each is a small frozen object: call it on samples, or call its `inverse`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy import special

from infoflow.core.checks import integer
from infoflow.core.errors import InvalidArgument
from infoflow.core.protocols import Task
from infoflow.tasks.gaussian import Array


class Map(Protocol):
    """An injective map of samples (n, ...), and what undoes it."""

    def __call__(self, values: Array) -> Array: ...

    def inverse(self, values: Array) -> Array: ...


@dataclass(frozen=True)
class Identity:
    """Leaves everything as it is.

    >>> Identity()(np.array([[2.0]]))
    array([[2.]])
    """

    def __call__(self, values: Array) -> Array:
        return values

    def inverse(self, values: Array) -> Array:
        """The same again.

        >>> Identity().inverse(np.array([[2.0]]))
        array([[2.]])
        """
        return values


@dataclass(frozen=True)
class NormalCDF:
    """Φ(x) of every coordinate: standard normals become uniform.

    >>> NormalCDF()(np.array([[0.0]]))
    array([[0.5]])
    """

    def __call__(self, values: Array) -> Array:
        return np.asarray(special.ndtr(values))

    def inverse(self, values: Array) -> Array:
        """Φ⁻¹(u).

        >>> NormalCDF().inverse(np.array([[0.5]]))
        array([[0.]])
        """
        return np.asarray(special.ndtri(values))


@dataclass(frozen=True)
class HalfCube:
    """x √|x| of every coordinate: longer tails.

    >>> HalfCube()(np.array([[-4.0]]))
    array([[-8.]])
    """

    def __call__(self, values: Array) -> Array:
        return np.asarray(values * np.sqrt(np.abs(values)))

    def inverse(self, values: Array) -> Array:
        """sign(z) |z|^⅔.

        >>> HalfCube().inverse(np.array([[-8.0]]))
        array([[-4.]])
        """
        return np.asarray(np.sign(values) * np.cbrt(values) ** 2)


@dataclass(frozen=True)
class Asinh:
    """asinh(x) of every coordinate: shorter tails.

    >>> Asinh()(np.array([[1.0]]))
    array([[0.8814]])
    """

    def __call__(self, values: Array) -> Array:
        return np.asarray(np.arcsinh(values))

    def inverse(self, values: Array) -> Array:
        """sinh(z).

        >>> Asinh().inverse(np.array([[0.8814]]))
        array([[1.0000]])
        """
        return np.asarray(np.sinh(values))


@dataclass(frozen=True)
class Spiral:
    """exp(‖x‖² A speed) x, where A turns coordinate `first` towards `second`: the farther out, the more turned.

    The norm stays, so the map is undone by turning back. Raises InvalidArgument for coordinates that x doesn't have.
    (Czyż et al. 2023, section 2; their speed is 1 / dimensions.)

    >>> Spiral(0, 1, speed=np.pi / 2)(np.array([[1.0, 0.0]])).round(6)
    array([[0., 1.]])
    """

    first: int
    second: int
    speed: float

    def __call__(self, values: Array) -> Array:
        return self._turn(values, self.speed)

    def inverse(self, values: Array) -> Array:
        """Turns back by the same angle.

        >>> Spiral(0, 1, speed=np.pi / 2).inverse(np.array([[0.0, 1.0]])).round(6)
        array([[1., 0.]])
        """
        return self._turn(values, -self.speed)

    def _turn(self, values: Array, speed: float) -> Array:
        if max(self.first, self.second) >= values.shape[1]:
            raise InvalidArgument(
                f"a spiral in coordinates {self.first} and {self.second} needs more than {values.shape[1]} dimensions"
            )
        angle = speed * np.square(values).sum(axis=1)
        cos, sin = np.cos(angle), np.sin(angle)
        turned = values.copy()
        turned[:, self.first] = cos * values[:, self.first] - sin * values[:, self.second]
        turned[:, self.second] = sin * values[:, self.first] + cos * values[:, self.second]
        return turned


@dataclass(frozen=True)
class SwissRoll:
    """u in [0, 1] rolled up in the plane: (t cos t, t sin t) / 21 with t = 3π/2 (1 + 2u).

    >>> SwissRoll()(np.array([[0.5]])).round(3)  # t = 3π
    array([[-0.449,  0.   ]])
    """

    def __call__(self, values: Array) -> Array:
        t = 1.5 * np.pi * (1 + 2 * values[:, 0])
        return np.stack([t * np.cos(t), t * np.sin(t)], axis=1) / 21

    def inverse(self, values: Array) -> Array:
        """u from the distance to the middle of the roll, t = 21 ‖z‖.

        >>> SwissRoll().inverse(SwissRoll()(np.array([[0.5]])))
        array([[0.5]])
        """
        return (21 * np.hypot(values[:, :1], values[:, 1:]) / (1.5 * np.pi) - 1) / 2


@dataclass(frozen=True)
class Wiggly:
    """x + Σ a sin(f x + p) of every coordinate, `waves` of (a, f, p) so weak (Σ |a f| < 1) that it keeps rising.

    Raises InvalidArgument for stronger waves.

    >>> Wiggly(((0.5, 1.0, 0.0),))(np.array([[0.0]]))
    array([[0.]])
    """

    waves: tuple[tuple[float, float, float], ...]

    def __post_init__(self) -> None:
        if sum(abs(a * f) for a, f, _ in self.waves) >= 1:
            raise InvalidArgument(f"waves {self.waves} are too strong to be undone; want Σ |a f| < 1")

    def __call__(self, values: Array) -> Array:
        return np.asarray(values + sum(a * np.sin(f * values + p) for a, f, p in self.waves))

    def inverse(self, values: Array) -> Array:
        """Undone by bisection, to rounding.

        >>> wave = Wiggly(((0.5, 1.0, 0.0),))
        >>> wave.inverse(wave(np.array([[1.5]])))
        array([[1.5]])
        """
        reach = sum(abs(a) for a, _, _ in self.waves)
        return _solve(self, values, values - reach, values + reach)


@dataclass(frozen=True)
class Bimodal:
    """Quantiles of a mixture of two normals of variance 1: a uniform coordinate gets two modes.

    `weight` of the mode at `low`, the rest at `high`.

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
        """The mixture's distribution function.

        >>> Bimodal(0.5, -1.0, 3.0).inverse(np.array([[1.0]]))
        array([[0.5]])
        """
        return np.asarray(
            self.weight * special.ndtr(values - self.low) + (1 - self.weight) * special.ndtr(values - self.high)
        )


def _solve(rising: Callable[[Array], Array], target: Array, low: Array, high: Array) -> Array:
    """Where a rising function takes the values `target`, by bisection."""
    for _ in range(64):
        middle = (low + high) / 2
        below = rising(middle) < target
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2


@dataclass(frozen=True)
class Transformed:
    """A task whose sides went through injective maps: I(f(X); g(Y)) = I(X;Y). (Kraskov et al. 2004, appendix.)

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
            raise InvalidArgument(f"base is {type(self.base).__name__}; want a task (name, sample, mutual_information)")

    @property
    def mutual_information(self) -> float:
        """I(X;Y) in nats: that of the base."""
        return float(self.base.mutual_information)

    def sample(self, n: int, seed: int) -> tuple[Array, Array]:
        """n pairs of the base, mapped; the same for the same seed.

        >>> from infoflow.tasks.gaussian import sparse
        >>> Transformed("spiral", sparse(3), Spiral(0, 1, 1 / 3), Spiral(1, 2, 1 / 3)).sample(4, seed=0)[0].shape
        (4, 3)
        """
        x, y = self.base.sample(integer(n, "n"), seed)
        return self.map_x(x), self.map_y(y)

    def pointwise(self, x: Array, y: Array) -> Array:
        """Pointwise information in nats, (n,): that of the base at the points that the maps came from.

        >>> from infoflow.tasks.gaussian import bivariate
        >>> Transformed("same", bivariate(0.5)).pointwise(np.zeros((1, 1)), np.zeros((1, 1)))  # -½ log(1 - ¼)
        array([0.1438])
        """
        return np.asarray(self.base.pointwise(self.map_x.inverse(x), self.map_y.inverse(y)))
