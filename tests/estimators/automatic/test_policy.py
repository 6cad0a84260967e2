"""The default: types by values, the choice with its reason, accuracy where the truth is known, and honest limits."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import special

import infoflow
from infoflow import tasks
from infoflow.core.errors import InvalidArgument, TooFewSamples, UnknownName
from infoflow.core.estimate import Estimate, Interval, Kind
from infoflow.core.protocols import Estimator
from infoflow.estimators.automatic.numbers import Decision, learned
from infoflow.estimators.automatic.policy import Auto
from infoflow.estimators.automatic.recommendation import recommend
from infoflow.estimators.gaussian.gaussian import Gaussian
from infoflow.estimators.neighbors.ksg import KSG
from infoflow.estimators.registry import ESTIMATORS

Draw = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]


def mean(draw: Draw, n: int, draws: int = 5, **options: bool) -> tuple[float, list[Estimate]]:
    """The mean estimate over draws, and the estimates."""
    found = [
        infoflow.mutual_information(*draw(np.random.default_rng([7, seed]), n), **options) for seed in range(draws)
    ]
    return float(np.mean([each.nats for each in found])), found


def pair(rng: np.random.Generator, n: int, rho: float, d: int = 1) -> tuple[np.ndarray, np.ndarray]:
    x = rng.normal(size=(n, d))
    y = rho * x + math.sqrt(1 - rho * rho) * rng.normal(size=(n, d))
    return (x, y) if d > 1 else (x[:, 0], y[:, 0])


def gaussian(rho: float, d: int = 1) -> float:
    return -0.5 * d * math.log(1 - rho * rho)


def circle(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    angle = rng.uniform(0, 2 * np.pi, n)
    return np.cos(angle) + 0.05 * rng.normal(size=n), np.sin(angle) + 0.05 * rng.normal(size=n)


def student(degrees: float, d: int) -> tuple[Draw, float]:
    """Uncorrelated multivariate t, and its information in closed form."""

    def draw(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        z = rng.normal(size=(n, 2 * d)) / np.sqrt(rng.chisquare(degrees, size=(n, 1)) / degrees)
        return z[:, :d], z[:, d:]

    def entropy(k: int) -> float:  # of k dimensions, without the terms that cancel
        half = (degrees + k) / 2
        return float(
            special.gammaln(degrees / 2)
            - special.gammaln(half)
            + half * (special.digamma(half) - special.digamma(degrees / 2))
        )

    return draw, 2 * entropy(d) - entropy(2 * d)


ACCURATE: dict[str, tuple[Draw, float, int]] = {
    "Gaussian": (lambda rng, n: pair(rng, n, 0.5), gaussian(0.5), 500),
    "strong Gaussian under any margins": (
        lambda rng, n: (lambda x, y: (np.exp(2 * x), y**3))(*pair(rng, n, 0.999)),
        gaussian(0.999),
        500,
    ),
    "circle": (circle, 1.158, 500),
    "additive uniform noise": (
        lambda rng, n: (lambda x: (x, x + rng.uniform(-0.1, 0.1, n)))(rng.uniform(size=n)),
        0.1 - math.log(0.2),
        1000,
    ),
    "checkerboard": (
        lambda rng, n: (lambda i: ((i + rng.uniform(size=n)) / 2, (i + rng.uniform(size=n)) / 2))(
            rng.integers(2, size=n)
        ),
        math.log(2),
        2000,
    ),
    "independent ages as integers": (
        lambda rng, n: (rng.integers(18, 90, n), rng.integers(20, 120, n)),
        0.0,
        300,
    ),
    "independent 8-bit values": (lambda rng, n: (rng.integers(0, 256, n), rng.integers(0, 256, n)), 0.0, 300),
    "rounded Gaussian": (
        lambda rng, n: (lambda x, y: (np.round(10 * x).astype(int), np.round(10 * y).astype(int)))(*pair(rng, n, 0.8)),
        gaussian(0.8),
        1000,
    ),
    "a sign and its variable": (lambda rng, n: (lambda x: (x, x > 0))(rng.normal(size=n)), math.log(2), 500),
    "two bits": (
        lambda rng, n: (lambda x: (x, np.where(rng.uniform(size=n) < 0.8, x, 1 - x)))(rng.integers(2, size=n)),
        math.log(2) + 0.8 * math.log(0.8) + 0.2 * math.log(0.2),
        500,
    ),
    "large independent table": (lambda rng, n: tuple(rng.integers(0, 20, (2, n))), 0.0, 400),
    "five dimensions": (lambda rng, n: pair(rng, n, 0.5, 5), gaussian(0.5, 5), 500),
    "twenty-five dimensions": (lambda rng, n: pair(rng, n, 0.3, 25), gaussian(0.3, 25), 800),
    "independent in fifty dimensions": (
        lambda rng, n: (rng.normal(size=(n, 50)), rng.normal(size=(n, 50))),
        0.0,
        500,
    ),
    "one pair among a hundred columns": (
        lambda rng, n: (lambda x, y, z: (np.c_[z[0], x], np.c_[y, z[1]]))(
            *pair(rng, n, 0.9), rng.normal(size=(2, n, 99))
        ),
        gaussian(0.9),
        150,
    ),
    "squares in five dimensions": (
        lambda rng, n: (lambda x: (x, x**2 + 0.5 * rng.normal(size=(n, 5))))(rng.normal(size=(n, 5))),
        5 * 0.803,
        500,
    ),
    "many columns of two latent dimensions": (
        lambda rng, n: (lambda x, y, a: (x @ a[0], y @ a[1]))(
            *pair(rng, n, 0.8, 2), np.random.default_rng(5).normal(size=(2, 2, 100))
        ),
        gaussian(0.8, 2),
        500,
    ),
}


@pytest.mark.parametrize("name", ACCURATE)
def test_the_default_is_accurate_on_other_data_than_gaussian(name: str) -> None:
    draw, truth, n = ACCURATE[name]
    found, estimates = mean(draw, n)
    assert found == pytest.approx(truth, abs=max(0.05, 0.08 * truth))
    for estimate in estimates:
        assert estimate.why
        assert estimate.interval is None or estimate.nats in estimate.interval


def test_a_common_scale_is_found_in_few_samples_of_many_dimensions() -> None:
    draw, truth = student(1, 4)
    assert truth == pytest.approx(0.704, abs=0.001)
    found, estimates = mean(draw, 900)
    assert 0.8 * truth < found < 1.1 * truth
    assert all(each.warnings for each in estimates)


LIMITS: dict[str, tuple[Draw, int, str]] = {
    "a fast sine": (
        lambda rng, n: (lambda x: (x, np.sin(40 * np.pi * x) + 0.1 * rng.normal(size=n)))(rng.uniform(size=n)),
        200,
        "resolve|fine",
    ),
    "random walks": (lambda rng, n: tuple(rng.normal(size=(2, n)).cumsum(1)), 500, "autocorrelated"),
    "an exact function": (lambda rng, n: (lambda x: (x, x**2))(rng.normal(size=n)), 200, "ceiling|fine"),
    "strong noise-free dependence in one dimension": (
        lambda rng, n: (lambda x: (x, np.sin(6 * x) + 1e-3 * rng.normal(size=n)))(rng.normal(size=n)),
        200,
        "ceiling|fine",
    ),
    "a latent space in many columns": (
        lambda rng, n: (lambda x, y, a: (np.tanh(x @ a[0]), np.tanh(y @ a[1])))(
            *pair(rng, n, 0.9, 4), np.random.default_rng(5).normal(size=(2, 4, 40))
        ),
        200,
        "underestimate",
    ),
    "more columns than samples": (lambda rng, n: pair(rng, n, 0.3, 100), 120, "resolve|pairs of"),
    "six columns that are zero in one of two classes": (
        lambda rng, n: (lambda x: (np.repeat(x[:, :1] > 0, 6, axis=1) * rng.normal(size=(n, 6)), x[:, 0] > 0))(
            rng.normal(size=(n, 1))
        ),
        200,
        "dimensions",
    ),
}


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_of_the_samples_is_in_the_warnings(name: str) -> None:
    import re

    draw, n, text = LIMITS[name]
    _, estimates = mean(draw, n, draws=3)
    for each in estimates:
        assert each.saturated or each.kind is Kind.LOWER_BOUND or re.search(text, " ".join(each.warnings)), each


def test_independent_data_are_near_zero_and_rarely_significant() -> None:
    excluded = 0
    for draw in (
        lambda rng, n: tuple(rng.normal(size=(2, n))),
        lambda rng, n: (rng.uniform(size=n), rng.exponential(size=n)),
        lambda rng, n: (rng.standard_t(2, size=n), rng.normal(size=n) ** 3),
        lambda rng, n: (rng.normal(size=n), rng.integers(0, 3, n)),
        lambda rng, n: tuple(rng.integers(0, 3, (2, n))),
        lambda rng, n: tuple(rng.normal(size=(2, n, 3))),
        lambda rng, n: (rng.poisson(1, n), rng.poisson(3, n)),
    ):
        found, estimates = mean(draw, 200, draws=20)
        assert abs(found) < 0.02
        excluded += sum(each.interval is not None and each.interval.low > 0 for each in estimates)
    assert excluded <= 11  # 140 draws; 5 % are 7, and 12 or more have a probability of 5 %


def test_a_probe_that_predicts_nothing_does_not_replace_negative_estimates() -> None:
    _, found = mean(lambda rng, n: (rng.integers(0, 3, n), rng.normal(size=(n, 3))), 200, draws=12)
    assert any(each.nats < 0 for each in found)
    assert all(each.nats > 0 for each in found if each.estimator == "ClassifierBound")


def test_an_interval_that_a_part_of_the_samples_cut_at_its_number_is_not_cut_for_all() -> None:
    rng = np.random.default_rng(5007)
    found = infoflow.mutual_information(rng.normal(size=(5000, 10)), rng.normal(size=(5000, 10)))
    assert "chosen on 2500 samples" in found.why
    assert found.interval is not None
    assert found.nats > 0
    assert found.interval.low == 0


@pytest.mark.parametrize(("n", "warns"), [(60, True), (150, False)])
def test_few_samples_in_several_dimensions_warn_that_a_gaussian_is_untested(n: int, warns: bool) -> None:
    _, found = mean(lambda rng, n: pair(rng, n, 0.9, d=2), n, draws=4)
    taken = [each for each in found if each.estimator == "Gaussian"]
    assert taken
    assert all(any("samples are few for 4 dimensions" in text for text in each.warnings) == warns for each in taken)


def test_strong_correlation_is_a_gaussian_in_nearly_all_draws() -> None:
    _, found = mean(lambda rng, n: pair(rng, n, 0.99), 1000, draws=20)
    assert sum(each.estimator == "Gaussian" for each in found) >= 19


def test_values_decide_what_is_a_symbol_and_the_caller_may_decide_otherwise() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, 400)
    same = infoflow.mutual_information(codes, codes)
    assert same.estimator == "Discrete"
    assert infoflow.mutual_information(codes.astype(float), codes.astype(str).astype(float)).nats == same.nats
    numbers = infoflow.mutual_information(codes, codes, discrete_x=False, discrete_y=False)
    assert numbers.estimator != "Discrete"
    assert "x: numbers, y: numbers" in numbers.why
    many = rng.integers(0, 200, 400)
    assert infoflow.mutual_information(many, many % 2, discrete_x=True).estimator in ("Discrete", "ShuffleCorrected")
    assert infoflow.mutual_information(many, many % 2, "discrete").kind is Kind.PLUG_IN
    time = np.arange(500)
    assert infoflow.mutual_information(time, time + 100 * rng.normal(size=500)).nats > 0.3


def test_named_estimators_take_the_declared_types() -> None:
    rng = np.random.default_rng(1)
    x = rng.integers(0, 3, 300).astype(float)
    y = x + rng.normal(size=300)
    assert infoflow.mutual_information(x, y, "ksg", discrete_x=True).estimator == "ClassNeighbors"
    assert infoflow.mutual_information(x.astype(int), y, "gaussian", discrete_x=False).estimator == "Gaussian"
    with pytest.raises(InvalidArgument, match="^x must"):
        infoflow.mutual_information(x, y, "discrete", discrete_y=True)


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ("1v1-normal-0.75", "gaussian"),
        ("1v1-additive-0.1", "ksg"),
        ("swissroll_x-normal_cdf-1v1-normal-0.75", "neural"),
        ("spiral-multinormal-sparse-5-5-2-2.0", "neural"),
        ("bumps-16x16-2nats", "neural"),
        ("symmetric-channel-10-0.2", "discrete"),
        ("uniform-on-class-5", "class-neighbors"),
    ],
)
def test_a_recommendation_names_an_estimator_that_can_be_created(task: str, expected: str) -> None:
    x, y = tasks.find(task).sample(3000, seed=0)
    found = recommend(x, y)
    assert found.estimator == expected, found.why
    assert found.why
    for name in (found.estimator, *found.alternatives):
        assert name.split(":")[0] in ESTIMATORS
    assert found.create() == infoflow.estimators.create(found.estimator, **found.parameters)


@pytest.mark.slow
def test_critics_are_trained_where_neighbors_are_too_low() -> None:
    task = tasks.find("student-identity-5-5-2")
    found = infoflow.mutual_information(*task.sample(10_000, seed=20))
    assert found.nats == pytest.approx(task.mutual_information, abs=0.07)
    assert "critics found" in found.why


@pytest.mark.slow
def test_embeddings_of_shared_latent_dimensions_are_found() -> None:
    rho = math.sqrt(1 - math.exp(-2 * 2.0 / 5))
    weights = np.random.default_rng(11)
    nets = [(weights.normal(size=(5, 64)) / math.sqrt(5), weights.normal(size=(64, 50)) / 8) for _ in range(2)]
    x, y = (np.tanh(z @ a) @ b for z, (a, b) in zip(pair(np.random.default_rng(3), 5000, rho, 5), nets, strict=True))
    found = infoflow.mutual_information(x, y)
    assert 0.75 * 2.0 < found.nats < 1.12 * 2.0


def answered(**nats: float) -> Callable[[Estimator], Estimate]:
    """A run in which critics and densities give these numbers."""

    def run(estimator: Estimator) -> Estimate:
        name = type(estimator).__name__
        kind = Kind.LOWER_BOUND if name == "Neural" else Kind.DIFFERENCE_OF_BOUNDS
        return Estimate(nats[name], "I(X;Y)", kind, name, n=2000)

    return run


@pytest.mark.parametrize(
    ("neighbors", "critics", "densities", "expected"),
    [
        (0.1, 0.5, None, ("Neural", 0.5)),  # nothing to compare with below the cap
        (0.8, 0.5, None, ("KSG", 0.8)),
        (1.0, 5.0, 6.0, ("DifferenceOfEntropies", 6.0)),
        (1.0, 5.0, 0.0, ("Neural", 5.0)),  # densities that fail do not win
        (5.5, 5.0, 0.0, ("KSG", 5.5)),
    ],
)
def test_a_held_out_lower_bound_is_a_floor(
    neighbors: float, critics: float, densities: float | None, expected: tuple[str, float]
) -> None:
    base = Estimate(neighbors, "I(X;Y)", Kind.POINT, "KSG", n=2000, warnings=("nearest neighbors underestimate",))
    run = answered(Neural=critics, **({} if densities is None else {"DifferenceOfEntropies": densities}))
    _, found = learned(Decision(KSG(), base, learn=True), 2000, run)
    assert (found.estimator, found.nats) == expected
    assert f"critics found at least {critics:.2f}" in found.why
    assert (found.warnings == base.warnings) == (found.estimator == "KSG")


def test_all_samples_are_left_out_where_critics_are_beyond_the_interval_of_a_part() -> None:
    base = Estimate(0.5, "I(X;Y)", Kind.POINT, "KSG", n=2500, interval=Interval(0.4, 0.6, spans="samples"))
    whole = Estimate(0.55, "I(X;Y)", Kind.POINT, "KSG", n=9000, interval=Interval(0.5, 0.6, spans="samples"))
    decision = Decision(KSG(), base, learn=True, whole=lambda: whole)
    assert learned(decision, 9000, answered(Neural=0.8))[1].estimator == "Neural"
    assert learned(decision, 9000, answered(Neural=0.52))[1].n == 9000
    assert learned(Decision(KSG(), base, True, lambda: pytest.fail("not needed")), 9000, answered(Neural=0.8))


def noisy_circle(sigma: float) -> tuple[Draw, float]:
    """A circle with normal noise, and its information by quadrature of the density."""

    def draw(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        angle = rng.uniform(0, 2 * np.pi, n)
        return np.cos(angle) + sigma * rng.normal(size=n), np.sin(angle) + sigma * rng.normal(size=n)

    grid = np.linspace(-1 - 6 * sigma, 1 + 6 * sigma, 801)
    radius = np.hypot(*np.meshgrid(grid, grid))
    mass = np.exp(-((radius - 1) ** 2) / (2 * sigma**2)) * special.ive(0, radius / sigma**2)
    mass /= mass.sum()
    margin = mass.sum(0)
    return draw, float(special.rel_entr(mass, np.outer(margin, margin)).sum())


@pytest.mark.parametrize(
    ("draw", "truth"),
    [
        noisy_circle(0.2),  # several neighbors are too high
        (lambda rng, n: (lambda x: (x, x + rng.uniform(-0.2, 0.2, n)))(rng.uniform(size=n)), 0.2 - math.log(0.4)),
    ],
)
def test_the_interval_of_neighbors_includes_their_bias(draw: Draw, truth: float) -> None:
    _, found = mean(draw, 600, draws=12)
    assert sum(each.interval is not None and truth in each.interval for each in found) >= 10


@pytest.mark.slow
def test_the_floor_holds_on_data() -> None:
    """Each output dimension is bent by the one before, which no pair of columns and no Gaussian shows."""
    x, noise = torch.randn(2, 1200, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    y = x + 0.5 * noise
    y[:, 1:] += 0.5 * y[:, :-1].square()
    bound = infoflow.mutual_information(x, y, "neural")
    assert bound.nats > infoflow.mutual_information(x, y, "gaussian").nats + 0.3
    # Folds that are trained one after another take other steps than folds that are trained together.
    assert infoflow.mutual_information(x, y).nats >= bound.nats - 0.05


def test_the_reason_is_in_the_result_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="infoflow"):
        found = Auto().estimate(*tasks.bivariate(0.5).sample(500, seed=0))
    assert "a Gaussian is the coarsest of" in found.why
    assert found.why in caplog.text
    assert found.to_dict()["why"] == found.why


def test_constant_sides_and_constant_columns() -> None:
    x, y = tasks.bivariate(0.5).sample(500, seed=0)
    padded = torch.cat([torch.tensor(x), torch.ones(500, 1)], dim=1)
    assert recommend(padded, y).estimator == "gaussian"
    flat = infoflow.mutual_information(np.ones(500), y)
    assert (flat.nats, flat.n) == (0.0, 500)
    assert flat.warnings == ("x is constant, so the mutual information is 0",)


def test_bad_input_is_refused() -> None:
    with pytest.raises(InvalidArgument, match=r"^x and y must hold the same"):
        recommend(np.arange(20), np.arange(19))
    with pytest.raises(InvalidArgument, match=r"^y must be"):
        recommend(np.arange(3.0), [0.0, np.nan, 1.0])
    with pytest.raises(TooFewSamples):
        infoflow.mutual_information([0.0, 1.0], [1.0, 0.0])
    with pytest.raises(InvalidArgument, match=r"^x must be integers below"):
        infoflow.mutual_information(np.array([2**60, 2**60 + 1, 3, 4]), np.arange(4))


def test_the_interval_and_the_p_value_are_of_the_chosen_estimator() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=300).round(1)
    y = x + rng.normal(size=300).round(1)
    found = infoflow.mutual_information(x, y, interval="subsampling", permutations=19)
    assert found.interval is not None
    assert found.interval.spans == "subsampling"
    assert found.p_value == 1 / 20


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


@pytest.mark.parametrize("rows", [60, 200, 1000])
def test_the_interval_of_classes_that_numbers_determine_holds_their_entropy(rows: int) -> None:
    def draw(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        x = rng.uniform(size=n)
        return x, np.array(["a", "b", "c"])[(3 * x).astype(int)]

    _, found = mean(draw, rows, draws=20)
    held = [math.log(3) in each.interval for each in found if each.interval is not None]
    assert len(held) == 20
    assert sum(held) >= 18


def test_the_interval_of_a_rare_class_is_not_cut_at_the_entropy_of_the_sample() -> None:
    entropy = -0.01 * math.log(0.01) - 0.99 * math.log(0.99)

    def draw(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        y = (rng.uniform(size=n) < 0.01).astype(int)
        return 30 * y + rng.normal(size=n), y

    _, found = mean(draw, 1000, draws=20)
    assert sum(each.interval is not None and entropy in each.interval for each in found) >= 17


@pytest.mark.parametrize("n", [50, 100, 150])
def test_few_integers_too_rare_to_be_counted_warn_whether_or_not_they_have_an_order(n: int) -> None:
    rng = np.random.default_rng(n)
    x = rng.integers(0, 12, n)
    y = (x + rng.integers(0, 3, n)) % 12
    assert any("numbers in their order" in text for text in infoflow.mutual_information(x, y).warnings)
    numbers = infoflow.mutual_information(x, y, discrete_x=False, discrete_y=False)
    assert not any("numbers in their order" in text for text in numbers.warnings)
    fine = np.rint(10 * rng.normal(size=n))
    found = infoflow.mutual_information(fine, np.rint(fine + 5 * rng.normal(size=n)))
    assert not any("numbers in their order" in text for text in found.warnings)


def test_a_sparse_table_of_integers_warns_that_their_order_was_used() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 12, 300)
    y = (x + rng.integers(0, 7, 300)) % 12
    found = infoflow.mutual_information(x, y)
    assert any("300 samples for 144 pairs of values" in warning for warning in found.warnings)
    counted = infoflow.mutual_information(x, y, discrete_x=True, discrete_y=True)
    assert counted.estimator == "Discrete"
    assert not any("pairs of values" in warning for warning in counted.warnings)


def ring(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """X uniform over 12 symbols and Y the same or a neighbor on a ring: I = log 12 − log 3."""
    rng = np.random.default_rng([12, seed])
    x = rng.integers(12, size=n)
    return x, (x + rng.integers(-1, 2, size=n)) % 12


def test_symbols_are_counted_where_few_pairs_occur() -> None:
    for seed in range(4):
        found = infoflow.mutual_information(*ring(200, seed))
        assert found.estimator == "Discrete"
        assert found.interval is not None
        assert math.log(4) in found.interval
        assert not found.warnings


def test_no_estimate_below_what_counts_give_is_silent() -> None:
    for seed in range(4):
        found = infoflow.mutual_information(*ring(50, seed))
        assert found.interval is not None
        assert found.warnings or math.log(4) in found.interval
    assert any(
        "symbols without order" in text for seed in range(4) for text in Auto().estimate(*ring(50, seed)).warnings
    )
