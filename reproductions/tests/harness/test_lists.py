"""What the lists of a recipe must hold, and that every experiment can be reported with the lists it accepts."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from infoflow_reproductions import PAPERS, Experiment, Results, RunOptions, Trial, experiments
from infoflow_reproductions.harness.lists import Entries, check_lists
from infoflow_reproductions.harness.running import run_trials
from matplotlib.figure import Figure as Canvas

from infoflow.core.errors import InfoflowError, InvalidArgument

# Their trials train a language model.
_LONG = {"learning-is-forgetting", "layer-by-layer"}
EXPERIMENTS = [
    pytest.param(experiment, id=f"{paper}-{name}", marks=[pytest.mark.slow] * (paper in _LONG))
    for paper in PAPERS
    for name, experiment in experiments(paper).items()
]
# Lists that are settings of one trial, not trials of their own.
_OF_A_TRIAL = {"variants", "sweeps", "estimators", "sides", "counts", "hidden", "also_at", "data", "milestones", "at"}


@dataclasses.dataclass(frozen=True)
class Recipe:
    weights: tuple[float, ...] = (0.0, 1.0)


@pytest.mark.parametrize(
    ("weights", "need", "message"),
    [
        ((), Entries(), "a list of at least 1 entry, which"),
        ((0.0,), Entries((0.0,), at_least=2), "a list of at least 2 entries, which"),
        ((1.0,), Entries((0.0,), at_least=2), "a list of at least 2 entries and with 0.0, which"),
        ((), Entries((0.0, 2.0)), "a list with 0.0 and with 2.0, which"),
    ],
)
def test_what_a_list_lacks_is_named(weights: tuple[float, ...], need: Entries, message: str) -> None:
    with pytest.raises(InvalidArgument, match=f"recipe.weights must be {message} the report needs"):
        check_lists(Recipe(weights), {"weights": need})


def test_lists_with_enough_entries_pass() -> None:
    check_lists(Recipe((3.0, 0.0)), {"weights": Entries((0.0,), at_least=2)})


def shortened(recipe: Any) -> Iterator[Any]:
    """The recipe with each of its lists cut to its first entry, its last one and none."""
    for each in dataclasses.fields(recipe):
        value = getattr(recipe, each.name)
        if isinstance(value, tuple) and value and each.name not in _OF_A_TRIAL:
            for entries in dict.fromkeys((value[:1], value[-1:], ())):
                yield dataclasses.replace(recipe, **{each.name: entries})


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_shorter_lists_are_refused_at_once_or_reported(
    experiment: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INFOFLOW_DATA", str(tmp_path / "nothing"))
    known: dict[str, Any] = {}

    def result(trial: Trial) -> Any:
        settings = json.dumps([trial.name, trial.arguments], sort_keys=True, default=str)
        if settings not in known:
            ran = run_trials([trial], tmp_path / str(len(known)), RunOptions(device="cpu"))
            known[settings] = ran[trial.name]
        return known[settings]

    for recipe in shortened(experiment.recipe("smoke")):
        try:
            check_lists(recipe, experiment.needs)
            trials = experiment.trials(recipe)
        except InfoflowError:
            continue
        if trials:  # otherwise the run is refused
            findings = experiment.report(recipe, Results(trials, {trial.name: result(trial) for trial in trials}))
            for figure in findings.figures:
                figure.draw(Canvas())
