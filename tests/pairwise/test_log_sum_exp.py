"""Blocked sums of kernels against plain float64 loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from scipy.special import logsumexp

from infoflow.pairwise import distances
from infoflow.pairwise import log_sum_exp as sums_module
from infoflow.pairwise.log_sum_exp import log_sum_exp


def reference(x: np.ndarray, scale: float, classes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """By scipy's differences in float64, the whole matrix at once."""
    exponent = -scale * cdist(x.astype(np.float64), x.astype(np.float64), "sqeuclidean")
    same = classes[:, None] == classes[None, :]
    return logsumexp(exponent, axis=1), logsumexp(np.where(same, exponent, -np.inf), axis=1)


def clustered(n: int, d: int, scale: float, spread: float, seed: int = 0) -> np.ndarray:
    """Long vectors with near neighbors: where ‖a‖² + ‖b‖² - 2ab loses its digits."""
    rng = np.random.default_rng(seed)
    centers = scale * rng.standard_normal((n // 4, d))
    return (centers[rng.integers(0, len(centers), n)] + spread * rng.standard_normal((n, d))).astype(np.float32)


@pytest.mark.parametrize("block", [7, 64, 512])
@pytest.mark.parametrize("d", [3, 50])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-10)])
def test_sums_equal_plain_loops(
    block: int, d: int, dtype: torch.dtype, tolerance: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sums_module, "_CPU_BLOCK", block)
    rng = np.random.default_rng(1)
    x = rng.standard_normal((90, d)).astype(np.float32)
    x[40:60] = x[:20]  # equal rows, in the same class and in others
    classes = rng.integers(0, 5, 90)
    scales = [0.01, 0.3, 20.0]
    sums = log_sum_exp(torch.from_numpy(x), scales, torch.from_numpy(classes), dtype=dtype)
    for i, scale in enumerate(scales):
        total, within = reference(x, scale, classes)
        np.testing.assert_allclose(sums.total[i], total, rtol=0, atol=tolerance)
        np.testing.assert_allclose(sums.within[i], within, rtol=0, atol=tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-4), (torch.float64, 1e-9)])
@pytest.mark.parametrize("scale", [1.0, 50.0, 500.0])
def test_near_pairs_of_long_vectors_are_accurate(dtype: torch.dtype, tolerance: float, scale: float) -> None:
    x = clustered(400, 200, 20.0, 0.04 / math.sqrt(scale))
    sums = log_sum_exp(torch.from_numpy(x), [scale], dtype=dtype)
    total, _ = reference(x, scale, np.zeros(400))
    assert total.min() < 0.2
    assert total.max() > 1.0  # some samples have near neighbors, some have none
    np.testing.assert_allclose(sums.total[0], total, rtol=0, atol=tolerance)


@pytest.mark.parametrize("n", [60, 700])
def test_a_dense_cloud_far_from_the_origin(n: int) -> None:
    """All pairs are near and the vectors long: the block is computed in float64."""
    rng = np.random.default_rng(2)
    x = (1000.0 + rng.standard_normal((n, 40)) * 0.02).astype(np.float32)
    x[: n // 2] *= -1
    sums = log_sum_exp(torch.from_numpy(x), [5.0])
    total, _ = reference(x, 5.0, np.zeros(n))
    np.testing.assert_allclose(sums.total[0], total, rtol=0, atol=1e-4)


def test_when_even_float64_products_round_too_much() -> None:
    rng = np.random.default_rng(3)
    x = 1e6 * np.sign(rng.standard_normal((60, 1))) + 1e-3 * rng.standard_normal((60, 50))
    total, _ = reference(x, 1e4, np.zeros(60))
    for dtype, tolerance in ((torch.float32, 1e-4), (torch.float64, 1e-8)):
        sums = log_sum_exp(torch.from_numpy(x), [1e4], dtype=dtype)
        np.testing.assert_allclose(sums.total[0], total, rtol=0, atol=tolerance)


@pytest.mark.parametrize("magnitude", [1e-30, 1e18])
def test_no_overflow_or_underflow_at_extreme_magnitudes(magnitude: float) -> None:
    x = np.random.default_rng(4).standard_normal((50, 40))
    total, _ = reference(x, 0.02, np.zeros(50))
    scaled = torch.from_numpy((x * magnitude).astype(np.float32))
    np.testing.assert_allclose(log_sum_exp(scaled, [0.02 / magnitude**2]).total[0], total, rtol=0, atol=1e-5)
    tiny_scale = log_sum_exp(torch.from_numpy(x), [1e-320, 1e300])
    np.testing.assert_allclose(tiny_scale.total[0], math.log(50))
    assert (tiny_scale.total[1] == 0).all()


def test_low_matmul_precision_and_autocast_of_the_caller_change_nothing() -> None:
    x = torch.from_numpy(clustered(100, 64, 5.0, 0.1))
    expected = log_sum_exp(x, [3.0]).total
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("medium")
        low = log_sum_exp(x, [3.0]).total
    finally:
        torch.set_float32_matmul_precision(before)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = log_sum_exp(x, [3.0]).total
    torch.testing.assert_close(low, expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(cast, expected, rtol=0, atol=0)


def test_only_half_the_blocks_are_computed_and_none_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sums_module, "_CPU_BLOCK", 32)
    shapes = []
    block = distances.SquaredDistances.block

    def spied(self: distances.SquaredDistances, rows: slice, columns: slice, out: torch.Tensor | None = None):
        result = block(self, rows, columns, out)
        shapes.append(result.shape)
        return result

    monkeypatch.setattr(distances.SquaredDistances, "block", spied)
    log_sum_exp(torch.randn(320, 40, generator=torch.Generator().manual_seed(0)), [1.0])
    assert len(shapes) == 10 * 11 // 2
    assert max(max(shape) for shape in shapes) == 32
