"""Claims that follow from the figures of a table: the effect of the batch size, against that on cross-entropy."""

from __future__ import annotations

import pytest
from infoflow_reproductions import Verdict
from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.harness.inference import Sample
from infoflow_reproductions.milc.statements import best_of_others, less_gain_from_larger_batches


def claims(budget: str, **means: tuple[float, float]) -> list[Claim]:
    """Return the claims from accuracies at B = 32 and 2048, each of four seeds with deviation 0.002."""
    names = {"ce": "cross-entropy", "mil": "mutual information, λ = 50", "ema": "mutual information, averaged marginal"}
    figures = {
        f"{names[loss]}, B = {size}, equal {budget} (100 steps)": Sample(mean, 0.002, 4)
        for loss, pair in means.items()
        for size, mean in zip((32, 2048), pair, strict=True)
    }
    return less_gain_from_larger_batches(figures)


def test_a_fall_that_cross_entropy_shares_is_not_that_of_mutual_information() -> None:
    contrast, alone = claims("epochs", ce=(0.96, 0.61), mil=(0.97, 0.62), ema=(0.9, 0.2))
    assert contrast.holds is None
    assert contrast.published
    assert alone.holds is True  # cross-entropy falls as well, since the steps are fewer
    assert not alone.published


def test_the_falls_are_compared_by_the_error_of_four_means() -> None:
    contrast, _ = claims("epochs", ce=(0.96, 0.61), mil=(0.97, 0.57))
    assert contrast.holds is True
    assert contrast.sample is not None
    assert contrast.sample.mean == pytest.approx(0.05)
    assert contrast.sample.deviation / contrast.sample.n**0.5 == pytest.approx(0.002)  # √(4 · 0.002² / 4)
    assert contrast.sample.n == 13  # Welch's degrees of freedom for four equal variances: 4 · 3
    less, _ = claims("epochs", ce=(0.96, 0.61), mil=(0.97, 0.72))
    assert less.verdict is Verdict.DIFFERS


def test_networks_near_guessing_are_not_judged() -> None:
    contrast, _ = claims("epochs", ce=(0.35, 0.11), mil=(0.17, 0.11))
    assert contrast.verdict is Verdict.INCONCLUSIVE
    assert "near that of guessing" in contrast.evidence


def test_equal_steps_are_a_control_of_this_reproduction() -> None:
    (control,) = claims("steps", ce=(0.9, 0.9), mil=(0.9, 0.8))
    assert control.holds is True
    assert not control.published
    assert claims("epochs", ce=(0.9, 0.9)) == []


def test_only_the_papers_variants_decide_its_claim() -> None:
    means = {
        "cross-entropy": 0.9,
        "label smoothing": 0.91,
        "confidence penalty": 0.92,
        "confidence penalty, weighted": 0.96,
        "NCMI": 0.99,
        "mutual information, λ = 50": 0.95,
    }
    figures = {f"mlp: {name}": Sample(mean, 0.002, 4) for name, mean in means.items()}
    variants, others = best_of_others(figures)
    assert variants.text == (
        "mlp: at the paper's settings it outperforms the best of the paper's variants, confidence penalty"
    )
    assert variants.published
    assert variants.holds is True
    assert others.text == "mlp: at the paper's settings it outperforms the best other loss, NCMI"
    assert not others.published
    assert others.holds is False
    few = {name: sample for name, sample in figures.items() if "NCMI" not in name and "weighted" not in name}
    assert [claim.published for claim in best_of_others(few)] == [True]
    assert best_of_others({"mlp: cross-entropy": Sample(0.9, 0.1, 3)}) == []
