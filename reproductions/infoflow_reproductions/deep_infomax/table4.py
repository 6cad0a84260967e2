"""Table 4: what coordinate prediction and occlusion add to DIM(L) with InfoNCE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from infoflow_reproductions.deep_infomax import published
from infoflow_reproductions.deep_infomax.learning import Learning, trial
from infoflow_reproductions.deep_infomax.recipes import CPU, FULL, SMOKE, why
from infoflow_reproductions.deep_infomax.reporting import accuracy_row, differences, percent
from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.figures import bars, training
from infoflow_reproductions.harness.findings import Claim, Findings
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
    """`block` is the least side of what is hidden, `locations` at how many places a step asks for coordinates.

    `longer` trains everything for so many epochs too: what makes a task harder pays late.
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
    """What is said of a length of training -> the training."""
    if recipe.longer is None:
        return {"": recipe.learning}
    short, long = recipe.learning, replace(recipe.learning, epochs=recipe.longer)
    return {f"{learning.epochs} epochs": learning for learning in (short, long)}


def trials(recipe: Recipe) -> Sequence[Trial]:
    """Every combination with every seed, the shorter training first."""
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


def report(recipe: Recipe, results: Results) -> Findings:
    """Rows by length, combination and layer, and what each task adds on Y."""
    rows, claims, pictures = [], [], []
    for length, learning in _lengths(recipe).items():
        before = f"{length}, " if length else ""
        chosen = {task: {"options": _options(recipe, task), "epochs": learning.epochs} for task in _NAMES}
        found = {
            task: {layer: percent(results, layer, **chosen[task]) for layer in published.LAYERS} for task in _NAMES
        }
        rows += [
            accuracy_row(learning, f"{before}{name}: {layer}", found[task][layer], figure)
            for task, name in _NAMES.items()
            for layer, figure in zip(published.LAYERS, published.TABLE4[task], strict=True)
        ]
        claims += [
            Claim.above(f"{before}{text} on Y", differences(found[task]["Y"], found["dim"]["Y"]), unit="points")
            for task, text in (
                ("both", "coordinates and occlusion together help"),
                ("occlusion", "occlusion helps"),
                ("coordinates", "coordinates help"),
            )
        ]
        suffix, after = (f"-{learning.epochs}", f" ({length})") if length else ("", "")
        pictures.append(
            bars(
                f"accuracy{suffix}",
                f"Test accuracy of a perceptron on conv, fc and Y{after}; 95 % intervals and single seeds.",
                {_NAMES[task]: found[task] for task in _NAMES},
                "test accuracy / %",
            )
        )
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
    notes = [f"Smaller than the paper: {why(recipe.learning)}."] if why(recipe.learning) else []
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
