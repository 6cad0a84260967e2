"""A reproduction runs, stores its trials and judges them; on an experiment whose result is known."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from infoflow_reproductions import (
    Claim,
    Context,
    Experiment,
    Figure,
    Findings,
    Plan,
    Results,
    Row,
    RunOptions,
    Trial,
    over_seeds,
    reproduce,
    reproduce_together,
)
from infoflow_reproductions.harness.lists import Entries
from infoflow_reproductions.harness.running import run_trials
from infoflow_reproductions.harness.trial import flat
from matplotlib.figure import Figure as Canvas

from infoflow.core.errors import BrokenStore, InvalidArgument, UnknownName

ON_CPU = RunOptions(device="cpu")
RESUME = replace(ON_CPU, resume=True)


@dataclass(frozen=True)
class Recipe:
    seeds: int = 3
    slope: float = 2.0
    fail_at: int = -1


def measure(*, context: Context, x: int, seed: int, slope: float, fail_at: int) -> Mapping[str, Any]:
    if x == fail_at:
        raise KeyboardInterrupt
    with (context.checkpoint.parent / "calls").open("a") as calls:
        calls.write(f"{x}/{seed}\n")
    noise = np.random.default_rng((seed, x)).normal() / 100
    return {"y": slope * x + noise, "curve": np.arange(3) * slope, "odd": math.nan, "drawn": torch.rand(()).item()}


def trials(recipe: Recipe) -> list[Trial]:
    return [
        Trial(
            f"x={x}/seed={seed}",
            measure,
            {"x": x, "seed": seed, "slope": recipe.slope, "fail_at": recipe.fail_at},
        )
        for x in (0, 1)
        for seed in range(recipe.seeds)
    ]


def report(recipe: Recipe, results: Results) -> Findings:
    ys = [[one["y"] for one in results.of(x=x)] for x in (0, 1)]

    def draw(canvas: Canvas) -> None:
        canvas.subplots().plot([0, 1], [np.mean(y) for y in ys])

    return Findings(
        rows=[Row("slope", np.subtract(ys[1], ys[0]).tolist(), published=2.0, tolerance=0.1)],
        claims=[Claim.above("it rises <b>fast</b>", np.subtract(ys[1], ys[0]).tolist(), 1.0)],
        figures=[Figure("line", "A line.", draw)],
        notes=["a note"],
    )


@dataclass(frozen=True)
class Task:
    recipe: Recipe
    x: int


def measure_task(task: Task, *, context: Context) -> Mapping[str, Any]:
    return {"y": task.recipe.slope * task.x}


TOY = Experiment("toy", "line", "A line through the origin", {"smoke": Recipe(2), "cpu": Recipe(3)}, trials, report)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_reproduction_writes_its_findings_and_the_published_figures(tmp_path: Path, n_jobs: int) -> None:
    done = reproduce(TOY, "cpu", tmp_path / "run", replace(ON_CPU, n_jobs=n_jobs))
    table = pd.read_csv(tmp_path / "run" / "table.csv")
    assert table.loc[0, ["what", "published", "seeds", "verdict"]].tolist() == ["slope", 2.0, 3, "reproduced"]
    assert table.loc[0, "low"] < table.loc[0, "found"] < table.loc[0, "high"]
    assert pd.read_csv(tmp_path / "run" / "claims.csv")["verdict"].tolist() == ["reproduced"]
    assert len(pd.read_csv(tmp_path / "run" / "trials.csv")) == 6
    summary = json.loads((tmp_path / "run" / "results.json").read_text())
    assert summary["settings"]["slope"] == 2.0
    assert {"infoflow", "torch", "device", "trial_seconds", "time"} <= summary["provenance"].keys()
    page = (tmp_path / "run" / "report.html").read_text()
    assert "it rises &lt;b&gt;fast&lt;/b&gt;" in page
    assert "data:image/png;base64," in page
    assert (tmp_path / "run" / "line.png").read_bytes().startswith(b"\x89PNG")
    assert "slope: 2" in str(done)


def test_interrupted_run_resumes_and_accepts_more_seeds(tmp_path: Path) -> None:
    calls = tmp_path / "trials" / "calls"
    stopping = trials(Recipe(fail_at=1))
    with pytest.raises(KeyboardInterrupt):
        run_trials(stopping, tmp_path / "trials")
    assert calls.read_text().split() == ["0/0", "0/1", "0/2"]

    folder = tmp_path / "run"
    first = reproduce(TOY, "smoke", folder, ON_CPU)
    with pytest.raises(InvalidArgument, match="holds a run"):
        reproduce(TOY, "smoke", folder, ON_CPU)
    with pytest.raises(InvalidArgument, match=r"^slope must be 2\.0"):
        reproduce(TOY, "smoke", folder, RESUME, recipe=Recipe(2, slope=3.0))
    again = reproduce(TOY, "smoke", folder, RESUME)
    assert again.findings.rows[0].values == first.findings.rows[0].values
    assert len((folder / "trials" / "calls").read_text().split()) == 4  # no trial ran twice
    more = reproduce(TOY, "smoke", folder, RESUME, recipe=replace(Recipe(2), seeds=5))
    assert len((folder / "trials" / "calls").read_text().split()) == 10
    assert list(more.findings.rows[0].values[:2]) == list(first.findings.rows[0].values)
    other = reproduce(TOY, "smoke", folder, replace(ON_CPU, overwrite=True), recipe=Recipe(2, slope=3.0))
    assert other.findings.rows[0].found.mean == pytest.approx(3.0, abs=0.1)


@dataclass(frozen=True)
class Slopes:
    slopes: tuple[float, ...] = (1.0, 2.0)
    offset: float = 0.0
    seeds: int = 2


def slope_trials(recipe: Slopes) -> list[Trial]:
    return [
        Trial(
            f"slope={slope}/seed={seed}", measure, {"x": 1, "seed": seed, "slope": slope + recipe.offset, "fail_at": -1}
        )
        for slope in recipe.slopes
        for seed in range(recipe.seeds)
    ]


def slope_report(recipe: Slopes, results: Results) -> Findings:
    base = results.values("y", slope=1.0 + recipe.offset)
    return Findings(rows=[Row("least slope", base)], claims=[], figures=[], notes=[])


SLOPES = Experiment(
    "toy", "slopes", "Slopes", {"smoke": Slopes()}, slope_trials, slope_report, needs={"slopes": Entries((1.0,))}
)


def test_lists_that_cannot_be_reported_are_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match=r"recipe\.slopes must be a list with 1\.0, which the report needs"):
        reproduce(SLOPES, "smoke", tmp_path / "run", ON_CPU, recipe=Slopes((2.0,)))
    with pytest.raises(InvalidArgument, match=r"recipe must be one with trials, got empty lists: slopes"):
        reproduce(replace(SLOPES, needs={}), "smoke", tmp_path / "run", ON_CPU, recipe=Slopes(()))
    assert not (tmp_path / "run").exists()


def test_a_resumed_run_adds_and_leaves_out_entries_of_lists(tmp_path: Path) -> None:
    folder = tmp_path / "run"

    def runs() -> int:
        return len((folder / "trials" / "calls").read_text().splitlines())

    reproduce(SLOPES, "smoke", folder, ON_CPU, recipe=Slopes((1.0,)))
    assert runs() == 2
    reproduce(SLOPES, "smoke", folder, RESUME, recipe=Slopes((1.0, 2.0, 3.0)))
    assert runs() == 6
    reproduce(SLOPES, "smoke", folder, RESUME, recipe=Slopes((1.0, 3.0)))
    assert runs() == 6
    assert json.loads((folder / "results.json").read_text())["settings"]["slopes"] == [1.0, 3.0]
    with pytest.raises(InvalidArgument, match="offset"):
        reproduce(SLOPES, "smoke", folder, RESUME, recipe=Slopes((1.0, 3.0), offset=1.0))


@dataclass(frozen=True)
class Layers:
    widths: tuple[int, ...] = (4, 2)
    seeds: int = 1


def test_a_resumed_run_has_the_lists_that_its_stored_results_depend_on(tmp_path: Path) -> None:
    def of_widths(recipe: Layers) -> list[Trial]:
        settings = {"x": 1, "seed": 0, "slope": float(sum(recipe.widths)), "fail_at": -1}
        return [Trial("the network", measure, settings)]

    def no_report(recipe: Layers, results: Results) -> Findings:
        return Findings(rows=[Row("y", results.values("y"))], claims=[], figures=[], notes=[])

    experiment = Experiment("toy", "layers", "Layers", {"smoke": Layers()}, of_widths, no_report)
    reproduce(experiment, "smoke", tmp_path / "run", ON_CPU)
    with pytest.raises(InvalidArgument, match="widths must be"):
        reproduce(experiment, "smoke", tmp_path / "run", RESUME, recipe=Layers((4,)))


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_experiments_in_one_pool_give_the_results_of_single_runs(tmp_path: Path, n_jobs: int) -> None:
    other = replace(TOY, name="steeper")
    plans = [Plan(TOY, Recipe(2), tmp_path / "one"), Plan(other, Recipe(3, slope=4.0), tmp_path / "two")]
    found = {done.experiment.name: done for done in reproduce_together(plans, "cpu", replace(ON_CPU, n_jobs=n_jobs))}
    assert sorted(found) == ["line", "steeper"]
    for name, recipe in (("line", Recipe(2)), ("steeper", Recipe(3, slope=4.0))):
        alone = reproduce(found[name].experiment, "cpu", tmp_path / f"{name}-alone", ON_CPU, recipe=recipe)
        assert found[name].findings.rows[0].values == alone.findings.rows[0].values
        assert found[name].provenance["trials"] == 2 * recipe.seeds
        assert (found[name].folder / "report.html").exists()


def test_interrupted_pool_retains_finished_experiments(tmp_path: Path) -> None:
    stopping = Plan(replace(TOY, name="stopping"), Recipe(2, fail_at=1), tmp_path / "two")
    plans = [Plan(TOY, Recipe(2), tmp_path / "one"), stopping]
    with pytest.raises(KeyboardInterrupt):
        list(reproduce_together(plans, "cpu", ON_CPU))
    assert (tmp_path / "one" / "report.html").exists()
    assert not (tmp_path / "two" / "report.html").exists()
    plans[1] = Plan(TOY, Recipe(3), tmp_path / "three")
    done = list(reproduce_together(plans, "cpu", RESUME))
    assert [each.folder.name for each in done] == ["one", "three"]
    assert len((tmp_path / "one" / "trials" / "calls").read_text().split()) == 4  # no trial ran twice
    with pytest.raises(InvalidArgument, match="holds a run"):
        list(reproduce_together([Plan(TOY, Recipe(1), tmp_path / "four"), plans[0]], "cpu", ON_CPU))
    assert not (tmp_path / "four" / "trials").exists()  # checked before anything ran


def test_damaged_result_raises_and_other_settings_run_again(tmp_path: Path) -> None:
    run_trials(trials(Recipe(1)), tmp_path)
    results = run_trials(trials(Recipe(1, slope=5.0)), tmp_path)
    assert results["x=1/seed=0"]["y"] == pytest.approx(5.0, abs=0.1)
    assert math.isnan(results["x=1/seed=0"]["odd"])
    assert results["x=1/seed=0"]["curve"] == [0.0, 5.0, 10.0]
    with pytest.raises(UnknownName, match="x=2"):
        results["x=2/seed=0"]
    next(tmp_path.glob("x=1*.json")).write_text("{")
    with pytest.raises(BrokenStore, match="Remove it"):
        run_trials(trials(Recipe(1, slope=5.0)), tmp_path)
    with pytest.raises(InvalidArgument, match=r"^trials must"):
        run_trials(trials(Recipe(1)) * 2, tmp_path)


def test_trials_draw_from_a_random_state_of_their_own(tmp_path: Path) -> None:
    state = torch.get_rng_state()
    draws = []
    for run in ("first", "second"):
        results = run_trials(trials(Recipe(2)), tmp_path / run)
        draws.append([results[name]["drawn"] for name in results])
        torch.rand(1)  # the state between runs differs
    assert draws[0] == draws[1]
    assert len(set(draws[0])) == 4
    torch.set_rng_state(state)


def test_trial_takes_its_settings_as_a_dataclass(tmp_path: Path) -> None:
    tasks = [Trial(f"x={x}", measure_task, Task(Recipe(slope=3.0), x)) for x in (1, 2)]
    assert flat(tasks[0].settings) == {"seeds": 3, "slope": 3.0, "fail_at": -1, "x": 1}
    results = run_trials(tasks, tmp_path)
    assert results.values("y", scale=10, x=2) == [60.0]
    assert results.frame["x"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        (Row("r", [1.0]), "not published"),
        (Row("r", [1.0, 1.0], published=1.05, tolerance=0.1), "reproduced"),
        (Row("r", [1.0], published=1.05, tolerance=0.1), "inconclusive"),
        (Row("r", [1.0], published=1.3, tolerance=0.1), "inconclusive"),
        (Row("r", [1.0, 1.4], published=1.35, tolerance=0.1), "inconclusive"),
        (Row("r", [1.0, 1.01], published=1.3, tolerance=0.1), "inconclusive"),
        (Row("r", [1.0, 1.01, 1.0, 1.0], published=1.3, tolerance=0.1), "differs"),
        (Row("r", [1.0, 1.01], published=1.3, tolerance=0.1, settings_known=False, why="lr"), "settings unknown"),
        (Row("r", [1.0, 1.01], published=1.0, tolerance=0.1, comparable=False, why="1000 images"), "reduced scale"),
        (Row("r", [math.nan, 1.0], published=1.0, tolerance=0.1), "inconclusive"),
    ],
)
def test_row_verdicts_follow_the_rule(row: Row, verdict: str) -> None:
    assert row.verdict == verdict


def test_rows_without_a_possible_verdict_raise() -> None:
    with pytest.raises(InvalidArgument, match=r"^tolerance must"):
        Row("r", [1.0], published=1.0)
    with pytest.raises(InvalidArgument, match=r"^values must"):
        Row("r", [])
    with pytest.raises(InvalidArgument, match=r"^why must"):
        Row("r", [1.0], comparable=False)


def test_interval_covers_the_mean_at_its_nominal_rate() -> None:
    rng = np.random.default_rng(0)
    covered = [found.low <= 0 <= found.high for found in (over_seeds(rng.normal(size=3)) for _ in range(4000))]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize(
    ("differences", "holds"),
    [([1.0, 1.1, 0.9], True), ([-1.0, -1.1, -0.9], False), ([1.0, -1.0, 0.5], None), ([1.0], None)],
)
def test_claim_follows_from_its_interval(differences: Sequence[float], holds: bool | None) -> None:
    assert Claim.above("c", differences).holds is holds


@pytest.mark.parametrize(
    ("curves", "holds"),
    [
        ([[3.0, 2.0, 1.0], [3.1, 2.2, 1.1], [2.9, 1.9, 0.9]], True),
        ([[1.0, 2.0, 3.0], [1.1, 2.2, 3.1]], False),
        (
            [[3.0, 1.0, 2.0], [3.1, 1.1, 2.0], [3.05, 1.05, 2.0]],
            False,
        ),  # falls as a whole, but rises significantly at the end
        ([[3.0, 2.0, 2.1], [3.1, 2.2, 2.1], [2.9, 1.9, 2.1]], None),  # rises, but not significantly
    ],
)
def test_falling_claim_rejects_significant_rises(curves: list[list[float]], holds: bool | None) -> None:
    assert Claim.falling("c", curves).holds is holds
    with pytest.raises(InvalidArgument, match=r"^curves must"):
        Claim.falling("c", [[1.0]])


def test_seeds_that_a_recipe_has_since_results_were_seen_stay_marked(tmp_path: Path) -> None:
    later = replace(TOY, planned_seeds={"cpu": 2})
    done = reproduce(later, "cpu", tmp_path / "later", ON_CPU)
    assert done.findings.claims[0].sample.anytime  # type: ignore[union-attr]
    settings = json.loads((tmp_path / "later" / "results.json").read_text())["settings"]
    assert (settings["seeds"], settings["planned_seeds"]) == (3, 2)
    assert not reproduce(TOY, "cpu", tmp_path / "usual", ON_CPU).findings.claims[0].sample.anytime  # type: ignore[union-attr]
    planned = reproduce(later, "cpu", tmp_path / "planned", ON_CPU, recipe=Recipe(2))
    assert not planned.findings.claims[0].sample.anytime  # type: ignore[union-attr]
