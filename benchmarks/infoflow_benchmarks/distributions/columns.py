"""Families of one column each: Gaussians, one-dimensional shapes, dependent samples and functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from scipy.signal import lfilter
from scipy.special import digamma, ive
from scipy.stats import cauchy, norm

from infoflow_benchmarks.distributions import quadrature
from infoflow_benchmarks.distributions.base import Distribution, Draw, correlated, gaussian_nats

BLOBS = np.array([(0, 0), (1, 2), (2, 4), (3, 1), (4, 3)], dtype=float)


def gaussian() -> Iterator[Distribution]:
    """Two correlated Gaussians, also with unequal scales and means."""
    for r in (0.0, 0.5, 0.99):
        yield Distribution(f"gauss r={r:g}", "gaussian", partial(correlated, r=r), partial(gaussian_nats, r))

    def scaled(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        x, y = correlated(rng, n, -0.8)
        return 1e3 * x + 1e5, 1e-3 * y

    yield Distribution("gauss r=-0.8, scales 1e3 and 1e-3", "gaussian", scaled, lambda: gaussian_nats(0.8))


def shapes() -> Iterator[Distribution]:
    """Continuous dependences of one column and another."""

    def add(name: str, draw: Draw, truth: float | Callable[[], float]) -> Distribution:
        return Distribution(name, "shapes", draw, truth)

    half = gaussian_nats(0.5)
    yield add("lognormal r=0.5", lambda rng, n: tuple(np.exp(2 * v) for v in correlated(rng, n, 0.5)), half)
    yield add(
        "cauchy-copula r=0.5", lambda rng, n: tuple(cauchy.ppf(norm.cdf(v)) for v in correlated(rng, n, 0.5)), half
    )
    for e in (0.1, 0.01):
        yield add(f"uniform+noise e={e}", partial(uniform_noise, e=e), e - np.log(2 * e))
    for s in (0.05, 0.3):
        yield add(f"circle s={s}", partial(circle, s=s), partial(circle_nats, s))
    for k in (1, 5, 20):
        yield add(f"sinusoid periods={k} s=0.1", partial(sinusoid, periods=k), sinusoid_nats)
    for m in (2, 8):
        yield add(f"checkerboard {m}x{m}", partial(checkerboard, m=m), np.log(2))
    yield add("x^2+.5n", square, square_nats)
    yield add("|x|+.2n, cubed", absolute_cubed, lambda: quadrature.of_map(np.abs, 0.2))
    for shape in (0.5, 3.0):
        yield add(
            f"gamma-exponential shape={shape:g}",
            partial(gamma_rate, shape=shape),
            digamma(shape + 1) - np.log(shape),
        )
    yield add("five blobs s=0.15", lambda rng, n: tuple((blobs(rng, n)).T), blobs_nats)
    yield add("copy with prob 0.1, s=0.02", copy, copy_nats)
    # log((1 + t)) + 2(1 + t) − (2 + 1/t) E log W of the gamma frailty W, where E log W = ψ(1/t + 2) − ψ(1/t)
    yield add(
        "clayton copula t=2", lambda rng, n: clayton(rng, n, 2.0), np.log(3) + 6 - 2.5 * (digamma(2.5) - digamma(0.5))
    )


def dependent() -> Iterator[Distribution]:
    """Samples that depend on the samples before them."""

    def add(name: str, draw: Draw, truth: float = 0.0) -> Distribution:
        return Distribution(name, "autocorrelated", draw, lambda: truth)

    for phi in (0.9, 0.999):
        yield add(f"AR(1) phi={phi} independent", partial(autoregressive, phi=phi, r=0.0))
    yield add("random walks independent", lambda rng, n: tuple(np.cumsum(rng.standard_normal((2, n)), axis=1)))
    yield add("AR(1) phi=0.95, r=0.6", lambda rng, n: autoregressive(rng, n, 0.95, 0.6), gaussian_nats(0.6))


def functions() -> Iterator[Distribution]:
    """One side is a function of the other."""

    def add(name: str, draw: Draw, truth: float) -> Distribution:
        return Distribution(name, "deterministic", draw, lambda: truth)

    yield add("y=x exactly", lambda rng, n: ((x := rng.standard_normal(n)), x.copy()), np.inf)
    yield add("y=x^2 exactly", lambda rng, n: ((x := rng.standard_normal(n)), x * x), np.inf)
    yield add("sign(x) as int, x", lambda rng, n: ((x := rng.standard_normal(n)), (x > 0).astype(int)), np.log(2))
    yield add("quarter of uniform x", lambda rng, n: ((x := rng.uniform(size=n)), (4 * x).astype(int)), np.log(4))


def uniform_noise(rng: np.random.Generator, n: int, e: float) -> tuple[np.ndarray, np.ndarray]:
    """X uniform on (0, 1), and X with uniform noise on (−e, e)."""
    x = rng.uniform(size=n)
    return x, x + rng.uniform(-e, e, n)


def circle(rng: np.random.Generator, n: int, s: float) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates of points on the unit circle with Gaussian noise."""
    angle = rng.uniform(0, 2 * np.pi, n)
    return np.cos(angle) + s * rng.standard_normal(n), np.sin(angle) + s * rng.standard_normal(n)


def circle_nats(s: float) -> float:
    """The mutual information of `circle`, whose density depends on the radius through a Bessel function."""

    def density(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        radius = np.hypot(x, y)
        # ive(0, z) is I₀(z) exp(−z), which leaves −(radius − 1)² in the exponent.
        return np.asarray(np.exp(-((radius - 1) ** 2) / (2 * s * s)) * ive(0, radius / s**2))

    return quadrature.of_density(density, -1 - 8 * s, 1 + 8 * s, 1501)


def square(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """X, and X² with noise of scale 0.5."""
    x = rng.standard_normal(n)
    return x, x * x + 0.5 * rng.standard_normal(n)


def square_nats() -> float:
    """The mutual information of `square`."""
    return quadrature.of_map(np.square, 0.5)


def absolute_cubed(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """X, and the cube of |X| with noise of scale 0.2."""
    x = rng.standard_normal(n)
    return x, (np.abs(x) + 0.2 * rng.standard_normal(n)) ** 3


def sinusoid(rng: np.random.Generator, n: int, periods: int) -> tuple[np.ndarray, np.ndarray]:
    """X uniform on (0, 1), and a sine of it with noise of scale 0.1."""
    x = rng.uniform(size=n)
    return x, np.sin(2 * np.pi * periods * x) + 0.1 * rng.standard_normal(n)


def sinusoid_nats() -> float:
    """The mutual information of `sinusoid`, for any number of periods."""
    phase = 2 * np.pi * np.arange(4000) / 4000
    return quadrature.of_noise(np.sin(phase), np.ones(4000), 0.1)


def checkerboard(rng: np.random.Generator, n: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Uniform points on the black squares of a board with m squares a side."""
    column = rng.integers(m, size=n)
    row = 2 * rng.integers(m // 2, size=n) + column % 2
    return (column + rng.uniform(size=n)) / m, (row + rng.uniform(size=n)) / m


def gamma_rate(rng: np.random.Generator, n: int, shape: float) -> tuple[np.ndarray, np.ndarray]:
    """X of a gamma distribution, and an exponential variable with rate X."""
    x = rng.gamma(shape, size=n)
    return x, rng.exponential(size=n) / x


def blobs(rng: np.random.Generator, n: int) -> np.ndarray:
    """Five Gaussian clusters of which no two share a row or a column."""
    return BLOBS[rng.integers(len(BLOBS), size=n)] + 0.15 * rng.standard_normal((n, 2))


def blobs_nats() -> float:
    """The mutual information of `blobs`."""
    return quadrature.of_density(
        lambda x, y: sum((norm.pdf(x, a, 0.15) * norm.pdf(y, b, 0.15) for a, b in BLOBS), np.zeros(1)), -1.2, 5.2, 1201
    )


def copy(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Y is X with noise of scale 0.02 in one sample of ten, and independent otherwise."""
    x, other, noise = rng.standard_normal((3, n))
    return x, np.where(rng.uniform(size=n) < 0.1, x + 0.02 * noise, other)


def copy_nats() -> float:
    """The mutual information of `copy`."""
    return quadrature.of_density(
        lambda x, y: norm.pdf(x) * (0.1 * norm.pdf(y, x, 0.02) + 0.9 * norm.pdf(y)), -6.5, 6.5, 3251
    )


def clayton(rng: np.random.Generator, n: int, t: float) -> tuple[np.ndarray, np.ndarray]:
    """Uniform margins under Clayton's copula, by its gamma frailty."""
    frailty = rng.gamma(1 / t, size=n)
    u, v = (1 + rng.exponential(size=(2, n)) / frailty) ** (-1 / t)
    return u, v


def autoregressive(rng: np.random.Generator, n: int, phi: float, r: float) -> tuple[np.ndarray, np.ndarray]:
    """Two series x_t = φ x_{t−1} + e_t after 500 steps, whose innovations have the correlation r."""
    x, y = (lfilter([1], [1, -phi], e)[500:] for e in correlated(rng, n + 500, r))
    return x, y
