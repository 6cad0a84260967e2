"""Mixtures against published values, other quadratures, enumeration over a grid, and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from infoflow.core.errors import InvalidArgument
from infoflow.theory import ClassMixture, GaussianMixture, binary_mixture_information

# s, exact, lower (overlap), upper (divergence), Bayes error, as published.
PUBLISHED = [
    (0.1, 0.0476, 0.0247, 0.0950, 0.376),
    (1.0, 0.3368, 0.2191, 0.5662, 0.159),
    (4.0, 0.6327, 0.5662, 0.6928, 0.023),
]


@pytest.mark.parametrize(("s", "exact", "lower", "upper", "bayes"), PUBLISHED)
def test_published_values(s: float, exact: float, lower: float, upper: float, bayes: float) -> None:
    mixture = GaussianMixture(math.sqrt(s), 1.0)
    assert mixture.mutual_information() == pytest.approx(exact, abs=6e-5)
    assert mixture.lower_bounds().overlap == pytest.approx(lower, abs=6e-5)
    assert mixture.upper_bounds().divergence == pytest.approx(upper, abs=6e-5)
    assert mixture.upper_bounds().separation == pytest.approx(s)
    assert mixture.bayes_error() == pytest.approx(bayes, abs=6e-4)


@pytest.mark.parametrize("s", [1e-4, 0.03, 0.5, 2.0, 9.0, 60.0])
def test_information_from_the_densities_themselves(s: float) -> None:
    mu = math.sqrt(s)

    def half(x: float) -> float:
        own, other = stats.norm.pdf(x, mu) / 2, stats.norm.pdf(x, -mu) / 2
        return float(own * math.log(2 * own / (own + other)))

    # The other class gives the same.
    total = 2 * integrate.quad(half, mu - 9, mu + 9, limit=400, epsabs=1e-13, points=[mu, max(0.0, mu - 8)])[0]
    assert float(binary_mixture_information(s)) == pytest.approx(total, abs=1e-9)


def test_bounds_bracket_the_exact_value_on_a_grid() -> None:
    s = np.geomspace(1e-6, 200, 200)
    exact = binary_mixture_information(s)
    assert (np.diff(exact) >= -1e-13).all()
    for n in (1, 2, 5, 20):
        for value, truth in zip(s, exact, strict=True):
            mixture = GaussianMixture(np.full(n, math.sqrt(value / n)), np.eye(n))
            assert mixture.mutual_information() == pytest.approx(truth, abs=1e-12)
            for lower in mixture.lower_bounds():
                assert 0 <= lower <= truth + 1e-13
            for upper in mixture.upper_bounds():
                assert truth <= upper + 1e-13
            for form in ("fano", "paper"):
                assert mixture.error_lower_bound(form) <= mixture.bayes_error() + 1e-7


def test_each_lower_bound_is_the_better_one_somewhere() -> None:
    near, middle = GaussianMixture(0.1, 1.0).lower_bounds(), GaussianMixture(1.0, 1.0).lower_bounds()
    assert near.overlap > near.energy == 0
    assert middle.energy == pytest.approx(0.2265, abs=5e-5)
    assert middle.energy > middle.overlap


def test_only_the_separation_counts() -> None:
    rng = np.random.default_rng(0)
    factor, mean = rng.normal(size=(4, 4)), rng.normal(size=4)
    mixture = GaussianMixture(torch.tensor(mean), factor @ factor.T)
    assert mixture.separation == pytest.approx(float(np.square(np.linalg.solve(factor, mean)).sum()))
    assert GaussianMixture(factor @ mean, factor @ factor.T).separation == pytest.approx(float(mean @ mean))


def test_the_corollary_says_nothing_of_well_separated_classes() -> None:
    def corollary(s: float) -> float:
        return GaussianMixture(math.sqrt(s), 1.0).error_lower_bound("paper")

    bits = (math.log(2) - math.log1p(math.exp(-0.2))) / math.log(2)
    assert corollary(0.1) == pytest.approx((3 - math.sqrt(5 + 8 * bits)) / 4)
    last = -math.log(math.sqrt(2) - 1) / 2  # where the upper bound is half a bit
    assert corollary(0.99 * last) > 0 == corollary(1.01 * last)


def test_many_separations_take_one_call() -> None:
    grid = np.linspace(0, 50, 30_000).reshape(100, 300)
    values = binary_mixture_information(grid)
    assert values.shape == grid.shape
    assert values[37, 11] == pytest.approx(float(binary_mixture_information(grid[37, 11])), abs=1e-14)


# --- more than two classes


def test_two_classes_are_the_binary_mixture() -> None:
    binary = GaussianMixture([1.0, 0.5], [[1.0, 0.3], [0.3, 2.0]])
    both = ClassMixture([[1.0, 0.5], [-1.0, -0.5]], [[1.0, 0.3], [0.3, 2.0]])
    found = both.mutual_information(draws=40_000)
    assert abs(found.nats - binary.mutual_information()) < 4 * found.error
    assert found.error < 0.003
    error = both.bayes_error(draws=40_000)
    assert abs(error.nats - binary.bayes_error()) < 4 * error.error
    assert both.bounds().lower == pytest.approx(binary.lower_bounds().overlap)
    assert both.bounds().upper == pytest.approx(binary.upper_bounds().divergence)


def test_unlike_classes_against_quadrature() -> None:
    means, variances, priors = [-1.0, 0.5, 3.0], [1.0, 0.25, 2.0], np.array([0.2, 0.5, 0.3])
    x = np.linspace(-14, 18, 40_001)
    joint = np.array([p * stats.norm.pdf(x, m, math.sqrt(v)) for m, v, p in zip(means, variances, priors, strict=True)])
    total = joint.sum(0)
    truth = integrate.trapezoid((joint * np.log(joint / priors[:, None] / total + 1e-300)).sum(0), x)
    mixture = ClassMixture(np.array(means)[:, None], np.array(variances)[:, None, None], priors)
    found = mixture.mutual_information(draws=40_000)
    assert abs(found.nats - truth) < 4 * found.error
    bayes = 1 - integrate.trapezoid(joint.max(0), x)
    error = mixture.bayes_error(draws=40_000)
    assert abs(error.nats - bayes) < 4 * error.error
    lower, upper = mixture.bounds()
    assert lower < truth < upper
    assert mixture.label_entropy == pytest.approx(stats.entropy(priors))


def test_the_standard_error_is_that_of_repetition() -> None:
    mixture = ClassMixture([[-1.0], [0.0], [1.5]], 1.0, [0.2, 0.5, 0.3])
    runs = [mixture.mutual_information(draws=400, seed=seed) for seed in range(200)]
    assert np.std([run.nats for run in runs]) == pytest.approx(np.mean([run.error for run in runs]), rel=0.25)
    assert mixture.mutual_information(draws=400, seed=3) == runs[3]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GaussianMixture([1.0, 0.0], [[1.0, 2.0], [2.0, 1.0]]), "^covariance must"),
        (lambda: GaussianMixture([1.0, 0.0], [[1.0, 1.0], [1.0, 1.0]]), "^covariance must"),
        (lambda: GaussianMixture(1.0, -1.0), "^covariance must"),
        (lambda: GaussianMixture(1.0, 0.0), "^covariance must"),
        (lambda: GaussianMixture([1.0, 0.0], [[1.0, 0.5], [0.0, 1.0]]), "^covariance must"),
        (lambda: GaussianMixture([1.0, 0.0], np.eye(3)), "^covariance must"),
        (lambda: GaussianMixture([math.nan], 1.0), "^mean must"),
        (lambda: GaussianMixture(np.eye(2), np.eye(2)), "^mean must"),
        (lambda: binary_mixture_information(-1.0), "^separation must"),
        (lambda: ClassMixture([[0.0]], 1.0), "at least 2 classes"),
        (lambda: ClassMixture([[0.0], [1.0]], 1.0, [0.5, 0.6]), "^priors must"),
        (lambda: ClassMixture([[0.0], [1.0]], [[[1.0]], [[-1.0]]]), "^covariance must"),
        (lambda: ClassMixture([[0.0], [1.0]], 1.0).mutual_information(draws=1), "^draws must be"),
    ],
)
def test_bad_input_is_said_in_one_line(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(InvalidArgument, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)
