"""Gaussian and CCA estimates against closed forms, exact expectations and each other."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from infoflow import tasks
from infoflow.core.errors import InvalidArgument, TooFewSamples, UnknownName
from infoflow.core.estimate import Kind
from infoflow.core.protocols import Estimator
from infoflow.estimators.gaussian.canonical_correlation import CCA
from infoflow.estimators.gaussian.gaussian import Gaussian

GAUSSIAN_TASKS = [
    task
    for task in tasks.BEYOND_NORMAL
    if task.name.startswith(("multinormal", "1v1-normal")) and "25" not in task.name
]


@pytest.mark.parametrize("task", GAUSSIAN_TASKS, ids=lambda task: task.name)
@pytest.mark.parametrize(
    "estimator", [Gaussian(), Gaussian(copula=True), CCA(), CCA(components="significant")], ids=str
)
def test_gaussian_tasks_to_a_fiftieth_of_a_nat(estimator: Estimator, task: tasks.Gaussian) -> None:
    values = []
    for seed in (0, 1):
        estimate = estimator.estimate(*task.sample(10_000, seed))
        assert estimate.kind is Kind.POINT
        assert estimate.warnings == ()
        assert estimate.p_value is not None
        assert estimate.p_value < 1e-10
        values.append(estimate.nats)
    assert np.mean(values) == pytest.approx(task.mutual_information, abs=0.02)


@pytest.mark.parametrize(
    "name",
    [
        task.name
        for task in tasks.BEYOND_NORMAL
        if task.name.startswith(("normal_cdf", "half_cube", "wiggly", "1v1-bimodal"))
    ],
)
def test_a_copula_sees_through_the_margins(name: str) -> None:
    task = tasks.find(name)
    estimate = Gaussian(copula=True).estimate(*task.sample(10_000, seed=1))
    assert estimate.nats == pytest.approx(task.mutual_information, abs=0.03)
    assert estimate.warnings == ()


def test_the_formula_itself_without_correction() -> None:
    x, y = tasks.dense(3).sample(200, seed=0)
    covariance = np.cov(np.concatenate([x, y], axis=1).T)
    log_det = [np.linalg.slogdet(covariance[s, s])[1] for s in (slice(0, 3), slice(3, 6), slice(0, 6))]
    expected = 0.5 * (log_det[0] + log_det[1] - log_det[2])
    assert Gaussian(bias_correction=False).estimate(x, y).nats == pytest.approx(expected, abs=1e-10)
    assert CCA(bias_correction=False).estimate(x, y).nats == pytest.approx(expected, abs=1e-10)


def test_the_correction_makes_it_unbiased_with_few_samples() -> None:
    task = tasks.dense(3)
    corrected, plain = (
        [Gaussian(bias_correction=c).estimate(*task.sample(25, seed)).nats for seed in range(400)]
        for c in (True, False)
    )
    error = np.std(corrected) / np.sqrt(400)
    assert np.mean(corrected) == pytest.approx(task.mutual_information, abs=4 * error)
    assert np.mean(plain) > task.mutual_information + 8 * error  # about dx dy / 2n = 0.18 too much


def test_only_significant_components_are_nearly_unbiased_and_steadier_in_many_dimensions() -> None:
    task = tasks.sparse(20)
    some, every = (
        np.array([CCA(components=c).estimate(*task.sample(300, seed)).nats for seed in range(60)])
        for c in ("significant", None)
    )
    assert some.std() < every.std()
    assert some.mean() == pytest.approx(task.mutual_information, abs=0.05)
    assert every.mean() == pytest.approx(task.mutual_information, abs=4 * every.std() / np.sqrt(60))


def test_intervals_cover() -> None:
    for estimator in (Gaussian(), Gaussian(copula=True), CCA()):
        task, inside = tasks.dense(2), 0
        for seed in range(200):
            interval = estimator.estimate(*task.sample(400, seed)).interval
            assert interval is not None
            inside += task.mutual_information in interval
        assert 0.90 <= inside / 200 <= 0.99


def test_the_interval_widens_for_heavy_tails() -> None:
    heavy = (
        Gaussian().estimate(*tasks.Student("t", 1, 1, df=5, dispersion=[[1, 0.8], [0.8, 1]]).sample(5000, 0)).interval
    )
    light = Gaussian().estimate(*tasks.bivariate(0.8).sample(5000, 0)).interval
    assert heavy is not None
    assert light is not None
    assert heavy.high - heavy.low > 1.3 * (light.high - light.low)


def test_p_values_are_uniform_for_independent_data() -> None:
    task = tasks.gaussian_with(0.0, dim=2)
    values = [Gaussian().estimate(*task.sample(50, seed)).p_value for seed in range(300)]
    assert stats.kstest(values, "uniform").pvalue > 1e-3


def test_canonical_correlations_are_recovered() -> None:
    correlations = CCA().correlations(*tasks.sparse(5).sample(50_000, seed=0))
    np.testing.assert_allclose(correlations.numpy(), [0.8, 0.8, 0, 0, 0], atol=0.02)
    assert correlations.dtype == torch.float64


@settings(max_examples=15)
@given(seed=st.integers(0, 1000), dim_x=st.integers(1, 3), dim_y=st.integers(1, 3))
def test_symmetric_and_invariant(seed: int, dim_x: int, dim_y: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(60, dim_x)), rng.normal(size=(60, dim_y))
    y[:, 0] += x[:, 0]
    value = Gaussian().estimate(x, y).nats
    assert Gaussian().estimate(y, x).nats == pytest.approx(value, abs=1e-9)
    mix = np.eye(dim_x) + rng.uniform(-0.3, 0.3, size=(dim_x, dim_x))
    order = rng.permutation(60)
    assert Gaussian().estimate(1e6 * x[order] @ mix - 5, y[order]).nats == pytest.approx(value, abs=1e-6)
    copula = Gaussian(copula=True)
    assert copula.estimate(np.exp(x), y**3).nats == pytest.approx(copula.estimate(x, y).nats, abs=1e-9)


def test_every_kind_of_array_gives_the_same_answer() -> None:
    x, y = tasks.bivariate(0.6).sample(300, seed=0)
    value = Gaussian().estimate(x, y).nats
    for variant in (torch.tensor(x), x.tolist(), np.asfortranarray(x), x[:, 0], x.reshape(-1, 1, 1)):
        assert Gaussian().estimate(variant, y).nats == pytest.approx(value, abs=1e-12)
    assert Gaussian().estimate(torch.tensor(x, dtype=torch.float32), y).nats == pytest.approx(value, abs=1e-5)


def test_huge_and_tiny_scales_do_no_harm() -> None:
    x, y = tasks.bivariate(0.6).sample(300, seed=0)
    assert Gaussian().estimate(1e250 * x, 1e-250 * y).nats == pytest.approx(Gaussian().estimate(x, y).nats)


def test_conditioning() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(20_000, 2))
    x = z @ [[1.0, 0.3], [0.0, 1.0]] + rng.normal(size=(20_000, 2))
    y = z[:, :1] + rng.normal(size=(20_000, 1))
    assert Gaussian().estimate(x, y).nats > 0.1
    given_z = Gaussian().conditional(x, y, z)
    assert given_z.quantity == "I(X;Y|Z)"
    assert given_z.nats == pytest.approx(0.0, abs=0.002)
    assert given_z.p_value is not None
    assert given_z.p_value > 0.001
    # Y = X1 + X2 + N: given X2, the information on X1 is that of the channel alone.
    a, b, noise = rng.normal(size=(3, 20_000))
    assert Gaussian().conditional(a, a + b + noise, b).nats == pytest.approx(0.5 * math.log(2), abs=0.02)
    # What z says completely leaves nothing to tell.
    known = Gaussian().conditional(z[:, 0], y, z)
    assert known.nats == 0.0
    assert any("independent given z" in w for w in known.warnings)


def test_conditional_is_unbiased_with_few_samples() -> None:
    values = []
    for seed in range(400):
        x, y, z = np.split(np.random.default_rng(seed).normal(size=(20, 6)), 3, axis=1)
        values.append(Gaussian().conditional(x, y, z).nats)
    assert np.mean(values) == pytest.approx(0.0, abs=4 * np.std(values) / 20)


def test_shrinkage_works_where_no_covariance_exists() -> None:
    x, y = tasks.sparse(40).sample(30, seed=0)
    with pytest.raises(TooFewSamples, match="at least 82 .*shrinkage='oas'"):
        Gaussian().estimate(x, y)
    for shrinkage in ("oas", "ledoit-wolf"):
        estimate = Gaussian(shrinkage=shrinkage).estimate(x, y)
        assert math.isfinite(estimate.nats)
        assert estimate.nats >= 0
        assert estimate.p_value is None


def test_duplicated_and_constant_columns_change_nothing_but_are_said() -> None:
    x, y = tasks.dense(2).sample(500, seed=0)
    value = Gaussian().estimate(x, y).nats
    doubled = Gaussian().estimate(np.concatenate([x, x, 2 * x[:, :1] + x[:, 1:]], axis=1), y)
    assert doubled.nats == pytest.approx(value, abs=1e-9)
    assert any("5 columns but only 2 linearly independent" in w for w in doubled.warnings)
    padded = Gaussian().estimate(np.concatenate([x, np.full((500, 2), 0.1)], axis=1), y)
    assert padded.nats == pytest.approx(value, abs=1e-12)
    assert any("2 constant columns" in w for w in padded.warnings)
    nothing = Gaussian().estimate(np.ones(500), y)
    assert nothing.nats == 0.0
    assert any("constant" in w for w in nothing.warnings)


def test_a_copy_is_infinitely_informative() -> None:
    x = np.random.default_rng(0).normal(size=(100, 2))
    for estimator in (Gaussian(), CCA()):
        estimate = estimator.estimate(x, x[:, :1])
        assert math.isinf(estimate.nats)
        assert any("infinite" in w for w in estimate.warnings)
    ranks = Gaussian(copula=True).estimate(x, np.exp(x[:, :1]))
    assert ranks.saturated
    assert ranks.nats == pytest.approx(0.5 * math.log(100**3 / (4 * math.pi)), abs=0.02)
    assert any("same ranks" in w for w in ranks.warnings)
    assert not any("linear combination" in w for w in ranks.warnings)


@pytest.mark.parametrize("scale", [1e-3, 1e-6, 1e-9])
@pytest.mark.parametrize("columns", [1, 3])
def test_near_equality_is_not_equality(scale: float, columns: int) -> None:
    x, noise = np.random.default_rng(0).normal(size=(2, 400, columns))
    mixed = (x + scale * noise) @ np.random.default_rng(1).normal(size=(columns, columns))
    for estimator in (Gaussian(), CCA()):
        found = estimator.estimate(x, mixed)
        assert found.nats == pytest.approx(columns * 0.5 * math.log1p(scale**-2), abs=0.15 * columns)
    assert math.isinf(Gaussian().estimate(x.astype(np.float32), (3 * x + 1).astype(np.float32)).nats)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("noise", [0.0, 1e-7, 1e-6])
def test_many_columns_made_from_one_latent_hold_its_information(dtype: type, noise: float) -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=1000)
    w = z + rng.normal(size=1000) / math.sqrt(math.exp(2) - 1)  # 1 nat
    weights = np.linspace(0.5, 2, 100)
    x, y = ((v[:, None] * weights + noise * rng.normal(size=(1000, 100))).astype(dtype) for v in (z, w))
    for estimator in (Gaussian(), CCA(), Gaussian(copula=True)):
        assert estimator.estimate(x, y).nats == pytest.approx(1.0, abs=0.1)
    same = Gaussian().estimate(x, x)
    assert math.isinf(same.nats)
    assert any("to the rounding of the values" in w for w in same.warnings)


def test_dependence_that_a_half_of_the_samples_invents_is_warned_of() -> None:
    # Powers of one number: almost dependent columns, whose directions are single samples.
    rng = np.random.default_rng(0)
    z, w = rng.normal(size=(2, 400))
    powers = np.arange(1, 13)
    found = Gaussian().estimate(z[:, None] ** powers, w[:, None] ** powers)
    assert found.warnings
    for seed in range(20):  # and Gaussian samples never are
        x, noise = np.random.default_rng(seed).normal(size=(2, 300, 3))
        assert Gaussian().estimate(x, x + noise).warnings == ()


def test_one_outlier_is_warned_of() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 300))
    x[0] = y[0] = 50.0
    for estimator in (Gaussian(), CCA()):
        assert any("one sample contributes" in w for w in estimator.estimate(x, y).warnings)
    assert Gaussian(copula=True).estimate(x, y).warnings == ()


@pytest.mark.parametrize(
    "name",
    ["student-identity-3-3-2", "asinh-student-identity-2-2-1", "cross-0.95", "swissroll_x-normal_cdf-1v1-normal-0.75"],
)
def test_dependence_that_correlations_do_not_show_is_warned_of(name: str) -> None:
    x, y = tasks.find(name).sample(2000, seed=0)
    for estimator in (Gaussian(), Gaussian(copula=True), CCA()):
        assert any("correlations do not capture" in w for w in estimator.estimate(x, y).warnings)


def test_heavy_tails_are_warned_of_unless_a_copula_takes_them_off() -> None:
    x, y = tasks.student(1, 1, 2).sample(1000, seed=0)
    assert any("heavy tails" in w for w in Gaussian().estimate(x, y).warnings)
    assert not any("heavy tails" in w for w in Gaussian(copula=True).estimate(x, y).warnings)


def test_a_copula_of_tied_values_is_warned_of() -> None:
    x = np.random.default_rng(0).integers(3, size=500).astype(float)
    assert any("ties" in w for w in Gaussian(copula=True).estimate(x, x + np.linspace(0, 1, 500)).warnings)


@pytest.mark.parametrize("estimator", [Gaussian(), CCA()])
def test_bad_input_is_refused_by_name(estimator: Estimator) -> None:
    good = np.random.default_rng(0).normal(size=(20, 2))
    with pytest.raises(InvalidArgument, match="^y must be quantities"):
        estimator.estimate(good, np.arange(20))
    with pytest.raises(InvalidArgument, match="x .*NaN"):
        estimator.estimate(np.where(np.arange(40).reshape(20, 2) == 3, np.nan, good), good)
    with pytest.raises(InvalidArgument, match="20.*19"):
        estimator.estimate(good, good[:19])
    with pytest.raises(TooFewSamples, match="^x"):
        estimator.estimate(good[:1], good[:1])
    with pytest.raises(TooFewSamples, match="at least 6"):
        estimator.estimate(good[:5], good[:5, ::-1] ** 2)


def test_bad_settings_are_refused() -> None:
    with pytest.raises(UnknownName, match="ledoit-wolf"):
        Gaussian(shrinkage="ledoit")
    with pytest.raises(UnknownName, match="significant"):
        CCA(components="significance")
    with pytest.raises(InvalidArgument, match="^components must"):
        CCA(components=0)


@pytest.mark.parametrize("scale", [1e-250, 1e250])
def test_entropy_at_scales_whose_squares_are_no_numbers(scale: float) -> None:
    t = np.random.default_rng(0).normal(size=(50, 2))
    expected = Gaussian().entropy(t).nats + 2 * math.log(scale)
    assert Gaussian().entropy(t * scale).nats == pytest.approx(expected)


def test_entropy_of_a_gaussian() -> None:
    covariance = np.array([[2.0, 0.6], [0.6, 0.5]])
    expected = stats.multivariate_normal(cov=covariance).entropy()
    estimates = []
    for seed in range(300):
        t = np.random.default_rng(seed).multivariate_normal([3.0, -1.0], covariance, size=12)
        estimates.append(Gaussian().entropy(t).nats)
    assert np.mean(estimates) == pytest.approx(expected, abs=4 * np.std(estimates) / np.sqrt(300))
    estimate = Gaussian().entropy(np.random.default_rng(0).multivariate_normal([0, 0], covariance, size=4000))
    assert estimate.kind is Kind.UPPER_BOUND
    assert estimate.interval is not None
    assert expected in estimate.interval


def test_entropies_that_do_not_exist_are_refused() -> None:
    t = np.random.default_rng(0).normal(size=(50, 2))
    with pytest.raises(InvalidArgument, match="copula"):
        Gaussian(copula=True).entropy(t)
    with pytest.raises(InvalidArgument, match="constant"):
        Gaussian().entropy(t * [1, 0])
    with pytest.raises(InvalidArgument, match="dependent"):
        Gaussian().entropy(np.concatenate([t, t[:, :1]], axis=1))
    with pytest.raises(TooFewSamples):
        Gaussian().entropy(t[:3])
