"""How much of the loss's effect its weight λ has, at the paper's learning rate and at a larger one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Claim, Findings, Row
from infoflow_reproductions.harness.seeds import over_seeds
from infoflow_reproductions.harness.trial import Results, Trial
from infoflow_reproductions.milc import classifier, figures


@dataclass(frozen=True)
class Recipe:
    """λ = 0 is cross-entropy."""

    data: str
    size: int
    held_out: int
    epochs: int
    batch_size: int
    weights: tuple[float, ...] = (0.0, 0.5, 5.0, 50.0, 500.0)
    learning_rates: tuple[float, ...] = (1e-3, 1e-2)
    seeds: int = 3
    network: str = "mlp"


def trial(recipe: Recipe, weight: float, learning_rate: float, seed: int) -> Trial:
    """One run."""
    return classifier.trial(
        data=recipe.data,
        network=recipe.network,
        loss="mil",
        weight=weight,
        seed=seed,
        epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        learning_rate=learning_rate,
        size=recipe.size,
        held_out=recipe.held_out,
    )


def trials(recipe: Recipe) -> list[Trial]:
    """Every λ at every learning rate, seed by seed."""
    return [
        trial(recipe, weight, rate, seed)
        for seed in range(recipe.seeds)
        for rate in recipe.learning_rates
        for weight in recipe.weights
    ]


def report(recipe: Recipe, results: Results) -> Findings:
    """Accuracy and information by λ; whether any λ beats 0 at each learning rate."""

    def of(weight: float, rate: float) -> list[Mapping[str, Any]]:
        return [results[trial(recipe, weight, rate, seed).name] for seed in range(recipe.seeds)]

    def values(weight: float, rate: float, name: str = "test_accuracy") -> list[float]:
        return [float(one[name]) for one in of(weight, rate)]

    rows, claims = [], []
    for rate in recipe.learning_rates:
        for weight in recipe.weights:
            rows.append(Row(f"λ = {weight:g}, learning rate {rate:g}", values(weight, rate), "test accuracy"))
            if not any(one["diverged"] for one in of(weight, rate)):
                information = values(weight, rate, "test_mutual_information")
                rows.append(Row(f"λ = {weight:g}, learning rate {rate:g}", information, "nats of I(X;Y), test"))
        held_out = {w: over_seeds(values(w, rate, "held_out_accuracy")).mean for w in recipe.weights if w}
        best = max(held_out, key=lambda w: held_out[w])
        pairs = zip(values(best, rate), values(0.0, rate), strict=True)
        claims.append(
            Claim.above(
                f"learning rate {rate:g}: the λ chosen on held-out images ({best:g}) beats λ = 0, cross-entropy",
                [100 * (a - b) for a, b in pairs],
                unit="percentage points",
                published=rate == recipe.learning_rates[0],
            )
        )
    panels = {
        f"learning rate {rate:g}": {"mil": [(weight, values(weight, rate)) for weight in recipe.weights]}
        for rate in recipe.learning_rates
    }
    picture = figures.by_setting(
        "weight", "Test accuracy by the weight λ (0 is cross-entropy); points are seeds.", "λ", panels, None
    )
    steps = int(of(recipe.weights[0], recipe.learning_rates[0])[0]["steps"])
    notes = [f"{recipe.epochs} epochs of {recipe.size} images in batches of {recipe.batch_size}: {steps} steps each."]
    return Findings(rows, claims, [picture], notes)


WEIGHT = Experiment(
    "milc",
    "weight",
    "Mutual-information-learned classifiers: the weight of the label entropy",
    {
        "smoke": Recipe("digits", size=400, held_out=100, epochs=2, batch_size=40, weights=(0.0, 50.0), seeds=2),
        "cpu": Recipe("mnist", size=50_000, held_out=10_000, epochs=32, batch_size=512),
        "full": Recipe(
            "mnist", size=50_000, held_out=10_000, epochs=77, batch_size=512, seeds=5,
            learning_rates=(1e-3, 3e-3, 1e-2, 3e-2),
        ),
    },
    trials,
    report,
)  # fmt: skip
