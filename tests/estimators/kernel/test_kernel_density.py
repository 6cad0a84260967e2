"""KernelDensity against closed forms, a plain float64 reference and its documented properties."""

from __future__ import annotations

import math

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from scipy.spatial.distance import cdist
from sklearn.datasets import load_digits

from infoflow.core.errors import InfoflowError, InvalidArgument, TooFewSamples, UnknownName
from infoflow.core.estimate import Kind
from infoflow.estimators.kernel.kernel_density import KernelDensity


def plain(t: np.ndarray, y: np.ndarray, variance: float, bound: str) -> tuple[float, float]:
    """Equations 10 and 11, in float64 and with distances by SciPy."""
    denominator = {"upper": 2, "lower": 8}[bound] * variance

    def information(x: np.ndarray) -> float:
        kernel = np.exp(-cdist(x, x, "sqeuclidean") / denominator)
        return float(-np.log(kernel.mean(axis=1)).mean())

    t = t.astype(np.float64)
    within = sum((y == c).mean() * information(t[y == c]) for c in set(y.tolist()))
    return information(t), information(t) - within


def digits_layer() -> tuple[np.ndarray, np.ndarray]:
    data = load_digits()
    weights = np.random.default_rng(0).standard_normal((64, 100)) / 8
    return np.maximum(data.data / 16 @ weights, 0).astype(np.float32), data.target


@pytest.mark.parametrize("bound", ["upper", "lower"])
def test_two_points_have_a_closed_form(bound: str) -> None:
    r, variance = 1.7, 0.4
    kernel = math.exp(-(r**2) / ((2 if bound == "upper" else 8) * variance))
    e = KernelDensity(variance, bound).entropy([[0.0], [r]])
    assert e.nats == pytest.approx(math.log(2) - math.log1p(kernel), abs=1e-6)
    assert e.kind is (Kind.UPPER_BOUND if bound == "upper" else Kind.LOWER_BOUND)
    assert (e.quantity, e.ceiling_name, e.n) == ("I(X;T+ε)", "log N", 2)
    assert e.ceiling == pytest.approx(math.log(2))


def test_the_bounds_enclose_the_true_information_of_a_mixture() -> None:
    """Two Gaussians at ±m: I(X;T+ε) by quadrature lies between the bounds."""
    m, variance = 0.8, 0.5
    z = np.linspace(-12, 12, 200001)
    density = sum(np.exp(-((z - c) ** 2) / (2 * variance)) for c in (-m, m)) / (2 * math.sqrt(2 * math.pi * variance))
    mixture = -np.sum(density * np.log(density)) * (z[1] - z[0])
    truth = mixture - 0.5 * math.log(2 * math.pi * math.e * variance)
    lower = KernelDensity(variance, "lower").entropy([[-m], [m]]).nats
    upper = KernelDensity(variance, "upper").entropy([[-m], [m]]).nats
    assert lower < truth < upper


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-10)])
def test_many_variances_at_once_equal_the_plain_reference_on_real_scans(dtype: str, tolerance: float) -> None:
    t, y = digits_layer()
    t, y = t[:600], y[:600]
    many = [KernelDensity(v, b, dtype=dtype) for v in (1e-3, 0.1, 1.0, 10.0) for b in ("upper", "lower")]
    for estimator, result in zip(many, KernelDensity.measure_many(many, t, y), strict=True):
        information, label = plain(t, y, estimator.variance, estimator.bound)
        assert result.input.nats == pytest.approx(information, abs=tolerance)
        assert result.label.nats == pytest.approx(label, abs=tolerance)
        assert result.label.kind is Kind.DIFFERENCE_OF_BOUNDS
        assert result.label.ceiling_name == "H(Y)"
        assert result.input.parameters["variance"] == estimator.variance


def test_one_pass_equals_one_at_a_time_and_mixes_precisions() -> None:
    t, y = digits_layer()
    t, y = t[:200], y[:200]
    many = [KernelDensity(0.1), KernelDensity(0.025, "lower", dtype="float64"), KernelDensity(0.2, adaptive=True)]
    together = KernelDensity.measure_many(many, t, y)
    for estimator, result in zip(many, together, strict=True):
        alone = estimator.measure(t, y)
        assert result.input.nats == pytest.approx(alone.input.nats, abs=1e-6)
        assert result.label.nats == pytest.approx(estimator.estimate(t, y).nats, abs=1e-6)
        assert result.input.nats == pytest.approx(estimator.entropy(t).nats, abs=1e-6)
    assert KernelDensity.measure_many([], t, y) == []


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_distances_in_float32_give_exactly_log_n(dtype: str) -> None:
    """ReLU of scale 20, d = 1024, σ² = 1e-3, where plain float32 distances give more or less than log N."""
    rng = np.random.default_rng(5)
    t = np.maximum(20 * rng.standard_normal((1000, 1024)), 0).astype(np.float32)
    e = KernelDensity(1e-3, dtype=dtype).entropy(t)
    assert e.nats == math.log(1000)
    assert e.saturated
    assert any("saturated" in w for w in e.warnings)
    # Every row twice: exactly one bit less.
    assert KernelDensity(1e-3, dtype=dtype).entropy(
        np.concatenate([t, t])[rng.permutation(2000)]
    ).nats == pytest.approx(math.log(1000), abs=1e-12)


def test_equal_rows_in_different_classes_have_no_information_about_the_class() -> None:
    t = np.random.default_rng(6).standard_normal((50, 100)).astype(np.float32) * 30
    both, y = np.concatenate([t, t]), np.repeat([0, 1], 50)
    for variance in (1e-8, 1e-3, 1.0):
        result = KernelDensity(variance).measure(both, y)
        assert result.label.nats == pytest.approx(0.0, abs=1e-9)
        assert result.input.nats == pytest.approx(math.log(50), abs=1e-9)


def test_adaptive_scales_sigma_by_the_largest_activation() -> None:
    t, y = digits_layer()
    t, y = t[:150], y[:150]
    largest = float(np.abs(t).max())
    fixed = KernelDensity(0.1 * largest**2).measure(t, y)
    adaptive = KernelDensity(0.1, adaptive=True).measure(t, y)
    assert adaptive.input.nats == pytest.approx(fixed.input.nats, abs=1e-6)
    # so the units of the activations have no effect
    assert KernelDensity(0.1, adaptive=True).measure(1000 * t, y).label.nats == pytest.approx(
        adaptive.label.nats, abs=1e-5
    )
    zeros = KernelDensity(0.1, adaptive=True).measure(np.zeros((5, 3)), [0, 0, 1, 1, 1])
    assert (zeros.input.nats, zeros.label.nats) == (0.0, 0.0)


@settings(max_examples=40)
@given(st.integers(2, 40), st.integers(1, 60), st.floats(-12, 12), st.integers(1, 6), st.integers(0, 10**6))
def test_every_estimate_is_within_its_range(n: int, d: int, log_scale: float, classes: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    t = np.maximum(rng.standard_normal((n, d)), 0).round(1).astype(np.float32) * np.float32(10**log_scale)
    y = rng.integers(0, classes, n)
    many = [KernelDensity(v, b) for b in ("lower", "upper") for v in (1e-3, 0.1, 10.0)]
    results = KernelDensity.measure_many(many, t, y)
    for result in results:
        assert 0 <= result.input.nats <= math.log(n)
        assert 0 <= result.label.nats <= result.label.ceiling + 1e-12
        assert result.label.nats <= result.input.nats + 1e-6
    values = [r.input.nats for r in results]
    assert values[:3] == sorted(values[:3], reverse=True)  # less information behind more noise
    assert values[3:] == sorted(values[3:], reverse=True)
    assert all(low <= up + 1e-9 for low, up in zip(values[:3], values[3:], strict=True))


def test_order_shift_and_container_have_no_effect() -> None:
    t, y = digits_layer()
    t, y = t[:120], y[:120]
    expected = KernelDensity(0.1).measure(t, y)
    order = np.random.default_rng(7).permutation(120)
    for other in (
        t[order],
        t[order] + 100,
        torch.from_numpy(t[order]).reshape(120, 10, 10),
        t[order].astype(np.float64),
    ):
        result = KernelDensity(0.1).measure(other, y[order])
        assert result.input.nats == pytest.approx(expected.input.nats, abs=1e-4)
        assert result.label.nats == pytest.approx(expected.label.nats, abs=1e-4)


def test_warnings_name_the_cause() -> None:
    constant = KernelDensity().measure(np.ones((10, 3)), np.arange(10) % 2)
    assert constant.input.nats == 0.0
    assert "constant" in constant.input.warnings[0]
    one_class = KernelDensity().measure(np.arange(10.0), np.zeros(10, dtype=int))
    assert one_class.label.nats == 0.0
    assert "Y is constant" in " ".join(one_class.label.warnings)
    apart = KernelDensity(1e-6).measure(np.arange(10.0), np.arange(10) % 2)
    assert apart.label.nats == pytest.approx(math.log(2))
    assert "whatever the dependence" in " ".join(apart.label.warnings)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: KernelDensity(0), InvalidArgument, "^variance must be"),
        (lambda: KernelDensity(math.nan), InvalidArgument, "^variance must"),
        (lambda: KernelDensity(bound="uper"), UnknownName, "Did you mean 'upper'"),
        (lambda: KernelDensity(dtype="float16"), UnknownName, "dtype"),
        (lambda: KernelDensity(adaptive=1), InvalidArgument, "^adaptive must"),
        (lambda: KernelDensity().entropy([[math.nan], [0.0]]), InvalidArgument, "NaN"),
        (lambda: KernelDensity().entropy([[1.0]]), TooFewSamples, "at least 2"),
        (lambda: KernelDensity().estimate([[1.0], [2.0]], [0.5, 0.5]), InvalidArgument, "^y must be"),
        (lambda: KernelDensity().estimate([[1.0], [2.0]], [0, 1, 1]), InvalidArgument, "^x and y must hold the same"),
        (lambda: KernelDensity().measure([[1.0], [2.0]], [0, 1, 1]), InvalidArgument, "^t and y must hold the same"),
    ],
)
def test_errors_name_the_argument(call, error: type[InfoflowError], words: str) -> None:
    with pytest.raises(error, match=words):
        call()


def test_the_samples_are_not_modified() -> None:
    t = torch.randn(30, 40, generator=torch.Generator().manual_seed(8))
    before = t.clone()
    KernelDensity(0.1, dtype="float64").measure(t, torch.arange(30) % 3)
    KernelDensity(0.1).measure(t, torch.arange(30) % 3)
    assert torch.equal(t, before)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_gives_the_same_numbers() -> None:
    t, y = digits_layer()
    on_cpu = KernelDensity(0.1).measure(t, y)
    on_gpu = KernelDensity(0.1).measure(torch.from_numpy(t).cuda(), y)
    assert on_gpu.input.nats == pytest.approx(on_cpu.input.nats, abs=1e-4)
    assert on_gpu.label.nats == pytest.approx(on_cpu.label.nats, abs=1e-4)
