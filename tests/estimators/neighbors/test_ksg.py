"""KSG against closed forms, a loop over samples, scikit-learn, and what it promises to be invariant under."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from scipy.special import digamma, gammaln
from sklearn.feature_selection import mutual_info_regression

from infoflow.core.errors import InvalidArgument, TooFewSamples, UnknownName
from infoflow.core.estimate import Kind
from infoflow.estimators.neighbors.ksg import KSG

Pair = tuple[np.ndarray, np.ndarray]


def gaussian(rho: float, n: int, seed: int, pairs: int = 1) -> Pair:
    rng = np.random.default_rng(seed)
    x, noise = rng.normal(size=(2, n, pairs))
    return x, rho * x + math.sqrt(1 - rho**2) * noise


def student(dx: int, dy: int, df: float, n: int, seed: int) -> Pair:
    """Uncorrelated components that share their scale, and so their information."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, dx + dy)) / np.sqrt(rng.chisquare(df, size=n) / df)[:, None]
    return z[:, :dx], z[:, dx:]


def student_information(dx: int, dy: int, df: float) -> float:
    def entropy(d: int) -> float:
        half = (df + d) / 2
        norm = gammaln(df / 2) - gammaln(half) + d / 2 * math.log(df * math.pi)
        return float(norm + half * (digamma(half) - digamma(df / 2)))

    return entropy(dx) + entropy(dy) - entropy(dx + dy)


def loop(x: np.ndarray, y: np.ndarray, k: int, variant: int, metric: str) -> np.ndarray:
    """Pointwise information by the paper's own words, sample by sample."""
    order = {"chebyshev": np.inf, "euclidean": 2}[metric]
    n, terms = len(x), []
    for i in range(n):
        to_x = np.linalg.norm(np.delete(x, i, 0) - x[i], ord=order, axis=1)
        to_y = np.linalg.norm(np.delete(y, i, 0) - y[i], ord=order, axis=1)
        if metric == "euclidean":
            to_x, to_y = to_x / math.sqrt(x.shape[1]), to_y / math.sqrt(y.shape[1])
        joint = np.maximum(to_x, to_y)
        nearest = np.argsort(joint)[:k]
        if variant == 1:
            radius = joint[nearest[-1]]
            nx, ny = np.sum(to_x < radius * (1 - 1e-9)), np.sum(to_y < radius * (1 - 1e-9))
            terms.append(digamma(k) + digamma(n) - digamma(nx + 1) - digamma(ny + 1))
        else:
            nx = np.sum(to_x <= to_x[nearest].max() * (1 + 1e-9))
            ny = np.sum(to_y <= to_y[nearest].max() * (1 + 1e-9))
            terms.append(digamma(k) - 1 / k + digamma(n) - digamma(nx) - digamma(ny))
    return np.array(terms)


@pytest.mark.parametrize("variant", [1, 2])
@pytest.mark.parametrize("metric", ["chebyshev", "euclidean"])
@pytest.mark.parametrize(("dx", "dy", "k"), [(1, 1, 3), (2, 3, 1), (1, 9, 5)])
def test_pointwise_information_is_the_papers(variant: int, metric: str, dx: int, dy: int, k: int) -> None:
    rng = np.random.default_rng(dx + dy)
    x = rng.normal(size=(120, dx))
    y = rng.normal(size=(120, dy)) + x[:, :1]
    estimator = KSG(k=k, variant=variant, metric=metric, rescale="none")
    want = loop(x, y, k, variant, metric)
    assert np.allclose(estimator.pointwise(x, y), want)
    assert estimator.estimate(x, y).nats == pytest.approx(want.mean())


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.6, 0.9, 0.99])
@pytest.mark.parametrize("variant", [1, 2])
def test_gaussian_truth(rho: float, variant: int) -> None:
    estimates = [KSG(variant=variant).estimate(*gaussian(rho, 4000, seed)).nats for seed in range(4)]
    assert np.mean(estimates) == pytest.approx(-0.5 * math.log(1 - rho**2), abs=0.03)


def test_two_pairs_of_gaussians() -> None:
    assert KSG().estimate(*gaussian(0.8, 10_000, 0, pairs=2)).nats == pytest.approx(-math.log(1 - 0.64), abs=0.05)


@pytest.mark.parametrize(
    ("dx", "dy", "df", "published"), [(1, 1, 1, 0.224171), (2, 2, 2, 0.193147), (2, 2, 1, 0.431946)]
)
def test_student_truth_in_spite_of_heavy_tails(dx: int, dy: int, df: float, published: float) -> None:
    if (dx, dy) != (2, 2) or df != 1:
        assert student_information(dx, dy, df) == pytest.approx(published, abs=1e-6)
    estimates = [KSG().estimate(*student(dx, dy, df, 8000, seed)).nats for seed in range(2)]
    assert np.mean(estimates) == pytest.approx(student_information(dx, dy, df), abs=0.05)


@pytest.mark.parametrize(("noise", "truth"), [(0.1, 1.709438), (0.75, 0.333333)])
def test_uniform_with_uniform_noise(noise: float, truth: float) -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(size=8000)
    assert KSG().estimate(x, x + rng.uniform(-noise, noise, size=8000)).nats == pytest.approx(truth, abs=0.05)


def test_scikit_learn_agrees_on_well_behaved_data() -> None:
    x, y = gaussian(0.7, 1500, 3)
    theirs = mutual_info_regression(x, y[:, 0], n_neighbors=3, random_state=0)[0]
    assert KSG(rescale="standard").estimate(x, y).nats == pytest.approx(theirs, abs=1e-3)


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.floats(0.01, 1000.0), st.sampled_from([1, 2]))
def test_what_leaves_the_answer_as_it_is(seed: int, scale: float, variant: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(100, 2))
    y = x[:, :1] ** 2 + 0.3 * rng.normal(size=(100, 1))
    # Ranks make distances that are exactly tied, and which of two tied neighbors is the k-th spans variant 2's
    # rectangle: it keeps what depends on no such choice only without ranks.
    estimator = KSG(variant=variant, rescale="standard" if variant == 2 else "auto")
    nats = estimator.estimate(x, y).nats
    order = rng.permutation(100)
    assert estimator.estimate(x[order], y[order]).nats == pytest.approx(nats)
    assert estimator.estimate(y, x).nats == pytest.approx(nats)
    assert estimator.estimate(x * scale, y - scale).nats == pytest.approx(nats)
    ranks = KSG(variant=variant)
    assert ranks.estimate(np.sinh(x), np.exp(-y)).nats == pytest.approx(ranks.estimate(x, y).nats, abs=0.02)
    if variant == 1:
        assert ranks.estimate(np.sinh(x), np.exp(y)).nats == ranks.estimate(x, y).nats


def test_what_holds_the_numbers_does_not_matter() -> None:
    x, y = (a.astype(np.float32) for a in gaussian(0.5, 300, 0, pairs=8))
    nats = KSG().estimate(x, y).nats
    strided = np.stack([x, x], axis=2)[:, :, 0]
    for a, b in [
        (x.astype(np.float64), y.astype(np.float64)),
        (torch.from_numpy(x), torch.from_numpy(y)),
        (torch.from_numpy(x).reshape(300, 2, 2, 2), y.tolist()),
        (strided, np.asfortranarray(y)),
    ]:
        assert KSG().estimate(a, b).nats == nats


def test_the_ceiling_is_reached_and_never_passed() -> None:
    x = np.random.default_rng(0).normal(size=500)
    for variant in (1, 2):
        estimate = KSG(variant=variant).estimate(x, 3 * x)
        assert estimate.saturated
        want = digamma(500) - digamma(3) - (1 / 3 if variant == 2 else 0)
        assert estimate.nats == pytest.approx(want)
        assert estimate.ceiling == pytest.approx(want)


def test_an_estimate_says_what_it_is() -> None:
    estimate = KSG(k=4).estimate(*gaussian(0.5, 200, 0, pairs=3))
    assert estimate.kind is Kind.POINT
    assert estimate.parameters["metric"] == "chebyshev"
    assert estimate.parameters["rescale"] == "normal-scores"
    assert (estimate.n, estimate.quantity, estimate.estimator) == (200, "I(X;Y)", "KSG")
    assert KSG().estimate(*gaussian(0.5, 200, 0, pairs=30)).parameters["metric"] == "euclidean"


def test_classes_go_to_the_form_for_classes_and_the_estimate_says_so() -> None:
    y = np.random.default_rng(0).integers(3, size=600)
    x = y + np.random.default_rng(1).normal(size=600)
    estimate = KSG().estimate(x, y)
    assert (estimate.estimator, estimate.ceiling_name) == ("ClassNeighbors", "H(Y)")
    assert KSG().estimate(y, x).nats == estimate.nats
    assert KSG().pointwise(x, y).mean() == pytest.approx(estimate.nats)
    assert np.array_equal(KSG().pointwise(y, x), KSG().pointwise(x, y))


def test_ties_are_warned_of_and_noise_breaks_them() -> None:
    x, y = (np.round(a, 1) for a in gaussian(0.8, 3000, 0))
    (warning,) = KSG().estimate(x, y).warnings
    assert "duplicates" in warning
    assert "MixedKSG" in warning
    broken = KSG(noise=0.05, rescale="standard").estimate(x, y)
    assert broken.warnings == ()
    assert broken.nats == pytest.approx(0.51, abs=0.1)
    assert broken == KSG(noise=0.05, rescale="standard").estimate(x, y)
    assert broken.nats != KSG(noise=0.05, rescale="standard", seed=1).estimate(x, y).nats


def test_too_many_dimensions_are_warned_of_and_too_small_an_answer_follows() -> None:
    truth = -2.0 * math.log(1 - 0.64) / 2 * 10
    estimate = KSG().estimate(*gaussian(0.8, 1000, 0, pairs=20))
    assert "40 dimensions are many for 1000 samples" in estimate.warnings[0]
    assert estimate.nats < truth / 2


def test_one_of_many_columns_is_found_by_the_balanced_euclidean_norm() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, 20))
    y = x[:, 0] + rng.normal(size=2000)
    balanced, maximum = (KSG(metric=metric).estimate(x, y).nats for metric in ("auto", "chebyshev"))
    assert 0.2 < balanced < 0.5 * math.log(2)
    assert maximum < balanced


def test_constant_columns_are_dropped_and_constant_variables_have_no_information() -> None:
    x, y = gaussian(0.8, 400, 0)
    padded = KSG().estimate(np.concatenate([x, np.full_like(x, 7.0)], 1), y)
    assert padded.nats == KSG().estimate(x, y).nats
    assert "1 constant column" in padded.warnings[0]
    nothing = KSG().estimate(x, np.ones(400))
    assert nothing.nats == 0.0
    assert any("y is constant" in warning for warning in nothing.warnings)
    assert KSG().pointwise(np.ones(400), y).tolist() == [0.0] * 400


def test_a_layer_in_the_information_plane() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(800, 2))
    y = (x[:, 0] > 0).astype(int)
    point = KSG().measure(np.tanh(3 * x[:, :1]), y, x)
    assert (point.input.quantity, point.label.quantity) == ("I(X;T)", "I(T;Y)")
    assert "without noise is infinite" in point.input.warnings[0]
    assert point.label.nats == pytest.approx(math.log(2), abs=0.02)
    continuous = KSG().measure(x, x[:, 0] + rng.normal(size=800), x)
    assert continuous.label.nats == pytest.approx(0.5 * math.log(2), abs=0.1)
    dead = KSG().measure(np.zeros((800, 3)), y, x)
    assert (dead.input.nats, dead.label.nats) == (0.0, 0.0)
    assert any("t is constant" in warning for warning in dead.label.warnings)
    with pytest.raises(InvalidArgument, match="^x must"):
        KSG().measure(x, y)


def test_strong_dependence_needs_the_correction_for_nonuniform_neighborhoods() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(size=600)
    width = 1e-6
    y = x + width * (rng.uniform(size=600) - 0.5)
    truth = -math.log(width) + width / 2  # h(Y) - log width, for width well below 1
    plain = KSG(k=5, variant=2).estimate(x, y).nats
    corrected = KSG(k=5, variant=2, rescale="none", local_nonuniformity="auto").estimate(x, y)
    assert plain < truth - 7
    assert corrected.nats == pytest.approx(truth, abs=1.0)
    assert corrected.ceiling == pytest.approx(digamma(600) - digamma(5) - 0.2 + 52 * math.log(2))
    assert 0 < corrected.parameters["local_nonuniformity"] < 1


def test_the_correction_leaves_uniform_neighborhoods_alone() -> None:
    x, y = gaussian(0.0, 2000, 1)
    plain = KSG(k=10, variant=2).estimate(x, y).nats
    assert KSG(k=10, variant=2, local_nonuniformity="auto").estimate(x, y).nats == pytest.approx(plain, abs=0.05)


@pytest.mark.parametrize(
    ("settings_", "argument"),
    [
        ({"k": 0}, "k"),
        ({"variant": 3}, "variant"),
        ({"noise": -1.0}, "noise"),
        ({"seed": -1}, "seed"),
        ({"local_nonuniformity": 0.3}, "variant"),
        ({"local_nonuniformity": -0.3, "variant": 2}, "local_nonuniformity"),
    ],
)
def test_settings_out_of_range_are_refused(settings_: dict[str, Any], argument: str) -> None:
    with pytest.raises(InvalidArgument) as raised:
        KSG(**settings_)
    assert raised.value.argument == argument


def test_unknown_names_are_refused_with_a_suggestion() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'chebyshev'"):
        KSG(metric="chebychev")  # type: ignore[arg-type]
    with pytest.raises(UnknownName, match="unknown rescale"):
        KSG(rescale="minmax")  # type: ignore[arg-type]


def test_invalid_samples_are_refused() -> None:
    x, y = gaussian(0.5, 50, 0)
    with pytest.raises(TooFewSamples, match="^x"):
        KSG().estimate(x[:4], y[:4])
    with pytest.raises(InvalidArgument, match="50.*49"):
        KSG().estimate(x, y[:49])
    x[3] = np.nan
    with pytest.raises(InvalidArgument, match="x .*NaN"):
        KSG().estimate(x, y)
    with pytest.raises(InvalidArgument, match="local_nonuniformity requires .* got 2 and 1"):
        KSG(variant=2, local_nonuniformity=0.3).estimate(np.concatenate([y, -y + y**2], 1), y)


@pytest.mark.parametrize("n", [10, 50, 200])
@pytest.mark.parametrize("k", [1, 3, 5])
def test_a_function_of_x_reaches_the_ceiling_and_never_passes_it(n: int, k: int) -> None:
    # Normal scores put both on the same grid of ranks, where distances tie.
    for seed in range(10):
        x = np.random.default_rng(seed).normal(size=(n, 2))
        assert KSG(k=k).estimate(x, np.exp(x)).saturated
        second = KSG(k=k, variant=2).estimate(x, np.exp(x))  # counts all of its rectangle, ties too
        assert second.nats <= second.ceiling


@given(
    values=npst.arrays(np.int8, st.tuples(st.integers(8, 40), st.integers(2, 4)), elements=st.integers(-3, 3)),
    k=st.integers(1, 5),
    rescale=st.sampled_from(["normal-scores", "standard", "none"]),
    metric=st.sampled_from(["chebyshev", "euclidean"]),
)
@settings(max_examples=60)
def test_samples_on_a_grid_stay_below_the_ceiling(values: Any, k: int, rescale: Any, metric: Any) -> None:
    x, y = values[:, :1].astype(float), values[:, 1:].astype(float)
    for variant in (1, 2):
        estimate = KSG(k=k, rescale=rescale, metric=metric, variant=variant).estimate(x, y)  # type: ignore[arg-type]
        assert math.isfinite(estimate.nats)
        assert estimate.nats <= estimate.ceiling
    given_x = KSG(k=k, rescale=rescale, metric=metric).conditional(y[:, 0], y[:, -1], x)
    assert given_x.nats <= given_x.ceiling


@pytest.mark.parametrize("noise", [1e-3, 1e-4])
def test_the_correction_does_not_take_the_grid_of_ranks_for_dependence(noise: float) -> None:
    x, e = np.random.default_rng(0).normal(size=(2, 1000))
    found = KSG(variant=2, local_nonuniformity="auto").estimate(x, x + noise * e)
    assert found.nats < 0.5 * math.log1p(noise**-2) + 0.5
    with pytest.raises(InvalidArgument, match="^rescale must be"):
        KSG(variant=2, local_nonuniformity="auto", rescale="normal-scores")


def test_the_correction_of_neighborhoods_without_width_is_warned_of() -> None:
    x = np.random.default_rng(0).normal(size=300)
    found = KSG(variant=2, local_nonuniformity="auto").estimate(x, 2 * x)
    assert found.nats <= found.ceiling
    assert any("have no width" in warning for warning in found.warnings)


@pytest.mark.parametrize("n", [10, 50, 1000])
@pytest.mark.parametrize("columns", [1, 2])
def test_functions_of_normal_samples_reach_the_ceiling_and_no_more(n: int, columns: int) -> None:
    for seed in range(10 if n < 1000 else 2):
        x = np.random.default_rng(seed).normal(size=(n, columns))
        for y in (np.exp(x), x, -x, np.round(x, 2)):
            for variant in (1, 2):
                found = KSG(variant=variant).estimate(x, y)
                assert found.nats <= found.ceiling
                assert found.warnings


def correlated(information: float, n: int, columns: int, seed: int) -> Pair:
    """Normal variables of which one pair of columns depends."""
    rho = math.sqrt(1 - math.exp(-2 * information))
    x, y = np.random.default_rng(seed).normal(size=(2, n, columns))
    y[:, 0] = rho * x[:, 0] + math.sqrt(1 - rho**2) * y[:, 0]
    return x, y


@pytest.mark.parametrize("columns", [1, 2, 3])
@pytest.mark.parametrize("n", [100, 400, 1600])
@pytest.mark.parametrize("information", [0.0, 0.25, 1.0, 2.0, 4.0])
def test_estimates_that_are_far_too_low_carry_a_warning(columns: int, n: int, information: float) -> None:
    found = KSG().estimate(*correlated(information, n, columns, seed=1))
    if found.nats < 0.75 * information - 0.1:
        assert any("too low" in warning or "underestimated" in warning for warning in found.warnings), found
    if columns == 1 and information <= 1:
        assert not found.warnings
