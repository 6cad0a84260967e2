"""The contract of every experiment of every paper, at the smallest scale and without data sets."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pandas as pd
import pytest
import torch
from infoflow_reproductions import PAPERS, SCALES, Experiment, RunOptions, experiments, reproduce
from infoflow_reproductions.harness.summary import read

EXPERIMENTS = [experiment for paper in PAPERS for experiment in experiments(paper).values()]


@pytest.fixture(autouse=True)
def no_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("INFOFLOW_DATA", str(tmp_path / "nothing"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda e: f"{e.paper}-{e.name}")
def test_every_experiment_runs_and_reports(experiment: Experiment, tmp_path: Path) -> None:
    state = torch.get_rng_state()
    folder = tmp_path / experiment.paper / experiment.name
    done = reproduce(experiment, "smoke", folder, RunOptions(device="cpu"))
    assert torch.equal(torch.get_rng_state(), state)
    assert done.findings.rows or done.findings.claims
    assert done.findings.figures
    names = [figure.name for figure in done.findings.figures]
    assert len(set(names)) == len(names)
    for name in names:
        assert (folder / f"{name}.png").stat().st_size > 2000
    summary = json.loads((folder / "results.json").read_text())
    assert summary["settings"]["scale"] == "smoke"
    assert len(pd.read_csv(folder / "trials.csv")) == len(experiment.trials(done.recipe))
    # Collecting judges the claims again and must not list one twice.
    (collected,) = read(tmp_path)
    texts = [claim["claim"] for claim in summary["claims"]]
    assert [claim["claim"] for claim in collected["claims"]] == texts
    assert len(set(texts)) == len(texts)
    # Tiny networks on substitute data must not count as a reproduction.
    assert not [row.what for row in done.findings.rows if row.verdict == "reproduced" and row.comparable]


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda e: f"{e.paper}-{e.name}")
def test_every_experiment_has_all_scales_and_trials_with_a_json_form(experiment: Experiment) -> None:
    assert experiments(experiment.paper)[experiment.name] is experiment
    assert {*SCALES} - {"cpu-published"} <= set(experiment.recipes) <= {*SCALES}
    for scale in experiment.recipes:
        recipe = experiment.recipe(scale)
        assert dataclasses.is_dataclass(recipe)
        assert recipe.__dataclass_params__.frozen
        trials = experiment.trials(recipe)
        assert len({trial.name for trial in trials}) == len(trials)
        for trial in trials:
            json.dumps(dict(trial.arguments))
        fewer = experiment.trials(dataclasses.replace(recipe, seeds=1))
        settings = {trial.name: trial.arguments for trial in trials}
        # The trials of a seed do not depend on the number of seeds, so that more seeds reuse stored results.
        # Seeds that train side by side are one trial, which depends on how many they are.
        apart = [trial for trial in fewer if not isinstance(trial.arguments.get("seeds"), tuple)]
        assert {trial.name for trial in fewer} <= {*settings}
        assert [trial.name for trial in apart if settings[trial.name] != trial.arguments] == []
