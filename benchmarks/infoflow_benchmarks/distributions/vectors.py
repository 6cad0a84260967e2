"""Families of several columns: mixed columns, many dimensions, heavy tails, manifolds and latent variables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from scipy.special import digamma, gammaln

from infoflow_benchmarks.distributions import columns, quadrature
from infoflow_benchmarks.distributions.base import Distribution, Draw, correlated, gaussian_nats


def mixed_columns() -> Iterator[Distribution]:
    """Columns of different kinds on one side."""
    for d, r in ((2, 0.9), (3, 0.7), (5, 0.5)):

        def draw(rng: np.random.Generator, n: int, d: int = d, r: float = r) -> tuple[np.ndarray, np.ndarray]:
            x, y = correlated(rng, n, r, d)
            x[:, 0] = np.round(2 * x[:, 0]) / 2
            return x, y

        yield Distribution(
            f"mixed columns d={d}+{d} r={r}, one rounded .5",
            "mixed columns",
            draw,
            (d - 1) * gaussian_nats(r) + quadrature.of_one_rounded(r, 0.5),
        )

    def signed(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        bit, g = rng.integers(2, size=n), rng.standard_normal(n)
        return np.column_stack([bit, g]), g * (2 * bit - 1) + 0.3 * rng.standard_normal(n)

    def symbol(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        x, y = correlated(rng, n, 0.6)
        s = rng.integers(4, size=n)
        return np.column_stack([x, s]), np.column_stack([y, s % 2])

    yield Distribution("x=(bit,g), y=+-g+.3n", "mixed columns", signed, lambda: 0.5 * np.log1p(1 / 0.09))
    yield Distribution(
        "number r=0.6 and symbol, parity", "mixed columns", symbol, lambda: gaussian_nats(0.6) + np.log(2)
    )


def many_dimensions() -> Iterator[Distribution]:
    """Gaussians in many dimensions, and several independent pairs of other shapes."""

    def add(name: str, draw: Draw, truth: float | Callable[[], float]) -> Distribution:
        return Distribution(name, "many dimensions", draw, truth)

    def product(name: str, draw: Draw, d: int) -> tuple[str, Draw]:
        def several(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
            x, y = zip(*(draw(rng, n) for _ in range(d)), strict=True)
            return np.column_stack(x), np.column_stack(y)

        return f"{name} x{d}", several

    for d, r in ((5, 0.5), (25, 0.3), (100, 0.2)):
        yield add(f"gauss d={d} r={r}", partial(correlated, r=r, d=d), d * gaussian_nats(r))
    for d in (10, 100):
        yield add(f"independent d={d}", partial(correlated, r=0.0, d=d), 0.0)
    for d in (10, 100):
        yield add(f"one pair of {d} r=0.9", partial(one_pair, d=d), gaussian_nats(0.9))
    for d in (2, 10):
        r = float(np.sqrt(-np.expm1(-16 / d)))
        yield add(f"high-MI gauss d={d}, 8 nats", partial(correlated, r=r, d=d), 8.0)
    # The means of the columns are sufficient; their correlation is 1 / (1 + 4 / 20).
    yield add("one factor behind 20+20", factor, gaussian_nats(1 / 1.2))
    for d in (2, 5):
        yield add(*product("x^2+.5n", columns.square, d), partial(several_nats, columns.square_nats, d))
        yield add(
            *product("circle .3", lambda rng, n: columns.circle(rng, n, 0.3), d),
            partial(several_nats, partial(columns.circle_nats, 0.3), d),
        )
    yield add(
        *product("uniform+noise .1", lambda rng, n: columns.uniform_noise(rng, n, 0.1), 2), 2 * (0.1 - np.log(0.2))
    )


def heavy_tails() -> Iterator[Distribution]:
    """Student's t in 2d dimensions, with correlation r between equal columns."""
    for nu, d, r in ((1, 1, 0.0), (1, 2, 0.0), (1, 4, 0.0), (2, 5, 0.5), (3, 3, 0.7)):
        yield Distribution(
            f"student nu={nu} {d}x{d} r={r:g}",
            "heavy tails",
            partial(student, nu=nu, d=d, r=r),
            student_nats(nu, d) + d * gaussian_nats(r),
        )


def manifolds() -> Iterator[Distribution]:
    """Correlated Gaussians of few dimensions, each seen through an injective map into more."""

    def add(name: str, draw: Draw, nats: float) -> Distribution:
        return Distribution(name, "manifolds", draw, lambda: nats)

    for k, d, curved in ((2, 100, False), (1, 100, True), (2, 3, True)):
        fixed = np.random.default_rng(5)
        maps, phases = fixed.standard_normal((2, k, d)), fixed.uniform(0, 6, (2, d))

        def draw(
            rng: np.random.Generator,
            n: int,
            maps: np.ndarray = maps,
            phases: np.ndarray = phases,
            curved: bool = curved,
        ) -> tuple[np.ndarray, np.ndarray]:
            latent = (v.reshape(n, -1) for v in correlated(rng, n, 0.8, maps.shape[1]))
            x, y = (v @ w + p for v, w, p in zip(latent, maps, phases, strict=True))
            return (np.cos(x), np.cos(y)) if curved else (x, y)

        kind = "cos manifold" if curved else "linear"
        yield add(f"{kind} {k}-d in {d}-d r=0.8", draw, k * gaussian_nats(0.8))

    def helix(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        x, y = (np.column_stack([np.cos(3 * u), np.sin(3 * u), u]) for u in correlated(rng, n, 0.9))
        return x, y

    yield add("helix in 3-d r=0.9", helix, gaussian_nats(0.9))


def latents() -> Iterator[Distribution]:
    """Gaussian latent pairs seen through random tanh networks, as two layers or two embeddings are."""
    for k, d, nats, seed in ((5, 50, 2.77, 5), (2, 50, 1.5, 5), (4, 20, 1.0, 5), (3, 30, 2.0, 11)):
        fixed = np.random.default_rng(seed)
        nets = [(fixed.standard_normal((k, 64)) / k**0.5, fixed.standard_normal((64, d)) / 8) for _ in range(2)]
        r = float(np.sqrt(-np.expm1(-2 * nats / k)))

        def draw(
            rng: np.random.Generator, n: int, k: int = k, r: float = r, nets: list[tuple[np.ndarray, np.ndarray]] = nets
        ) -> tuple[np.ndarray, np.ndarray]:
            x, y = (np.tanh(v @ u) @ w for v, (u, w) in zip(correlated(rng, n, r, k), nets, strict=True))
            return x, y

        yield Distribution(f"latent {k} in {d}, {nats:g} nats", "latents", draw, nats)


def several_nats(one: Callable[[], float], d: int) -> float:
    """The mutual information of d independent pairs of the same kind."""
    return d * one()


def one_pair(rng: np.random.Generator, n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Only the first of d columns depends, with correlation 0.9."""
    x, y = rng.standard_normal((2, n, d))
    y[:, 0] = 0.9 * x[:, 0] + np.sqrt(0.19) * y[:, 0]
    return x, y


def factor(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Twenty columns each, which are one common Gaussian with independent noise of scale 2."""
    common = rng.standard_normal((n, 1))
    x, y = common + 2 * rng.standard_normal((2, n, 20))
    return x, y


def student(rng: np.random.Generator, n: int, nu: float, d: int, r: float) -> tuple[np.ndarray, np.ndarray]:
    """Gaussians with correlation r, all columns divided by the root of one common χ² over its degrees of freedom."""
    scale = np.sqrt(rng.chisquare(nu, (n, 1)) / nu)
    x, y = (v.reshape(n, d) / scale for v in correlated(rng, n, r, d))
    return (x[:, 0], y[:, 0]) if d == 1 else (x, y)


def student_nats(nu: float, d: int) -> float:
    """The part of Student's mutual information that the common scale adds: 2 h(d) − h(2d) beyond the Gaussian's."""

    def entropy(m: int) -> float:
        a = (nu + m) / 2
        return float(gammaln(nu / 2) - gammaln(a) + m / 2 * np.log(nu * np.pi) + a * (digamma(a) - digamma(nu / 2)))

    return 2 * entropy(d) - entropy(2 * d)
