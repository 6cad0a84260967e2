"""Table 4: the effect of coordinate prediction and occlusion on DIM(L) with InfoNCE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from infoflow_reproductions.deep_infomax.columns import CIFAR10_TASKS, CIFAR100_TASKS, Column
from infoflow_reproductions.deep_infomax.learning import trial
from infoflow_reproductions.deep_infomax.notes import LOCAL_CRITIC, OCCLUSIONS, PRIOR, PROBES, TASKS
from infoflow_reproductions.deep_infomax.recipes import (
    CPU,
    FULL,
    SMOKE,
    accuracies,
    accuracy_bars,
    smaller,
)
from infoflow_reproductions.deep_infomax.settings import Learning
from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.figures import training
from infoflow_reproductions.harness.findings import Claim, Findings
from infoflow_reproductions.harness.seeds import differences
from infoflow_reproductions.harness.trial import Results, Trial

_NAMES = {
    "dim": "DIM",
    "coordinates": "DIM + coordinates",
    "occlusion": "DIM + occlusion",
    "both": "DIM + both",
}

_TERMS = {
    "information I(map; Y)": ("local", tuple(_NAMES)),
    "coordinates": ("absolute_coordinates", ("coordinates", "both")),
    "relative coordinates": ("relative_coordinates", ("coordinates", "both")),
}


@dataclass(frozen=True)
class Recipe:
    """Further tasks of DIM(L).

    Parameters
    ----------
    learning
        How all are trained and measured.
    longer
        Number of epochs of a second, longer training of everything, since harder tasks need more epochs.
    block
        Smallest side of the occluded block in pixels.
    locations
        Number of locations per step whose coordinates are predicted; None predicts all.
    seeds
        Number of seeds.
    """

    learning: Learning
    longer: int | None = None
    block: int = 10
    locations: int | None = None
    seeds: int = 3


def _options(recipe: Recipe, task: str) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if task in ("coordinates", "both"):
        options |= {"coordinates": "both", "locations": recipe.locations}
    if task in ("occlusion", "both"):
        options |= {"occlusion": recipe.block}
    return options


def _lengths(recipe: Recipe) -> dict[str, Learning]:
    """Return the trainings by their length in words."""
    if recipe.longer is None:
        return {"": recipe.learning}
    short, long = recipe.learning, replace(recipe.learning, epochs=recipe.longer)
    return {f"{learning.epochs} epochs": learning for learning in (short, long)}


def trials(recipe: Recipe) -> Sequence[Trial]:
    """Return the trials of every combination and seed, the shorter training first."""
    return [
        trial(
            learning,
            "dim-l-nce",
            seed,
            options=_options(recipe, task),
            label=task if learning is recipe.learning else f"{task}/{length}",
        )
        for length, learning in _lengths(recipe).items()
        for task in _NAMES
        for seed in range(recipe.seeds)
    ]


def report(recipe: Recipe, results: Results, column: Column = CIFAR10_TASKS) -> Findings:
    """Report accuracies by length, combination and layer, and the gain of each task on Y.

    Parameters
    ----------
    recipe
        What was run.
    results
        Results of the trials.
    column
        Published settings and figures.

    Returns
    -------
    Findings
        The table.
    """
    rows, claims, pictures = [], [], []
    for length, learning in _lengths(recipe).items():
        before = f"{length}, " if length else ""
        chosen: dict[str, dict[str, Any]] = {
            task: {"options": _options(recipe, task), "epochs": learning.epochs} for task in _NAMES
        }
        found = {task: accuracies(results, **chosen[task]) for task in _NAMES}
        for task, name in _NAMES.items():
            rows += column.rows(learning, f"{before}{name}", found[task], task)
        claims += [
            Claim.above(f"{before}{text} on Y", differences(found[task]["Y"], found["dim"]["Y"]), unit="points")
            for task, text in (
                ("both", "coordinates and occlusion together help"),
                ("occlusion", "occlusion helps"),
                ("coordinates", "coordinates help"),
            )
        ]
        suffix, after = (f"-{learning.epochs}", f" ({length})") if length else ("", "")
        pictures.append(accuracy_bars({_NAMES[task]: found[task] for task in _NAMES}, suffix=suffix, after=after))
        panels = {
            title: {_NAMES[task]: [run[f"curve_{term}"] for run in results.of(**chosen[task])] for task in tasks}
            for title, (term, tasks) in _TERMS.items()
        }
        pictures.append(
            training(
                f"losses{suffix}",
                f"Over training{after}: the InfoNCE bound (higher is better), which occlusion makes harder, and the "
                "cross-entropies of the coordinates (lower is better).",
                panels,
                "nats",
            )
        )
    notes = [TASKS, OCCLUSIONS, LOCAL_CRITIC, PROBES, PRIOR, *smaller(recipe.learning, column.full)]
    return Findings(rows, claims, pictures, notes)


EXPERIMENT = Experiment(
    "dim",
    "table4",
    "Deep InfoMax, Table 4: coordinate prediction and occlusion",
    {
        "smoke": Recipe(SMOKE, locations=4, seeds=1),
        "cpu": Recipe(CPU, longer=18, locations=16),
        "full": Recipe(FULL),
    },
    trials,
    report,
)

OF_CIFAR100 = Experiment(
    "dim",
    "table4-cifar100",
    "Deep InfoMax, Table 4: coordinate prediction and occlusion on CIFAR-100",
    {
        "smoke": Recipe(SMOKE, locations=4, seeds=1),
        "cpu": Recipe(replace(CPU, data="cifar100"), longer=18, locations=16, seeds=5),
        "full": Recipe(CIFAR100_TASKS.full, seeds=5),
    },
    trials,
    partial(report, column=CIFAR100_TASKS),
)
