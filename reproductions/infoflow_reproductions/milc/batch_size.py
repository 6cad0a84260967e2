"""How much the batch size matters to a loss whose marginal is the batch's: at equal epochs, and at equal steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Claim, Findings, Row
from infoflow_reproductions.harness.trial import Results, Trial
from infoflow_reproductions.milc import classifier, figures
from infoflow_reproductions.milc.losses import title

LOSSES = ("ce", "mil", "mil-ema")
BUDGETS = ("epochs", "steps")


@dataclass(frozen=True)
class Recipe:
    """`epochs` are those of the reference batch size; at equal steps another size B takes B / reference times those."""

    data: str
    size: int
    epochs: int
    batch_sizes: tuple[int, ...]
    reference: int
    seeds: int = 3
    network: str = "mlp"
    learning_rate: float = 1e-3
    weight: float = 50.0


def trial(recipe: Recipe, loss: str, batch_size: int, budget: str, seed: int) -> Trial:
    """One run; both budgets share that of the reference batch size."""
    epochs = recipe.epochs if budget == "epochs" else max(1, round(recipe.epochs * batch_size / recipe.reference))
    return classifier.trial(
        data=recipe.data,
        network=recipe.network,
        loss=loss,
        weight=0.0 if loss == "ce" else recipe.weight,
        seed=seed,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=recipe.learning_rate,
        size=recipe.size,
    )


def trials(recipe: Recipe) -> list[Trial]:
    """Every loss at every batch size and both budgets, seed by seed."""
    found: dict[str, Trial] = {}
    for seed in range(recipe.seeds):
        for budget in BUDGETS:
            for batch_size in recipe.batch_sizes:
                for loss in LOSSES:
                    one = trial(recipe, loss, batch_size, budget, seed)
                    found.setdefault(one.name, one)
    return list(found.values())


def report(recipe: Recipe, results: Results) -> Findings:
    """Accuracy by batch size, and what a small batch costs the loss and its averaged marginal."""

    def of(loss: str, batch_size: int, budget: str) -> list[Mapping[str, Any]]:
        return [results[trial(recipe, loss, batch_size, budget, seed).name] for seed in range(recipe.seeds)]

    def accuracy(loss: str, batch_size: int, budget: str) -> list[float]:
        return [float(one["test_accuracy"]) for one in of(loss, batch_size, budget)]

    rows = [
        Row(f"{title(loss, recipe.weight)}, B = {size}, equal {budget} ({of(loss, size, budget)[0]['steps']} steps)",
            accuracy(loss, size, budget), "test accuracy")
        for budget in BUDGETS for loss in LOSSES for size in recipe.batch_sizes
    ]  # fmt: skip

    def gains(loss: str, other: str, size: int, budget: str) -> list[float]:
        pairs = zip(accuracy(loss, size, budget), accuracy(other, size, budget), strict=True)
        return [100 * (a - b) for a, b in pairs]

    smallest = min(recipe.batch_sizes)
    claims = [
        Claim.above(f"B = {size}, equal {budget}: mutual information learning beats cross-entropy",
                    gains("mil", "ce", size, budget), unit="percentage points", published=size == recipe.reference)
        for budget in BUDGETS for size in recipe.batch_sizes if budget == "epochs" or size != recipe.reference
    ]  # fmt: skip
    claims.append(
        Claim.above(
            f"B = {smallest}, equal epochs: averaging the marginal over batches beats the batch's own",
            gains("mil-ema", "mil", smallest, "epochs"),
            unit="percentage points",
            published=False,
        )
    )
    panels = {
        f"equal {budget}": {
            loss: [(size, accuracy(loss, size, budget)) for size in recipe.batch_sizes] for loss in LOSSES
        }
        for budget in BUDGETS
    }
    notes = [
        f"Equal epochs: {recipe.epochs} at every batch size. Equal steps: as many as B = {recipe.reference} takes in "
        f"{recipe.epochs} epochs. The learning rate is {recipe.learning_rate:g} throughout, as published."
    ]
    picture = figures.by_setting(
        "batch-size", "Test accuracy by batch size; points are seeds.", "batch size", panels, recipe.weight
    )
    return Findings(rows, claims, [picture], notes)


BATCH_SIZE = Experiment(
    "milc",
    "batch-size",
    "Mutual-information-learned classifiers: the batch size",
    {
        "smoke": Recipe("digits", size=400, epochs=2, batch_sizes=(20, 80), reference=40, seeds=2),
        "cpu": Recipe("mnist", size=60_000, epochs=16, batch_sizes=(32, 128, 512, 2048), reference=512),
        "full": Recipe("mnist", size=60_000, epochs=77, batch_sizes=(8, 32, 128, 512, 2048), reference=512, seeds=5),
    },
    trials,
    report,
)
