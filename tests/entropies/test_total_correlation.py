"""Total correlation against closed forms, and both of its normalizations."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.special import digamma

from infoflow.core.errors import InvalidArgument, TooFewSamples, UnknownName
from infoflow.entropies.total_correlation import total_correlation
from infoflow.estimators.neighbors.ksg import KSG

COVARIANCE = np.array([[1.0, 0.5, 0.2], [0.5, 1.0, 0.4], [0.2, 0.4, 1.0]])
TRUTH = -0.5 * math.log(np.linalg.det(COVARIANCE))


def draw(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).multivariate_normal(np.zeros(3), COVARIANCE, size=n)


def loop(z: np.ndarray, k: int) -> float:
    """Kraskov's equation 23, sample by sample."""
    n, m = z.shape
    terms = []
    for i in range(n):
        apart = np.abs(np.delete(z, i, 0) - z[i])
        radius = np.sort(apart.max(1))[k - 1]
        terms.append(sum(digamma(np.sum(apart[:, j] < radius * (1 - 1e-9)) + 1) for j in range(m)))
    return float(digamma(k) + (m - 1) * digamma(n) - np.mean(terms))


@pytest.mark.parametrize("method", ["gaussian", "ksg"])
def test_gaussian_truth(method: str) -> None:
    assert total_correlation(draw(6000, 0), method).nats == pytest.approx(TRUTH, abs=0.03)


def test_the_gaussian_form_is_unbiased_in_many_dimensions() -> None:
    rng = np.random.default_rng(0)
    found = [total_correlation(rng.normal(size=(100, 30))).nats for _ in range(60)]
    raw = [total_correlation(rng.normal(size=(100, 30)), bias_correction=False).nats for _ in range(5)]
    assert np.mean(found) == pytest.approx(0.0, abs=4 * np.std(found) / math.sqrt(60))
    assert min(raw) > 2.0


def test_nearest_neighbors_follow_the_papers_equation() -> None:
    z = draw(150, 1)
    z = (z - z.mean(0)) / z.std(0)
    assert total_correlation(z, "ksg", k=4).nats == pytest.approx(loop(z, 4))


def test_two_components_share_their_mutual_information() -> None:
    z = draw(800, 2)[:, :2]
    pair = KSG(rescale="standard").estimate(z[:, 0], z[:, 1])
    assert total_correlation(z, "ksg").nats == pytest.approx(pair.nats)


def test_scale_and_order_of_the_components_do_not_matter() -> None:
    z = draw(300, 3)
    for method in ("gaussian", "ksg"):
        nats = total_correlation(z, method).nats
        assert total_correlation(1e6 * z[:, ::-1].copy() + 5, method).nats == pytest.approx(nats)
        assert total_correlation(torch.from_numpy(z), method).nats == nats


def test_information_dropouts_figure_is_twice_the_total_correlation() -> None:
    z = draw(500, 4)
    covariance = np.cov(z.T, bias=True)
    printed = -math.log(np.linalg.det(np.linalg.inv(np.diag(np.diag(covariance))) @ covariance))
    estimate = total_correlation(z, normalization="information-dropout", bias_correction=False)
    assert estimate.nats == pytest.approx(printed)
    assert estimate.quantity != "TC(Z)"
    assert estimate.nats == pytest.approx(2 * total_correlation(z, bias_correction=False).nats)
    of_the_code = total_correlation(z, normalization="per-dimension", bias_correction=False)
    assert of_the_code.nats == pytest.approx(0.5 * printed / z.shape[1])
    assert of_the_code.quantity == "TC(Z)/m"


def test_degenerate_components() -> None:
    z = draw(200, 5)
    constant = total_correlation(np.concatenate([z, np.ones((200, 1))], 1))
    assert constant.nats == total_correlation(z).nats
    assert "1 constant column" in constant.warnings[0]
    twice = total_correlation(np.concatenate([z, z[:, :1]], 1))
    assert math.isinf(twice.nats)
    assert "linearly dependent" in twice.warnings[0]
    single = total_correlation(z[:, :1], "ksg")
    assert single.nats == 0.0
    assert "fewer than two" in single.warnings[0]
    rounded = total_correlation(np.round(z), "ksg")
    assert "duplicates" in rounded.warnings[0]
    many = total_correlation(np.random.default_rng(0).normal(size=(50, 10)), "ksg")
    assert "10 components are many for 50 samples" in many.warnings[0]


def test_bad_input_is_named() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'gaussian'"):
        total_correlation(draw(20, 0), "gausian")
    with pytest.raises(UnknownName, match="unknown normalization"):
        total_correlation(draw(20, 0), normalization="bits")
    with pytest.raises(TooFewSamples, match="^z must be at least 5 samples"):
        total_correlation(draw(4, 0))
    with pytest.raises(TooFewSamples, match=r"^z must be"):
        total_correlation(draw(4, 0), "ksg")
    with pytest.raises(InvalidArgument, match=r"^k must be"):
        total_correlation(draw(20, 0), "ksg", k=0)
