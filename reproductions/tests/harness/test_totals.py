"""Counts of verdicts with and without regard to the number of claims."""

from __future__ import annotations

from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.harness.inference import Sample
from infoflow_reproductions.harness.records import record_of
from infoflow_reproductions.harness.totals import counted, judged


def test_claims_of_all_experiments_of_a_paper_are_corrected_together() -> None:
    """With p = 0.026 each, either claim is significant alone and none is of two; p = 0.0001 remains."""
    barely, clearly = Claim("a", True, "", sample=Sample(1.0, 1.0, 8)), Claim("b", True, "", sample=Sample(3.0, 1.0, 8))
    untested, ours = Claim("c", False, ""), Claim("d", True, "", published=False)
    one = {"claims": [record_of(claim) for claim in (barely, ours)]}
    other = {"claims": [record_of(claim) for claim in (barely, clearly, untested)]}
    assert [counted(some) for some in judged([one])] == ["1 reproduced (1 with Holm)"]
    assert [counted(some) for some in judged([one, other])] == [
        "1 reproduced (none with Holm)",
        "2 reproduced (1 with Holm), 1 differs (1 without a test)",
    ]
