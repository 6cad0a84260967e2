"""Expansion, compression and the approach of the bound in the training of a small decoder, with controls.

The published readings are those of soft entropy on activations as they are. Each has a control: the same with the mean
removed, the same after whitening (an invertible linear map, which leaves I(T;X) as it is), and the same by held-out
linear probes, which bound I(T;X) from below and do not depend on the arrangement of references.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from infoflow.core.settings import PositiveInt
from infoflow.training import snapshot_epochs
from infoflow_reproductions.harness import figures
from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Claim, Figure, Findings, Row
from infoflow_reproductions.harness.lists import Entries
from infoflow_reproductions.harness.trial import Results, Trial
from infoflow_reproductions.language_models.measuring import SOME_MODULES, Measured, measure
from infoflow_reproductions.language_models.reading import Array, curves, peaks

RAW, WHITE = ", not centered", ", whitened"


@dataclass(frozen=True)
class Recipe(Measured):
    """A decoder, the steps at which it is measured, and the number of seeds."""

    snapshots: PositiveInt = 9
    """snapshots, spaced evenly in the logarithm of the step"""
    seeds: PositiveInt = 3
    """number of seeds"""

    def trial(self, seed: int) -> Measured:
        """The settings of one model."""
        values = {field.name: getattr(self, field.name) for field in fields(Measured)}
        return Measured(**{**values, "seed": seed, "at": tuple(snapshot_epochs(self.steps, self.snapshots))})


RECIPES = {
    "smoke": Recipe(
        vocabulary=128, width=64, depth=2, heads=2, length=32, steps=6, held_out_windows=64, modules=("random",),
        snapshots=4, probe_rows=400, max_codes=8, seeds=2,
    ),
    "cpu": Recipe(
        batch_size=8, steps=200, held_out_windows=64, max_codes=64, probe_rows=2500, modules=SOME_MODULES, snapshots=7,
    ),
    "full": Recipe(
        vocabulary=4096, width=512, depth=12, heads=8, length=256, batch_size=64, steps=20_000, learning_rate=6e-4,
        held_out_windows=160, max_codes=512, snapshots=24, probe_rows=20_000, seeds=5,
    ),
}  # fmt: skip


def trials(recipe: Recipe) -> list[Trial]:
    """One model for each seed."""
    return [Trial(f"decoder/seed={seed}", measure, recipe.trial(seed)) for seed in range(recipe.seeds)]


def report(recipe: Recipe, results: Results) -> Findings:
    """Judge the published readings of soft entropy, and their controls."""
    found = [results[name] for name in results]
    steps = [int(step) for step in found[0]["steps"]]
    current = {name: curves(found, f"I(current;W){name}") for name in ("", RAW, WHITE)}
    following = {name: curves(found, f"I(next;W){name}") for name in ("", RAW, WHITE)}
    decoded = {label: curves(found, f"V-information of {label}") for label in ("current", "next")}
    peak = peaks(current[RAW])
    rows = [
        Row(f"I(current;W), not centered, {when}", list(_at(current[RAW], places)), unit="nats")
        for when, places in (("before training", [0] * len(found)), ("at its peak", peak), ("at the end", _last(found)))
    ]
    rows += [
        Row(f"V-information of {label}, at the end", list(values[:, -1]), unit="nats")
        for label, values in decoded.items()
    ]
    rows.append(Row("cross-entropy on held-out text, at the end", results.values("final_loss"), unit="nats"))
    return Findings(
        rows,
        _claims(current, following, decoded, peak),
        [_figure(steps, current, decoded), _ratio(steps, current, following)],
        notes=_notes(),
    )


def _claims(
    current: dict[str, Array], following: dict[str, Array], decoded: dict[str, Array], peak: list[int]
) -> list[Claim]:
    last = [-1] * len(peak)
    ratio = _optimality(current[RAW], following[RAW])

    def expands(text: str, values: Array, *, published: bool = False) -> Claim:
        return Claim.above(text, list(_at(values, peak) - values[:, 0]), unit="nats", published=published)

    def compresses(text: str, values: Array, *, published: bool = False) -> Claim:
        return Claim.above(text, list(_at(values, peak) - _at(values, last)), unit="nats", published=published)

    white = _optimality(current[WHITE], following[WHITE])
    usable = _optimality(decoded["current"], decoded["next"])
    # Before the peak of a ratio its denominator is near 0; the step of the peak itself is far from that.
    return [
        expands("I(X;T) first expands", current[RAW], published=True),
        compresses("I(X;T) is compressed after its expansion", current[RAW], published=True),
        Claim.above("I(Y;T)/I(X;T) approaches the bound after the expansion", list(ratio[:, -1] - _at(ratio, peak))),
        expands("control: I(X;T) expands where the mean is removed", current[""]),
        expands("control: I(X;T) expands where activations are whitened", current[WHITE]),
        expands("control: a held-out probe decodes more of X at the peak than before training", decoded["current"]),
        compresses("control: I(X;T) is compressed where the mean is removed", current[""]),
        compresses("control: I(X;T) is compressed where activations are whitened", current[WHITE]),
        compresses("control: a held-out probe decodes less of X at the end than at the peak", decoded["current"]),
        Claim.above(
            "control: the ratio approaches the bound where activations are whitened",
            list(white[:, -1] - _at(white, peak)),
            published=False,
        ),
        Claim.above(
            "control: the ratio of what held-out probes decode of Y and X rises after the peak",
            list(usable[:, -1] - _at(usable, peak)),
            published=False,
        ),
    ]


def _optimality(x: Array, y: Array) -> Array:
    """I(Y;T)/I(X;T), the paper's distance from the bound; the floor avoids a division by 0 before training."""
    found: Array = y / np.maximum(x, 1e-3)
    return found


def _at(values: Array, places: Sequence[int]) -> Array:
    return np.array([row[place] for row, place in zip(values, places, strict=True)])


def _last(found: Sequence[object]) -> list[int]:
    return [-1] * len(found)


def _figure(steps: list[int], current: dict[str, Array], decoded: dict[str, Array]) -> Figure:
    lines = {_NAMES[name]: _by_snapshot(values) for name, values in current.items()}
    lines["held-out probe"] = _by_snapshot(decoded["current"])
    caption = (
        f"Information about the current token, mean over layers, by snapshot (steps {', '.join(map(str, steps))})."
    )
    return figures.curves("expansion", caption, lines, "snapshot", "nats")


def _ratio(steps: list[int], current: dict[str, Array], following: dict[str, Array]) -> Figure:
    lines = {
        _NAMES[name]: _by_snapshot(_optimality(values, following[name]), first=1) for name, values in current.items()
    }
    return figures.curves("bound", "I(next;W)/I(current;W) by snapshot, after the first.", lines, "snapshot", "ratio")


_NAMES = {RAW: "as published", "": "mean removed", WHITE: "whitened"}


def _by_snapshot(values: Array, first: int = 0) -> dict[float, list[float]]:
    """Values of all seeds at each snapshot, by its index."""
    return {float(place): values[:, place].tolist() for place in range(first, values.shape[1])}


def _notes() -> tuple[str, ...]:
    return (
        "X is the current token and Y the next one, in codes of the most frequent tokens; the paper also uses longer "
        "contexts as X. Values are means over the embedding and the blocks.",
        "The peak is the snapshot at which the mean of the other seeds is largest, among all but the first and last.",
        "Whitening is an invertible linear map: I(T;X) and I(T;Y) are the same before and after. What changes in soft "
        "entropy is the assignment to references.",
    )


def smaller(recipe: Recipe) -> str:
    """What is smaller than in the paper."""
    return (
        f"a decoder of {recipe.depth} blocks and width {recipe.width}, {recipe.steps} steps of "
        f"{recipe.batch_size * recipe.length} tokens of text that ships with Python, in place of OLMo2 of 1 to "
        "32 billion parameters on trillions of tokens"
    )


_PHASES = (
    "results on OLMo2 checkpoints: an early fitting or expansion phase, then a compression phase (after a summary of "
    "the paper; the section is not confirmed)"
)
_ABSTRACT = "abstract: optimally compressed for next-sequence prediction, approaching the Information Bottleneck bound"

PRETRAINING = Experiment(
    "learning-is-forgetting",
    "pretraining",
    "Expansion, compression and the bound in pre-training",
    RECIPES,
    trials,
    report,
    sentences=(("first expands", _PHASES), ("compressed after", _PHASES), ("approaches the bound", _ABSTRACT)),
    smaller=smaller,
    needs={
        "soft": Entries(),
        "controls": Entries(("not centered", "whitened")),
        "probed": Entries(("current", "next")),
    },
)
