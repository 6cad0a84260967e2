"""Neighbors in a plane and on a line against full distance tables, for continuous data, grids, ties and duplicates."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.feature_selection._mutual_info import _compute_mi_cc, _compute_mi_cd

from infoflow.estimators.neighbors.class_neighbors import ClassNeighbors
from infoflow.estimators.neighbors.ksg import KSG
from infoflow.pairwise import column_pairs, line_neighbors, neighbor_trees, plane_neighbors

Array = NDArray[np.float64]
Search = Callable[[Array, Array, int], tuple[Array, NDArray[np.int64]]]

needs_numba = pytest.mark.skipif(not plane_neighbors.available(), reason="numba (infoflow[fast]) is not installed")


def by_tree(x: Array, y: Array, k: int) -> tuple[Array, NDArray[np.int64]]:
    return neighbor_trees.nearest(np.stack([x, y], axis=1), k, float("inf"))


SEARCHES = [
    pytest.param(plane_neighbors.among_few, id="few"),
    pytest.param(plane_neighbors.nearest, id="compiled", marks=needs_numba),
    pytest.param(by_tree, id="tree"),
]

PATTERNS: dict[str, Callable[[np.random.Generator, int], Array]] = {
    "continuous": lambda rng, n: rng.normal(size=n),
    "heavy tails": lambda rng, n: rng.standard_cauchy(size=n),
    "rare class": lambda rng, n: (rng.random(n) < 0.02).astype(float),
    "many zeros": lambda rng, n: rng.normal(size=n) * (rng.random(n) < 0.3),
    "integers": lambda rng, n: rng.integers(0, 5, size=n).astype(float),
    "rounded": lambda rng, n: rng.normal(size=n).round(1),
    "constant": lambda rng, n: np.zeros(n),
    "ascending": lambda rng, n: np.arange(n, dtype=float),
}


def check(search: Search, x: Array, y: Array, k: int) -> None:
    distance, index = search(x, y, k)
    table = np.maximum(np.abs(x[:, None] - x), np.abs(y[:, None] - y))
    own = np.arange(len(x))[:, None]
    np.testing.assert_array_equal(table[own, index], distance)
    assert not (index == own).any()
    assert all(len(set(row)) == k for row in index.tolist())
    np.fill_diagonal(table, np.inf)
    np.testing.assert_array_equal(distance, np.sort(table, axis=1)[:, :k])


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("second", PATTERNS)
@pytest.mark.parametrize("first", PATTERNS)
def test_the_search_in_a_plane_agrees_with_whole_tables(search: Search, first: str, second: str) -> None:
    rng = np.random.default_rng(0)
    for n, k in ((4, 3), (60, 1), (300, 3), (300, 40)):
        check(search, PATTERNS[first](rng, n), PATTERNS[second](rng, n), k)


@pytest.mark.parametrize("search", SEARCHES)
@settings(max_examples=60)
@given(
    points=st.lists(
        st.tuples(*[st.one_of(st.integers(-3, 3), st.floats(-1e6, 1e6)).map(float)] * 2), min_size=3, max_size=40
    ),
    share=st.floats(0, 1),
)
def test_any_points_and_numbers_of_neighbors_up_to_all(
    search: Search, points: list[tuple[float, float]], share: float
) -> None:
    x, y = np.array(points).T
    check(search, x, y, 1 + int(share * (len(x) - 2)))


@needs_numba
def test_strips_of_any_size_and_several_threads_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=500), rng.normal(size=500).round(1)
    monkeypatch.setattr(plane_neighbors, "_SHARE", 50)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    for size in (1, 7, 100, 499, 500):
        monkeypatch.setattr(plane_neighbors, "_size", lambda x, y, k, size=size: size)
        check(plane_neighbors.nearest, x, y, 4)


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("k", [1, 3, 20, 79])
def test_the_search_on_a_line_agrees_with_whole_tables(pattern: str, k: int) -> None:
    line = PATTERNS[pattern](np.random.default_rng(2), 80)
    check(lambda x, y, k: line_neighbors.nearest(x, k), line, line, k)


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("k", [1, 3, 20, 200])
def test_radii_and_counts_in_groups_agree_with_whole_tables(pattern: str, k: int) -> None:
    rng = np.random.default_rng(3)
    line, groups = PATTERNS[pattern](rng, 90), np.minimum(rng.poisson(1.0, size=90), 5)
    grouped = line_neighbors.Groups(line, groups)
    radius = grouped.radius(k)
    within = rng.uniform(0, 2, size=90)
    counts = grouped.count(within)
    for i in range(90):
        others = np.flatnonzero((groups == groups[i]) & (np.arange(90) != i))
        distance = np.sort(np.abs(line[others] - line[i]))
        assert radius[i] == (distance[min(k, len(others)) - 1] if len(others) else 0.0)
        assert counts[i] == np.sum((line[others] >= line[i] - within[i]) & (line[others] <= line[i] + within[i]))


@pytest.mark.parametrize("compiled", [pytest.param(True, marks=needs_numba), False])
@pytest.mark.parametrize("scale", [1.0, 1e-310, 5e306])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_counts_on_a_line_agree_with_whole_tables(
    pattern: str, scale: float, compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plane_neighbors, "compiled", lambda: compiled)
    rng = np.random.default_rng(4)
    line, within = scale * PATTERNS[pattern](rng, 120).clip(-20, 20), scale * rng.exponential(size=(120, 3))
    within[:20] = 0
    low, high = line[:, None] - within, line[:, None] + within
    inside = (line >= low[:, :, None]) & (line <= high[:, :, None])
    np.testing.assert_array_equal(line_neighbors.count(line, within), inside.sum(axis=2) - 1)


@pytest.mark.parametrize("compiled", [pytest.param(True, marks=needs_numba), False])
@pytest.mark.parametrize("k", [1, 3, 10])
def test_scikit_learn_gives_the_same_information(compiled: bool, k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plane_neighbors, "worthwhile", lambda n, k: compiled)
    rng = np.random.default_rng(5)
    x = rng.normal(size=2000)
    y = np.sin(3 * x) + 0.3 * rng.normal(size=2000)
    labels = (y + rng.normal(size=2000) > 0).astype(int) + 2 * (x > 1)
    expected = _compute_mi_cc(x, y, k)
    assert KSG(k=k, rescale="none").estimate(x, y).nats == pytest.approx(expected, abs=1e-9)
    expected = _compute_mi_cd(x, labels, k)
    assert ClassNeighbors(k=k, rescale="none").estimate(x, labels).nats == pytest.approx(expected, abs=1e-9)


def seconds(call: Callable[[], Any]) -> float:
    times = []
    for _ in range(3):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


@pytest.mark.parametrize("search", SEARCHES[1:])
@pytest.mark.parametrize("n", [20_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_repeated_values_take_about_the_time_of_continuous_ones(search: Search, n: int) -> None:
    rng = np.random.default_rng(6)
    x = rng.normal(size=n)
    search(x[:100], x[:100], 3)
    limit = 3 * seconds(lambda: search(x, rng.normal(size=n), 3)) + 0.05
    for name, pattern in PATTERNS.items():
        other = pattern(rng, n)
        for values in (x, pattern(rng, n)):
            assert seconds(lambda values=values, other=other: search(values, other, 3)) < limit, name


@pytest.mark.parametrize("compiled", [pytest.param(True, marks=needs_numba), False])
@pytest.mark.parametrize("second", PATTERNS)
@pytest.mark.parametrize("first", PATTERNS)
def test_counts_of_nearer_samples_agree_with_whole_tables(
    compiled: bool, first: str, second: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plane_neighbors, "worthwhile", lambda n, k: compiled)
    monkeypatch.setattr(plane_neighbors, "compiled", lambda: compiled)
    rng = np.random.default_rng(7)
    for n, numbers in ((4, (3, 1)), (300, (12, 3, 2, 1)), (300, (120,))):
        x, y = (PATTERNS[name](rng, n) for name in (first, second))
        x, y = x - x.mean(), y - y.mean()
        found = column_pairs.nearer_in_columns(column_pairs.Column.of(x), column_pairs.Column.of(y), numbers)
        tables = [np.abs(side[:, None] - side) for side in (x, y)]
        joint = np.maximum(*tables)
        others = joint + np.where(np.eye(n, dtype=bool), np.inf, 0.0)
        for row, k in enumerate(numbers):
            radius = np.sort(others, axis=1)[:, k - 1]
            np.testing.assert_array_equal(found.radius[row], radius)
            # A distance within a relative 1e-10, or four roundings of the values, is that of the k-th neighbor itself.
            slack = np.maximum(1e-10 * radius, 4 * np.finfo(float).eps * (np.hypot(x, y) + radius))
            limit = np.where(radius > 0, radius - slack, 0.0)[:, None]
            np.testing.assert_array_equal(found.x[row], (tables[0] <= limit).sum(axis=1) - 1)
            np.testing.assert_array_equal(found.y[row], (tables[1] <= limit).sum(axis=1) - 1)
            np.testing.assert_array_equal(found.joint[row], (joint <= limit).sum(axis=1))
