"""The paragraph on Deep InfoMax names the claims that differ, from the committed results."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from infoflow_reproductions.harness.found import Found
from infoflow_reproductions.harness.paragraphs import dim
from infoflow_reproductions.harness.summary import read

RESULTS = Path(__file__).parents[2] / "results" / "dim"


@pytest.fixture(scope="module")
def summaries(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("results")
    for path in RESULTS.glob("*/results.json"):
        target = folder / "dim" / path.parent.name
        target.mkdir(parents=True)
        shutil.copy(path, target)
    return read(folder)


def with_claims(
    summaries: list[dict[str, Any]], change: Callable[[Mapping[str, Any]], Mapping[str, Any]]
) -> list[dict[str, Any]]:
    return [{**one, "claims": [change(record) for record in one["claims"]]} for one in summaries]


def test_claims_that_differ_are_named_and_others_counted(summaries: list[dict[str, Any]]) -> None:
    def only(*parts: str) -> str:
        def judged(claim: Mapping[str, Any]) -> Mapping[str, Any]:
            failing = claim["published"] and any(part in claim["claim"] for part in parts)
            return {**claim, "holds": False if failing else None, "seeds": 5}

        return dim(Found(with_claims(summaries, judged)))

    assert "Claims that differ" not in only()
    assert "Claims that differ: that Jensen–Shannon is insensitive to the number of negatives." in only("relatively")
    assert "Claims that differ: that a small local term beside the global one improves reconstruction; 1 more." in only(
        "MS-SSIM: a small amount of β", "outperforms InfoNCE"
    )


def test_the_gain_of_the_local_objective_is_worded_by_its_direction(summaries: list[dict[str, Any]]) -> None:
    assert "the local objective beats the global one by" in dim(Found(summaries))

    def turned(claim: Mapping[str, Any]) -> Mapping[str, Any]:
        if claim["claim"] != "DIM(L) JSD is above DIM(G) on Y":
            return claim
        sample = claim["sample"]
        return {**claim, "holds": False, "sample": {**sample, "mean": -sample["mean"], "low": -100.0, "high": 100.0}}

    assert "the local objective differs from the global one by -" in dim(Found(with_claims(summaries, turned)))
