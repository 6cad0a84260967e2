"""Candidates from float32 products give the neighbors of float64 differences, whatever the samples."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from infoflow.pairwise import neighbor_candidates as candidates
from infoflow.pairwise.neighbor_blocks import Space
from infoflow.pairwise.neighbors import nearest

Array = NDArray[np.float64]


def reference(x: Array, k: int) -> Array:
    """Distances (n, k) of the k nearest others, by differences in extended precision."""
    wide = x.astype(np.longdouble)
    found = np.empty((len(x), k))
    for i, row in enumerate(wide):
        distance = np.sqrt(((wide - row) ** 2).sum(1))
        distance[i] = np.inf
        found[i] = np.partition(distance, k - 1)[:k]
        found[i].sort()
    return found


def check(x: Array, k: int = 3, rtol: float = 1e-9) -> None:
    """The k nearest of `x` as the public function finds them, compared with the reference."""
    expected = reference(x, k)
    distance, index = nearest(torch.from_numpy(x), k, metric="euclidean", method="blocks")
    assert np.allclose(distance.numpy(), expected, rtol=rtol, atol=0)
    own = np.arange(len(x))[:, None]
    assert not (index.numpy() == own).any()
    assert all(len(set(row)) == k for row in index.tolist())
    wide = x.astype(np.longdouble)
    apart = np.sqrt(((wide[own] - wide[index.numpy()]) ** 2).sum(2)).astype(np.float64)
    assert np.allclose(apart, expected, rtol=rtol, atol=0)


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "_FEWEST", 64)


def gaussian(n: int, d: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=(n, d))


def duplicates() -> Array:
    x = gaussian(400, 9)
    x[100:200] = x[:100]
    x[300:] = x[0]
    return x


def nearly_equal_distances() -> Array:
    """One sample at the center, and shells of others whose distances differ in the eleventh digit."""
    x = gaussian(400, 20)
    x *= ((1 + 1e-11 * np.arange(400)) / np.linalg.norm(x, axis=1))[:, None]
    x[0] = 0
    return x


def near_pairs() -> Array:
    x = gaussian(200, 12)
    return np.concatenate([x, x + np.linspace(1e-9, 3e-9, 200)[:, None] * np.eye(12)[0]])


def badly_scaled() -> Array:
    return gaussian(400, 10) * np.logspace(-12, 8, 10)


def clusters() -> Array:
    """Ten clusters of different widths, down to those that float32 cannot resolve."""
    return (
        np.repeat(gaussian(10, 8), 40, axis=0) + gaussian(400, 8, 1) * np.repeat(np.logspace(-10, -1, 10), 40)[:, None]
    )


def outlier() -> Array:
    x = gaussian(400, 8)
    x[7] = 1e9
    return x


@pytest.mark.parametrize(
    "make", [duplicates, nearly_equal_distances, near_pairs, badly_scaled, clusters, outlier], ids=lambda f: f.__name__
)
def test_adversarial_samples(make) -> None:  # type: ignore[no-untyped-def]
    # Centering moves each sample by its own rounding, relative to the largest.
    x = make()
    check(x - x.mean(0), rtol=1e-4 if make in (near_pairs, clusters, outlier) else 1e-9)


@pytest.mark.parametrize(("n", "d", "k"), [(400, 5, 1), (401, 16, 3), (433, 128, 5), (1000, 40, 20), (130, 6, 2)])
def test_sizes_that_are_no_multiples_of_the_groups(n: int, d: int, k: int) -> None:
    check(gaussian(n, d), k)


@pytest.mark.parametrize("scale", [2.0**-1040, 1e-300, 1e-170, 1e-30, 1e30, 1e170, 1e307])
def test_subnormal_and_huge_values(scale: float) -> None:
    # Multiples of a power of two are exact also among the subnormals.
    x = np.round(gaussian(300, 8) * 2**20) / 2**20
    check(x * scale, rtol=1e-6)


def test_a_huge_offset_costs_only_the_digits_that_the_samples_lost() -> None:
    x = np.round(gaussian(400, 8) * 256) / 256
    check(x + 2.0**30)


@settings(max_examples=8)
@given(st.integers(0, 1000), st.integers(5, 30), st.integers(1, 5), st.integers(1, 3))
def test_ties_on_a_lattice(seed: int, d: int, k: int, levels: int) -> None:
    x = np.random.default_rng(seed).integers(0, levels + 1, size=(300, d)).astype(float)
    space = Space(torch.from_numpy(x - x.mean(0)), "euclidean")
    units, index = candidates.nearest(space, k)
    assert np.allclose(units.numpy(), reference(x, k) ** 2, rtol=1e-9, atol=1e-20)
    assert not bool((index == torch.arange(300)[:, None]).any())


def test_most_samples_need_no_search_in_float64(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[int] = []
    search = candidates.nearest_of

    def counted(space: Space, rows: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
        searched.append(len(rows))
        return search(space, rows, k)

    monkeypatch.setattr(candidates, "nearest_of", counted)
    for d in (16, 128):
        candidates.nearest(Space(torch.from_numpy(gaussian(2000, d)), "euclidean"), 3)
    assert sum(searched) <= 20


def test_the_answer_does_not_depend_on_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.from_numpy(gaussian(500, 10))
    whole = nearest(x, 3, metric="euclidean", method="blocks")
    monkeypatch.setattr(candidates, "_BLOCK", 1)
    cut = nearest(x, 3, metric="euclidean", method="blocks")
    assert torch.equal(whole[0], cut[0])
    assert torch.equal(whole[1], cut[1])


def test_reduced_precision_of_products_is_not_used() -> None:
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("medium")
        assert not candidates.applies(10_000, 16, 3)
    finally:
        torch.set_float32_matmul_precision(before)
