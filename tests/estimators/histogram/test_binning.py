"""Binning against enumeration by hand, dictionaries of tuples, and known artifacts of the literature."""

from __future__ import annotations

import math
from collections import Counter

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp
from sklearn.datasets import load_digits

from infoflow.core.errors import InfoflowError, InvalidArgument, TooFewSamples, UnknownName
from infoflow.core.estimate import Kind
from infoflow.estimators.histogram.binning import Binning


def entropy_of(symbols: list[object]) -> float:
    n = len(symbols)
    return -sum(c / n * math.log(c / n) for c in Counter(symbols).values())


def information_of(symbols: list[object], y: list[int]) -> float:
    pairs = list(zip(symbols, y, strict=True))
    return entropy_of(symbols) + entropy_of(list(y)) - entropy_of(pairs)


# Sixteenths are exact in float32, so that edges are met exactly.
sixteenths = st.integers(-64, 64).map(lambda i: i / 16)
layers = hnp.arrays(np.float32, st.tuples(st.integers(2, 12), st.integers(1, 14)), elements=sixteenths)


@settings(max_examples=80)
@given(layers, st.sampled_from([0.0625, 0.25, 0.5, 1.0, 3.0]), st.integers(0, 10**6))
def test_width_bins_equal_a_dictionary_of_tuples(t: np.ndarray, width: float, seed: int) -> None:
    y = np.random.default_rng(seed).integers(0, 3, len(t))
    symbols = [tuple(math.floor(v / width) for v in row) for row in t.tolist()]
    result = Binning(width=width).measure(t, y)
    assert result.input.nats == pytest.approx(entropy_of(symbols), abs=1e-12)
    assert result.label.nats == pytest.approx(information_of(symbols, y.tolist()), abs=1e-12)


@settings(max_examples=80)
@given(layers, st.sampled_from([1, 2, 4, 8, 32]))
def test_bins_on_a_fixed_range_equal_a_dictionary_of_tuples(t: np.ndarray, bins: int) -> None:
    """On [-2, 2], closed at both ends; one outer bin on each side."""

    def index(v: float) -> int:
        if v < -2:
            return -1
        if v > 2:
            return bins
        return min(int((v + 2) // (4 / bins)), bins - 1)

    symbols = [tuple(index(v) for v in row) for row in t.tolist()]
    e = Binning(bins=bins, low=-2, high=2).entropy(t)
    assert e.nats == pytest.approx(entropy_of(symbols), abs=1e-12)
    outside = int((np.abs(t) > 2).sum())
    found = [w for w in e.warnings if "outside" in w]
    assert bool(found) == (outside > 0)
    if found:
        assert found[0].startswith(f"{outside} of {t.size} values")


def test_bins_on_the_range_of_the_layer_equal_the_histogram_of_numpy() -> None:
    t = np.random.default_rng(0).standard_normal(500)
    counts = np.histogram(t, bins=13)[0]
    p = counts[counts > 0] / 500
    assert Binning(bins=13).entropy(t).nats == pytest.approx(-(p * np.log(p)).sum(), abs=1e-12)


def test_quantile_edges_fill_the_bins_evenly() -> None:
    skewed = np.exp(3 * np.random.default_rng(0).standard_normal(900))
    e = Binning(bins=9, edges="quantile").entropy(skewed)
    assert e.nats == pytest.approx(math.log(9), abs=1e-12)
    assert (e.ceiling_name, e.saturated) == ("d log bins", True)
    assert Binning(bins=9).entropy(skewed).nats < 0.5
    tied = Binning(bins=4, edges="quantile").entropy([0.0] * 8 + [1.0] * 2)
    assert tied.nats == pytest.approx(entropy_of([0] * 8 + [1] * 2))


def test_a_fixed_unit_range_on_relu_warns_of_apparent_compression() -> None:
    """In a growing ReLU layer clipped bins lose information, with a warning, and bins by width do not."""
    rng = np.random.default_rng(1)
    base = np.maximum(rng.standard_normal((2000, 4)), 0)
    early, late = base, 20 * base
    fixed = Binning(bins=29, low=-1, high=1)
    assert fixed.entropy(late).nats < fixed.entropy(early).nats - 0.5
    warning = next(w for w in fixed.entropy(late).warnings if "outside" in w)
    assert "compression" in warning
    assert f"{int((late > 1).sum())} of 8000" in warning
    by_width = Binning(width=0.07)
    assert by_width.entropy(late).nats >= by_width.entropy(early).nats
    assert not any("outside" in w for w in by_width.entropy(late).warnings)


def test_a_value_on_the_upper_edge_belongs_inside_unless_the_edge_is_moved() -> None:
    t = [0.97, 1.0, 1.0, -1.0]
    inside = Binning(bins=29, low=-1, high=1).entropy(t)
    assert inside.nats == pytest.approx(entropy_of([1, 1, 1, 0]))
    assert inside.warnings == ()
    beyond = Binning(bins=29, low=-1, high=float(np.nextafter(1, 0))).entropy(t)
    assert beyond.nats == pytest.approx(entropy_of([1, 2, 2, 0]))


def test_ceilings_are_named() -> None:
    many = np.random.default_rng(2).uniform(0, 1, (50, 3))
    wide = Binning(bins=2, low=0, high=1).entropy(many)
    assert (wide.ceiling, wide.ceiling_name) == (pytest.approx(3 * math.log(2)), "d log bins")
    fine = Binning(width=1e-6).entropy(many)
    assert (fine.nats, fine.ceiling_name) == (math.log(50), "log N")
    assert fine.saturated
    assert "saturated" in fine.warnings[0]
    label = Binning(width=1e-6).estimate(many, np.arange(50) % 4)
    assert label.ceiling_name == "H(Y)"
    assert label.nats == pytest.approx(label.ceiling)
    assert "whatever the dependence" in label.warnings[0]
    coarse = Binning(bins=2, low=0, high=1).estimate(many[:, :1], np.arange(50) % 5)
    assert (coarse.ceiling_name, coarse.ceiling) == ("d log bins", pytest.approx(math.log(2)))


def test_kind_quantity_and_parameters() -> None:
    t, y = [[0.1], [0.9]], [0, 1]
    result = Binning(width=0.5).measure(t, y)
    assert (result.input.quantity, result.label.quantity) == ("H(Q(T))", "I(Q(T);Y)")
    assert result.input.kind is result.label.kind is Kind.PLUG_IN
    assert result.input.parameters == {"width": 0.5}
    fixed = Binning(bins=4, low=0, high=1, scope="run").entropy(t)
    assert fixed.parameters == {"bins": 4, "low": 0, "high": 1, "scope": "run"}
    assert Binning(edges="quantile").entropy(t).parameters == {"bins": 30, "edges": "quantile"}
    assert Binning(width=0.5).estimate(t, y).quantity == "I(Q(X);Y)"


def test_continuous_labels_are_binned_in_the_same_way() -> None:
    x = np.random.default_rng(3).uniform(0, 4, 300)
    e = Binning(width=1.0).estimate(x, 10 * np.floor(x) + 0.5)
    assert e.nats == pytest.approx(entropy_of(np.floor(x).tolist()))
    assert (e.quantity, e.ceiling_name) == ("I(Q(X);Q(Y))", "H(Q(Y))")


def test_constant_layers_have_no_information_and_a_warning() -> None:
    for estimator in (Binning(), Binning(width=0.1), Binning(edges="quantile"), Binning(bins=3, low=-1, high=1)):
        result = estimator.measure(np.full((20, 5), 0.3), np.arange(20) % 2)
        assert (result.input.nats, result.label.nats) == (0.0, 0.0)
        assert any("constant" in w for w in result.input.warnings)
        assert any("constant" in w for w in result.label.warnings)
    assert "Y is constant" in Binning().estimate(np.arange(5.0), [1] * 5).warnings[-1]


def test_the_range_can_be_set_later() -> None:
    run = Binning(bins=4, scope="run")
    assert run.with_range(0, 4) == Binning(bins=4, low=0.0, high=4.0, scope="run")
    assert run.with_range(2, 2).entropy([2.0, 2.0]).nats == 0.0
    assert Binning(width=0.1).with_range(0, 1) == Binning(width=0.1)
    unset = run.entropy([0.0, 1.0, 2.0, 3.0])
    assert any("with_range" in w for w in unset.warnings)
    assert not run.with_range(0, 3).entropy([0.0, 0.5, 2.0, 3.0]).warnings


def test_wide_rows_and_vast_indices_are_distinguished() -> None:
    """More index values than a plain numeral or hash of small digits can hold."""
    t = np.zeros((300, 400))
    t[np.arange(300), np.arange(300)] = 1e12  # with width 1e-3: indices up to 1e15
    assert Binning(width=1e-3).entropy(t).nats == math.log(300)
    t[:, -1] = 1e300
    assert Binning(width=1e-3).entropy(t).nats == math.log(300)


def test_digits_stay_within_their_limits_and_merge_with_the_width() -> None:
    data = load_digits()
    scans, y = data.data / 16, data.target
    result = Binning(bins=2, low=0, high=1).measure(scans, y)
    assert 0 < result.label.nats <= result.label.ceiling <= math.log(10)
    assert result.label.nats <= result.input.nats <= math.log(len(y))
    widths = [Binning(width=w).entropy(scans[:, 20:24]).nats for w in (0.0625, 0.125, 0.25, 0.5, 1.0)]
    assert widths == sorted(widths, reverse=True)  # each width merges bins of the one before
    half = torch.from_numpy(scans).to(torch.bfloat16)
    assert Binning(width=0.5).entropy(half).nats == pytest.approx(Binning(width=0.5).entropy(scans).nats)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: Binning(width=0), InvalidArgument, "^width must be"),
        (lambda: Binning(width=math.inf), InvalidArgument, "^width must"),
        (lambda: Binning(bins=0), InvalidArgument, "^bins must be"),
        (lambda: Binning(bins=2.5), InvalidArgument, "^bins must be"),
        (lambda: Binning(low=0), InvalidArgument, "^low and high must"),
        (lambda: Binning(low=1, high=1), InvalidArgument, "^low must"),
        (lambda: Binning(low=0, high=math.nan), InvalidArgument, "^high must"),
        (lambda: Binning(low="a", high=1), InvalidArgument, "^low must"),
        (lambda: Binning(width=0.1, low=0, high=1), InvalidArgument, "^width must"),
        (lambda: Binning(edges="quantile", scope="run"), InvalidArgument, "^edges must"),
        (lambda: Binning(scope="neuron"), UnknownName, "unknown scope"),
        (lambda: Binning(edges="uniforn"), UnknownName, "Did you mean 'uniform'"),
        (lambda: Binning().entropy([1.0, math.nan]), InvalidArgument, "NaN"),
        (lambda: Binning().entropy([1.0]), TooFewSamples, "at least 2"),
        (lambda: Binning().estimate([1.0, 2.0], [0]), InvalidArgument, "^x and y must hold the same"),
        (lambda: Binning().measure([1.0, 2.0], [0.5, 0.7]), InvalidArgument, "^y must be"),
    ],
)
def test_errors_name_the_argument(call, error: type[InfoflowError], words: str) -> None:
    with pytest.raises(error, match=words):
        call()


def test_the_samples_are_not_modified() -> None:
    for dtype in (torch.float32, torch.float64):
        t = torch.randn(30, 40, generator=torch.Generator().manual_seed(8), dtype=dtype)
        before = t.clone()
        for estimator in (Binning(), Binning(width=0.1), Binning(edges="quantile"), Binning(low=-1, high=1)):
            estimator.measure(t, torch.arange(30) % 3)
        assert torch.equal(t, before)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_gives_the_same_numbers() -> None:
    t, y = torch.randn(500, 40, generator=torch.Generator().manual_seed(9)), torch.arange(500) % 3
    for estimator in (Binning(bins=2), Binning(width=2.0), Binning(bins=3, edges="quantile")):
        assert estimator.measure(t.cuda(), y).label.nats == pytest.approx(estimator.measure(t, y).label.nats)


def test_an_open_end_equals_digitize() -> None:
    """Values at exactly the upper end, as saturated tanh units are, get a symbol of their own."""
    rng = np.random.default_rng(0)
    t = np.tanh(rng.normal(size=(500, 2), scale=20)).astype(np.float32)
    t[:60] = 1.0
    rows = np.digitize(t.astype(np.float64), np.linspace(-1, 1, 30))
    _, counts = np.unique(rows, axis=0, return_counts=True)
    p = counts / counts.sum()
    found = Binning(bins=29, low=-1, high=1, closed=False).entropy(t)
    assert found.nats == pytest.approx(-(p * np.log(p)).sum(), abs=1e-12)
    assert "lie outside [-1, 1)" in found.warnings[0]
    assert found.nats > Binning(bins=29, low=-1, high=1).entropy(t).nats
    with pytest.raises(InvalidArgument, match="closed"):
        Binning(bins=29, closed=False)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bins", [3, 7, 10, 29, 30, 49])
@pytest.mark.parametrize("ends", [(0.0, 1.0), (-1.0, 1.0), (0.1, 0.7), (-5.0, 20.0)])
def test_values_on_an_edge_belong_to_the_bin_above_in_any_precision(
    dtype: type, bins: int, ends: tuple[float, float]
) -> None:
    edges = np.linspace(*ends, bins + 1).astype(dtype)
    edges[-1] = np.nextafter(dtype(ends[1]), dtype(-np.inf))
    edges[0] = np.nextafter(dtype(ends[0]), dtype(np.inf))
    codes = Binning(bins=bins, low=ends[0], high=ends[1]).quantize(torch.from_numpy(edges)[:, None]).codes.numpy()
    index = {code: k for k, code in enumerate(dict.fromkeys(codes.tolist()))}
    assert [index[code] for code in codes.tolist()] == [*range(bins), bins - 1]


@pytest.mark.parametrize("width", [0.1, 0.3, 1 / 3, 0.07])
def test_multiples_of_a_width_have_a_bin_each(width: float) -> None:
    for dtype in (np.float32, np.float64):
        values = torch.from_numpy((np.arange(-100, 100) * width).astype(dtype))
        assert Binning(width=width).quantize(values[:, None]).number == 200


def test_more_cells_than_samples_can_fill_are_warned_of() -> None:
    x, y = np.random.default_rng(0).random((2, 3000))
    many = Binning(bins=1000).estimate(x, y)
    assert any("joint cells, so the plug-in is too high" in warning for warning in many.warnings)
    assert Binning(bins=10).estimate(x, y).warnings == ()
    few = Binning(bins=500).estimate(x[:200], y[:200])  # more bins than samples
    assert any("200 samples occupy" in warning for warning in few.warnings)
    own = Binning(bins=5).estimate(x, np.arange(3000))
    assert any("have a symbol of Y of their own" in warning for warning in own.warnings)
