"""Permutation tests: uniform p-values under independence, small ones for any dependence, false discovery rates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from infoflow.core.columns import read
from infoflow.estimators.wrappers.surrogates import effective_samples, surrogate_rows
from infoflow.tables import rank
from infoflow.tables.independence import independence, q_values


def test_p_values_of_independent_columns_are_uniform() -> None:
    found = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        x, y = read(rng.normal(size=60), "x"), read(rng.integers(3, size=60).astype(str), "y")
        found.append(independence([x, read(rng.normal(size=60), "z")], y, 19, seed=seed))
    assert np.mean(np.array(found) <= 0.1) == pytest.approx(0.1, abs=0.07)
    assert np.mean(found) == pytest.approx(0.525, abs=0.1)


def unrelated(seed: int, n: int) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Columns of many kinds, and targets that none of them depends on."""
    rng = np.random.default_rng(seed)
    letters = np.array(list("abcd"))[rng.integers(4, size=n)].astype(object)
    columns = {
        "number": rng.normal(size=n),
        "outliers": rng.standard_t(1.2, size=n),
        "5 % missing": np.where(rng.random(n) < 0.05, np.nan, rng.normal(size=n)),
        "40 % missing": np.where(rng.random(n) < 0.4, np.nan, rng.normal(size=n)),
        "category": letters,
        "category, 10 % missing": np.where(rng.random(n) < 0.1, None, letters[::-1]),
        "many categories": rng.integers(n // 4, size=n).astype(str),
        "integers": rng.integers(5, size=n),
        "rare": np.where(rng.random(n) < 0.03, "yes", "no"),
        "half zeros": np.maximum(rng.normal(size=n), 0),
    }
    targets = {
        "number": rng.normal(size=n),
        "class": rng.integers(3, size=n).astype(str),
        "ties": np.round(rng.exponential(size=n)),
    }
    return pd.DataFrame(columns), targets


@pytest.mark.slow
def test_p_values_of_a_ranking_are_calibrated_for_missing_values_categories_and_ties() -> None:
    found: dict[str, list[float]] = {}
    for seed in range(60):
        table, targets = unrelated(seed, 120)
        for y in targets.values():
            frame = rank(table, y, permutations=99, estimator="mixed").frame
            for name, p_value in zip(frame["column"], frame["p_value"], strict=True):
                found.setdefault(name, []).append(p_value)
    # Columns that repeat few values have equal statistics for many permutations, and then p-values too high.
    coarse = {"rare", "half zeros"}
    exact = np.concatenate([found[name] for name in found.keys() - coarse])
    for level in (0.02, 0.05, 0.1, 0.2, 0.5):
        error = 4 * np.sqrt(level * (1 - level) / len(exact))
        assert np.mean(exact <= level) == pytest.approx(level, abs=error)
        for name in coarse:
            assert np.mean(np.array(found[name]) <= level) < level + 0.06
    assert len(exact) == 8 * 3 * 60


@pytest.mark.parametrize("shape", ["line", "parabola", "circle", "checkerboard"])
def test_any_dependence_is_found(shape: str) -> None:
    rng = np.random.default_rng(0)
    x, noise = rng.normal(size=400), rng.normal(size=400)
    angle = rng.uniform(0, 2 * np.pi, size=400)
    cells = rng.integers(4, size=400)
    x, y = {
        "line": (x, x + 2 * noise),
        "parabola": (x, x**2 + noise),
        "circle": (np.cos(angle), np.sin(angle) + 0.1 * noise),
        "checkerboard": (cells + rng.random(400), 2 * rng.integers(2, size=400) + cells % 2 + rng.random(400)),
    }[shape]
    assert independence([read(x, "x")], read(y, "y"), 99) == 0.01


def test_a_unique_symbol_for_every_sample_shows_nothing() -> None:
    names = [f"name {i}" for i in range(50)]
    assert independence([read(names, "x")], read(np.arange(50) % 2 == 0, "y"), 99) == 1.0


def test_false_discovery_rates_by_hand() -> None:
    assert q_values(np.array([0.04, 0.01, 0.03, np.nan])).tolist() == pytest.approx(
        [0.04, 0.03, 0.04, np.nan], nan_ok=True
    )


@pytest.mark.parametrize("method", ["shuffle", "rotate", "blocks"])
def test_surrogates_are_permutations(method: str) -> None:
    rows = surrogate_rows(50, 20, method, np.random.default_rng(0))
    assert (np.sort(rows, axis=1) == np.arange(50)).all()
    kept = np.mean((np.diff(rows, axis=1) % 50) == 1)
    assert kept < 0.1 if method == "shuffle" else kept > 0.8


def test_effective_samples_of_an_autoregressive_process() -> None:
    noise = np.random.default_rng(0).normal(size=(20_000, 2))
    series = np.zeros_like(noise)
    for t in range(1, len(noise)):
        series[t] = 0.8 * series[t - 1] + noise[t]
    # 1 + 2 Σ φ^2l = (1 + φ²) / (1 - φ²)
    truth = 20_000 * (1 - 0.64) / (1 + 0.64)
    assert effective_samples(series[:, :1], series[:, 1:]) == pytest.approx(truth, rel=0.15)
