"""Matrix-based Rényi entropies against closed forms and SciPy's eigenvalues."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import eigvalsh
from scipy.spatial.distance import cdist

from infoflow.core.errors import InvalidArgument
from infoflow.entropies.renyi import (
    collision_entropy,
    gram,
    gram_spectrum,
    krylov_entropy,
    low_rank_entropy,
    order,
    renyi_entropy,
)

ORDERS = (0.5, 0.9, 1.0, 1.01, 2.0, 3.0)


def points(n: int, d: int, scale: float, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(n, d)) * scale)


def reference(u: torch.Tensor, alpha: float) -> float:
    """SciPy's distances and eigenvalues, and the definition."""
    values = eigvalsh(np.exp(-(cdist(u.numpy(), u.numpy()) ** 2)) / len(u))
    values = values[values > 1e-14]
    if alpha == 1:
        return float(-(values * np.log(values)).sum())
    return math.log((values**alpha).sum()) / (1 - alpha)


@pytest.mark.parametrize("alpha", ORDERS)
def test_flat_and_single_spectra(alpha: float) -> None:
    assert renyi_entropy(torch.full((7,), 1 / 7, dtype=torch.float64), alpha).item() == pytest.approx(math.log(7))
    assert renyi_entropy(torch.tensor([1.0, 0.0, -1e-18], dtype=torch.float64), alpha).item() == pytest.approx(0)


@pytest.mark.parametrize("alpha", ORDERS)
def test_far_points_give_log_n_and_equal_points_zero(alpha: float) -> None:
    far = torch.arange(9.0, dtype=torch.float64)[:, None] * 100
    same = torch.zeros(9, 2, dtype=torch.float64)
    for u, truth in ((far, math.log(9)), (same, 0.0)):
        assert renyi_entropy(gram_spectrum(u), alpha).item() == pytest.approx(truth, abs=1e-6)
        assert low_rank_entropy(u, alpha, rank=9).nats == pytest.approx(truth, abs=1e-5)
        assert krylov_entropy(u, alpha).nats == pytest.approx(truth, abs=1e-6)
    assert collision_entropy(far).item() == pytest.approx(math.log(9))
    assert collision_entropy(same).item() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("alpha", ORDERS)
def test_eigenvalues_agree_with_scipy(alpha: float) -> None:
    u = points(120, 4, 0.4)
    assert renyi_entropy(gram_spectrum(u), alpha).item() == pytest.approx(reference(u, alpha), abs=1e-6)


def test_order_one_is_the_limit() -> None:
    spectrum = gram_spectrum(points(60, 3, 0.5))
    near = (renyi_entropy(spectrum, 1 - 1e-6) + renyi_entropy(spectrum, 1 + 1e-6)) / 2
    assert renyi_entropy(spectrum, 1.0).item() == pytest.approx(near.item(), abs=1e-6)


def test_collision_entropy_in_many_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    u = points(101, 5, 0.3) + 1000  # far from the origin: distances must not lose digits
    monkeypatch.setattr("infoflow.entropies.renyi._CACHED", 7 * 101)
    assert collision_entropy(u).item() == pytest.approx(reference(u, 2.0), abs=1e-9)


@pytest.mark.parametrize("alpha", ORDERS)
@pytest.mark.parametrize(("d", "scale"), [(2, 0.5), (2, 5.0), (10, 0.3)])
def test_low_rank_interval_holds_the_truth(alpha: float, d: int, scale: float) -> None:
    u = points(300, d, scale)
    truth = reference(u, alpha)
    for rank in (10, 60, 200):
        found = low_rank_entropy(u, alpha, rank=rank)
        assert found.low - 1e-6 <= truth <= found.high + 1e-6
    assert low_rank_entropy(u, alpha, rank=300).high - low_rank_entropy(u, alpha, rank=300).low < 0.01


@pytest.mark.parametrize("alpha", [1.0, 1.01, 2.0, 3.0])
@pytest.mark.parametrize(("d", "scale"), [(3, 3.0), (20, 0.3), (20, 0.1)])
def test_krylov_is_near_and_knows_how_near(alpha: float, d: int, scale: float) -> None:
    u = points(500, d, scale)
    truth = reference(u, alpha)
    found = krylov_entropy(u, alpha, seed=3)
    assert abs(found.nats - truth) < 0.03
    # Three half-widths: the interval is a 95 % one, and twelve of them are looked at.
    assert abs(found.nats - truth) <= 1.5 * (found.high - found.low) + 1e-6


def test_krylov_without_keeping_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    u = points(120, 3, 1.0)
    kept = krylov_entropy(u, 1.01)
    monkeypatch.setattr("infoflow.entropies.renyi._KEPT", 0)
    monkeypatch.setattr("infoflow.entropies.renyi._PAIRS", 7 * 120)
    assert krylov_entropy(u, 1.01).nats == pytest.approx(kept.nats, abs=1e-9)


def test_krylov_follows_its_seed_alone() -> None:
    u = points(50, 3, 1.0)
    before = torch.random.get_rng_state()
    assert krylov_entropy(u, 1.5, seed=1) == krylov_entropy(u, 1.5, seed=1)
    assert krylov_entropy(u, 1.5, seed=1) != krylov_entropy(u, 1.5, seed=2)
    assert torch.equal(before, torch.random.get_rng_state())


def test_gram_is_the_documented_kernel() -> None:
    u = points(20, 3, 0.7)
    np.testing.assert_allclose(gram(u).numpy(), np.exp(-(cdist(u.numpy(), u.numpy()) ** 2)), atol=1e-12)


@settings(max_examples=20)
@given(st.lists(st.floats(0.01, 1.0), min_size=2, max_size=8), st.floats(0.1, 5.0), st.floats(0.1, 5.0))
def test_entropy_never_grows_with_the_order(weights: list[float], a: float, b: float) -> None:
    spectrum = torch.tensor(weights, dtype=torch.float64)
    spectrum = spectrum / spectrum.sum()
    low, high = sorted((a, b))
    assert renyi_entropy(spectrum, high).item() <= renyi_entropy(spectrum, low).item() + 1e-7


@pytest.mark.parametrize("alpha", [0, -1, math.nan, math.inf, "two", None])
def test_bad_orders_are_refused(alpha: object) -> None:
    with pytest.raises(InvalidArgument, match="alpha"):
        order(alpha)  # type: ignore[arg-type]
