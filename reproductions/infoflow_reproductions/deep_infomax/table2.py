"""Table 2: larger images, larger encoders (64×64, AlexNet-like)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from infoflow_reproductions.deep_infomax import published
from infoflow_reproductions.deep_infomax.learning import Learning, trial
from infoflow_reproductions.deep_infomax.methods import LABELS
from infoflow_reproductions.deep_infomax.recipes import CPU, FULL, SMOKE
from infoflow_reproductions.deep_infomax.reporting import differences, percent
from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.figures import bars
from infoflow_reproductions.harness.findings import Claim, Findings, Row
from infoflow_reproductions.harness.trial import Results, Trial


@dataclass(frozen=True)
class Recipe:
    """`methods` are names of `methods.LABELS`."""

    learning: Learning
    methods: tuple[str, ...] = ("random", "supervised", "vae", "aae", "bigan", "nat", "dim-g", "dim-l", "dim-l-nce")
    seeds: int = 3


def trials(recipe: Recipe) -> Sequence[Trial]:
    """Every method with every seed."""
    return [trial(recipe.learning, method, seed) for method in recipe.methods for seed in range(recipe.seeds)]


def report(recipe: Recipe, results: Results) -> Findings:
    """Rows by method and layer."""
    rows = [
        Row(f"{LABELS[method]}: {layer}", percent(results, layer, method=method), "%")
        for method in recipe.methods
        for layer in published.LAYERS
    ]
    claims = []
    for above, below, said in (("dim-l", "dim-g", True), ("dim-l", "vae", True), ("dim-l", "random", False)):
        if above in recipe.methods and below in recipe.methods:
            found = differences(*(percent(results, "Y", method=method) for method in (above, below)))
            claims.append(
                Claim.above(f"{LABELS[above]} is above {LABELS[below]} on Y", found, unit="points", published=said)
            )
    groups = {
        LABELS[m]: {layer: percent(results, layer, method=m) for layer in published.LAYERS} for m in recipe.methods
    }
    learning = recipe.learning
    notes = [
        f"Data: {learning.data}, encoder {learning.size.architecture} at {learning.size.width:g} of its widths, "
        f"{learning.epochs} epochs.",
    ]
    if learning.data != "stl10":
        notes.append("Neither STL-10 nor Tiny-ImageNet: images of 32×32 doubled in size stand in, so nothing compares.")
    caption = "Test accuracy of a perceptron on conv, fc and Y; 95 % intervals and single seeds."
    return Findings(rows, claims, [bars("accuracy", caption, groups, "test accuracy / %")], notes)


EXPERIMENT = Experiment(
    "dim",
    "table2",
    "Deep InfoMax, Table 2: classification from representations of 64×64 images",
    {
        "smoke": Recipe(
            replace(SMOKE, data="digits32-64", images=100, size=replace(SMOKE.size, architecture="alexnet")),
            ("random", "dim-g", "dim-l"),
            seeds=1,
        ),
        "cpu": Recipe(
            replace(
                CPU,
                data="cifar10-64",
                images=4000,
                size=replace(CPU.size, architecture="alexnet", width=1 / 8),
                epochs=6,
            ),
            ("random", "vae", "dim-g", "dim-l", "dim-l-nce"),
        ),
        "full": Recipe(
            replace(FULL, data="stl10", images=5000, size=replace(FULL.size, architecture="alexnet"), epochs=200)
        ),
    },
    trials,
    report,
)
