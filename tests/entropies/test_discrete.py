"""Discrete entropies against closed forms, exact enumeration and published values."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from scipy import integrate, special

from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.entropies import discrete as d

EULER = 0.5772156649015329


def compositions(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    for bars in itertools.combinations(range(total + parts - 1), parts - 1):
        edges = (-1, *bars, total + parts - 1)
        yield tuple(b - a - 1 for a, b in itertools.pairwise(edges))


def expected_value(estimator: Callable[[list[tuple[int, ...]]], torch.Tensor], p: list[float], n: int) -> float:
    """E[Ĥ] over every possible sample of n draws from p: no Monte Carlo."""
    outcomes = list(compositions(n, len(p)))
    chances = [
        math.exp(special.gammaln(n + 1) - sum(special.gammaln(c + 1) for c in counts))
        * math.prod(q**c for q, c in zip(p, counts, strict=True))
        for counts in outcomes
    ]
    assert sum(chances) == pytest.approx(1)
    return float(torch.dot(torch.tensor(chances, dtype=torch.float64), estimator(outcomes)))


def test_plug_in_of_known_distributions() -> None:
    assert d.plug_in([4, 2, 1, 1]).item() == pytest.approx(1.75 * math.log(2))
    assert d.plug_in([7]).item() == 0.0
    assert d.plug_in([1] * 1000).item() == pytest.approx(math.log(1000), abs=1e-14)
    assert d.plug_in([3, 0, 0, 3]).item() == pytest.approx(math.log(2))


def test_miller_madow_removes_the_first_order_of_the_bias() -> None:
    p, n = [0.4, 0.3, 0.2, 0.1], 30
    truth = -sum(q * math.log(q) for q in p)
    plug_in_bias = expected_value(d.plug_in, p, n) - truth
    assert plug_in_bias == pytest.approx(-3 / (2 * n), rel=0.1)
    assert abs(expected_value(d.miller_madow, p, n) - truth) < abs(plug_in_bias) / 8


@pytest.mark.parametrize("correction", ["grassberger", "chao-shen", "nsb", "shrinkage", "miller-madow"])
def test_every_correction_beats_the_plug_in_on_a_flat_undersampled_source(correction: str) -> None:
    p, n = [0.2] * 5, 6
    truth = math.log(5)
    plug_in = abs(expected_value(d.plug_in, p, n) - truth)
    assert abs(expected_value(lambda c: d.entropy(c, correction), p, n) - truth) < 0.7 * plug_in


def test_grassberger_s_g_has_the_published_values_and_recursion() -> None:
    """G(1) = -γ - log 2, G(2) = 2 + G(1), G(2n + 1) = G(2n), G(2n + 2) = G(2n) + 2/(2n + 1) (2003, eq. 31-34)."""

    def g(count: int) -> float:  # for two equal counts H = log 2n - G(n)
        return math.log(2 * count) - d.grassberger([count, count]).item()

    assert g(1) == pytest.approx(-EULER - math.log(2))
    assert g(2) == pytest.approx(2 - EULER - math.log(2))
    for n in range(1, 30):
        assert g(2 * n + 1) == pytest.approx(g(2 * n))
        assert g(2 * n + 2) == pytest.approx(g(2 * n) + 2 / (2 * n + 1))


def test_chao_shen_by_hand() -> None:
    """N = 5, one singleton: C = 4/5, adjusted frequencies 0.32, 0.32, 0.16."""
    expected = -sum(q * math.log(q) / (1 - (1 - q) ** 5) for q in (0.8 * 2 / 5, 0.8 * 2 / 5, 0.8 / 5))
    assert d.chao_shen([2, 2, 1]).item() == pytest.approx(expected)
    assert d.chao_shen([5, 0]).item() == 0.0
    # All seen once: the coverage is taken from f₁ = N - 1, so p̃ = 1/N².
    q = 1 / 16
    assert d.chao_shen([1, 1, 1, 1]).item() == pytest.approx(-4 * q * math.log(q) / (1 - (1 - q) ** 4))


def test_shrinkage_by_hand_and_at_its_ends() -> None:
    """N = 10, p = (.8, .2): λ = .32 / (9 · .18)."""
    intensity = 0.32 / (9 * 0.18)
    p = intensity / 2 + (1 - intensity) * 0.8
    assert d.shrinkage_intensity([8, 2]).item() == pytest.approx(intensity)
    assert d.shrinkage([8, 2]).item() == pytest.approx(-p * math.log(p) - (1 - p) * math.log(1 - p))
    assert d.shrinkage([5, 5]).item() == pytest.approx(math.log(2))
    assert d.shrinkage([1, 0, 0, 0]).item() == pytest.approx(math.log(4))  # one sample says nothing: uniform
    # symbols never seen count the same whether listed as zeros or by the alphabet
    assert d.shrinkage([3, 1, 0, 0, 0]).item() == pytest.approx(d.shrinkage([3, 1], alphabet=5).item())
    assert d.shrinkage([3, 1, 0, 0, 0], alphabet=3).item() == pytest.approx(d.shrinkage([3, 1, 0]).item())


def nsb_reference(counts: list[int], size: int) -> float:
    """The NSB integrals over ξ itself (not log β), by adaptive quadrature with β found by bisection."""
    n = sum(counts)
    full = np.array(counts + [0] * (size - len(counts)), dtype=float)

    def xi(log_beta: float) -> float:
        beta = math.exp(log_beta)
        return float(special.digamma(size * beta + 1) - special.digamma(beta + 1))

    def log_evidence(beta: float) -> float:
        rising = special.gammaln(full + beta) - special.gammaln(beta)
        return float(special.gammaln(size * beta) - special.gammaln(n + size * beta) + rising.sum())

    def at(value: float) -> float:
        low, high = -40.0, 40.0
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (middle, high) if xi(middle) < value else (low, middle)
        return math.exp((low + high) / 2)

    def mean(beta: float) -> float:
        total = n + size * beta
        return float(special.digamma(total + 1) - ((full + beta) / total * special.digamma(full + beta + 1)).sum())

    grid = [log_evidence(at(v)) for v in np.linspace(0.01, 0.99, 99) * math.log(size)]
    peak = max(grid)
    limits = (1e-9, math.log(size) * (1 - 1e-7))
    weight = integrate.quad(lambda v: math.exp(log_evidence(at(v)) - peak), *limits, limit=200)[0]
    moment = integrate.quad(lambda v: math.exp(log_evidence(b := at(v)) - peak) * mean(b), *limits, limit=200)[0]
    return moment / weight


@pytest.mark.parametrize(
    ("counts", "size"), [([3, 1], 2), ([1, 1, 1], 3), ([5, 0, 0], 3), ([4, 2, 3, 1, 1], 10), ([10, 7, 1], 3)]
)
def test_nsb_equals_adaptive_quadrature_over_the_entropy(counts: list[int], size: int) -> None:
    assert d.nsb(counts, size).item() == pytest.approx(nsb_reference(counts, size), abs=1e-5)


def test_nsb_equals_published_values() -> None:
    """From the documentation of the `ndd` package (an independent Fortran implementation), versions 1.4 and 2."""
    counts = [7, 3, 5, 8, 9, 1, 3, 3, 1, 0, 2, 5, 2, 11, 4, 23, 5, 0, 8, 0]
    assert d.nsb(counts).item() == pytest.approx(2.623634344888532, abs=1e-8)
    counts = [4, 12, 4, 5, 3, 1, 5, 1, 2, 2, 2, 2, 11, 3, 4, 12, 12, 1, 2]
    assert d.nsb(counts, alphabet=100).item() == pytest.approx(2.8060922529931225, abs=1e-5)


def test_nsb_is_robust_at_its_ends() -> None:
    assert d.nsb([10**7, 10**7]).item() == pytest.approx(math.log(2), abs=1e-6)
    assert d.nsb([5], alphabet=1).item() == 0.0
    assert 0 < d.nsb([5], alphabet=10**6).item() < 1.5
    assert math.log(100) < d.nsb([1] * 100, alphabet=10**6).item() < math.log(10**6)
    many = d.nsb(np.random.default_rng(0).poisson(2.0, 100_000))
    assert many.item() == pytest.approx(math.log(100_000), abs=0.5)


def test_rows_of_counts_are_one_entropy_each() -> None:
    table = np.array([[3, 1, 0, 2], [1, 1, 1, 1], [0, 0, 9, 0]])
    for correction in d.CORRECTIONS:
        together = d.entropy(table, correction)
        assert together.shape == (3,)
        assert together.tolist() == pytest.approx([d.entropy(row, correction).item() for row in table])
    assert d.plug_in(torch.ones(2, 3, 4, dtype=torch.int64)).shape == (2, 3)


@settings(max_examples=50)
@given(st.lists(st.integers(0, 50), min_size=1, max_size=30).filter(lambda c: sum(c) > 0))
def test_entropies_stay_in_their_range(counts: list[int]) -> None:
    log_k = math.log(len(counts))
    plug_in = d.plug_in(counts).item()
    assert 0 <= plug_in <= math.log(max(1, sum(c > 0 for c in counts))) + 1e-12
    for correction in d.CORRECTIONS:
        value = d.entropy(counts, correction).item()
        assert math.isfinite(value)
        assert value >= 0
        shuffled = d.entropy(counts[::-1] + ([0] if correction not in ("nsb", "shrinkage") else []), correction).item()
        assert value == pytest.approx(shuffled, abs=1e-9)
    assert plug_in - 1e-12 <= d.shrinkage(counts).item() <= log_k + 1e-12
    assert d.nsb(counts).item() <= log_k + 1e-12


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: d.plug_in([1, -1]), "negative"),
        (lambda: d.plug_in([0.5, 1.0]), "fractional"),
        (lambda: d.plug_in([0, 0]), "only zeros"),
        (lambda: d.plug_in([]), "shape"),
        (lambda: d.plug_in(3), "shape"),
        (lambda: d.plug_in([True, False]), "dtype"),
        (lambda: d.plug_in([math.nan]), "fractional"),
        (lambda: d.nsb([1, 2, 3], alphabet=2), "^alphabet must be an integer >= 3"),
    ],
)
def test_counts_that_are_none_are_refused(call: Callable[[], object], words: str) -> None:
    with pytest.raises(InvalidArgument, match=words):
        call()


def test_an_unknown_correction_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'grassberger'"):
        d.entropy([1, 2], "grasberger")
