"""Whether intermediate layers of a small decoder are better features than the final one, with controls.

Features are judged by held-out linear probes for tasks that the model was not trained on: the token before the current
one and the one after the next. The next token, which the final layer is trained for, and the untrained model are
controls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from infoflow.core.settings import PositiveInt
from infoflow_reproductions.harness import figures
from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Claim, Findings, Row
from infoflow_reproductions.harness.lists import Entries
from infoflow_reproductions.harness.trial import Results, Trial
from infoflow_reproductions.language_models.measuring import SOME_MODULES, Measured, measure
from infoflow_reproductions.language_models.reading import Array, peaks

TASKS = ("previous", "next but one")
TRAINED = "next"


@dataclass(frozen=True)
class Recipe(Measured):
    """A decoder, what its layers are probed for, and the number of seeds."""

    soft: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    probed: tuple[str, ...] = (*TASKS, TRAINED)
    seeds: PositiveInt = 3
    """number of seeds"""

    def trial(self, seed: int) -> Measured:
        """The settings of one model."""
        values = {field.name: getattr(self, field.name) for field in fields(Measured)}
        return Measured(**{**values, "seed": seed, "at": (0, self.steps)})


RECIPES = {
    "smoke": Recipe(
        vocabulary=128, width=64, depth=3, heads=2, length=32, steps=6, held_out_windows=64, modules=("random",),
        probe_rows=400, max_codes=8, seeds=2,
    ),
    "cpu": Recipe(
        depth=6, batch_size=8, steps=200, held_out_windows=64, max_codes=64, probe_rows=2500, modules=SOME_MODULES,
    ),
    "full": Recipe(
        vocabulary=4096, width=512, depth=12, heads=8, length=256, batch_size=64, steps=20_000, learning_rate=6e-4,
        held_out_windows=160, max_codes=512, probe_rows=20_000, seeds=5,
    ),
}  # fmt: skip


def trials(recipe: Recipe) -> list[Trial]:
    """One model for each seed."""
    return [Trial(f"decoder/seed={seed}", measure, recipe.trial(seed)) for seed in range(recipe.seeds)]


def report(recipe: Recipe, results: Results) -> Findings:
    """Judge the published reading and its controls."""
    found = [results[name] for name in results]
    tasks = _mean(found, -1, TASKS)
    before = _mean(found, 0, TASKS)
    trained = _mean(found, -1, (TRAINED,))
    rank = np.array([result["effective rank"][-1] for result in found], dtype=float)
    best = peaks(tasks)
    rows = [
        Row("V-information of other tasks, best intermediate layer", list(_at(tasks, best)), unit="nats"),
        Row("V-information of other tasks, final layer", list(tasks[:, -1]), unit="nats"),
        Row("V-information of the next token, final layer", list(trained[:, -1]), unit="nats"),
        Row("cross-entropy on held-out text, at the end", results.values("final_loss"), unit="nats"),
    ]
    claims = [
        Claim.above(
            "intermediate layers are better features than the final layer",
            list(_at(tasks, best) - tasks[:, -1]),
            unit="nats",
        ),
        Claim.above(
            "intermediate layers are better features than the embedding",
            list(_at(tasks, best) - tasks[:, 0]),
            unit="nats",
        ),
        Claim.above(
            "control: intermediate layers are better for the next token, which the model is trained for",
            list(_at(trained, peaks(trained)) - trained[:, -1]),
            unit="nats",
            published=False,
        ),
        Claim.above(
            "control: intermediate layers are better than the final layer before training",
            list(_at(before, peaks(before)) - before[:, -1]),
            unit="nats",
            published=False,
        ),
        Claim.above(
            "control: the effective rank of the covariance, which is geometry, is largest in an intermediate layer",
            list(_at(rank, peaks(rank)) - rank[:, -1]),
            published=False,
        ),
    ]
    lines = {
        "other tasks": _by_depth(tasks),
        "other tasks, untrained": _by_depth(before),
        "next token": _by_depth(trained),
    }
    figure = figures.curves("depth", "What held-out linear probes decode by depth.", lines, "depth", "nats")
    ranks = {"trained": _by_depth(rank)}
    geometry = figures.curves("rank", "Effective rank of the covariance by depth.", ranks, "depth", "effective rank")
    return Findings(rows, claims, [figure, geometry], notes=_NOTES)


_NOTES = (
    "Other tasks are the token before the current one and the one after the next, in codes of the most frequent "
    "tokens; the paper's are 32 tasks of text embedding, which such a small model does not solve.",
    "The best intermediate layer is chosen on the other seeds, among all but the embedding and the final layer.",
)


def _mean(found: Sequence[Mapping[str, Any]], step: int, labels: Sequence[str]) -> Array:
    """V-information by depth, mean over tasks, of shape (seeds, layers)."""
    values = [[result[f"V-information of {label}"][step] for label in labels] for result in found]
    means: Array = np.array(values, dtype=float).mean(axis=1)
    return means


def _by_depth(values: Array) -> dict[float, list[float]]:
    return {float(place): values[:, place].tolist() for place in range(values.shape[1])}


def _at(values: Array, places: Sequence[int]) -> Array:
    return np.array([row[place] for row, place in zip(values, places, strict=True)])


def smaller(recipe: Recipe) -> str:
    """What is smaller than in the paper."""
    return (
        f"a decoder of {recipe.depth} blocks and width {recipe.width}, {recipe.steps} steps of "
        f"{recipe.batch_size * recipe.length} tokens of text that ships with Python, and two tasks of tokens, in place "
        "of language models of up to billions of parameters and 32 tasks of text embedding"
    )


_ABSTRACT = "abstract and caption of Figure 1: intermediate layers consistently provide stronger features"

DEPTH = Experiment(
    "layer-by-layer",
    "depth",
    "Intermediate layers against the final layer",
    RECIPES,
    trials,
    report,
    sentences=(("", _ABSTRACT),),
    smaller=smaller,
    needs={"probed": Entries(("previous", "next but one", "next"))},
)
