"""Families with repeated values: classes, tables of symbols, rounded numbers, and mixtures with atoms."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
from scipy.integrate import dblquad
from scipy.special import xlogy
from scipy.stats import multivariate_normal, norm, poisson

from infoflow_benchmarks.distributions import quadrature
from infoflow_benchmarks.distributions.base import Distribution, Draw, correlated, gaussian_nats


def classes() -> Iterator[Distribution]:
    """Classes with Gaussian features around their means."""

    def labels(name: str, means: Sequence[float], weights: Sequence[float] | None = None) -> Distribution:
        middle, share = np.asarray(means, float), np.ones(len(means)) if weights is None else np.asarray(weights)
        share = share / share.sum()

        def draw(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
            y = rng.choice(len(middle), size=n, p=share)
            return middle[y] + rng.standard_normal(n), y

        return Distribution(f"label: {name}", "classes", draw, lambda: quadrature.of_noise(middle, share, 1.0))

    yield labels("2 classes +-1", [-1, 1])
    yield labels("99:1 sep 4", [0, 4], [0.99, 0.01])
    yield labels("10 classes spacing 1", range(10))
    yield labels("50 classes spacing 8", range(0, 400, 8))
    yield labels("5 classes, halving, spacing 2", range(0, 10, 2), [16, 8, 4, 2, 1])
    yield Distribution(
        "label: independent 2", "classes", lambda rng, n: (rng.standard_normal(n), rng.integers(2, size=n)), lambda: 0.0
    )
    for d, shift, spread in ((3, 1.0, False), (6, 1.0, False), (20, 1.0, False), (5, 2.0, True)):
        direction = np.full(d, d**-0.5) if spread else np.eye(d)[0]

        def draw(
            rng: np.random.Generator, n: int, offset: np.ndarray = shift * direction
        ) -> tuple[np.ndarray, np.ndarray]:
            y = rng.integers(2, size=n)
            return rng.standard_normal((n, len(offset))) + (2 * y - 1)[:, None] * offset, y

        name = f"label: 2 classes +-{shift:g} {'spread in' if spread else 'in'} {d}-d"
        yield Distribution(
            name, "classes", draw, partial(quadrature.of_noise, np.array([-shift, shift]), np.ones(2), 1.0)
        )


def tables() -> Iterator[Distribution]:
    """Tables of symbols, as integers and as floating-point numbers."""
    ring = np.eye(12) + np.roll(np.eye(12), 1, axis=1) + np.roll(np.eye(12), -1, axis=1)
    known = {"5x5": 0.12 * np.eye(5) + 0.016, "indep 20x20": np.ones((20, 20)), "ring of 12": ring}
    for (name, joint), kind in ((item, kind) for item in known.items() for kind in (int, float)):

        def draw(
            rng: np.random.Generator, n: int, joint: np.ndarray = joint, kind: type = kind
        ) -> tuple[np.ndarray, np.ndarray]:
            cell = rng.choice(joint.size, size=n, p=joint.ravel() / joint.sum())
            return (cell // joint.shape[1]).astype(kind), (cell % joint.shape[1]).astype(kind)

        label = f"discrete {kind.__name__}s {name}"
        yield Distribution(label, "tables", draw, partial(quadrature.of_table, joint))


def rounded() -> Iterator[Distribution]:
    """Gaussians of which both are rounded, as multiples of the step or as counts of it."""
    for r, step in ((0.0, 0.1), (0.0, 0.5), (0.5, 0.1), (0.5, 0.5), (0.8, 0.25)):
        for kind in (int, float):

            def draw(
                rng: np.random.Generator, n: int, r: float = r, step: float = step, kind: type = kind
            ) -> tuple[np.ndarray, np.ndarray]:
                x, y = (np.round(v / step) for v in correlated(rng, n, r))
                return (x.astype(int), y.astype(int)) if kind is int else (x * step, y * step)

            name = f"gauss r={r:g} rounded to {step:g}, as {kind.__name__}"
            yield Distribution(name, "rounded", draw, partial(quadrature.of_both_rounded, r, step))


def mixed() -> Iterator[Distribution]:
    """One side with repeated values and a continuous one, or both with an atom and a density."""

    def add(name: str, draw: Draw, truth: float | Callable[[], float]) -> Distribution:
        return Distribution(name, "mixed", draw, truth)

    for r, step in ((0.0, 0.1), (0.0, 0.5), (0.9, 0.1), (0.9, 0.5)):
        for kind in (int, float):

            def draw(
                rng: np.random.Generator, n: int, r: float = r, step: float = step, kind: type = kind
            ) -> tuple[np.ndarray, np.ndarray]:
                x, y = correlated(rng, n, r)
                count = np.round(y / step)
                return x, count.astype(int) if kind is int else count * step

            name = f"x cont, y rounded to {step:g} as {kind.__name__}, r={r:g}"
            yield add(name, draw, partial(quadrature.of_one_rounded, r, step))
    for kind in (int, float):
        name = f"zero-inflated poisson p=0.15 ({kind.__name__}s)"
        yield add(name, partial(inflated, kind=kind), inflated_nats)
    yield add("relu of gauss r=0.5", lambda rng, n: tuple(np.maximum(v, 0) for v in correlated(rng, n, 0.5)), relu_nats)
    yield add("erased to 0 with prob 0.4, r=0.9", erased, 0.6 * gaussian_nats(0.9))


def inflated(rng: np.random.Generator, n: int, kind: type) -> tuple[np.ndarray, np.ndarray]:
    """X exponential, and Y a Poisson count with mean X, or zero with probability 0.15."""
    x = rng.exponential(size=n)
    return x, np.where(rng.uniform(size=n) < 0.15, 0, rng.poisson(x)).astype(kind)


def inflated_nats() -> float:
    """The mutual information of `inflated`; quantiles of X are the inputs."""
    x = -np.log1p(-(np.arange(20_000) + 0.5) / 20_000)
    channel = 0.85 * poisson.pmf(np.arange(80), x[:, None])
    channel[:, 0] += 0.15
    return quadrature.of_channel(np.ones(len(x)), channel)


def relu_nats(r: float = 0.5) -> float:
    """The mutual information of two Gaussians with negative values set to zero: an atom, two edges, a quadrant."""
    both = 0.25 + np.arcsin(r) / (2 * np.pi)
    x = np.linspace(0, 9, 20_001)
    off = norm.cdf(-r * x / np.sqrt(1 - r * r))
    edge = np.trapezoid(norm.pdf(x) * (xlogy(off, off) - off * np.log(0.5)), x)
    joint = multivariate_normal(cov=[[1, r], [r, 1]])

    def quadrant(y: float, x: float) -> float:
        logarithm = joint.logpdf([x, y])
        return float(np.exp(logarithm) * (logarithm - norm.logpdf(x) - norm.logpdf(y)))

    inside, _ = dblquad(quadrant, 0, 7, 0, 7, epsabs=1e-5)
    return float(both * np.log(4 * both) + 2 * edge + inside)


def erased(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Y is exactly zero in four samples of ten."""
    x, y = correlated(rng, n, 0.9)
    return x, np.where(rng.uniform(size=n) < 0.4, 0.0, y)
