"""Committed trials give the committed verdicts by today's rules."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from infoflow_reproductions import RunOptions, experiments
from infoflow_reproductions.harness.running import digest, run_trials
from infoflow_reproductions.harness.summary import read

RESULTS = Path(__file__).parents[1] / "results"
STORED = sorted(path.parent.relative_to(RESULTS).as_posix() for path in RESULTS.glob("*/*/run.json"))
# Planes of many seeds and settings take seconds to a minute to judge.
_SLOW = "information-plane/"


@pytest.mark.parametrize(
    "folder", [pytest.param(one, marks=pytest.mark.slow if one.startswith(_SLOW) else ()) for one in STORED]
)
def test_stored_trials_are_judged_as_the_page_has_it(folder: str) -> None:
    path = RESULTS / folder
    settings = json.loads((path / "run.json").read_text())["settings"]
    experiment = experiments(settings["paper"])[settings["experiment"]]
    recipe: Any = experiment.recipe(settings["scale"])
    if "seeds" in settings:
        recipe = dataclasses.replace(recipe, seeds=settings["seeds"])
    trials = experiment.trials(recipe)
    made = json.loads((path / "results.json").read_text())
    assert digest(trials) == made["provenance"]["recipe"]
    before = sorted(path.glob("trials/*"))
    assert len(before) >= len(trials)
    results = run_trials(trials, path / "trials", RunOptions(device="cpu"))
    assert sorted(path.glob("trials/*")) == before  # nothing was trained
    (listed,) = [one for one in read(RESULTS) if one["folder"] == folder]
    planned = experiment.planned(settings["scale"], settings.get("seeds"))
    findings = experiment.report(recipe, results).placed(
        experiment.place, reduced=listed["reduced"], anytime=bool(planned)
    )
    verdicts = {claim["claim"]: claim["verdict"] for claim in listed["claims"] if not claim.get("of_figures")}
    assert {claim.text: str(claim.verdict) for claim in findings.claims} == verdicts
    found = {row["what"]: row["found"] for row in listed["rows"]}
    assert {row.what: row.found.mean for row in findings.rows} == pytest.approx(found, nan_ok=True)
