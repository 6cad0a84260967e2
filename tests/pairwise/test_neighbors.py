"""Neighbors and counts against full distance tables, by both methods and both norms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from infoflow.core.errors import InvalidArgument, TooFewSamples, UnknownName
from infoflow.pairwise import count_tables, neighbor_blocks
from infoflow.pairwise.neighbors import Method, Metric, count_within, nearest, neighborhoods, prefers_tree

METHODS: tuple[Method, Method] = ("tree", "blocks")


def tables(spaces: list[np.ndarray], metric: Metric) -> list[np.ndarray]:
    """Whole distance tables, written with differences only."""
    found = []
    for space in spaces:
        difference = np.abs(space[:, None, :] - space[None, :, :])
        found.append(difference.max(-1) if metric == "chebyshev" else np.sqrt((difference**2).sum(-1)))
    return found


def reference(
    spaces: list[np.ndarray], k: int, subsets: list[tuple[int, ...]], metric: Metric, rectangle: bool
) -> tuple[np.ndarray, np.ndarray]:
    each = tables(spaces, metric)
    n = len(spaces[0])
    distances, counts = np.empty((n, k)), np.empty((n, len(subsets)), dtype=int)
    for i in range(n):
        others = np.delete(np.arange(n), i)
        joint = np.max([table[i, others] for table in each], axis=0)
        order = np.argsort(joint, kind="stable")[:k]
        distances[i] = joint[order]
        for column, subset in enumerate(subsets):
            if rectangle:
                reach = each[subset[0]][i, others]
                counts[i, column] = np.sum(reach <= reach[order].max() * (1 + 1e-9))
                continue
            reach = np.max([each[s][i, others] for s in subset], axis=0)
            radius = distances[i, -1]
            counts[i, column] = np.sum(reach < radius * (1 - 1e-9)) if radius > 0 else np.sum(reach == 0)
    return distances, counts


def draw(dimensions: tuple[int, ...], n: int, tied: bool, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    spaces = [rng.normal(size=(n, d)) for d in dimensions]
    return [np.round(2 * space) / 2 for space in spaces] if tied else spaces


@pytest.mark.parametrize("dimensions", [(1, 1), (1, 8), (3, 2), (20, 8)])
@pytest.mark.parametrize("metric", ["chebyshev", "euclidean"])
@pytest.mark.parametrize(("tied", "rectangle"), [(False, False), (True, False), (False, True)])
def test_both_methods_agree_with_whole_tables(
    dimensions: tuple[int, ...], metric: Metric, tied: bool, rectangle: bool
) -> None:
    spaces = draw(dimensions, 150, tied, seed=sum(dimensions))
    subsets = [(0,), (1,)] if rectangle else [(0,), (1,), (0, 1)]
    distances, counts = reference(spaces, 3, subsets, metric, rectangle)
    tensors = [torch.from_numpy(space) for space in spaces]
    for method in METHODS:
        if method == "tree" and metric == "euclidean" and dimensions != (1, 1):
            continue
        near = neighborhoods(tensors, 3, subsets, metric=metric, rectangle=rectangle, method=method)
        assert np.allclose(near.distance.numpy(), distances, rtol=1e-9, atol=1e-12)
        assert np.array_equal(near.counts.numpy(), counts)


@pytest.mark.parametrize("metric", ["chebyshev", "euclidean"])
def test_indices_are_those_of_the_distances_and_never_the_sample_itself(metric: Metric) -> None:
    spaces = draw((6, 6), 80, True, seed=1)
    near = neighborhoods([torch.from_numpy(s) for s in spaces], 4, metric=metric, method="blocks")
    joint = np.max(tables(spaces, metric), axis=0)
    own = np.arange(80)[:, None]
    assert np.allclose(joint[own, near.index.numpy()], near.distance.numpy())
    assert not (near.index.numpy() == own).any()


def test_many_duplicates_are_neighbors_at_distance_zero_but_not_oneself() -> None:
    x = torch.zeros(50, 1)
    x[40:] = torch.arange(1.0, 11.0)[:, None]
    for method in METHODS:
        distance, index = nearest(x, 3, method=method)
        assert bool((distance[:40] == 0).all())
        assert not bool((index == torch.arange(50)[:, None]).any())
        assert bool((distance[40:] > 0).all())


def test_neighbors_much_nearer_than_the_norms_are_compared_by_differences() -> None:
    # Pairs 1e-9 apart at distance 1 of the center: |a|² + |b|² - 2ab has no digit of that left.
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(60, 12))
    gaps = rng.uniform(1e-9, 3e-9, size=(60, 1)) * np.eye(12)[0]
    x = np.concatenate([centers, centers + gaps])
    distance, index = nearest(torch.from_numpy(x), 1, metric="euclidean", method="blocks")
    assert index[:, 0].tolist() == [*range(60, 120), *range(60)]
    assert np.allclose(distance[:60, 0], gaps[:, 0], rtol=1e-6)
    radius = torch.full((120,), 2e-9, dtype=torch.float64)
    counts = count_within(torch.from_numpy(x), radius, metric="euclidean", method="blocks")
    assert counts[:60].tolist() == (gaps[:, 0] < 2e-9).astype(int).tolist()


def test_a_duplicate_is_at_distance_zero_although_the_next_neighbor_is_far() -> None:
    x = np.random.default_rng(6).integers(0, 3, size=(300, 8)) / 3
    x[1::2] = x[::2]
    distance, _ = nearest(torch.from_numpy(x), 3, metric="euclidean", method="blocks")
    assert torch.equal(distance[:, 0], torch.zeros(300, dtype=torch.float64))
    assert bool((distance[:, 2] > 0).any())


def test_a_far_offset_and_far_outliers_change_nothing() -> None:
    x = np.round(np.random.default_rng(2).normal(size=(100, 9)) * 256) / 256
    plain = neighborhoods([torch.from_numpy(x)], 2, [(0,)], metric="euclidean", method="blocks")
    moved = neighborhoods([torch.from_numpy(x + 2.0**20)], 2, [(0,)], metric="euclidean", method="blocks")
    assert torch.allclose(plain.distance, moved.distance, rtol=1e-8)
    assert torch.equal(plain.counts, moved.counts)
    x[0] = 1e12
    outlier = neighborhoods([torch.from_numpy(x)], 2, [(0,)], metric="euclidean", method="blocks")
    distances, counts = reference([x], 2, [(0,)], "euclidean", False)
    assert np.allclose(outlier.distance, distances, rtol=1e-4)
    assert np.array_equal(outlier.counts, counts)


def test_the_answer_does_not_depend_on_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    spaces = [torch.from_numpy(s) for s in draw((7, 2), 130, False, seed=3)]
    whole = neighborhoods(spaces, 3, [(0,), (1,)], metric="euclidean")
    monkeypatch.setattr(neighbor_blocks, "_BLOCK", 1)
    monkeypatch.setattr(neighbor_blocks, "_PAIRS", 1)
    cut = neighborhoods(spaces, 3, [(0,), (1,)], metric="euclidean")
    assert torch.equal(whole.counts, cut.counts)
    assert torch.equal(whole.index, cut.index)


@settings(max_examples=40)
@given(
    st.lists(st.integers(-5, 5), min_size=4, max_size=25),
    st.integers(1, 3),
    st.sampled_from(["chebyshev", "euclidean"]),
    st.integers(0, 1000),
)
def test_ties_on_a_lattice(line: list[int], k: int, metric: Metric, seed: int) -> None:
    x = np.array(line, dtype=float)[:, None]
    y = np.random.default_rng(seed).integers(0, 3, size=(len(line), 6)).astype(float)
    distances, counts = reference([x, y], k, [(0,), (1,), (0, 1)], metric, False)
    near = neighborhoods(
        [torch.from_numpy(x), torch.from_numpy(y)], k, [(0,), (1,), (0, 1)], metric=metric, method="blocks"
    )
    assert np.allclose(near.distance.numpy(), distances, atol=1e-12)
    assert np.array_equal(near.counts.numpy(), counts)


@pytest.mark.parametrize("dimension", [1, 2, 9])
@pytest.mark.parametrize("metric", ["chebyshev", "euclidean"])
@pytest.mark.parametrize("strict", [True, False])
def test_counts_within_a_radius_that_others_lie_on(dimension: int, metric: Metric, strict: bool) -> None:
    x = np.random.default_rng(4).integers(-2, 3, size=(90, dimension)).astype(float)
    (table,) = tables([x], metric)
    np.fill_diagonal(table, np.inf)
    radius = np.where(np.arange(90) % 3 == 0, 0.0, np.partition(table, 20, axis=1)[:, 20])
    expected = np.where(radius > 0, (table < (radius * (1 - 1e-9))[:, None]).sum(1), (table == 0).sum(1))
    if not strict:
        expected = (table <= (radius * (1 + 1e-9))[:, None]).sum(1)
    for method in METHODS:
        found = count_within(torch.from_numpy(x), torch.from_numpy(radius), metric=metric, strict=strict, method=method)
        assert found.tolist() == expected.tolist()


@pytest.mark.parametrize("dimensions", [2, 5])
def test_few_points_are_counted_by_tables_as_by_trees(dimensions: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(count_tables, "_CACHED", 2000)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(300, dimensions, generator=generator).double().round(decimals=1)
    for radius in (torch.zeros(300), torch.full((300,), 0.7), torch.rand(300, generator=generator)):
        for strict in (True, False):
            found = count_within(x, radius, strict=strict)
            assert torch.equal(found, count_within(x, radius, strict=strict, method="tree"))
            assert torch.equal(found, count_within(x, radius, strict=strict, method="blocks"))


def test_a_tree_is_preferred_in_few_dimensions_only() -> None:
    chosen = [[prefers_tree(n, d) for d in (2, 8, 30)] for n in (100, 10_000)]
    assert chosen == [[True, False, False], [True, True, False]]


def test_float32_samples_are_measured_in_float64() -> None:
    x = torch.randn(60, 10, generator=torch.Generator().manual_seed(0), dtype=torch.float32)
    single, double = nearest(x, 3, metric="euclidean")[0], nearest(x.double(), 3, metric="euclidean")[0]
    assert single.dtype == torch.float64
    assert torch.equal(single, double)


def test_invalid_arguments_are_named_in_the_error() -> None:
    x = torch.zeros(5, 1)
    with pytest.raises(TooFewSamples, match=r"^k must be smaller than the number of samples \(5\)"):
        nearest(x, 5)
    with pytest.raises(UnknownName, match="Did you mean 'euclidean'"):
        nearest(x, 1, metric="euclidian")  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match=r"^spaces\[0\] and spaces\[1\] must hold the same"):
        neighborhoods([x, x[:4]], 1)
    with pytest.raises(InvalidArgument, match="^method='tree' requires"):
        neighborhoods([torch.zeros(5, 2), x], 1, metric="euclidean", method="tree")
    calls: dict[str, list[Callable[[], object]]] = {
        "k": [lambda: nearest(x, 0), lambda: nearest(x, 1.5)],  # type: ignore[arg-type]
        "method": [lambda: nearest(x, 1, method="forest")],  # type: ignore[arg-type]
        "spaces": [lambda: neighborhoods([], 1)],
        "subsets": [lambda: neighborhoods([x, x], 1, [(0, 1)], rectangle=True)],
        "radius": [lambda: count_within(x, torch.zeros(3)), lambda: count_within(x, torch.full((5,), float("nan")))],
        "strict": [lambda: count_within(x, torch.zeros(5), strict=1)],  # type: ignore[arg-type]
    }
    for argument, wrong in calls.items():
        for call in wrong:
            with pytest.raises(InvalidArgument) as error:
                call()
            assert error.value.argument == argument


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("metric", ["chebyshev", "euclidean"])
def test_the_gpu_gives_the_same_neighbors(metric: Metric) -> None:
    spaces = [torch.from_numpy(s) for s in draw((12, 3), 500, False, seed=5)]
    here = neighborhoods(spaces, 3, [(0,), (1,)], metric=metric)
    there = neighborhoods([s.cuda() for s in spaces], 3, [(0,), (1,)], metric=metric)
    assert torch.equal(here.counts, there.counts.cpu())
    assert torch.allclose(here.distance, there.distance.cpu(), rtol=1e-9)
