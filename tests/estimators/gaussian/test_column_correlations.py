"""Correlations of columns against all permutations: exact moments, weak dependence in many columns, no false alarm."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
import torch

from infoflow.estimators.gaussian.column_correlations import excess


def test_moments_are_those_of_all_permutations() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(6, 2)), rng.exponential(size=(6, 3))
    standard = [(side - side.mean(0)) / side.std(0) for side in (x, y)]
    sums = [((standard[0].T @ standard[1][list(order)]) ** 2).sum() for order in permutations(range(6))]
    expected = (sums[0] - np.mean(sums)) / np.std(sums)
    assert excess(torch.from_numpy(x), torch.from_numpy(y)) == pytest.approx(expected)


@pytest.mark.parametrize("columns", [1, 10, 300])
def test_independent_columns_are_within_chance(columns: int) -> None:
    generator = torch.Generator().manual_seed(columns)
    draws = [torch.randn(2, 200, columns, generator=generator, dtype=torch.float64) for _ in range(20)]
    assert max(excess(*draw) for draw in draws) < 6


def test_nothing_varies() -> None:
    assert excess(torch.ones(9, 2), torch.arange(9.0)[:, None]) == 0.0
