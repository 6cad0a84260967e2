"""Nearest-neighbor entropy: its formula by hand, and the conditions that its weights promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree
from scipy.special import digamma, gamma

from infoflow.core.errors import InvalidArgument, TooFewSamples, UnknownName
from infoflow.entropies.nearest_neighbor import kozachenko_leonenko, log_unit_ball, neighbor_entropy, neighbor_weights


@pytest.mark.parametrize(("metric", "order"), [("euclidean", 2), ("chebyshev", np.inf)])
@pytest.mark.parametrize("d", [1, 2, 3, 5])
def test_the_balls_volume_by_throwing_points(metric: str, order: float, d: int) -> None:
    points = np.random.default_rng(d).uniform(-1, 1, size=(200_000, d))
    share = np.mean(np.linalg.norm(points, ord=order, axis=1) <= 1)
    assert math.exp(log_unit_ball(d, metric)) == pytest.approx(share * 2**d, rel=0.02)


@pytest.mark.parametrize("d", [1, 3, 8])
@pytest.mark.parametrize(("metric", "p"), [("euclidean", 2), ("chebyshev", np.inf)])
def test_the_formula_with_distances_of_another_program(d: int, metric: str, p: float) -> None:
    x = np.random.default_rng(d).normal(size=(200, d))
    rho = cKDTree(x).query(x, k=5, p=p)[0][:, 4]
    volume = 2.0**d if p > 2 else math.pi ** (d / 2) / gamma(d / 2 + 1)
    want = digamma(200) - digamma(4) + math.log(volume) + d * np.log(rho)
    for method in ("tree", "blocks"):
        assert np.allclose(kozachenko_leonenko(torch.from_numpy(x), 4, metric=metric, method=method), want)


@pytest.mark.parametrize(("k", "d"), [(4, 4), (20, 7), (50, 13), (100, 20)])
def test_weights_meet_their_conditions(k: int, d: int) -> None:
    weights = neighbor_weights(k, d).numpy()
    j = np.arange(1, k + 1)
    allowed = {i * k // d for i in range(1, d + 1)}
    assert {int(i) for i in j[weights != 0]} <= allowed
    assert weights.sum() == pytest.approx(1.0)
    for order in range(1, d // 4 + 1):
        ratio = np.exp([math.lgamma(i + 2 * order / d) - math.lgamma(i) for i in j])
        assert np.sum(weights * ratio) / ratio.max() == pytest.approx(0.0, abs=1e-8)


def test_weights_are_the_smallest_that_meet_them() -> None:
    # One condition on four neighbors: the least-squares solution by hand.
    j = np.array([2, 5, 7, 10])
    ratio = np.exp([math.lgamma(i + 0.5) - math.lgamma(i) for i in j])
    system = np.stack([np.ones(4), ratio])
    want = system.T @ np.linalg.solve(system @ system.T, [1.0, 0.0])
    assert np.allclose(neighbor_weights(10, 4).numpy()[j - 1], want)


def test_weighted_entropy_is_the_weighted_mean_of_the_neighbors_entropies() -> None:
    distance = torch.rand(30, 3, generator=torch.Generator().manual_seed(0)).sort(1).values
    weights = torch.tensor([0.5, 0.0, 0.5])
    one, three = (neighbor_entropy(distance[:, :k], 2, weights=torch.eye(k)[-1]) for k in (1, 3))
    assert torch.allclose(neighbor_entropy(distance, 2, weights=weights), (one + three) / 2)


def test_duplicates_have_no_density() -> None:
    x = torch.tensor([[0.0], [0.0], [1.0], [2.0]])
    assert kozachenko_leonenko(x, 1).isinf().tolist() == [True, True, False, False]
    assert not bool(kozachenko_leonenko(x, 2).isinf().any())


def test_bad_input_is_named() -> None:
    x = torch.zeros(5, 4)
    with pytest.raises(InvalidArgument, match="^k must be at least"):
        kozachenko_leonenko(x, 3, weighted=True)
    with pytest.raises(TooFewSamples, match="^k"):
        kozachenko_leonenko(x, 5)
    with pytest.raises(UnknownName, match="unknown metric"):
        log_unit_ball(2, "manhattan")
    with pytest.raises(InvalidArgument, match=r"^dimension must be"):
        log_unit_ball(0)
    with pytest.raises(InvalidArgument, match="^distance and weights must"):
        neighbor_entropy(torch.ones(5, 2), 1, weights=torch.ones(1))
