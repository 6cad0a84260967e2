"""Kernel widths against naive computations."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist, pdist

from infoflow.core.errors import InvalidArgument
from infoflow.estimators import MatrixRenyi
from infoflow.estimators.kernel import bandwidth
from infoflow.estimators.kernel.bandwidth import alignment_width, median_width, scott_width


def naive_alignment(t: np.ndarray, target_kernel: np.ndarray, widths: int) -> float:
    """The best width by matrix products HKH, one width after the other."""
    n = len(t)
    distances = cdist(t, t)
    grid = np.linspace(0.3, 10 * distances.sum() / (n * (n - 1)), widths)
    centering = np.eye(n) - 1 / n
    other = centering @ target_kernel @ centering
    scores = []
    for width in grid:
        kernel = centering @ np.exp(-(distances**2) / width**2) @ centering
        scores.append((kernel * other).sum() / np.linalg.norm(kernel) / np.linalg.norm(other))
    return float(grid[int(np.argmax(scores))])


@pytest.fixture
def layer() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 97)
    return rng.normal(size=(97, 4)) + 2 * y[:, None], y


def test_alignment_agrees_with_matrix_products(layer: tuple[np.ndarray, np.ndarray]) -> None:
    t, y = layer
    kernel = (y[:, None] == y[None, :]).astype(float)
    assert alignment_width(t, y, widths=50) == pytest.approx(naive_alignment(t, kernel, 50))


def test_alignment_in_many_blocks(layer: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch) -> None:
    t, y = layer
    whole = alignment_width(t, y)
    monkeypatch.setattr(bandwidth, "_CPU_PAIRS", 97 * 5)
    assert alignment_width(t, y) == whole


def test_alignment_with_a_continuous_target(layer: tuple[np.ndarray, np.ndarray]) -> None:
    t, _ = layer
    other = t[:, :1] ** 2
    kernel = np.exp(-(cdist(other, other) ** 2) / 1.5**2)
    assert alignment_width(t, other, target_width=1.5, widths=40) == pytest.approx(naive_alignment(t, kernel, 40))


def test_moving_average(layer: tuple[np.ndarray, np.ndarray]) -> None:
    t, y = layer
    fresh = alignment_width(t, y)
    assert alignment_width(t, y, previous=2.0, decay=0.75) == pytest.approx(1.5 + 0.25 * fresh)


def test_median_of_all_pairs() -> None:
    x = np.random.default_rng(1).normal(size=(42, 3))
    assert median_width(torch.from_numpy(x)) == pytest.approx(np.median(pdist(x)))  # 861 pairs: one is in the middle
    large = np.random.default_rng(1).normal(size=(2100, 3)) + 1e4
    middle = np.sort(pdist(large))[(2100 * 2099 // 2 - 1) // 2]
    assert median_width(torch.from_numpy(large)) == pytest.approx(middle, rel=1e-9)


def test_median_where_most_pairs_coincide() -> None:
    x = torch.zeros(50, 2)
    x[0] = 1.0
    assert median_width(x) > 0
    assert median_width(torch.zeros(5, 2)) == 1.0


def test_the_width_of_the_input_is_computed_once_for_all_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def counted(x: torch.Tensor) -> float:
        calls.append(len(x))
        return 1.0

    monkeypatch.setattr(bandwidth, "_median_width", counted)
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(40, 3)), np.arange(40) % 2
    for _ in range(5):  # five layers: their own widths once each, and the input's once
        MatrixRenyi(alpha=2).measure(rng.normal(size=(40, 2)), y, x)
    assert len(calls) == 6


def test_scott_shrinks_with_samples() -> None:
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(1000, 1)))
    assert scott_width(x) == pytest.approx(2**0.5 * float(x.std()) * 1000 ** (-1 / 5))
    assert scott_width(torch.ones(4, 2)) == 1.0


def test_bad_arguments(layer: tuple[np.ndarray, np.ndarray]) -> None:
    t, y = layer
    with pytest.raises(InvalidArgument, match="target"):
        alignment_width(t, y[:-1])
    with pytest.raises(InvalidArgument, match="^t must be .* constant"):
        alignment_width(np.ones((97, 2)), y)
    with pytest.raises(InvalidArgument, match="^previous must"):
        alignment_width(t, y, previous=-1.0)
