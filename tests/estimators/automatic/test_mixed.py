"""The default for a frame of symbols and numbers, on systems whose information is integrated over their densities."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from infoflow import mutual_information

GRID = np.linspace(-12, 12, 4001)
STEP = GRID[1] - GRID[0]


def density(center: np.ndarray, variance: float) -> np.ndarray:
    return np.exp(-((GRID - center) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)


def entropy_of_mixture(centers: np.ndarray, variances: np.ndarray) -> float:
    p = np.mean([density(center, variance) for center, variance in zip(centers, variances, strict=True)], axis=0)
    return float(-np.sum(p * np.log(np.maximum(p, 1e-300))) * STEP)


def numbers(slopes: np.ndarray, shifts: np.ndarray, n: int, seed: int) -> tuple[pd.DataFrame, np.ndarray, float]:
    """y = slope[c] v + shift[c] + noise, and I(c,v;y) = h(y) − h(noise)."""
    rng = np.random.default_rng(seed)
    c, v = rng.integers(len(slopes), size=n), rng.normal(size=n)
    y = slopes[c] * v + shifts[c] + rng.normal(size=n)
    truth = entropy_of_mixture(shifts, 1 + slopes**2) - 0.5 * np.log(2 * np.pi * np.e)
    return frame(c, v), y, truth


def classes(shifts: np.ndarray, n: int, seed: int) -> tuple[pd.DataFrame, np.ndarray, float]:
    """P(y = 1 | c, v) = σ(1.5 v + shift[c]), and I(c,v;y) = H(y) − ⟨H(y | c, v)⟩."""
    rng = np.random.default_rng(seed)
    c, v = rng.integers(len(shifts), size=n), rng.normal(size=n)
    y = rng.random(n) < 1 / (1 + np.exp(-(1.5 * v + shifts[c])))
    p = 1 / (1 + np.exp(-(1.5 * GRID + shifts[:, None])))
    weight = density(np.zeros(1), 1.0)[None] * STEP / len(shifts)
    truth = float(binary((p * weight).sum()) - (binary(p) * weight).sum())
    return frame(c, v), np.where(y, "yes", "no"), truth


def binary(p: np.ndarray) -> np.ndarray:
    q = np.clip(p, 1e-300, 1 - 1e-16)
    return -q * np.log(q) - (1 - q) * np.log(1 - q)


def frame(c: np.ndarray, v: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"kind": pd.Categorical([f"k{each}" for each in c]), "size": v})


SYSTEMS = {
    "shift": lambda n, seed: numbers(np.full(3, 0.8), np.array([-1, 0, 1.2]), n, seed),
    "slope": lambda n, seed: numbers(np.array([-1, 0, 1.5]), np.zeros(3), n, seed),
    "many": lambda n, seed: numbers(np.ones(20), np.linspace(-1, 1, 20), n, seed),
    "classes": lambda n, seed: classes(np.array([-2, -0.5, 0.5, 2]), n, seed),
    "nothing": lambda n, seed: numbers(np.zeros(3), np.zeros(3), n, seed),
}


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_frame_of_symbols_and_numbers(system: str) -> None:
    covered, errors = 0, []
    for seed in range(6):
        x, y, truth = SYSTEMS[system](800, seed)
        found = mutual_information(x, y)
        assert found.interval is not None
        covered += truth in found.interval
        errors.append(found.nats - truth)
        assert any("0 is not excluded" in text for text in found.warnings) == (found.interval.low <= 0)
    assert covered >= 5
    assert abs(np.mean(errors)) < (0.06 if system == "many" else 0.03)
    assert "numbers and symbols side by side" in found.why


def test_order_in_time_widens_the_interval() -> None:
    rng = np.random.default_rng(0)
    walk = rng.normal(size=(2, 500)).cumsum(axis=1)
    x = frame((walk[0] > np.median(walk[0])).astype(int), walk[0])
    found = mutual_information(x, walk[1])
    alone = mutual_information(x.sample(frac=1.0, random_state=0), walk[1][rng.permutation(500)])
    assert any("autocorrelated" in text for text in found.warnings)
    assert found.interval is not None
    assert alone.interval is not None
    assert found.interval.high - found.interval.low > 2 * (alone.interval.high - alone.interval.low)
