"""DependenceGraph against exact discrete information, a dictionary-based reference, and Gaussian truth."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
import torch
from sklearn.metrics import mutual_info_score

from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.estimators.histogram.dependence_graph import DependenceGraph, _graph
from infoflow.estimators.registry import create


def pair(n: int, d: int, correlation: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d))
    return x, correlation * x + math.sqrt(1 - correlation**2) * rng.normal(size=(n, d))


def by_dictionaries(a: list[int], b: list[int], clip: float | None) -> float:
    n, left, right = len(a), Counter(a), Counter(b)
    total = 0.0
    for (i, j), together in Counter(zip(a, b, strict=True)).items():
        ratio = together * n / (left[i] * right[j])
        g = ratio * math.log(ratio)
        total += left[i] * right[j] / n**2 * (g if clip is None else min(g, clip))
    return total


@pytest.mark.parametrize("clip", [None, 0.3, 5.0])
def test_edges_agree_with_dictionaries(clip: float | None) -> None:
    rng = np.random.default_rng(0)
    a = rng.integers(0, 7, 200)
    b = (a + rng.integers(0, 4, 200)) % 9
    a, b = (np.unique(v, return_inverse=True)[1] for v in (a, b))
    order = rng.permutation(200)  # a second shift, with other buckets
    a_both, b_both = np.stack([a, a + a.max() + 1]), np.stack([b, b[order] + b.max() + 1])
    values, biases, alone = _graph(a_both, b_both, clip)
    for shift, second in enumerate((b, b[order])):
        edges = Counter(zip(a.tolist(), second.tolist(), strict=True))
        assert values[shift] == pytest.approx(by_dictionaries(a.tolist(), second.tolist(), clip))
        assert biases[shift] == pytest.approx((len(edges) - len(set(a)) - len(set(b)) + 1) / 400)
        assert alone[shift] == pytest.approx(sum(count == 1 for count in edges.values()) / 200)


def test_classes_are_exact() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 4, 300), rng.integers(0, 3, 300)
    found = DependenceGraph().estimate(a, b)
    assert found.nats == pytest.approx(mutual_info_score(a, b))
    assert found.interval is None  # no shift changes the classes
    itself = DependenceGraph().estimate(a, a)
    assert itself.saturated
    assert itself.ceiling_name in ("H(X)", "H(Y)")


@pytest.mark.parametrize(
    ("d", "correlation", "tolerance"), [(1, 0.0, 0.02), (1, 0.6, 0.03), (1, 0.9, 0.05), (2, 0.6, 0.1)]
)
def test_gaussian_pairs(d: int, correlation: float, tolerance: float) -> None:
    x, y = pair(10_000, d, correlation)
    truth = -0.5 * d * math.log(1 - correlation**2)
    assert DependenceGraph().estimate(x, y).nats == pytest.approx(truth, abs=tolerance)


def test_bias_is_reported() -> None:
    x, y = pair(500, 3, 0.0)
    found = DependenceGraph(width=0.3).estimate(x, y)
    assert found.nats > 2  # the truth is 0
    assert any("share no edge" in w for w in found.warnings)
    assert found.nats <= found.ceiling == pytest.approx(math.log(500))
    wider = DependenceGraph(width=1.0).estimate(x, y)
    assert any("nats upward" in w for w in wider.warnings)


def test_symmetric_and_seeded() -> None:
    x, y = pair(400, 12, 0.8)
    before = np.random.get_state()[1].copy()  # type: ignore[union-attr]  # noqa: NPY002
    estimator = DependenceGraph(seed=5)
    base = estimator.estimate(x, y)
    assert estimator.estimate(y, x).nats == pytest.approx(base.nats)
    assert estimator.estimate(x, y) == base
    assert DependenceGraph(seed=6).estimate(x, y).nats != base.nats
    assert (before == np.random.get_state()[1]).all()  # type: ignore[union-attr]  # noqa: NPY002


def test_order_scale_and_kind_of_array_change_nothing() -> None:
    x, y = pair(400, 3, 0.8)
    base = DependenceGraph().estimate(x, y).nats
    order = np.random.default_rng(1).permutation(400)
    assert DependenceGraph().estimate(x[order], y[order]).nats == pytest.approx(base)
    assert DependenceGraph().estimate(torch.from_numpy(x), y.tolist()).nats == pytest.approx(base)
    assert DependenceGraph().estimate(x * 64 + 8, y).nats == pytest.approx(base, abs=0.02)
    assert DependenceGraph().estimate(x.astype(np.float32), y).nats == pytest.approx(base, abs=0.02)


def test_wide_variables_are_projected() -> None:
    x, _ = pair(1000, 300, 0.0)
    found = DependenceGraph().measure(x, (x[:, 0] > 0).astype(int), x)
    assert 1 < found.input.nats <= math.log(1000)
    assert found.label.ceiling_name == "H(Y)"
    assert found.label.nats < 0.4
    assert found.label.warnings


def test_constant_columns_and_variables() -> None:
    x, y = pair(300, 2, 0.9)
    base = DependenceGraph().estimate(x, y)
    assert DependenceGraph().estimate(np.c_[x, np.full(300, 0.1)], y).nats == pytest.approx(base.nats)
    found = DependenceGraph().estimate(np.full((300, 2), 0.1), y)
    assert found.nats == pytest.approx(0)
    assert any("x is constant" in w for w in found.warnings)


def test_clipping_is_off_by_default() -> None:
    x = np.arange(400) // 4
    assert DependenceGraph().estimate(x, x).nats == pytest.approx(math.log(100))
    clipped = DependenceGraph(clip=10.0).estimate(x, x)
    assert clipped.nats < 1
    assert any("clipped" in w for w in clipped.warnings)


def test_bad_input() -> None:
    x, y = pair(50, 2, 0.5)
    for arguments, word in (({"width": 0}, "width"), ({"shifts": 0}, "shifts"), ({"clip": -1}, "clip")):
        with pytest.raises(InvalidArgument, match=f"^{word} must"):
            DependenceGraph(**arguments)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match=r"^x and y must hold the same"):
        DependenceGraph().estimate(x, y[1:])
    with pytest.raises(InvalidArgument, match="^x must"):
        DependenceGraph().measure(x, np.zeros(50, dtype=int))
    with pytest.raises(InvalidArgument, match="classes"):
        DependenceGraph().measure(x, y[:, 0], x)
    with pytest.raises(UnknownName, match="dependence-graph"):
        create("dependance-graph")


@pytest.mark.parametrize("columns", [1, 3, 5])
def test_estimates_that_buckets_determine_are_warned_of(columns: int) -> None:
    x, noise = np.random.default_rng(0).normal(size=(2, 1000, columns))
    strong = DependenceGraph().estimate(x, x + 0.1 * noise)
    assert strong.nats < 0.5 * columns * 0.5 * math.log(101) + 1.0
    assert strong.warnings
    if columns >= 3:  # 6 coordinates together
        assert any("buckets of" in warning for warning in DependenceGraph().estimate(x, noise).warnings)


def test_the_interval_states_that_it_covers_shifts_only() -> None:
    found = DependenceGraph().estimate(*np.random.default_rng(0).normal(size=(2, 300)))
    assert found.interval is not None
    assert found.interval.spans == "random shifts, not samples"
