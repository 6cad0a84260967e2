"""What `auto` states of an estimate that its samples limit."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

import infoflow

Pair = tuple[NDArray[np.float64], NDArray[np.float64]]


def checkerboard(tiles: int) -> Callable[[np.random.Generator, int], Pair]:
    """Uniform on every second tile of a board: log 2 nats for any number of tiles."""

    def draw(rng: np.random.Generator, n: int) -> Pair:
        column = rng.integers(tiles, size=n)
        row = 2 * rng.integers(tiles // 2, size=n) + column % 2
        return (column + rng.uniform(size=n)) / tiles, (row + rng.uniform(size=n)) / tiles

    return draw


@pytest.mark.parametrize(("tiles", "n"), [(6, 200), (8, 200), (8, 1000)])
def test_dependence_finer_than_neighbors_resolve_is_rarely_silent(tiles: int, n: int) -> None:
    silent = 0
    for seed in range(12):
        found = infoflow.mutual_information(*checkerboard(tiles)(np.random.default_rng(seed), n))
        silent += abs(found.nats - math.log(2)) > 0.1 * math.log(2) and not found.warnings
    assert silent <= 4


def test_an_estimate_that_rises_as_neighbors_get_fewer_states_it() -> None:
    texts = [
        text
        for seed in range(12)
        for text in infoflow.mutual_information(*checkerboard(8)(np.random.default_rng(seed), 200)).warnings
    ]
    assert any("from twice to half as many neighbors the estimate rises" in text for text in texts)


def test_a_curve_that_neighbors_resolve_has_no_warning() -> None:
    for seed in range(4):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=2000)
        found = infoflow.mutual_information(x, x**2 + 0.5 * rng.normal(size=2000))
        assert found.estimator == "KSG"
        assert not found.warnings


def test_noise_of_few_neighbors_is_not_the_estimate() -> None:
    rng = np.random.default_rng(5)
    shapes: list[Callable[[], NDArray[np.float64]]] = [
        lambda: rng.standard_cauchy(200),
        lambda: np.where(rng.uniform(size=200) < 0.6, 0, rng.exponential(size=200)),
        lambda: np.clip(rng.normal(size=200), -0.5, 1.0),
        lambda: np.sign(rng.normal(size=200)) * rng.gamma(0.3, size=200),
    ]
    nats = np.array(
        [infoflow.mutual_information(first(), second()).nats for _ in range(4) for first in shapes for second in shapes]
    )
    assert abs(nats.mean()) < 0.01
    assert np.mean(nats > 0.03) <= 0.08


@pytest.mark.parametrize("draw", ["ring", "band"])
def test_the_interval_of_neighbors_includes_a_share_of_the_estimate(draw: str) -> None:
    held = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        if draw == "ring":  # truth by quadrature of exp(-(r² + 1) / 2s²) I₀(r / s²), s = 0.05
            angle = rng.uniform(0, 2 * np.pi, 2000)
            x, y, truth = (
                np.cos(angle) + 0.05 * rng.normal(size=2000),
                np.sin(angle) + 0.05 * rng.normal(size=2000),
                1.158,
            )
        else:  # log 1/2e + e for a uniform x and uniform noise of half-width e = 0.03
            x = rng.uniform(size=2000)
            y, truth = x + rng.uniform(-0.03, 0.03, 2000), 0.03 - math.log(0.06)
        found = infoflow.mutual_information(x, y)
        assert found.interval is not None
        held += found.interval.low <= truth <= found.interval.high
    assert held >= 9
