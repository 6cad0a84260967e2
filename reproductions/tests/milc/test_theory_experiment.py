"""The trials of the theory against enumeration, and the verdicts that follow from them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from infoflow_reproductions import Context, experiments, reproduce
from infoflow_reproductions.milc.known_truth import (
    bounds,
    channels,
    empirical,
    label_entropy,
    mixture,
    random_channels,
)
from infoflow_reproductions.milc.theory import THEORY

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
    assert one["outside"] == ten["outside"] == 0
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
    assert verdicts["the paper form holds for random channels with unbalanced labels"] == "differs at reduced scale"
    assert verdicts["the paper form holds for random channels with balanced labels"] == "reproduced at reduced scale"
    tighter = "the paper's bound is tighter than Fano's inequality "
    assert verdicts.pop(f"{tighter}solved for the error exactly") == "differs at reduced scale"
    assert verdicts[f"{tighter}in its weak form, (H − I − 1) / log C"] == "reproduced at reduced scale"
    others = {verdict for text, verdict in verdicts.items() if not text.startswith("the paper form")}
    assert all(experiments("milc")["theory"].place(claim.text) for claim in done.findings.claims if claim.published)
    assert others <= {"holds", "reproduced", "reproduced at reduced scale"}
    pictures = {figure.name for figure in done.findings.figures}
    assert pictures == {"error-bounds-balanced", "error-bounds-unbalanced", "mixture-information", "mixture-error"}
