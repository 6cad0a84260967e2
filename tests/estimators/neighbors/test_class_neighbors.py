"""The form for classes: truths by quadrature, scikit-learn where it is right, and what breaks scikit-learn."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import digamma
from sklearn.feature_selection import mutual_info_classif

from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.estimators.neighbors.class_neighbors import ClassNeighbors
from infoflow.estimators.neighbors.ksg import KSG
from infoflow.estimators.neighbors.mixed import MixedKSG


def two_gaussians(distance: float, n: int, seed: int, share: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = (rng.uniform(size=n) < share).astype(int)
    return distance * y + rng.normal(size=n), y


def truth(distance: float, share: float = 0.5) -> float:
    """h(X) - h(X|Y) by quadrature."""

    def density(x: float) -> float:
        return float((1 - share) * stats.norm.pdf(x) + share * stats.norm.pdf(x - distance))

    def term(x: float) -> float:
        return -density(x) * math.log(density(x))

    return float(integrate.quad(term, -12, 12 + distance, limit=200)[0]) - 0.5 * math.log(2 * math.pi * math.e)


def loop(x: np.ndarray, y: np.ndarray, k: int) -> float:
    """Ross's equation for one-dimensional x without ties, sample by sample."""
    n, total = len(x), 0.0
    for i in range(n):
        same = np.abs(np.delete(x[y == y[i]], np.flatnonzero(np.flatnonzero(y == y[i]) == i)) - x[i])
        distance = np.sort(same)[k - 1]
        m = np.sum(np.abs(np.delete(x, i) - x[i]) <= distance)
        total += digamma(n) + digamma(k) - digamma(len(same) + 1) - digamma(m)
    return total / n


@pytest.mark.parametrize("k", [1, 3, 6])
def test_the_papers_equation(k: int) -> None:
    x, y = two_gaussians(1.0, 150, k)
    assert ClassNeighbors(k=k).estimate(x, y).nats == pytest.approx(loop(x, y, k))


@pytest.mark.parametrize(("distance", "share"), [(0.0, 0.5), (1.0, 0.5), (3.0, 0.2)])
def test_gaussian_classes(distance: float, share: float) -> None:
    estimates = [ClassNeighbors().estimate(*two_gaussians(distance, 4000, seed, share)).nats for seed in range(3)]
    assert np.mean(estimates) == pytest.approx(truth(distance, share), abs=0.02)


def test_scikit_learn_agrees_on_well_behaved_data() -> None:
    x, y = two_gaussians(1.5, 2000, 0)
    theirs = mutual_info_classif(x[:, None], y, random_state=0)[0]
    assert ClassNeighbors().estimate(x, y).nats == pytest.approx(theirs, abs=1e-6)


@pytest.mark.parametrize("value", [1.0, 0.0, 1e9])
def test_a_constant_feature_says_nothing_about_rare_classes(value: float) -> None:
    n = 60_000
    y = (np.arange(n) < 20).astype(int)
    x = np.full(n, value)
    entropy = -(20 / n) * math.log(20 / n) - (1 - 20 / n) * math.log1p(-20 / n)
    for feature in (x, np.stack([x, x], 1)):
        estimate = ClassNeighbors().estimate(feature, y)
        assert estimate.nats == 0.0
        assert estimate.ceiling == pytest.approx(entropy)
        assert "constant" in estimate.warnings[0]


def test_scikit_learn_exceeds_the_entropy_where_we_stay_at_zero() -> None:
    # Noise of 1e-10 on a feature of 1.0 meets the spacing of floats: the ties that are left count as information.
    n = 300_000
    y = (np.arange(n) < 10).astype(int)
    x = np.ones(n)
    theirs = mutual_info_classif(x[:, None], y, discrete_features=False, random_state=0)[0]
    entropy = ClassNeighbors().estimate(x, y).ceiling
    noisy = x + 1e-10 * np.random.default_rng(0).normal(size=n)
    ours = ClassNeighbors().estimate(noisy, y)
    assert theirs > entropy
    assert abs(ours.nats) < entropy / 5


@pytest.mark.parametrize("symbols", [2, 5])
def test_a_feature_of_few_values_is_counted(symbols: int) -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=20_000)
    x = np.where(rng.uniform(size=20_000) < 0.8, y, rng.integers(symbols, size=20_000))
    table = np.histogram2d(x, y, bins=(symbols, 2))[0] / 20_000
    exact = np.sum(table * np.log(table / np.outer(table.sum(1), table.sum(0))))
    assert ClassNeighbors().estimate(x.astype(float), y).nats == pytest.approx(exact, abs=1e-3)


def test_never_above_the_entropy_of_the_classes() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(7, size=200)
    estimate = ClassNeighbors().estimate(100.0 * y + rng.normal(size=200), y)
    assert estimate.saturated
    share = np.bincount(y) / 200
    assert estimate.nats == pytest.approx(-np.sum(share * np.log(share)))


def test_rare_classes_use_fewer_neighbors_and_lone_samples_are_left_out() -> None:
    x, y = two_gaussians(2.0, 500, 0)
    y[0], y[1:3] = 5, 6
    estimate = ClassNeighbors().estimate(x, y)
    assert "1 of 500 samples is alone in a class of y" in estimate.warnings[0]
    pointwise = ClassNeighbors().pointwise(x, y)
    assert pointwise[0] == 0.0
    assert estimate.nats == pytest.approx(pointwise[1:].mean())


@pytest.mark.parametrize("estimator", [ClassNeighbors(), KSG(), MixedKSG()])
def test_as_many_integers_as_samples_are_quantities(estimator: Any) -> None:
    x, _ = two_gaussians(2.0, 500, 0)
    for data in ((x, np.arange(500)), (np.arange(500), x)):
        if isinstance(estimator, ClassNeighbors) and data[1] is x:
            continue
        with pytest.raises(TooFewSamples, match=r"500 different integers in 500 samples\. Convert it to float"):
            estimator.estimate(*data)


def test_many_dimensions_are_warned_of() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=300)
    x = rng.normal(size=(300, 64)) + y[:, None]
    estimate = ClassNeighbors().estimate(x, y)
    assert "64 dimensions" in estimate.warnings[0]
    assert estimate.parameters["metric"] == "euclidean"


def test_bad_input_is_named() -> None:
    x, y = two_gaussians(1.0, 30, 0)
    with pytest.raises(InvalidArgument, match="^y"):
        ClassNeighbors().estimate(x, x)
    with pytest.raises(InvalidArgument, match="30.*29"):
        ClassNeighbors().estimate(x, y[:29])
    with pytest.raises(TooFewSamples, match="^x"):
        ClassNeighbors().estimate(x[:2], y[:2])
    with pytest.raises(InvalidArgument, match="^k must"):
        ClassNeighbors(k=1.5)  # type: ignore[arg-type]
