"""The test of a Gaussian copula: silent where it holds, loud where it doesn't."""

from __future__ import annotations

import numpy as np
import pytest

from infoflow import tasks
from infoflow.estimators.gaussian.gaussianity import missed_information

HOLDS = ("1v1-normal", "normal_cdf-", "1v1-bimodal", "wiggly-", "half_cube-", "multinormal-")


@pytest.mark.parametrize("task", [t for t in tasks.BEYOND_NORMAL if "50-50" not in t.name], ids=lambda task: task.name)
def test_the_verdict_is_right_on_the_forty_tasks(task: tasks.Gaussian) -> None:
    missed = missed_information(*task.sample(10_000, seed=5))
    assert missed.significant != task.name.startswith(HOLDS)


def test_independent_data_miss_nothing_on_average_with_the_stated_noise() -> None:
    found = [missed_information(*tasks.gaussian_with(0.0, dim=2).sample(500, seed)) for seed in range(100)]
    nats = np.array([missed.nats for missed in found])
    assert nats.mean() == pytest.approx(0.0, abs=4 * found[0].noise / 10)
    assert 0.5 < nats.std() / found[0].noise < 1.5
    assert sum(missed.significant for missed in found) <= 2


@pytest.mark.parametrize("coupling", [0.1, 0.2])
def test_the_nats_are_right_for_weak_dependence(coupling: float) -> None:
    # Density 1 + c He2(u) He2(v) / 2 against the normal, to second order I = c²/2: made here by rejection.
    rng = np.random.default_rng(0)
    u, v = rng.normal(size=(2, 400_000))
    weight = 1 + coupling * (u**2 - 1) * (v**2 - 1) / 2
    keep = rng.random(400_000) * 3 < weight.clip(0, 3)
    missed = missed_information(u[keep], v[keep])
    assert missed.nats == pytest.approx(coupling**2 / 2, rel=0.35)
    assert missed.significant


@pytest.mark.parametrize(("n", "nats"), [(100, 1.0), (1000, 4.0), (10_000, 5.0)])
def test_strong_correlation_alone_is_no_alarm(n: int, nats: float) -> None:
    found = [missed_information(*tasks.gaussian_with(nats).sample(n, seed)).significant for seed in range(20)]
    assert sum(found) <= 2


def test_few_samples_of_many_dimensions_are_no_alarm() -> None:
    assert not any(missed_information(*tasks.dense(10).sample(100, seed)).significant for seed in range(20))
