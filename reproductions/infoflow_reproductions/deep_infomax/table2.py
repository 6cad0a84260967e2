"""Table 2: larger images and larger encoders (64×64, AlexNet-like)."""

from __future__ import annotations

from dataclasses import replace

from infoflow_reproductions.deep_infomax.methods import LABELS
from infoflow_reproductions.deep_infomax.recipes import (
    CPU,
    FULL,
    SMOKE,
    Comparison,
    accuracies,
    accuracy_bars,
    rankings,
    trials,
)
from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Findings, Row
from infoflow_reproductions.harness.trial import Results


def report(recipe: Comparison, results: Results) -> Findings:
    """Report accuracies by method and layer."""
    found = {method: accuracies(results, method=method) for method in recipe.methods}
    rows = [
        Row(f"{LABELS[method]}: {layer}", values, "%")
        for method, layers in found.items()
        for layer, values in layers.items()
    ]
    order = (("dim-l", "dim-g", True), ("dim-l", "vae", True), ("dim-l", "random", False))
    learning = recipe.learning
    notes = [
        f"Data: {learning.data}, encoder {learning.size.architecture} at {learning.size.width:g} of its widths, "
        f"{learning.epochs} epochs.",
    ]
    if learning.data != "stl10":
        notes.append(
            "Images of 32×32 doubled in size replace STL-10 and Tiny-ImageNet, so no published figure is comparable."
        )
    pictures = [accuracy_bars({LABELS[method]: layers for method, layers in found.items()})]
    return Findings(rows, rankings(found, order), pictures, notes)


EXPERIMENT = Experiment(
    "dim",
    "table2",
    "Deep InfoMax, Table 2: classification from representations of 64×64 images",
    {
        "smoke": Comparison(
            replace(SMOKE, data="digits32-64", images=100, size=replace(SMOKE.size, architecture="alexnet")),
            ("random", "dim-g", "dim-l"),
            seeds=1,
        ),
        "cpu": Comparison(
            replace(
                CPU,
                data="cifar10-64",
                images=4000,
                size=replace(CPU.size, architecture="alexnet", width=1 / 8),
                epochs=6,
            ),
            ("random", "vae", "dim-g", "dim-l", "dim-l-nce"),
        ),
        "full": Comparison(
            replace(FULL, data="stl10", images=5000, size=replace(FULL.size, architecture="alexnet"), epochs=200),
            ("random", "supervised", "vae", "aae", "bigan", "nat", "dim-g", "dim-l", "dim-l-nce"),
        ),
    },
    trials,
    report,
)
