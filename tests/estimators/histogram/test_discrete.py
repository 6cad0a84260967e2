"""Discrete against exact joint distributions and scikit-learn."""

from __future__ import annotations

import itertools
import math

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from sklearn.metrics import mutual_info_score

from infoflow.core.errors import InfoflowError, InvalidArgument, TooFewSamples, UnknownName
from infoflow.core.estimate import Kind
from infoflow.entropies.discrete import CORRECTIONS
from infoflow.estimators.histogram.discrete import Discrete


def test_a_joint_distribution_laid_out_in_samples_is_exact() -> None:
    """Binary symmetric channel with flips of 1/8: I = log 2 - h(1/8)."""
    x = [0] * 8 + [1] * 8
    y = [0] * 7 + [1] + [1] * 7 + [0]
    flip = -(1 / 8) * math.log(1 / 8) - (7 / 8) * math.log(7 / 8)
    e = Discrete().estimate(x, y)
    assert e.nats == pytest.approx(math.log(2) - flip)
    assert (e.kind, e.quantity, e.n) == (Kind.PLUG_IN, "I(X;Y)", 16)
    assert e.ceiling == pytest.approx(math.log(2))


def test_parity_needs_both_bits_so_a_row_is_one_symbol() -> None:
    x = np.array(list(itertools.product([0, 1], repeat=3)))
    parity = x.sum(axis=1) % 2
    assert Discrete().estimate(x, parity).bits == pytest.approx(1.0)
    assert Discrete().estimate(x[:, 0], parity).nats == pytest.approx(0.0, abs=1e-12)
    assert Discrete().estimate(x[:, :2], parity).nats == pytest.approx(0.0, abs=1e-12)
    assert Discrete().entropy(x).bits == pytest.approx(3.0)


@settings(max_examples=40)
@given(st.integers(2, 60), st.integers(1, 8), st.integers(1, 8), st.integers(0, 10**6))
def test_plug_in_equals_scikit_learn(n: int, kx: int, ky: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.integers(-kx, kx, n), rng.integers(0, ky, n)
    e = Discrete().estimate(x, y)
    assert e.nats == pytest.approx(mutual_info_score(x, y), abs=1e-9)
    assert e.nats == pytest.approx(Discrete().estimate(y, x).nats, abs=1e-9)


@settings(max_examples=25)
@given(st.integers(2, 40), st.integers(1, 40), st.integers(0, 10**6), st.sampled_from(CORRECTIONS))
def test_every_correction_stays_below_its_ceiling(n: int, k: int, seed: int, correction: str) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, k, (n, 2)), rng.integers(0, 3, n)
    result = Discrete(correction).measure(x, y)
    for e in result:
        assert 0 <= e.nats <= e.ceiling
    assert result.input.kind is (Kind.PLUG_IN if correction == "none" else Kind.POINT)


def partitions(n: int, largest: int) -> list[list[int]]:
    if n == 0:
        return [[]]
    return [[k, *rest] for k in range(min(n, largest), 0, -1) for rest in partitions(n - k, k)]


@pytest.mark.parametrize("correction", ["none", "miller-madow", "grassberger", "chao-shen"])
def test_no_sample_of_ten_has_more_entropy_than_ten_different_symbols(correction: str) -> None:
    """The ceiling, checked on every possible sample."""
    for counts in partitions(10, 10):
        codes = np.repeat(np.arange(len(counts)), counts)
        e = Discrete(correction).entropy(codes)
        assert e.saturated == (e.nats >= 0.99 * e.ceiling)
        if counts == [1] * 10:
            assert e.saturated
        else:
            assert e.nats < e.ceiling


def test_corrections_lower_the_bias_of_independent_variables() -> None:
    rng = np.random.default_rng(0)
    plug_in, corrected = [], {c: [] for c in CORRECTIONS if c != "none"}
    for _ in range(20):
        x, y = rng.integers(0, 6, 200), rng.integers(0, 6, 200)
        plug_in.append(Discrete().estimate(x, y).nats)
        for correction, values in corrected.items():
            values.append(Discrete(correction).estimate(x, y).nats)
    assert np.mean(plug_in) == pytest.approx(25 / 400, rel=0.25)  # (K_x - 1)(K_y - 1) / 2N
    for correction, values in corrected.items():
        assert np.mean(values) < 0.6 * np.mean(plug_in), correction


def test_a_known_alphabet_is_used_and_is_the_ceiling() -> None:
    e = Discrete("shrinkage", alphabet=8).entropy([0, 1, 2, 3])
    assert (e.ceiling, e.ceiling_name) == (pytest.approx(math.log(8)), "log K")
    assert e.nats > Discrete().entropy([0, 1, 2, 3]).nats
    with pytest.raises(InvalidArgument, match="^alphabet must"):
        Discrete("nsb", alphabet=3).entropy([0, 1, 2, 3])
    with pytest.raises(InvalidArgument, match="^alphabet must"):
        Discrete("none", alphabet=3).estimate([0, 1, 2, 3], [0, 0, 1, 1])


def test_warnings_for_constants_and_for_symbols_seen_once() -> None:
    assert "X is constant" in Discrete().estimate([1, 1, 1], [0, 1, 2]).warnings[-1]
    assert "symbol of their own" in Discrete().estimate(range(10), [0, 1] * 5).warnings[0]
    # Six different symbols and labels that follow: the corrected entropies contradict each other.
    impossible = Discrete("miller-madow").estimate([0, 0, 1, 1], [0, 1, 0, 1])
    assert impossible.nats == 0.0
    assert "no mutual information can be" in impossible.warnings[0]


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32, torch.int64, torch.bool])
def test_integer_types_and_containers(dtype: torch.dtype) -> None:
    x = torch.tensor([0, 1, 0, 1], dtype=dtype)
    assert Discrete().estimate(x, [0, 1, 0, 1]).bits == pytest.approx(1.0)
    assert Discrete().estimate(x.numpy(), torch.tensor([[0], [1], [0], [1]])).bits == pytest.approx(1.0)
    assert Discrete().entropy(torch.stack([x, x], dim=1).reshape(4, 2, 1)).bits == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: Discrete("jackknife"), UnknownName, "unknown correction"),
        (lambda: Discrete(alphabet=0), InvalidArgument, "^alphabet must be"),
        (lambda: Discrete().estimate([0.5, 1.0], [0, 1]), InvalidArgument, "^x must be .* float64.*Binning"),
        (lambda: Discrete().estimate(torch.rand(3), [0, 1, 1]), InvalidArgument, "^x must be .* torch.float32"),
        (lambda: Discrete().estimate(["a", "b"], [0, 1]), InvalidArgument, "^x must be"),
        (lambda: Discrete().estimate([0, 1], [0, 1, 1]), InvalidArgument, "^x and y must hold the same"),
        (lambda: Discrete().measure([0, 1], [0, 1, 1]), InvalidArgument, "^t and y must hold the same"),
        (lambda: Discrete().estimate([0], [0]), TooFewSamples, "at least 2"),
        (lambda: Discrete().entropy(np.zeros((3, 0), int)), InvalidArgument, "at least one code"),
        (lambda: Discrete().entropy(3), InvalidArgument, "single number"),
        (lambda: Discrete().entropy([[1, 2], [3]]), InvalidArgument, "rectangular"),
    ],
)
def test_errors_name_the_argument(call, error: type[InfoflowError], words: str) -> None:
    with pytest.raises(error, match=words):
        call()
