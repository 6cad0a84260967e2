"""Intervals that cover, p-values that are uniform under independence, and reproducible resampling."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import pytest
import torch
from scipy import stats

from infoflow import tasks
from infoflow.core.errors import InvalidArgument, TooFewSamples, UnknownName
from infoflow.core.estimate import Estimate, Kind
from infoflow.estimators import mutual_information
from infoflow.estimators.gaussian.gaussian import Gaussian
from infoflow.estimators.neighbors.ksg import KSG
from infoflow.estimators.wrappers.significance import Method, ShuffledNull, interval, shuffled_null


@dataclass(frozen=True)
class Seen:
    """An "estimator" that tells what it was handed."""

    def estimate(self, x: Any, y: Any) -> Estimate:
        number = float(np.asarray(x, dtype=float).mean())
        return Estimate(number, quantity="mean", kind=Kind.POINT, estimator=f"{np.asarray(y).dtype}", n=len(x))


@dataclass(frozen=True)
class Correlation:
    """−½ log(1 − r²) in the fewest steps."""

    def estimate(self, x: Any, y: Any) -> Estimate:
        r = np.corrcoef(np.ravel(x), np.ravel(y))[0, 1]
        return Estimate(-0.5 * np.log1p(-(r**2)), quantity="I(X;Y)", kind=Kind.POINT, estimator="r", n=len(x))


@pytest.mark.parametrize("method", get_args(Method))
def test_intervals_of_a_mean_are_those_of_theory(method: str) -> None:
    # The mean of n samples has a known spread: ± t · s / √n.
    x = np.random.default_rng(0).normal(3.0, 2.0, size=2000)
    found = interval(Seen(), x, x, method, replicates=400)
    half = 1.96 * x.std() / math.sqrt(len(x))
    assert found.spans == method
    assert (found.high + found.low) / 2 == pytest.approx(x.mean(), abs=0.4 * half)
    # 20 groups leave a spread known to √(1/38), and Student's t is a little wider.
    tolerance = 0.45 if method == "jackknife" else 0.2
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=tolerance)


@pytest.mark.parametrize("method", get_args(Method))
def test_intervals_cover(method: str) -> None:
    task, inside = tasks.bivariate(0.7), 0
    for seed in range(150):
        found = interval(Correlation(), *task.sample(300, seed), method, level=0.9, replicates=60, seed=seed)
        inside += task.mutual_information in found
    assert 0.83 <= inside / 150 <= 0.96


def test_subsampling_serves_nearest_neighbors_and_bootstrap_is_refused_there() -> None:
    task = tasks.bivariate(0.7)
    inside = sum(
        task.mutual_information in interval(KSG(), *task.sample(300, seed), replicates=30, seed=seed)
        for seed in range(30)
    )
    assert inside >= 25
    with pytest.raises(InvalidArgument, match="subsampling"):
        interval(KSG(), *task.sample(300, 0), "bootstrap", replicates=20)


def test_classes_stay_classes_and_tensors_stay_tensors() -> None:
    @dataclass(frozen=True)
    class Strict:
        def estimate(self, x: Any, y: Any) -> Estimate:
            assert isinstance(x, torch.Tensor)
            assert y.dtype == np.int32
            return Estimate(0.0, quantity="", kind=Kind.POINT, estimator="", n=len(x))

    shuffled_null(Strict(), torch.zeros(10, 2), np.arange(10, dtype=np.int32), permutations=3)
    interval(Strict(), torch.zeros(10, 2), np.arange(10, dtype=np.int32), replicates=10)


def test_shuffling_breaks_the_pairs_and_nothing_else() -> None:
    x, y = tasks.bivariate(0.9).sample(200, 0)
    null = shuffled_null(Gaussian(), x, y, permutations=100)
    assert null.values.shape == (100,)
    assert null.mean == pytest.approx(0.0, abs=4 * null.spread / 10)
    assert null.spread == pytest.approx(math.sqrt(1 / (2 * 200**2)), rel=0.5)
    assert null.p_value(Gaussian().estimate(x, y).nats) == pytest.approx(1 / 101)


def test_p_values_are_uniform_under_independence() -> None:
    found = []
    for seed in range(60):
        x, y = np.random.default_rng(seed).normal(size=(2, 40))
        null = shuffled_null(Correlation(), x, y, permutations=39, seed=seed)
        found.append(null.p_value(Correlation().estimate(x, y).nats))
    assert stats.kstest(found, "uniform").pvalue > 1e-3


def test_a_p_value_counts_ties_and_is_never_zero() -> None:
    assert ShuffledNull(np.array([0.0, 0.0, 0.0])).p_value(0.0) == 1.0
    assert ShuffledNull(np.array([0.0, 0.0, 0.0])).p_value(0.1) == 0.25
    assert ShuffledNull(np.array([0.5])).spread == 0.0


def test_the_same_seed_gives_the_same_answer_however_many_processes() -> None:
    x, y = tasks.bivariate(0.5).sample(100, 0)
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    one, again, other = (interval(Gaussian(), x, y, replicates=20, seed=s) for s in (1, 1, 2))
    assert one == again != other
    assert interval(Gaussian(), x, y, replicates=20, seed=1, n_jobs=2) == one
    nulls = [shuffled_null(Gaussian(), x, y, permutations=5, seed=3, n_jobs=jobs).values for jobs in (1, 2)]
    np.testing.assert_array_equal(*nulls)
    assert np.array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_an_infinite_estimate_has_no_interval_worth_the_name() -> None:
    x = np.random.default_rng(0).normal(size=50)
    found = interval(Gaussian(), x, x, replicates=10)
    assert (found.low, found.high) == (-math.inf, math.inf)


def test_bad_settings_are_refused() -> None:
    x, y = tasks.bivariate(0.5).sample(50, 0)
    with pytest.raises(UnknownName, match="Did you mean 'subsampling'"):
        interval(Gaussian(), x, y, "subsample")
    with pytest.raises(InvalidArgument, match="level"):
        interval(Gaussian(), x, y, level=95)
    with pytest.raises(InvalidArgument, match="fraction"):
        interval(Gaussian(), x, y, fraction=1.0)
    with pytest.raises(InvalidArgument, match="replicates"):
        interval(Gaussian(), x, y, replicates=2)
    with pytest.raises(InvalidArgument, match="50 and 49"):
        shuffled_null(Gaussian(), x, y[1:])
    with pytest.raises(InvalidArgument, match="permutations"):
        shuffled_null(Gaussian(), x, y, permutations=0)
    with pytest.raises(TooFewSamples):
        interval(Gaussian(), x[:3], y[:3])


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_progress_bar_is_shown_where_asked_and_changes_nothing(
    n_jobs: int, capsys: pytest.CaptureFixture[str]
) -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 60))
    settings = {"estimator": "gaussian", "interval": "jackknife", "permutations": 12, "n_jobs": n_jobs}
    silent = mutual_information(x, y, **settings)
    assert capsys.readouterr() == ("", "")
    assert mutual_information(x, y, progress=True, **settings) == silent
    out, err = capsys.readouterr()
    assert out == ""
    assert "jackknife: 100%" in err
    assert "permutations: 100%" in err
    assert "12/12" in err
