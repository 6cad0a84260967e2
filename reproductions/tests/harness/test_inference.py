"""Intervals, p-values and corrections against closed forms, hand calculations and simulations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from infoflow_reproductions.harness.inference import PART, POINTS, Sample, difference, holm, range_of
from scipy import integrate, stats


def test_without_a_range_interval_and_p_value_are_those_of_the_t_test() -> None:
    values = [0.3, 0.9, 0.5, 0.1, 0.7]
    expected = stats.ttest_1samp(values, 0.2)
    sample = Sample.of(values, 0.2)
    assert sample.p == pytest.approx(expected.pvalue, rel=1e-12)
    assert sample.interval == pytest.approx(tuple(expected.confidence_interval(0.95)), rel=1e-12)


def test_intervals_stay_within_the_range() -> None:
    for values in ([0.99, 0.999, 0.9, 0.9999], [0.01, 0.3, 0.0], [0.02, 0.9]):
        low, high = Sample.of(values, span=PART).interval
        assert 0 <= low < np.mean(values) < high <= 1
    low, high = Sample.of([-99.0, -80.0, -95.0], span=POINTS).interval
    assert low >= -100
    assert high <= 100
    values = [0.1, 0.4, 0.9]
    low, high = Sample.of(values, span=(0.0, math.inf)).interval
    assert low * high == pytest.approx(np.mean(values) ** 2)  # symmetric in the logarithm
    assert 0 < low < np.mean(values) < high
    assert Sample.of([0.0, 0.0], span=(0.0, math.inf)).interval == (0.0, 0.0)


@pytest.mark.parametrize("mean", [0.5, 0.9, 0.97])
def test_bounded_intervals_cover_the_mean_of_accuracies(mean: float) -> None:
    rng = np.random.default_rng(1)
    draws = rng.beta(400 * mean, 400 * (1 - mean), size=(2000, 5))
    covered = [low <= mean <= high for low, high in (Sample.of(one, span=PART).interval for one in draws)]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.015)


def test_half_bounded_intervals_cover_the_mean_of_amounts() -> None:
    rng = np.random.default_rng(3)
    draws = 1.5 + 0.7 * rng.gamma(100.0, 0.01, size=(2000, 5))  # mean 2.2
    ends = np.array([Sample.of(one, span=(1.5, math.inf)).interval for one in draws])
    assert np.mean((ends[:, 0] <= 2.2) & (ends[:, 1] >= 2.2)) == pytest.approx(0.95, abs=0.015)
    # The delta method by hand: 1.5 + exp(log 0.6 ± t · (s / √n) / 0.6).
    values = [1.9, 2.0, 2.1, 2.4]
    half = stats.t.ppf(0.975, 3) * stats.sem(values) / 0.6
    assert Sample.of(values, span=(1.5, math.inf)).interval == pytest.approx(
        (1.5 + 0.6 * math.exp(-half), 1.5 + 0.6 * math.exp(half)), rel=1e-12
    )


def test_intervals_and_p_values_of_a_bounded_quantity_agree() -> None:
    rng = np.random.default_rng(2)
    for values in rng.beta(8, 3, size=(300, 4)):
        for sample in (Sample.of(values, 0.6, span=PART), Sample.of(values, 0.6, span=PART, anytime=True)):
            low, high = sample.interval
            assert (sample.p < 0.05) == (not low <= 0.6 <= high)


def test_interval_at_any_time_is_where_the_mixture_does_not_reach_twenty() -> None:
    """The likelihood ratio of Student's t is integrated over the effect numerically."""
    values = np.array([1.0, 1.4, 0.7, 1.2, 1.1, 0.9, 1.3, 1.05])
    n, degrees = len(values), len(values) - 1
    sample = Sample.of(values, anytime=True)
    for end in sample.interval:
        t = (values.mean() - end) / values.std(ddof=1) * math.sqrt(n)

        def weighted(effect: float, t: float = t) -> float:
            return float(stats.nct.pdf(t, degrees, effect * math.sqrt(n)) * stats.norm.pdf(effect))

        ratio = integrate.quad(weighted, -12, 12, limit=200)[0] / stats.t.pdf(t, degrees)
        assert ratio == pytest.approx(20, rel=1e-3)


def test_adding_seeds_until_significance_deceives_the_usual_interval_alone() -> None:
    """Under a true null, seeds are added one by one from 3 to 60 and one stops at the first significant result."""
    rng = np.random.default_rng(3)
    draws = rng.normal(size=(700, 60))
    usual = valid = 0
    for run in draws:
        n = np.arange(1, 61)
        mean = run.cumsum() / n
        with np.errstate(invalid="ignore", divide="ignore"):
            deviation = np.sqrt(np.maximum((run**2).cumsum() - n * mean**2, 0) / (n - 1))
        samples = [(float(mean[k]), float(deviation[k]), k + 1) for k in (*range(2, 12), *range(13, 60, 4))]
        usual += any(Sample(*one).p <= 0.05 for one in samples)
        valid += any(Sample(*one, anytime=True).p <= 0.05 for one in samples)
    assert usual / len(draws) > 0.15
    assert valid / len(draws) <= 0.05


def test_few_seeds_added_after_looking_give_no_interval() -> None:
    assert Sample.of([1.0, 1.1], anytime=True).interval == (-math.inf, math.inf)
    assert Sample.of([1.0, 1.1], anytime=True).above is None


def test_holm_by_hand() -> None:
    # Sorted: 0.005·4, 0.01·3, 0.03·2, 0.04·1, each at least as large as the one before it.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    found = holm([0.02, math.nan])
    assert found[0] == 0.02
    assert math.isnan(found[1])


def test_holm_rarely_rejects_any_true_null() -> None:
    rng = np.random.default_rng(4)
    rejected = [min(holm(list(rng.uniform(size=12)))) <= 0.05 for _ in range(3000)]
    assert np.mean(rejected) == pytest.approx(0.05, abs=0.015)


def test_effect_is_unbiased_for_few_seeds() -> None:
    rng = np.random.default_rng(5)
    effects = [Sample.of(values).effect for values in rng.normal(0.8, 1.0, size=(20000, 5))]
    assert np.mean(effects) == pytest.approx(0.8, abs=0.02)
    assert math.isnan(Sample.of([1.0, 2.0]).effect)


def test_difference_is_the_test_of_welch() -> None:
    rng = np.random.default_rng(6)
    first, second = rng.normal(1, 1, 9), rng.normal(0, 3, 6)
    found = difference(Sample.of(first), Sample.of(second))
    exact = stats.ttest_ind(first, second, equal_var=False)
    assert found.mean == pytest.approx(first.mean() - second.mean())
    # Rounding the degrees of freedom down makes the test a little more cautious.
    assert exact.pvalue <= found.p <= exact.pvalue * 1.2
    equal = difference(Sample(3.0, 1.0, 5), Sample(1.0, 1.0, 5))
    assert equal.p == pytest.approx(stats.ttest_ind_from_stats(3, 1, 5, 1, 1, 5).pvalue)


def test_difference_of_the_same_seeds_is_the_paired_test() -> None:
    rng = np.random.default_rng(7)
    seeds = rng.normal(0, 5, 6)
    first, second = seeds + rng.normal(1, 0.1, 6), seeds + rng.normal(0, 0.1, 6)
    found = difference(Sample.of(first), Sample.of(second))
    exact = stats.ttest_rel(first, second)
    assert found.n == 6
    assert found.p == pytest.approx(exact.pvalue, rel=1e-9)
    assert found.interval == pytest.approx(tuple(exact.confidence_interval(0.95)), rel=1e-9)
    # A difference of differences is paired too.
    twice = difference(found, difference(Sample.of(second), Sample.of(first)))
    assert twice.mean == pytest.approx(2 * found.mean)
    assert twice.n == 6
    assert difference(found.times(3), found).mean == pytest.approx(2 * found.mean)
    # Values of seeds are stored with their figure, so that a stored claim has none.
    assert "values" not in found.record()


def test_units_have_the_ranges_of_their_quantities() -> None:
    assert range_of("accuracy", [0.2, 0.4]) == PART
    assert range_of("%", [101.9]) is None  # a sum of two percentages
    assert range_of("nats", [0.2, 0.0]) == range_of("kernel distance", [0.2, 41.0]) == (0.0, math.inf)
    assert range_of("bits", [-0.1, 3.0]) is None  # an estimate may be negative
    assert range_of("images", [1.0]) is None
