"""Which estimator is recommended, that doing so is near the truth, and the one call that does it all."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import torch

import infoflow
from infoflow import tasks
from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.estimators.gaussian.gaussian import Gaussian
from infoflow.estimators.learned.critics.neural import Neural
from infoflow.estimators.recommend import Auto, recommend
from infoflow.estimators.registry import ESTIMATORS


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ("1v1-normal-0.75", "gaussian"),
        ("half_cube-1v1-normal-0.75", "gaussian"),
        ("normal_cdf-multinormal-sparse-25-25-2-2.0", "gaussian"),
        ("1v1-additive-0.1", "ksg"),
        ("student-identity-2-2-1", "ksg"),
        ("student-identity-3-3-2", "neural"),
        ("swissroll_x-normal_cdf-1v1-normal-0.75", "ksg"),
        ("spiral-multinormal-sparse-5-5-2-2.0", "neural"),
        ("spiral-normal_cdf-multinormal-sparse-5-5-2-2.0", "neural"),
        ("bumps-16x16-2nats", "neural"),
        ("symmetric-channel-10-0.2", "discrete"),
        ("uniform-on-class-5", "ksg"),
        ("zero-inflated-poisson-0.15", "ksg"),
        ("gaussian-with-atoms-0.9-0.9-0.5", "mixed"),
    ],
)
def test_the_kind_of_data_decides(task: str, expected: str) -> None:
    x, y = tasks.find(task).sample(3000, seed=0)
    found = recommend(x, y)
    assert found.estimator == expected, found.why
    assert found.why
    for name in (found.estimator, *found.alternatives):
        assert name.split(":")[0] in ESTIMATORS
    assert found.create() == infoflow.estimators.create(found.estimator, **found.parameters)


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ("student-identity-2-2-1", "ksg"),
        ("student-identity-3-3-2", "ksg"),
        ("spiral-multinormal-sparse-5-5-2-2.0", "ksg"),
    ],
)
def test_few_samples_are_not_for_critics(task: str, expected: str) -> None:
    found = recommend(*tasks.find(task).sample(800, seed=0))
    assert found.estimator == expected
    assert "neural" in found.alternatives


@pytest.mark.slow
@pytest.mark.parametrize("name", ["student-identity-5-5-2", "spiral-multinormal-sparse-25-25-2-2.0"])
def test_auto_is_near_the_truth_where_it_has_to_learn(name: str) -> None:
    task = tasks.find(name)
    found = infoflow.mutual_information(*task.sample(10_000, seed=20))
    assert found.estimator == "Neural"
    assert found.nats == pytest.approx(task.mutual_information, abs=0.07)
    assert found.interval is not None
    assert found.interval.low < task.mutual_information  # a lower bound's own interval may well end below the truth


TOLERANCES = {
    "1v1-bimodal-0.75": 0.05,
    "1v1-additive-0.1": 0.06,
    "1v1-additive-0.75": 0.05,
    "student-identity-1-1-1": 0.05,
    "student-identity-2-2-1": 0.08,
    "swissroll_x-normal_cdf-1v1-normal-0.75": 0.05,
    "half_cube-multinormal-sparse-25-25-2-2.0": 0.08,
    "cross-0.95": 0.06,
    "symmetric-channel-10-0.2": 0.05,
    "uniform-on-class-5": 0.06,
    "gaussian-with-atoms-0.9-0.9-0.5": 0.2,  # Gaussian samples near ±1 count the atoms as neighbors
    "binary-gaussian-mixture-1-1": 0.05,
}


@pytest.mark.parametrize("name", TOLERANCES)
def test_auto_is_near_the_truth(name: str) -> None:
    task = tasks.find(name)
    values = [infoflow.mutual_information(*task.sample(4000, seed)).nats for seed in (0, 1)]
    assert np.mean(values) == pytest.approx(task.mutual_information, abs=TOLERANCES[name])


def large(n: int) -> tuple[torch.Tensor, torch.Tensor, float]:
    """Five dimensions, the information of a Gaussian channel, and a one-to-one map that no Gaussian copula survives."""
    x, noise = torch.randn(2, n, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    y = x + 0.1 * noise
    bent = y.clone()
    bent[:, 1:] += 0.3 * y[:, :-1].square()  # each dimension by the one before
    return x, bent, 2.5 * np.log(101)


def test_large_information_is_for_densities() -> None:
    x, y, truth = large(2000)
    found = recommend(x, y)
    assert found.estimator == "doe"
    assert "lower bounds are capped" in found.why
    estimate = infoflow.mutual_information(x, y)
    assert estimate.estimator == "DifferenceOfEntropies"
    assert np.log(2000) < estimate.nats < truth + 0.2


def test_a_lower_bound_near_its_cap_switches_to_densities() -> None:
    x, y, _ = large(1000)

    class Chosen(Auto):
        def choose(self, x: object, y: object) -> Neural:
            return Neural(folds=2, max_epochs=2)

    found = Chosen().estimate(x, y)
    assert found.estimator == "DifferenceOfEntropies"
    assert any("Neural gave" in w and "densities were used" in w for w in found.warnings)


def test_few_samples_of_many_dimensions_get_shrinkage() -> None:
    x, y = tasks.sparse(40).sample(60, seed=0)
    found = recommend(x, y)
    assert (found.estimator, found.parameters["shrinkage"]) == ("gaussian", "oas")
    assert found.create().estimate(x, y).nats >= 0


def test_few_samples_of_many_symbols_get_a_bias_correction() -> None:
    x, y = tasks.symmetric_channel(0.5, symbols=20).sample(300, seed=0)
    assert recommend(x, y).parameters == {"correction": "grassberger"}
    assert recommend(x % 2, y % 2).parameters == {}


def test_constant_columns_and_single_tensors_are_no_trouble() -> None:
    x, y = tasks.bivariate(0.5).sample(500, seed=0)
    padded = torch.cat([torch.tensor(x), torch.ones(500, 1)], dim=1)
    assert recommend(padded, y).estimator == "gaussian"
    assert infoflow.mutual_information(np.ones(500), y).nats == pytest.approx(0.0, abs=1e-12)


def test_the_reason_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="infoflow"):
        Auto().estimate(*tasks.bivariate(0.5).sample(500, seed=0))
    assert "a Gaussian copula is not rejected" in caplog.text


def test_bad_input_is_refused_by_name() -> None:
    with pytest.raises(InvalidArgument, match=r"^x and y must hold the same"):
        recommend(np.arange(20), np.arange(19))
    with pytest.raises(InvalidArgument, match=r"^x and y must hold the same"):
        recommend(np.arange(20.0), np.arange(19))
    with pytest.raises(InvalidArgument, match=r"^y must be"):
        recommend(np.arange(3.0), [0.0, np.nan, 1.0])


def test_one_call_brings_interval_and_p_value() -> None:
    task = tasks.bivariate(0.6)
    x, y = task.sample(400, seed=0)
    found = infoflow.mutual_information(x, y, "ksg", k=4, interval="subsampling", permutations=39, seed=7)
    assert found.parameters["k"] == 4
    assert found.parameters["seed"] == 7
    assert found.interval is not None
    assert found.interval.spans == "subsampling"
    assert found.nats in found.interval
    assert task.mutual_information in found.interval
    assert found.p_value == 1 / 40
    again = infoflow.mutual_information(x, y, "ksg", k=4, interval="subsampling", permutations=39, seed=7)
    assert again == found
    plain = infoflow.mutual_information(x, y, Gaussian(), permutations=19)
    assert plain.p_value == 1 / 20
    assert plain.interval is not None  # the estimator's own


def test_parameters_go_with_names_only() -> None:
    x, y = tasks.bivariate(0.6).sample(50, seed=0)
    with pytest.raises(InvalidArgument, match="Pass them to the constructor"):
        infoflow.mutual_information(x, y, Gaussian(), copula=True)
    with pytest.raises(UnknownName, match="Did you mean 'copula'"):
        infoflow.mutual_information(x, y, "gaussian", copulas=True)
    with pytest.raises(UnknownName, match="Did you mean 'gaussian'"):
        infoflow.mutual_information(x, y, "gausian")
    with pytest.raises(UnknownName, match="parameter of auto"):
        infoflow.mutual_information(x, y, k=3)
