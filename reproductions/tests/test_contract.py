"""What every experiment of every paper does, at the smallest scale and without any data set at hand."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pandas as pd
import pytest
import torch
from infoflow_reproductions import PAPERS, SCALES, Experiment, experiments, reproduce

EXPERIMENTS = [experiment for paper in PAPERS for experiment in experiments(paper).values()]


@pytest.fixture(autouse=True)
def no_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("INFOFLOW_DATA", str(tmp_path / "nothing"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda e: f"{e.paper}-{e.name}")
def test_every_experiment_runs_and_says_what_it_found(experiment: Experiment, tmp_path: Path) -> None:
    state = torch.get_rng_state()
    done = reproduce(experiment, "smoke", tmp_path / "run", device="cpu")
    assert torch.equal(torch.get_rng_state(), state)
    assert done.findings.rows or done.findings.claims
    assert done.findings.figures
    names = [figure.name for figure in done.findings.figures]
    assert len(set(names)) == len(names)
    for name in names:
        assert (tmp_path / "run" / f"{name}.png").stat().st_size > 2000
    summary = json.loads((tmp_path / "run" / "results.json").read_text())
    assert summary["settings"]["scale"] == "smoke"
    assert len(pd.read_csv(tmp_path / "run" / "trials.csv")) == len(experiment.trials(done.recipe))
    # Tiny networks on stand-in data say nothing of a published figure.
    assert not [row.what for row in done.findings.rows if row.verdict == "reproduced" and row.comparable]


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda e: f"{e.paper}-{e.name}")
def test_every_experiment_has_its_scales_and_plain_trials(experiment: Experiment) -> None:
    assert experiments(experiment.paper)[experiment.name] is experiment
    assert set(experiment.recipes) == set(SCALES)
    for scale in SCALES:
        recipe = experiment.recipe(scale)
        assert dataclasses.is_dataclass(recipe)
        assert recipe.__dataclass_params__.frozen
        trials = experiment.trials(recipe)
        assert len({trial.name for trial in trials}) == len(trials)
        for trial in trials:
            json.dumps(dict(trial.arguments))
        fewer = experiment.trials(dataclasses.replace(recipe, seeds=1))
        # A seed's trials don't depend on how many seeds there are: more seeds re-use what is known.
        assert {trial.name for trial in fewer} <= {trial.name for trial in trials}
