"""MatrixRenyi against closed forms, eigenvalues by SciPy, and the inequalities of entropies."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import eigvalsh
from scipy.spatial.distance import cdist
from scipy.stats import entropy as discrete_entropy

from infoflow.core.errors import InvalidArgument, TooFewSamples, UnknownName
from infoflow.core.estimate import Kind
from infoflow.estimators.kernel import gram_entropy, matrix_renyi
from infoflow.estimators.kernel.bandwidth import scott_width
from infoflow.estimators.kernel.matrix_renyi import MatrixRenyi


def data(n: int = 150, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    t = np.tanh(x @ rng.normal(size=(3, 4)))
    return x, t, (x[:, 0] > 0).astype(int) + (x[:, 1] > 0.5)


def entropy_of(kernel: np.ndarray, alpha: float) -> float:
    values = eigvalsh(kernel / np.trace(kernel))
    values = values[values > 1e-15]
    if alpha == 1:
        return float(-(values * np.log(values)).sum())
    return math.log((values**alpha).sum()) / (1 - alpha)


def kernel_of(x: np.ndarray, width: float) -> np.ndarray:
    return np.exp(-cdist(x, x, "sqeuclidean") / width**2)


@pytest.mark.parametrize("alpha", [0.7, 1, 1.01, 2, 3])
def test_hadamard_joint_agrees_with_scipy(alpha: float) -> None:
    x, t, y = data()
    a, b, labels = kernel_of(x, 1.3), kernel_of(t, 1.3), (y[:, None] == y[None, :]).astype(float)
    estimator = MatrixRenyi(alpha=alpha, kernel_width=1.3)
    truth = entropy_of(a, alpha) + entropy_of(b, alpha) - entropy_of(a * b, alpha)
    assert estimator.estimate(x, t).nats == pytest.approx(truth, abs=1e-6)
    truth = entropy_of(b, alpha) + entropy_of(labels, alpha) - entropy_of(b * labels, alpha)
    assert estimator.estimate(t, y).nats == pytest.approx(truth, abs=1e-6)
    plane = estimator.measure(t, y, x)
    assert plane.label.nats == pytest.approx(truth, abs=1e-6)
    assert plane.label.quantity == f"I_{alpha:g}(T;Y)"


def test_methods_agree() -> None:
    x, t, y = data(400)
    exact = MatrixRenyi(alpha=2, kernel_width=1.0, method="eigen")
    for method in ("frobenius", "low-rank", "krylov", "auto"):
        other = MatrixRenyi(alpha=2, kernel_width=1.0, method=method)
        assert other.estimate(x, t).nats == pytest.approx(exact.estimate(x, t).nats, abs=1e-4)
        assert other.estimate(t, y).nats == pytest.approx(exact.estimate(t, y).nats, abs=1e-4)


@pytest.mark.parametrize("method", ["low-rank", "krylov"])
def test_approximations_carry_an_interval(method: str) -> None:
    x, t, _ = data(300)
    found = MatrixRenyi(kernel_width=0.8, method=method).estimate(x, t)
    exact = MatrixRenyi(kernel_width=0.8, method="eigen").estimate(x, t)
    assert found.interval is not None
    assert exact.interval is None
    assert found.interval.low - 0.02 <= exact.nats <= found.interval.high + 0.02
    narrow = MatrixRenyi(kernel_width=0.1, method="low-rank", rank=5).estimate(x, t)
    assert any("raise rank" in w for w in narrow.warnings)


def test_classes_have_their_own_entropy() -> None:
    _, _, y = data()
    counts = np.bincount(y) / len(y)
    assert MatrixRenyi(alpha=1).entropy(y).nats == pytest.approx(discrete_entropy(counts))
    assert MatrixRenyi(alpha=2).entropy(y).nats == pytest.approx(-math.log((counts**2).sum()))
    # y determines itself, and two independent coins have no information about each other.
    assert MatrixRenyi(alpha=1).estimate(y, y).nats == pytest.approx(discrete_entropy(counts))
    assert MatrixRenyi(alpha=1.01).estimate([0, 0, 1, 1], [0, 1, 0, 1]).nats == pytest.approx(0, abs=1e-9)


def test_ceilings() -> None:
    x, t, y = data()
    found = MatrixRenyi(kernel_width=1e-3).estimate(x, t)
    assert found.ceiling == pytest.approx(math.log(150))
    assert found.saturated
    assert any("widen" in w for w in found.warnings)
    found = MatrixRenyi(kernel_width=1e-3).estimate(t, y)
    assert found.ceiling_name == "S_1.01(Y)"
    assert found.saturated
    wide = MatrixRenyi(kernel_width=1e4).estimate(t, y)
    assert wide.nats == pytest.approx(0, abs=1e-4)
    assert any("narrow" in w for w in wide.warnings)
    assert found.kind is Kind.PLUG_IN


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(2, 25), st.floats(0.05, 5), st.sampled_from([1.0, 1.01, 2.0]))
def test_inequalities(seed: int, n: int, width: float, alpha: float) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, 2)), rng.normal(size=(n, 3))
    estimator = MatrixRenyi(alpha=alpha, kernel_width=width, method="eigen")
    a, b, mutual = (e.nats for e in (estimator.entropy(x), estimator.entropy(y), estimator.estimate(x, y)))
    joint = a + b - mutual
    assert joint >= max(a, b) - 1e-7
    assert joint <= math.log(n) + 1e-7
    if alpha == 1:
        assert joint <= a + b + 1e-9


def test_order_two_can_be_negative_with_a_warning() -> None:
    # Equal in x where different in y, beyond chance: Rényi's entropies are not subadditive.
    x = [0] * 10 + list(range(1, 11))
    y = list(range(1, 11)) + [0] * 10
    found = MatrixRenyi(alpha=2).estimate(x, y)
    assert found.nats < 0
    assert any("subadditive" in w for w in found.warnings)
    assert MatrixRenyi(alpha=1).estimate(x, y).nats >= 0


def test_symmetry_permutation_and_kinds_of_arrays() -> None:
    x, t, _ = data()
    estimator = MatrixRenyi()
    base = estimator.estimate(x, t).nats
    assert estimator.estimate(t, x).nats == pytest.approx(base)
    order = np.random.default_rng(0).permutation(len(x))
    assert estimator.estimate(x[order], t[order]).nats == pytest.approx(base)
    assert estimator.estimate(torch.from_numpy(x), torch.from_numpy(t).float()).nats == pytest.approx(base, abs=1e-4)
    assert estimator.estimate(x.tolist(), np.asfortranarray(t)[::-1][::-1]).nats == pytest.approx(base)


def test_channels_have_their_own_widths() -> None:
    rng = np.random.default_rng(0)
    maps = rng.normal(size=(60, 2, 3, 3)) * np.array([1.0, 50.0])[None, :, None, None]
    y = rng.integers(0, 2, 60)
    kernels = []
    for channel in range(2):
        flat = maps[:, channel].reshape(60, -1)
        kernels.append(kernel_of(flat, scott_width(torch.from_numpy(flat))))
    found = MatrixRenyi(alpha=1.5, kernel_width="scott", channels=True).entropy(maps)
    assert found.nats == pytest.approx(entropy_of(kernels[0] * kernels[1], 1.5), abs=1e-6)
    # With one width for all, the Hadamard joint is the tensor kernel.
    both = [MatrixRenyi(kernel_width=9.0, channels=c).estimate(maps, y).nats for c in (True, False)]
    assert both[0] == pytest.approx(both[1])
    with pytest.raises(InvalidArgument, match="^t must be .* channels"):
        MatrixRenyi(channels=True).entropy(np.arange(5.0))


def test_a_layer_that_loses_entropy_is_not_at_its_ceiling() -> None:
    # 64 distinct inputs and a layer of two distant values: I(X;T) = S(T) = log 2, far from what 64 inputs permit.
    x, codes = np.arange(64.0)[:, None], np.arange(64) % 2
    found = MatrixRenyi(alpha=1, kernel_width=1e-2).measure(100.0 * codes[:, None], codes, x)
    assert found.input.nats == pytest.approx(math.log(2), abs=1e-6)
    assert (found.input.ceiling_name, found.input.saturated) == ("S_1(X)", False)
    assert found.input.ceiling == pytest.approx(math.log(64))
    # All of the label's entropy is in the layer, which is the most that any layer can have.
    assert found.label.nats == pytest.approx(math.log(2), abs=1e-6)
    assert found.label.saturated


def test_alignment_and_scott_widths_run_on_the_plane() -> None:
    x, t, y = data()
    for rule in ("alignment", "median", "scott"):
        plane = MatrixRenyi(kernel_width=rule, input_width=8.0).measure(t, y, x)
        assert 0 < plane.label.nats <= plane.label.ceiling
        assert plane.input.parameters["sigma"][0] == 8.0
    with pytest.raises(InvalidArgument, match="^kernel_width must"):
        MatrixRenyi(kernel_width="alignment").entropy(t)


def test_batches_average_under_their_own_ceiling() -> None:
    x, t, y = data(155)
    found = MatrixRenyi(batch_size=50, kernel_width=1e-3).measure(t, y, x)
    assert found.input.ceiling == pytest.approx(math.log(50))
    assert found.input.nats == pytest.approx(math.log(50), abs=1e-3)
    assert found.input.interval is None  # every batch is at the ceiling
    assert MatrixRenyi(batch_size=50).measure(t, y, x).input.interval is not None
    assert found.input.n == 155
    with pytest.raises(TooFewSamples, match="^batch_size must"):
        MatrixRenyi(batch_size=200).entropy(t)


def test_constant_and_two_samples() -> None:
    found = MatrixRenyi().estimate(np.ones((10, 2)), np.arange(10.0))
    assert found.nats == pytest.approx(0, abs=1e-9)
    assert any("constant" in w for w in found.warnings)
    assert MatrixRenyi(kernel_width=0.1).estimate([0.0, 9.0], [0, 1]).nats == pytest.approx(math.log(2))


@pytest.mark.parametrize(
    ("arguments", "error", "word"),
    [
        ({"alpha": 0}, InvalidArgument, "^alpha must"),
        ({"alpha": -2}, InvalidArgument, "^alpha must"),
        ({"kernel_width": 0.0}, InvalidArgument, "^kernel_width must"),
        ({"kernel_width": "medain"}, UnknownName, "median"),
        ({"input_width": "alignment"}, UnknownName, "input_width"),
        ({"method": "frobenius"}, InvalidArgument, "^alpha must"),
        ({"method": "eigne"}, UnknownName, "eigen"),
        ({"batch_size": 1}, InvalidArgument, "^batch_size must"),
        ({"probes": 2}, InvalidArgument, "^probes must"),
    ],
)
def test_bad_arguments(arguments: dict[str, object], error: type[Exception], word: str) -> None:
    with pytest.raises(error, match=word):
        MatrixRenyi(**arguments)  # type: ignore[arg-type]


def test_bad_samples() -> None:
    x, t, y = data()
    with pytest.raises(InvalidArgument, match=r"^x and y must hold the same"):
        MatrixRenyi().estimate(x, t[:-1])
    with pytest.raises(InvalidArgument, match="NaN"):
        MatrixRenyi().estimate(np.where(x > 2, np.nan, x), t)
    with pytest.raises(InvalidArgument, match="^x must"):
        MatrixRenyi().measure(t, y)
    with pytest.raises(InvalidArgument, match="classes"):
        MatrixRenyi().measure(t, x[:, 0], x)
    with pytest.raises(TooFewSamples):
        MatrixRenyi().entropy(x[:1])


def test_estimators_together_equal_each_alone() -> None:
    x, t, y = data(90)
    orders = [MatrixRenyi(alpha, kernel_width="alignment", input_width=2.0) for alpha in (0.5, 1, 2, 3)]
    widths = [MatrixRenyi(kernel_width=width, batch_size=30, seed=seed) for width in (0.5, "scott") for seed in (0, 1)]
    methods = [MatrixRenyi(1.5, method="krylov"), MatrixRenyi(1.5, method="low-rank", rank=3), MatrixRenyi(1.5)]
    many = [*orders, *widths, *methods, orders[0]]
    together = MatrixRenyi.measure_many(many, t, y, x)
    assert [repr(found) for found in together] == [repr(each.measure(t, y, x)) for each in many]
    assert MatrixRenyi.measure_many([], t, y, x) == []


def test_orders_share_eigenvalues_and_widths(monkeypatch: pytest.MonkeyPatch) -> None:
    x, t, y = data(60)
    sizes: list[int] = []
    spectrum, alignment = gram_entropy.gram_spectrum, matrix_renyi.alignment_width
    monkeypatch.setattr(gram_entropy, "gram_spectrum", lambda u: sizes.append(len(u)) or spectrum(u))
    widths: list[float] = []
    monkeypatch.setattr(matrix_renyi, "alignment_width", lambda *a: widths.append(alignment(*a)) or widths[-1])
    many = [MatrixRenyi(alpha, kernel_width="alignment") for alpha in (0.5, 1, 1.01, 3)]
    MatrixRenyi.measure_many(many, t, y, x)
    # X, T and both together, and T within each class.
    assert sorted(sizes) == sorted([60, 60, 60, *np.bincount(y).tolist()])
    assert len(widths) == 1
    sizes.clear()
    MatrixRenyi.measure_many([replace(many[0], kernel_width=width) for width in (0.3, 1.0)], t, y, x)
    assert sizes.count(60) == 6  # inputs have their layer's width unless they have one of their own
    sizes.clear()
    MatrixRenyi.measure_many([replace(many[0], kernel_width=width, input_width=1.0) for width in (0.3, 1.0)], t, y, x)
    assert sizes.count(60) == 5
