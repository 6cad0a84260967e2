from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from infoflow.probes import LinearSVM, Logistic
from infoflow.probes.linear import Directions


def problem(n: int = 300, d: int = 6, classes: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d)) * rng.uniform(0.2, 5, d)
    return x, (x @ rng.normal(size=(d, classes)) + 2 * rng.normal(size=(n, classes))).argmax(1)


def solved(
    probe: LinearSVM | Logistic, x: np.ndarray, y: np.ndarray, penalty: float, weights: np.ndarray
) -> np.ndarray:
    features, labels = torch.tensor(x, dtype=torch.float32), torch.tensor(y)
    classes = int(labels.max()) + 1
    directions = Directions.of(features, 0)
    found = probe._solved(features, labels, classes, penalty, directions, torch.tensor(weights, dtype=torch.float32))
    assert found.converged
    return np.vstack([found.weight.numpy(), found.offset.numpy()])


@pytest.mark.parametrize("penalty", [1.0, 0.01])
def test_support_vector_machines_equal_scikit_learns(penalty: float) -> None:
    x, y = problem()
    counts = np.random.default_rng(1).integers(0, 3, len(x))
    got = solved(LinearSVM(), x, y, penalty, counts)
    # scikit-learn penalizes the offset as one more weight; with a large scaling that penalty vanishes.
    c = 1 / (penalty * counts.sum())
    reference = LinearSVC(C=c, dual=False, intercept_scaling=300, tol=1e-9, max_iter=10_000)
    reference.fit(x, y, sample_weight=counts)
    assert np.abs(got[:-1] - reference.coef_.T).max() < 0.01 * np.abs(reference.coef_).max()


@pytest.mark.parametrize("penalty", [1.0, 0.01])
def test_logistic_regression_equals_scikit_learns(penalty: float) -> None:
    x, y = problem()
    counts = np.random.default_rng(1).integers(0, 3, len(x))
    got = solved(Logistic(), x, y, penalty, counts)
    reference = LogisticRegression(C=1 / (penalty * counts.sum()), tol=1e-9, max_iter=10_000)
    reference.fit(x, y, sample_weight=counts)
    assert np.abs(got[:-1] - reference.coef_.T).max() < 0.01 * np.abs(reference.coef_).max()


def test_many_features_with_leading_directions_give_the_same_optimum() -> None:
    """Beyond 768 features only the leading directions precondition the problem; the optimum is the same."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(200, 5))
    x = np.tanh(z @ rng.normal(size=(5, 800))) + 0.1 * rng.normal(size=(200, 800))
    y = z[:, :3].argmax(1)
    got = solved(Logistic(), x, y, 0.5, np.ones(200))
    reference = LogisticRegression(C=1 / (0.5 * 200), tol=1e-9, max_iter=10_000).fit(x, y)
    assert np.abs(got[:-1] - reference.coef_.T).max() < 0.01 * np.abs(reference.coef_).max()


@pytest.mark.parametrize("probe", [LinearSVM(), Logistic()], ids=lambda p: p.name)
def test_two_gaussians_reach_the_bayes_accuracy(probe: LinearSVM | Logistic) -> None:
    """Classes at ±1 along one of five axes: no classifier has an accuracy above Φ(1) = 0.841."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 24_000)
    x = rng.normal(size=(24_000, 5))
    x[:, 2] += 2 * y - 1
    score = probe.score(x[:4000], y[:4000], x[4000:], y[4000:])
    bayes = stats.norm.cdf(1)
    assert abs(score.value - bayes) < 3 * math.sqrt(bayes * (1 - bayes) / 20_000) + 0.002
    assert score.interval is not None
    assert bayes in score.interval
    assert len(score.runs) == 5
    assert score.settings["chosen"]


def test_the_chosen_penalty_reduces_overfitting() -> None:
    """With fewer samples than features, a tiny penalty overfits."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 2200)
    x = rng.normal(size=(2200, 300))
    x[:, 0] += 3 * (2 * y - 1)
    chosen = LinearSVM(runs=1).score(x[:200], y[:200], x[200:], y[200:])
    none = LinearSVM(penalty=1e-6, runs=1).score(x[:200], y[:200], x[200:], y[200:])
    assert chosen.value > none.value


def test_one_run_gives_the_interval_of_the_test_samples() -> None:
    x, y = problem()
    score = Logistic(runs=1).score(x, y, x, y)
    assert score.interval is not None
    assert score.interval.spans == "test samples"
    assert score.runs == ()
