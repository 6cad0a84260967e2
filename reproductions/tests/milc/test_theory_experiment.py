"""The trials of the theory against enumeration, and the verdicts that follow from them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from infoflow_reproductions import Context, experiments, reproduce
from infoflow_reproductions.milc import gaussian_classes, known_truth
from infoflow_reproductions.milc.gaussian_classes import gaussian_grid, mixture
from infoflow_reproductions.milc.known_truth import (
    binary_entropy,
    bounds,
    channels,
    cross_entropies,
    empirical,
    label_entropy,
    random_channels,
)
from infoflow_reproductions.milc.theory import THEORY
from infoflow_reproductions.milc.theory_claims import of_curves, of_grid, of_mixtures

CONTEXT = Context(None, "cpu", Path("unused"), False)


def test_random_channels_equal_enumeration() -> None:
    class Remembering:
        """Stores the distributions that are drawn."""

        def __init__(self) -> None:
            self.rng, self.drawn = np.random.default_rng(3), []

        def integers(self, *args: int) -> int:
            return int(self.rng.integers(*args))

        def choice(self, values: list[float]) -> float:
            return float(self.rng.choice(values))

        def dirichlet(self, alpha: np.ndarray, size: object) -> np.ndarray:
            self.drawn.append(self.rng.dirichlet(alpha, size=size))
            return self.drawn[-1]

    rng = Remembering()
    information, entropy, error = random_channels(20, 4, "unbalanced", rng)  # type: ignore[arg-type]
    given, prior = rng.drawn
    for i in range(20):
        joint = prior[i][:, None] * given[i]
        rows, columns = joint.sum(1), joint.sum(0)
        terms = [p * math.log(p / (rows[c] * columns[x])) for (c, x), p in np.ndenumerate(joint) if p > 0]
        assert information[i] == pytest.approx(sum(terms), abs=1e-9)
        assert entropy[i] == pytest.approx(-sum(p * math.log(p) for p in prior[i] if p > 0))
        assert error[i] == pytest.approx(sum(joint[:, x].sum() - joint[:, x].max() for x in range(joint.shape[1])))


def test_balanced_channels_have_balanced_labels() -> None:
    _, entropy, _ = random_channels(10, 5, "balanced", np.random.default_rng(0))
    assert entropy == pytest.approx(math.log(5))


def test_the_paper_form_fails_for_unbalanced_labels_only() -> None:
    unbalanced = channels(context=CONTEXT, labels="unbalanced", count=6000, seed=0)
    balanced = channels(context=CONTEXT, labels="balanced", count=6000, seed=0)
    assert unbalanced["channels"] == balanced["channels"] == 6000
    assert unbalanced["paper_violations"] > 0 == balanced["paper_violations"]
    assert unbalanced["paper_worst"] > 0.01
    for form in ("fano", "tight", "corrected", "weak"):
        assert unbalanced[f"{form}_violations"] == balanced[f"{form}_violations"] == 0
        assert unbalanced[f"{form}_worst"] == 0
    assert balanced["fano_gap"] < balanced["tight_gap"] < balanced["corrected_gap"] < balanced["weak_gap"]


@pytest.mark.parametrize("labels", ["balanced", "unbalanced"])
def test_the_entropy_of_labels_errs_less_with_more_of_them(labels: str) -> None:
    found = empirical(context=CONTEXT, labels=labels, count=100, seed=0)
    errors = [found["errors"][str(n)] for n in (10, 100, 1000, 10_000)]
    assert found["outside"] == 0
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > 0.1 > 0.01 > errors[-1]


def test_curves_begin_at_no_information_and_end_at_all_of_it() -> None:
    found = bounds(context=CONTEXT, classes=10, labels="unbalanced")
    assert found["information"][-1] == pytest.approx(label_entropy(10, "unbalanced"))
    # Half on one class, 1/18 on each of the others.
    assert label_entropy(10, "unbalanced") == pytest.approx(0.5 * math.log(2) + 9 / 18 * math.log(18))
    assert found["fano"][0] == pytest.approx(found["majority_error"], abs=1e-6)
    assert found["paper"][0] > found["majority_error"] == 0.5
    assert found["fano"][-1] == pytest.approx(0, abs=1e-6)


def test_mixture_bounds_bracket_in_any_dimension() -> None:
    one, ten = (mixture(context=CONTEXT, dimensions=n) for n in (1, 10))
    for found in (one, ten):
        assert found["outside_paper"] == found["outside_added"] == 0
    assert one["positive_lower"] > 0 == ten["positive_lower"]
    np.testing.assert_allclose(one["overlap"], ten["overlap"])
    assert max(one["energy"]) > max(ten["energy"]) == 0
    assert all(np.asarray(one["fano"]) <= np.asarray(one["bayes_error"]) + 1e-7)


def test_the_bound_without_information_rounds_to_the_published_value() -> None:
    # L = log2(100): (2 + L − √((L − 2)² + 4)) / 4
    length = math.log2(100)
    value = bounds(context=CONTEXT, classes=100, labels="balanced")["paper"][0]
    assert value == pytest.approx((2 + length - math.sqrt((length - 2) ** 2 + 4)) / 4)
    assert round(value, 1) == 0.9


def test_verdicts_follow_from_the_numbers(tmp_path: Path) -> None:
    done = reproduce(THEORY, "smoke", tmp_path / "theory")
    verdicts = {claim.text: claim.verdict for claim in done.findings.claims}
    channel = "the paper's bound holds for random channels with"
    assert verdicts.pop(f"{channel} unbalanced labels") == "differs at reduced scale"
    assert verdicts[f"{channel} balanced labels"] == "reproduced at reduced scale"
    tighter = "the paper's bound is tighter than Fano's inequality "
    assert verdicts.pop(f"{tighter}solved for the error exactly") == "differs at reduced scale"
    assert verdicts[f"{tighter}in its weak form, (H − I − 1) / log C"] == "reproduced at reduced scale"
    others = set(verdicts.values())
    assert all(experiments("milc")["theory"].place(claim.text) for claim in done.findings.claims if claim.published)
    assert others <= {"holds", "reproduced", "reproduced at reduced scale"}
    pictures = {figure.name for figure in done.findings.figures}
    assert pictures == {"error-bounds-balanced", "error-bounds-unbalanced", "mixture-information", "mixture-error"}


def test_the_corollary_has_the_papers_upper_bound() -> None:
    found = mixture(context=CONTEXT, dimensions=1)
    s = 1 / np.asarray(found["variance"])
    # (3 − √(5 + 8 s)) / 4 with s in bits; the sharper bound by the divergence would give more.
    expected = np.maximum((3 - np.sqrt(5 + 8 * s / math.log(2))) / 4, 0)
    np.testing.assert_allclose(found["corollary"], expected, atol=1e-12)
    assert found["positive_corollary"] == int((expected > 0).sum()) > 0
    paper, added, corollary = of_mixtures({1: found})
    assert paper.holds is added.holds is corollary.holds is True
    assert (paper.published, added.published, corollary.published) == (True, False, True)
    wrong = {**found, "outside_paper": 2, "corollary": np.asarray(found["bayes_error"]) + 0.1}
    assert [claim.holds for claim in of_mixtures({1: wrong})] == [False, True, False]


def test_information_and_errors_fall_on_the_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    found = gaussian_grid(context=CONTEXT, means=6, variances=8)
    assert max(found["information_off"], found["error_off"]) < 1e-9
    # 6 · 7 steps by variance and as many with 5 · 8 by mean for errors, less those at a limit.
    assert 0 < found["information_steps"] <= 42
    assert 0 < found["bound_steps"] < found["error_steps"] <= 82
    assert all(claim.holds for claim in of_grid(found))

    def upside_down(mean: float, variance: float) -> tuple[float, float]:
        return gaussian_classes_quadrature(1 / mean, 1 / variance)

    gaussian_classes_quadrature = gaussian_classes._by_quadrature
    monkeypatch.setattr(gaussian_classes, "_by_quadrature", upside_down)
    wrong = gaussian_grid(context=CONTEXT, means=6, variances=8)
    information, error, bound, agreement = of_grid(wrong)
    assert information.holds is error.holds is agreement.holds is False
    assert bound.holds is True  # it does not rest on the quadrature


def test_entropies_are_at_most_cross_entropies(monkeypatch: pytest.MonkeyPatch) -> None:
    found = cross_entropies(context=CONTEXT, count=20, seed=0)
    assert found["pairs"] == 5 * 3 * 3 * 20
    assert found["pairs"] / 2 < found["different"] < found["pairs"]
    assert found["above"] == found["unequal"] == found["equal"] == 0
    right = known_truth._cross_entropy
    monkeypatch.setattr(known_truth, "_cross_entropy", lambda p, q: right(q, p))  # Σ q log p in place of Σ p log q
    assert cross_entropies(context=CONTEXT, count=20, seed=0)["above"] > 0
    monkeypatch.setattr(known_truth, "_cross_entropy", lambda p, q: right(p, p))
    assert cross_entropies(context=CONTEXT, count=20, seed=0)["equal"] == found["different"]
    monkeypatch.setattr(known_truth, "_cross_entropy", lambda p, q: right(p, q) + 1e-3)
    assert cross_entropies(context=CONTEXT, count=20, seed=0)["unequal"] == found["pairs"]


@pytest.mark.parametrize(("curvature", "holds"), [(2.0, True), (2 / math.log(2), True), (3.0, False)])
def test_parabola_above_the_binary_entropy(curvature: float, holds: bool) -> None:
    """The second derivative of the binary entropy at ½ is −4 / ln 2, so that 2 / ln 2 is the largest curvature."""
    assert (binary_entropy(context=CONTEXT, points=1001, curvature=curvature)["above"] == 0) is holds


def test_a_bound_that_rises_with_information_is_found() -> None:
    curves = {"balanced": {10: bounds(context=CONTEXT, classes=10, labels="balanced")}}
    falls = "the paper's bound on the error falls as I(X;Y) rises"
    assert {claim.text: claim.holds for claim in of_curves(curves)}[falls] is True
    reversed_ = {"balanced": {10: {**curves["balanced"][10], "paper": curves["balanced"][10]["paper"][::-1]}}}
    assert {claim.text: claim.holds for claim in of_curves(reversed_)}[falls] is False
