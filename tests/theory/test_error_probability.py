"""Lower bounds on the error, held against channels whose Bayes error is known."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.theory import FORMS, error_lower_bound

VALID = [form for form in FORMS if form != "paper"]


def entropy(p: np.ndarray, axes: int) -> np.ndarray:
    """−Σ p log p over the last axes."""
    logs = np.log(np.where(p > 0, p, 1.0))
    return -(p * logs).reshape(*p.shape[: p.ndim - axes], -1).sum(-1)


def channels(count: int, classes: int, balanced: bool, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """I(X;Y), H(Y) and the Bayes error of random joint distributions of `classes` labels and 1 to 8 inputs."""
    rng = np.random.default_rng(seed)
    inputs = int(rng.integers(1, 9))
    given = rng.dirichlet(np.full(inputs, rng.choice([0.05, 0.3, 1.0])), size=(count, classes))
    prior = rng.dirichlet(np.full(classes, rng.choice([0.1, 1.0])), size=count)
    if balanced:
        prior = np.full((count, classes), 1 / classes)
    joint = prior[:, :, None] * given
    of_label, of_input = joint.sum(2), joint.sum(1)
    information = entropy(of_label, 1) + entropy(of_input, 1) - entropy(joint, 2)
    label_entropy = entropy(of_label, 1)
    bayes = 1 - joint.max(axis=1).sum(axis=1)
    return information, label_entropy, bayes


def excess(total: int, form: str, *, balanced: bool) -> tuple[int, float]:
    """How many channels were tried, and the most by which the bound exceeds the Bayes error."""
    sizes = (2, 3, 5, 10, 40)
    each = math.ceil(total / (4 * len(sizes)))
    worst, tried = -1.0, 0
    for seed in range(4):
        for size in sizes:
            information, label_entropy, bayes = channels(each, size, balanced, 100 * size + seed)
            bound = error_lower_bound(information, label_entropy, size, form)
            assert np.isfinite(bound).all()
            assert ((bound >= 0) & (bound <= 1)).all()
            worst, tried = max(worst, float((bound - bayes).max())), tried + each
    return tried, worst


@pytest.mark.parametrize("form", VALID)
@pytest.mark.parametrize("balanced", [False, True])
def test_no_random_channel_errs_less_than_the_bound(form: str, balanced: bool) -> None:
    tried, worst = excess(30_000, form, balanced=balanced)  # 60,000 over both
    assert tried >= 30_000
    assert worst <= 1e-7


@pytest.mark.filterwarnings("ignore:form 'paper'")
def test_the_paper_form_holds_for_balanced_labels_only() -> None:
    assert excess(10_000, "paper", balanced=True)[1] <= 1e-7
    assert excess(10_000, "paper", balanced=False)[1] > 0.01


def test_the_counterexample_to_the_paper_form() -> None:
    # Half of the probability on one of 1025 classes, X independent of Y: naming that class errs half of the time.
    prior = np.r_[0.5, np.full(1024, 0.5 / 1024)]
    h = float(entropy(prior, 1))
    with pytest.warns(UserWarning, match="it is no bound where H"):
        paper = error_lower_bound(0.0, h, 1025, "paper")
    assert paper == pytest.approx(0.882, abs=5e-4)
    for form in VALID:
        assert error_lower_bound(0.0, h, 1025, form) <= 0.5 + 1e-9, form
    assert error_lower_bound(0.0, h, 1025) == pytest.approx(0.5, abs=1e-6)  # Fano is exact here


def test_fano_agrees_with_a_root_finder() -> None:
    rng = np.random.default_rng(0)
    for size in (2, 3, 10, 1000):
        for left in rng.uniform(1e-6, math.log(size) * 0.999, size=20):

            def gap(p: float, size: int = size, left: float = left) -> float:
                return -p * math.log(p) - (1 - p) * math.log1p(-p) + p * math.log(size - 1) - left

            root = optimize.brentq(gap, 1e-12, 1 - 1 / size, xtol=1e-14)
            assert error_lower_bound(0.0, left, size) == pytest.approx(root, abs=1e-9)


def test_corrected_solves_the_quadratic_it_is_derived_from() -> None:
    for curvature, form in ((2.0, "corrected"), (2 / math.log(2), "tight")):
        p = error_lower_bound(0.4, 1.9, 12, form)
        bits = (1.9 - 0.4) / math.log(2)
        assert 1 - curvature * (p - 0.5) ** 2 + p * math.log2(11) == pytest.approx(bits, abs=1e-12)
    # As published for balanced labels, where the two have almost the same L.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert error_lower_bound(1.0, math.log(1000), 1000, "paper") == pytest.approx(
            error_lower_bound(1.0, math.log(1000), 1000, "corrected"), abs=1e-3
        )


@settings(max_examples=60)
@given(
    st.integers(2, 2000),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_forms_are_ordered_and_fall_with_information(size: int, share: float, known: float) -> None:
    h = share * math.log(size)
    information = np.linspace(0, known * h, 7)
    bounds = {form: error_lower_bound(information, h, size, form) for form in VALID}
    assert (bounds["fano"] >= bounds["tight"] - 1e-7).all()
    assert (bounds["tight"] >= bounds["corrected"] - 1e-12).all()
    assert (bounds["fano"] >= bounds["weak"] - 1e-7).all()
    for values in bounds.values():
        assert (np.diff(values) <= 1e-9).all()
    assert (bounds["fano"] <= 1 - 1 / size).all()


def test_numbers_give_a_float_and_arrays_broadcast() -> None:
    assert type(error_lower_bound(0.1, 0.5, 2)) is float
    grid = error_lower_bound(torch.tensor([0.0, 0.2]), 0.6, np.array([[2], [3], [9]]))
    assert grid.shape == (3, 2)
    assert grid[2, 1] == pytest.approx(error_lower_bound(float(torch.tensor(0.2)), 0.6, 9), abs=1e-12)


@pytest.mark.parametrize(
    ("information", "h", "size", "message"),
    [
        (-0.1, 0.5, 2, "^mutual_information must"),
        (0.1, -0.5, 2, "^label_entropy must"),
        (0.6, 0.5, 2, "^mutual_information must"),
        (0.1, 0.7, 2, "^label_entropy must"),
        (float("nan"), 0.5, 2, "^mutual_information must"),
        (0.1, float("inf"), 2, "^label_entropy must"),
        (0.0, 0.0, 1, "^classes must"),
        (0.0, 0.5, 2.5, "^classes must"),
        ("0.1", 0.5, 2, "^mutual_information must"),
        ([0.1, 0.2], [0.5, 0.5, 0.5], 2, "have shapes"),
    ],
)
def test_bad_input_is_said_in_one_line(information: object, h: object, size: object, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message) as caught:
        error_lower_bound(information, h, size)
    assert "\n" not in str(caught.value)


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'fano'"):
        error_lower_bound(0.1, 0.5, 2, "fanno")


def test_the_paper_form_warns_of_unbalanced_labels() -> None:
    with pytest.warns(UserWarning, match="it still holds for H"):
        error_lower_bound(0.1, 0.65, 2, "paper")
    with pytest.warns(UserWarning, match="it is no bound"):
        error_lower_bound(0.1, 1.0, 10, "paper")
