"""Claims: their scale, their correction for multiplicity, and their passage through a file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

import pytest
from infoflow_reproductions import Claim, Row
from infoflow_reproductions.harness.findings import Findings, Verdict
from infoflow_reproductions.harness.inference import PERCENT, Sample
from infoflow_reproductions.harness.records import claim_of, corrected, record_of
from infoflow_reproductions.harness.reductions import reduction
from infoflow_reproductions.harness.row_claims import descends, exceeds, figures_of, figures_of_records, not_below
from scipy import stats

from infoflow.core.provenance import plain


def test_claims_have_a_scale() -> None:
    claim = Claim.above("a is better", [1.0, 1.1, 0.9, 1.0])
    (placed,) = Findings(claims=[claim]).placed(lambda _: "section 4", reduced="4 epochs", anytime=False).claims
    assert placed.verdict is Verdict.REPRODUCED_REDUCED
    assert placed.place == "section 4"
    assert replace(placed, holds=False).verdict is Verdict.DIFFERS_REDUCED
    ours = replace(claim, published=False)
    assert Findings(claims=[ours]).placed(lambda _: "x", reduced="y", anytime=False).claims[0] == ours


def test_three_seeds_never_suffice_to_differ() -> None:
    assert Claim.above("a", [-1.0, -1.01, -1.0]).verdict is Verdict.INCONCLUSIVE
    assert Claim.above("a", [-1.0, -1.01, -1.0, -1.0]).verdict is Verdict.DIFFERS
    assert Claim.above("a", [-1.0, -1.01, -1.0], published=False).verdict is Verdict.INCONCLUSIVE


def test_a_count_over_three_seeds_does_not_suffice_to_differ_either() -> None:
    assert Claim("every layer compresses", False, "2 of 5 do", seeds=3).verdict is Verdict.INCONCLUSIVE
    assert Claim("every layer compresses", False, "2 of 5 do", seeds=4).verdict is Verdict.DIFFERS
    assert Claim("every layer compresses", True, "5 of 5 do", seeds=3).verdict is Verdict.REPRODUCED
    assert Claim("the bound holds", False, "682 violations in 60000 channels").verdict is Verdict.DIFFERS


def test_added_seeds_are_judged_by_an_interval_valid_at_any_time() -> None:
    claim = Claim.above("a", [1.0, 0.2, 0.9, 0.4, 1.1])
    assert claim.holds is True
    later = claim.judged_anytime()
    assert later.holds is None
    assert "interval valid at any number" in later.evidence
    alone = Claim.above("a", [1.0])
    assert alone.judged_anytime() == alone  # one seed has no interval at all
    few = Claim.above("a", [1.0, 1.1]).judged_anytime()
    assert few.holds is None
    assert few.evidence.endswith("; not the planned number of seeds, too few for an interval valid at any number")


def test_correction_counts_the_families_apart() -> None:
    barely = Claim("p", True, "", sample=Sample(1.0, 1.0, 8))  # p = 0.026
    assert 0.025 < barely.sample.p < 0.05  # type: ignore[union-attr]
    alone = corrected([barely, replace(barely, published=False), Claim("no test", True, "")])
    assert alone == [Verdict.REPRODUCED, Verdict.HOLDS, None]
    assert corrected([barely, barely])[0] is Verdict.INCONCLUSIVE


def test_a_level_is_not_called_a_difference() -> None:
    correlations = [0.99, 0.98, 0.995, 0.99]
    claim = Claim.above("rank correlation above 0.8", correlations, 0.8, span=(-1.0, 1.0))
    assert claim.evidence.startswith("mean 0.9888 [")
    assert Claim.above("correlation above 0", correlations, span=(-1.0, 1.0)).evidence.startswith("mean 0.9888 [")
    gains = Claim.above("a gain of more than 2 points", correlations, 0.5, unit="points")
    for difference in (
        gains,
        Claim.above("a gain", correlations, -0.5),
        Claim.above("bits", correlations, unit="bits"),
    ):
        assert difference.evidence.startswith("difference 0.9888 [")
        assert claim_of(record_of(difference)) == difference
    # As earlier versions stored it.
    older = {**record_of(claim), "evidence": claim.evidence.replace("mean", "difference", 1)}
    assert claim_of(older) == claim


def test_records_survive_a_file() -> None:
    for claim in (
        Claim.above("a", [1.0, 2.0, 1.5, 0.7], unit="%"),
        Claim.falling("b", [[3.0, 2.0, 1.0], [3.1, 2.2, 0.9]]),
        Claim("c", None, "text", published=False),
    ):
        back = claim_of(json.loads(json.dumps(plain(record_of(claim)), allow_nan=False)))
        assert back == claim


def test_figures_of_stored_rows_are_those_of_the_values() -> None:
    row = Row("nats", [1.0, 3.0, 2.5, 2.0])
    found = row.found
    stored = {"what": "nats", "found": found.mean, "low": found.low, "high": found.high, "seeds": 4}
    (direct,), (parsed,) = figures_of([row]).values(), figures_of_records([stored]).values()
    assert (parsed.mean, parsed.deviation, parsed.n) == pytest.approx((direct.mean, direct.deviation, direct.n))


def test_claims_of_figures() -> None:
    high, low = Sample(2.0, 0.1, 5), Sample(1.0, 0.1, 5)
    assert exceeds("", high, low, "nats").holds is True
    assert exceeds("", low, high, "nats").holds is False
    assert descends("", [high, Sample(1.5, 0.1, 5), low], "nats").holds is True
    assert descends("", [high, Sample(2.5, 0.1, 5), low], "nats").holds is False
    assert descends("", [high, Sample(2.02, 0.1, 5), low], "nats").holds is None
    # A difference that is not significant supports nothing by itself.
    wide = Sample(1.0, 1.0, 5)
    assert not_below("", wide, wide, 0.1, "").holds is None
    assert not_below("", low, low, 0.5, "").holds is True
    assert not_below("", low, high, 0.5, "").holds is False


def test_rows_with_floors_or_guessed_figures_are_not_reproduced() -> None:
    assert Row("I(X;T)", [0.0, 0.0], published=0.0, tolerance=0.4, floor=0.0).verdict is Verdict.INCONCLUSIVE
    assert Row("a", [0.93] * 4, published=0.93, tolerance=0.01, certain=False).verdict is Verdict.SETTINGS_UNKNOWN


def test_reductions_are_listed_from_the_recipe() -> None:
    assert (
        reduction({"epochs": 4, "seeds": 3}, {"epochs": 100, "seeds": 5})
        == "epochs 4 instead of 100, seeds 3 instead of 5"
    )
    assert reduction({"epochs": 4, "seeds": 9}, {"epochs": 100, "seeds": 5}) == "epochs 4 instead of 100"


def test_settings_that_trials_omit_at_their_default_are_listed_among_reductions() -> None:
    @dataclass(frozen=True)
    class Recipe:
        standardized: bool = field(default=False, metadata={"omit_default": True})

    assert reduction(Recipe(True), Recipe()) == "standardized True instead of False"
    assert reduction(Recipe(), Recipe(True)) == "standardized False instead of True"


def test_differences_are_not_bounded_by_zero() -> None:
    """The interval of three small positive differences is Student's, as their range of ±100 points is far away."""
    claim = Claim.above("a", [0.001, 5.0, 0.002], unit="%")
    assert claim.verdict is Verdict.INCONCLUSIVE
    low, high = stats.ttest_1samp([0.001, 5.0, 0.002], 0.0).confidence_interval(0.95)
    assert claim.sample.interval == pytest.approx((low, high), rel=0.01)  # type: ignore[union-attr]
    level = Claim.above("a", [0.95, 0.97, 0.99], 0.5, span=(0.0, 1.0), unit="accuracy")
    assert level.holds is True
    assert level.sample.interval[1] <= 1  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("values", "verdict"), [([0.001, 5.0, 0.002], "inconclusive"), ([5.0, 5.1, 4.9], "reproduced")]
)
def test_differences_that_were_stored_with_the_range_of_a_level_are_judged_again(
    values: list[float], verdict: str
) -> None:
    bounded = Sample.of(values, span=PERCENT)
    stored = Claim("a", True, f"difference {bounded.text()} % over 3 seeds", sample=bounded)
    back = claim_of(json.loads(json.dumps(plain(record_of(stored)))))
    assert back == Claim.above("a", values, unit="%")
    assert back.verdict == verdict
    undecided = replace(stored, holds=None)
    assert claim_of(record_of(undecided)).holds is None
    level = Claim.above("a", values, span=PERCENT, unit="%")
    assert claim_of(record_of(level)) == level
