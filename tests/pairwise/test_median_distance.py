"""The median of all distances is that of a full sort, whatever the sample that brackets it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import pdist

from infoflow.pairwise import median_distance as module
from infoflow.pairwise.median_distance import median_distance


def lower_median(x: np.ndarray) -> float:
    found = np.sort(pdist(x))
    return float(found[(len(found) - 1) // 2])


@pytest.mark.parametrize("shape", [(2, 3), (3, 1), (40, 2), (513, 5), (1500, 20)])
def test_it_is_the_lower_median_of_a_full_sort(shape: tuple[int, int]) -> None:
    x = np.random.default_rng(0).normal(size=shape)
    assert median_distance(torch.from_numpy(x)) == pytest.approx(lower_median(x), rel=1e-12)


@pytest.mark.parametrize("limit", [100, 10_000])
@pytest.mark.parametrize("kind", ["groups", "lattice", "heavy tails"])
def test_distances_of_any_distribution(limit: int, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MANY", limit)  # above it, pairs are sampled instead of rows
    monkeypatch.setattr(module, "_PAIRS", 1 << 10)
    rng = np.random.default_rng(1)
    x = {
        "groups": rng.normal(size=(900, 3)) * 0.01 + np.repeat([0.0, 5.0], [450, 450])[:, None],
        "lattice": rng.integers(0, 3, size=(900, 2)).astype(float),
        "heavy tails": rng.standard_cauchy(size=(900, 4)),
    }[kind]
    assert median_distance(torch.from_numpy(x)) == pytest.approx(lower_median(x), rel=1e-7)


def test_a_bracket_that_misses_is_widened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ROWS", 4)
    monkeypatch.setattr(module, "_ROWS_REACH", 1e-6)
    x = np.random.default_rng(2).normal(size=(300, 2))
    assert median_distance(torch.from_numpy(x)) == pytest.approx(lower_median(x), rel=1e-12)


def test_the_order_of_the_samples_does_not_matter() -> None:
    x = torch.randn(1200, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert median_distance(x.flip(0)) == pytest.approx(median_distance(x), rel=1e-12)
