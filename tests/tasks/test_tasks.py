"""What every ready-made task has to keep: its truth, its seeds, and what it refuses."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from scipy import stats

from infoflow import tasks
from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.core.protocols import Task

ALL = list(tasks.CATALOG.values())

# The benchmark's own list, to the six digits that it gives.
PUBLISHED = {
    "1v1-normal-0.75": 0.413339,
    "normal_cdf-1v1-normal-0.75": 0.413339,
    "1v1-additive-0.1": 1.709438,
    "1v1-additive-0.75": 0.333333,
    "1v1-bimodal-0.75": 0.413339,
    "wiggly-1v1-normal-0.75": 0.413339,
    "half_cube-1v1-normal-0.75": 0.413339,
    "student-identity-1-1-1": 0.224171,
    "asinh-student-identity-1-1-1": 0.224171,
    "swissroll_x-normal_cdf-1v1-normal-0.75": 0.413339,
    "multinormal-dense-2-2-0.5": 0.293893,
    "multinormal-dense-3-3-0.5": 0.413339,
    "multinormal-dense-5-5-0.5": 0.592812,
    "multinormal-dense-25-25-0.5": 1.292184,
    "student-identity-2-2-1": 0.431946,
    "student-identity-2-2-2": 0.193147,
    "student-identity-3-3-2": 0.290922,
    "student-identity-3-3-3": 0.178712,
    "student-identity-5-5-2": 0.448151,
    "student-identity-5-5-3": 0.298544,
    "asinh-student-identity-2-2-1": 0.431946,
    "asinh-student-identity-3-3-2": 0.290922,
    "asinh-student-identity-5-5-2": 0.448151,
    "multinormal-sparse-2-2-2-2.0": 1.021651,
    **{
        f"{prefix}multinormal-sparse-{dim}-{dim}-2-2.0": 1.021651
        for prefix in ("", "normal_cdf-", "half_cube-", "spiral-", "spiral-normal_cdf-")
        for dim in (3, 5, 25)
    },
}


def test_there_are_forty_and_their_truths_are_the_published_ones() -> None:
    truths = {task.name: task.mutual_information for task in tasks.BEYOND_NORMAL}
    assert len(truths) == len(tasks.BEYOND_NORMAL) == 40
    assert truths.pop("multinormal-dense-50-50-0.5") == pytest.approx(1.6243, abs=5e-5)
    assert truths.keys() == PUBLISHED.keys()
    for name, truth in truths.items():
        assert truth == pytest.approx(PUBLISHED[name], abs=1e-6), name


@pytest.mark.parametrize("task", ALL, ids=lambda task: task.name)
def test_the_mean_of_the_pointwise_information_is_the_truth(task: Task) -> None:
    x, y = task.sample(4000, seed=3)
    pointwise = task.pointwise(x, y)
    assert pointwise.shape == (4000,)
    assert np.isfinite(pointwise).all()
    error = pointwise.std() / np.sqrt(len(pointwise))
    assert pointwise.mean() == pytest.approx(task.mutual_information, abs=4.5 * error + 1e-9)


@pytest.mark.parametrize("task", ALL, ids=lambda task: task.name)
def test_the_same_seed_gives_the_same_samples_and_global_state_stays(task: Task) -> None:
    assert isinstance(task, Task)
    np_state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    first, again, other = task.sample(20, seed=1), task.sample(20, seed=1), task.sample(20, seed=2)
    assert np.array_equal(np.random.get_state()[1], np_state)  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), torch_state)
    for side in (0, 1):
        np.testing.assert_array_equal(first[side], again[side])
        assert first[side].dtype in (np.float64, np.int64)
        assert len(first[side]) == 20
    assert not all(np.array_equal(first[side], other[side]) for side in (0, 1))


@pytest.mark.parametrize("task", ALL, ids=lambda task: task.name)
def test_a_task_can_be_sent_to_another_process(task: Task) -> None:
    copy = pickle.loads(pickle.dumps(task))  # noqa: S301
    assert copy.mutual_information == task.mutual_information
    np.testing.assert_array_equal(copy.sample(5, seed=0)[0], task.sample(5, seed=0)[0])


def test_a_bad_seed_or_size_is_refused() -> None:
    with pytest.raises(InvalidArgument, match=r"^n must be"):
        tasks.find("1v1-normal-0.75").sample(0, seed=0)
    with pytest.raises(InvalidArgument, match=r"^seed must be"):
        tasks.find("spiral-multinormal-sparse-3-3-2-2.0").sample(3, seed=-1)


def test_an_unknown_task_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"Did you mean '1v1-normal-0\.75'"):
        tasks.find("1v1-normal-0.7")


@pytest.mark.parametrize("correlation", [-0.3, 0.0, 0.9])
def test_a_bivariate_normal_has_its_correlation(correlation: float) -> None:
    task = tasks.bivariate(correlation)
    x, y = task.sample(50_000, seed=0)
    assert np.corrcoef(x[:, 0], y[:, 0])[0, 1] == pytest.approx(correlation, abs=0.015)
    assert task.mutual_information == pytest.approx(-0.5 * np.log(1 - correlation**2))


@pytest.mark.parametrize(("nats", "dim"), [(0.0, 3), (0.25, 1), (10.0, 20)])
def test_a_gaussian_is_made_to_measure(nats: float, dim: int) -> None:
    assert tasks.gaussian_with(nats, dim).mutual_information == pytest.approx(nats, abs=1e-9)


def test_student_samples_are_student() -> None:
    x, y = tasks.student(2, 1, 3).sample(5000, seed=0)
    for column in (x[:, 0], x[:, 1], y[:, 0]):
        assert stats.kstest(column, stats.t(3).cdf).pvalue > 1e-3


def test_a_student_of_many_degrees_of_freedom_is_nearly_gaussian() -> None:
    task = tasks.Student("t", 1, 1, df=1e6, dispersion=[[1, 0.8], [0.8, 1]])
    assert task.mutual_information == pytest.approx(tasks.bivariate(0.8).mutual_information, abs=1e-5)


@pytest.mark.parametrize(
    "make",
    [
        lambda: tasks.Gaussian("g", [[1, 2], [2, 1]], 1),
        lambda: tasks.Gaussian("g", np.eye(2), 2),
        lambda: tasks.sparse(2, pairs=3),
        lambda: tasks.gaussian_with(-1.0),
        lambda: tasks.student(1, 1, 0),
        lambda: tasks.AdditiveUniform(0.0),
        lambda: tasks.Wiggly(((2.0, 1.0, 0.0),)),
        lambda: tasks.Discrete("d", [[0.5, 0.6]]),
        lambda: tasks.Discrete("d", [[1.5, -0.5]]),
        lambda: tasks.symmetric_channel(1.1),
        lambda: tasks.erasure_channel(-0.1),
        lambda: tasks.UniformOnClass(0),
        lambda: tasks.ZeroInflatedPoisson(1.0),
        lambda: tasks.GaussianWithAtoms(share=1.0),
        lambda: tasks.BinaryGaussianMixture(-1.0),
        lambda: tasks.GaussianMixture("m", [0.5, 0.4], np.zeros((2, 2)), np.stack([np.eye(2)] * 2), 1),
        lambda: tasks.GaussianMixture("m", [0.5, 0.5], np.zeros((2, 3)), np.stack([np.eye(2)] * 2), 1),
        lambda: tasks.GaussianMixture("m", [1.0], np.zeros((1, 2)), np.eye(2)[None], 2),
        lambda: tasks.Transformed("t", "no task"),
        lambda: tasks.rectangle_images(1.0, size=4),
        lambda: tasks.bump_images(1.0, size=4),
        lambda: tasks.Spiral(0, 2, 1.0)(np.zeros((3, 2))),
    ],
)
def test_impossible_tasks_are_refused(make: object) -> None:
    with pytest.raises(InvalidArgument):
        make()  # type: ignore[operator]
