"""The command that makes results, and the comment on results of an earlier recipe."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from infoflow_reproductions import Context, Experiment, Findings, Row, RunOptions, Trial, reproduce
from infoflow_reproductions.harness import commands


@dataclass(frozen=True)
class Recipe:
    epochs: int = 2
    rates: tuple[float, ...] = (0.1, 0.2)
    seeds: int = 2


def measure(*, context: Context, epochs: int, seed: int, kind: str) -> Mapping[str, Any]:
    return {"y": epochs + seed}


def experiment(recipe: Any, kind: str = "plain") -> Experiment:
    def trials(recipe: Any) -> list[Trial]:
        settings = {"epochs": recipe.epochs, "kind": kind}
        return [Trial(f"seed={seed}", measure, {**settings, "seed": seed}) for seed in range(recipe.seeds)]

    return Experiment(
        "toy", "line", "A line", {"cpu": recipe, "full": recipe}, trials, lambda _, found: Findings([Row("y", [1.0])])
    )


def stored(folder: Path, done: Experiment, recipe: Any = None) -> dict[str, Any]:
    run = reproduce(done, "cpu", folder, RunOptions(device="cpu"), recipe=recipe)
    return dict(json.loads(run.files["results.json"].read_text()))


@pytest.fixture
def today(monkeypatch: pytest.MonkeyPatch) -> Any:
    def set_to(one: Experiment) -> None:
        monkeypatch.setattr(commands, "experiments", lambda paper: {"line": one})

    return set_to


def test_command_repeats_a_run_with_other_settings(tmp_path: Path, today: Any) -> None:
    one = experiment(Recipe())
    today(one)
    plain = "infoflow reproduce toy line --scale cpu"
    assert commands.command(stored(tmp_path / "a", one)) == plain
    assert commands.command(stored(tmp_path / "b", one, Recipe(seeds=1))) == f"{plain} --recipe.seeds 1"
    other = stored(tmp_path / "c", one, Recipe(5, (0.3, 0.4)))
    assert commands.command(other) == f"{plain} --recipe.epochs 5 --recipe.rates 0.3 0.4"
    none = stored(tmp_path / "d", one, Recipe(rates=()))
    assert commands.command(none) == f"{plain} --recipe.rates"


def test_trials_that_changed_without_their_settings_are_of_an_earlier_recipe(tmp_path: Path, today: Any) -> None:
    found = stored(tmp_path / "a", experiment(Recipe()))
    fewer = stored(tmp_path / "b", experiment(Recipe()), Recipe(seeds=1))
    today(experiment(Recipe(), kind="other"))
    assert commands.is_earlier(found)
    assert commands.is_earlier(fewer)
    del found["provenance"]["recipe"]
    assert not commands.is_earlier(found)  # results that do not state their recipe are judged by their settings


def test_fields_that_are_younger_than_the_results_had_their_default(tmp_path: Path, today: Any) -> None:
    @dataclass(frozen=True)
    class Later(Recipe):
        shuffled: bool = False

    found = stored(tmp_path / "a", experiment(Recipe()))
    today(experiment(Later()))
    assert not commands.is_earlier(found)
    today(experiment(replace(Later(), shuffled=True)))
    assert commands.command(found).endswith("# earlier recipe with other shuffled")


def test_settings_that_moved_into_a_part_of_the_recipe_are_compared_there(tmp_path: Path, today: Any) -> None:
    @dataclass(frozen=True)
    class Part:
        epochs: int = 2
        loss: str = "set by each trial"

    @dataclass(frozen=True)
    class Nested:
        base: Part
        rates: tuple[float, ...] = (0.1, 0.2)
        seeds: int = 2

    found = stored(tmp_path / "a", experiment(Recipe()))
    del found["provenance"]["recipe"]
    today(experiment(Nested(Part())))
    assert not commands.is_earlier(found)
    today(experiment(Nested(Part(epochs=3))))
    assert commands.command(found).endswith("# earlier recipe with other epochs")


def test_settings_that_the_recipe_no_longer_has_are_of_an_earlier_one(tmp_path: Path, today: Any) -> None:
    @dataclass(frozen=True)
    class Before(Recipe):
        multiples: tuple[float, ...] = (1.0,)

    found = stored(tmp_path / "a", experiment(Before()))
    del found["provenance"]["recipe"]
    today(experiment(Before()))
    assert not commands.is_earlier(found)
    today(experiment(Recipe()))
    assert commands.command(found).endswith("# earlier recipe with other multiples")
    found["settings"]["planned_seeds"] = 3  # this is not of the recipe
    del found["settings"]["multiples"]
    assert not commands.is_earlier(found)


def test_settings_that_a_part_of_the_recipe_no_longer_has_are_of_an_earlier_one(tmp_path: Path, today: Any) -> None:
    @dataclass(frozen=True)
    class Part:
        epochs: int = 2

    @dataclass(frozen=True)
    class Before(Part):
        momentum: float = 0.9

    @dataclass(frozen=True)
    class Nested:
        base: Any
        epochs: int = 2
        seeds: int = 2

    found = stored(tmp_path / "a", experiment(Nested(Before())))
    del found["provenance"]["recipe"]
    today(experiment(Nested(Before())))
    assert not commands.is_earlier(found)
    today(experiment(Nested(Part())))
    assert commands.command(found).endswith("# earlier recipe with other base")
