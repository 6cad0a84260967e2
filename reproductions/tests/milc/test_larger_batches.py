"""Claims that follow from the figures of a table: the effect of the batch size, and that on cross-entropy."""

from __future__ import annotations

import pytest
from infoflow_reproductions import Verdict
from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.harness.inference import Sample
from infoflow_reproductions.milc.larger_batches import of_batch_sizes


def claims(budget: str, **means: tuple[float, float]) -> list[Claim]:
    """Return the claims from accuracies at B = 32 and 2048, each of four seeds with deviation 0.002."""
    names = {"ce": "cross-entropy", "mil": "mutual information, λ = 50", "ema": "mutual information, averaged marginal"}
    figures = {
        f"{names[loss]}, B = {size}, equal {budget} (100 steps)": Sample(mean, 0.002, 4)
        for loss, pair in means.items()
        for size, mean in zip((32, 2048), pair, strict=True)
    }
    return of_batch_sizes(figures, 512)


def test_a_fall_that_cross_entropy_shares_is_not_that_of_mutual_information() -> None:
    own, contrast, alone = claims("epochs", ce=(0.96, 0.61), mil=(0.97, 0.62), ema=(0.9, 0.2))
    assert own.text == (
        "equal epochs: mutual information learning's accuracy does not always rise (smallest above largest B)"
    )
    assert own.holds is True
    assert contrast.holds is None
    assert own.published
    assert contrast.published
    assert alone.holds is True  # cross-entropy falls as well, since the steps are fewer
    assert not alone.published


def test_the_falls_are_compared_by_the_error_of_four_means() -> None:
    _, contrast, _ = claims("epochs", ce=(0.96, 0.61), mil=(0.97, 0.57))
    assert contrast.holds is True
    assert contrast.sample is not None
    assert contrast.sample.mean == pytest.approx(0.05)
    assert contrast.sample.deviation / contrast.sample.n**0.5 == pytest.approx(0.002)  # √(4 · 0.002² / 4)
    assert contrast.sample.n == 13  # Welch's degrees of freedom for four equal variances: 4 · 3
    _, less, _ = claims("epochs", ce=(0.96, 0.61), mil=(0.97, 0.72))
    assert less.verdict is Verdict.DIFFERS


def test_networks_near_guessing_are_not_judged() -> None:
    for claim in claims("epochs", ce=(0.35, 0.11), mil=(0.17, 0.11)):
        assert claim.verdict is Verdict.INCONCLUSIVE
        assert "not judged: an accuracy of 0.11 is near that of guessing, 0.1" in claim.evidence
    own, contrast, _ = claims("epochs", ce=(0.35, 0.11), mil=(0.2, 0.3))
    assert own.verdict is Verdict.DIFFERS  # its own networks learned, and their accuracy rises
    assert contrast.verdict is Verdict.INCONCLUSIVE


def test_the_comparison_of_the_tables_is_judged_in_their_experiments() -> None:
    figures = {
        f"{name}, B = 512, equal epochs (100 steps)": Sample(mean, 0.002, 4)
        for name, mean in (("cross-entropy", 0.9), ("mutual information, λ = 50", 0.91))
    }
    (claim,) = of_batch_sizes(figures, 512)
    assert claim.text == "B = 512, equal epochs: mutual information learning outperforms cross-entropy"
    assert claim.holds is True
    assert not claim.published
    assert of_batch_sizes(figures, 256) == []


def test_equal_steps_are_a_control_of_this_reproduction() -> None:
    (control,) = claims("steps", ce=(0.9, 0.9), mil=(0.9, 0.8))
    assert control.holds is True
    assert not control.published
    assert claims("epochs", ce=(0.9, 0.9)) == []
