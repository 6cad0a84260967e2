"""Accuracy by the batch size, at equal epochs and at equal steps, and by the weight λ of the label entropy."""

from __future__ import annotations

from dataclasses import dataclass, replace

from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Claim, Findings, Row
from infoflow_reproductions.harness.lists import Entries
from infoflow_reproductions.harness.trial import Results, Trial
from infoflow_reproductions.milc import classifier, figures
from infoflow_reproductions.milc.classifier import Found, Training
from infoflow_reproductions.milc.images import scale_of_pixels
from infoflow_reproductions.milc.losses import title
from infoflow_reproductions.milc.published import TABLE_3

_LOSSES = ("ce", "mil", "mil-ema")
_BUDGETS = ("epochs", "steps")
_POINTS = "percentage points"


@dataclass(frozen=True)
class BatchSizes:
    """Losses whose marginal is that of the batch, at several batch sizes.

    Parameters
    ----------
    base
        The published run of mutual information learning; at equal steps a batch size B takes B / (published batch
        size) times its epochs.
    batch_sizes
        Batch sizes.
    seeds
        Number of seeds.
    """

    base: Training
    batch_sizes: tuple[int, ...]
    seeds: int = 4  # three could never show that a claim differs

    def training(self, loss: str, batch_size: int, budget: str) -> Training:
        """Return the settings of one run.

        Parameters
        ----------
        loss
            Name of the loss.
        batch_size
            Batch size.
        budget
            What equals that of the published run: "epochs" or "steps".

        Returns
        -------
        Training
            Its settings; both budgets are the same at the published batch size.
        """
        factor = batch_size / self.base.batch_size if budget == "steps" else 1.0
        epochs = max(1, round(self.base.epochs * factor))
        weight = 0.0 if loss == "ce" else self.base.weight
        return replace(self.base, loss=loss, epochs=epochs, batch_size=batch_size, weight=weight)


@dataclass(frozen=True)
class Weights:
    """Mutual information learning at several weights λ; λ = 0 is cross-entropy.

    Parameters
    ----------
    base
        A run of mutual information learning, from which the others are varied.
    weights
        Values of λ.
    learning_rates
        Learning rates, the published one first.
    seeds
        Number of seeds.
    """

    base: Training
    weights: tuple[float, ...] = (0.0, 0.5, 5.0, 50.0, 500.0)
    learning_rates: tuple[float, ...] = (1e-3, 1e-2)
    seeds: int = 4


def _batch_size_trials(recipe: BatchSizes) -> list[Trial]:
    """Return every loss at every batch size and both budgets."""
    trainings = [
        recipe.training(loss, size, budget) for budget in _BUDGETS for size in recipe.batch_sizes for loss in _LOSSES
    ]
    return classifier.trials(trainings, recipe.seeds)


def _batch_size_report(recipe: BatchSizes, results: Results) -> Findings:
    """Report the accuracy by batch size, and what a small batch costs."""
    found = Found(results, recipe.seeds)
    sizes, smallest = recipe.batch_sizes, min(recipe.batch_sizes)
    every = {
        (budget, loss, size): recipe.training(loss, size, budget)
        for budget in _BUDGETS
        for loss in _LOSSES
        for size in sizes
    }
    rows = [
        Row(
            f"{title(loss, recipe.base.weight)}, B = {size}, equal {budget} ({found.of(training)[0]['steps']} steps)",
            found.values(training),
            "test accuracy",
        )
        for (budget, loss, size), training in every.items()
    ]
    claims = [
        Claim.above(
            f"B = {size}, equal {budget}: mutual information learning outperforms cross-entropy",
            found.gain(every[budget, "mil", size], every[budget, "ce", size]),
            unit=_POINTS,
            published=False,
        )
        for budget in _BUDGETS
        for size in sizes
        if size != recipe.base.batch_size  # that claim follows from the figures
    ]
    claims.append(
        Claim.above(
            f"B = {smallest}, equal epochs: the marginal averaged over batches outperforms that of the batch",
            found.gain(every["epochs", "mil-ema", smallest], every["epochs", "mil", smallest]),
            unit=_POINTS,
            published=False,
        )
    )
    panels = {
        f"equal {budget}": {
            loss: [(size, found.values(every[budget, loss, size])) for size in sizes] for loss in _LOSSES
        }
        for budget in _BUDGETS
    }
    base = recipe.base
    note = (
        f"Equal epochs: {base.epochs} at every batch size. Equal steps: as many as B = {base.batch_size} takes in "
        f"{base.epochs} epochs. The learning rate is {base.learning_rate:g} throughout, as published."
    )
    choices = (
        "The network and the batch sizes of Fig. 5 are not in the text at hand; they are chosen here. The paper's "
        "sentence is on equal epochs, where larger batches take fewer steps, so equal steps are the control. The "
        "claim on mutual information learning alone was added after results were known; before, only the contrast with "
        "cross-entropy was judged."
    )
    picture = figures.by_setting(
        "batch-size", "Test accuracy by batch size; points are seeds.", "batch size", panels, recipe.base.weight
    )
    return Findings(rows, claims, [picture], [note, choices, f"{scale_of_pixels(base.standardized)}."])


def _weight_trials(recipe: Weights) -> list[Trial]:
    """Return every λ at every learning rate."""
    trainings = [
        replace(recipe.base, weight=weight, learning_rate=rate)
        for rate in recipe.learning_rates
        for weight in recipe.weights
    ]
    return classifier.trials(trainings, recipe.seeds)


def _weight_report(recipe: Weights, results: Results) -> Findings:
    """Report accuracy and information by λ, and whether any λ outperforms 0 at each learning rate."""
    found = Found(results, recipe.seeds)
    rows, claims, panels = [], [], {}
    for rate in recipe.learning_rates:
        every = {weight: replace(recipe.base, weight=weight, learning_rate=rate) for weight in recipe.weights}
        for weight, training in every.items():
            what = f"λ = {weight:g}, learning rate {rate:g}"
            rows.append(Row(what, found.values(training), "test accuracy"))
            if not any(one["diverged"] for one in found.of(training)):
                information = found.values(training, "test_mutual_information")
                rows.append(Row(what, information, "nats of I(X;Y), test"))
        best = found.best([training for weight, training in every.items() if weight])
        claims.append(
            Claim.above(
                f"learning rate {rate:g}: the λ chosen on held-out images ({best.weight:g}) outperforms λ = 0, "
                "cross-entropy",
                found.gain(best, every[0.0]),
                unit=_POINTS,
                published=False,  # the paper shows the effect of λ in Fig. 5 and states no outcome
            )
        )
        panels[f"learning rate {rate:g}"] = {
            "mil": [(weight, found.values(training)) for weight, training in every.items()]
        }
    picture = figures.by_setting(
        "weight", "Test accuracy by the weight λ (0 is cross-entropy); points are seeds.", "λ", panels, None
    )
    base, steps = recipe.base, found.of(every[recipe.weights[0]])[0]["steps"]
    note = f"{base.epochs} epochs of {base.size:,} images in batches of {base.batch_size}: {steps} steps each."
    choices = (
        f"The paper trains on all training images; here {base.held_out:,} of them are held out to choose λ. The "
        "network and the values of λ of Fig. 5 are not in the text at hand; they are chosen here."
    )
    return Findings(rows, claims, [picture], [note, choices, f"{scale_of_pixels(base.standardized)}."])


def smaller(recipe: BatchSizes | Weights) -> str:
    """Return what is smaller than in the paper.

    Parameters
    ----------
    recipe
        The recipe.

    Returns
    -------
    str
        Epochs, images and network where they are smaller; empty at the published scale.

    Examples
    --------
    >>> base = Training("mnist", "mlp", "mil", 0, epochs=16, batch_size=512, learning_rate=1e-3, size=60_000)
    >>> smaller(BatchSizes(base, (32, 512)))
    '16 epochs for 77'
    """
    base = recipe.base
    if base.data.startswith("digits"):
        return "a smoke test on digits"
    color = base.data.startswith("cifar10")
    epochs, size = (100, 50_000) if color else (77, 60_000)
    parts = [f"{base.epochs} epochs for {epochs}"] if base.epochs < epochs else []
    if base.size < size:
        held_out = f" ({base.held_out:,} others choose λ)" if base.held_out else ""
        parts.append(f"{base.size:,} of {size:,} training images{held_out}")
    parts += ["images averaged to 16×16 pixels"] if base.data == "cifar10-16" else []
    parts += ["a network smaller than those of Table 3"] if color and base.network not in TABLE_3 else []
    return ", ".join(parts)


_DIGITS = Training("digits", "mlp", "mil", 0, epochs=2, batch_size=40, learning_rate=1e-3, size=400, weight=50.0)
_MNIST = replace(_DIGITS, data="mnist", epochs=77, batch_size=512, size=60_000)

BATCH_SIZE = Experiment(
    "milc",
    "batch-size",
    "Mutual-information-learned classifiers: the batch size",
    {
        "smoke": BatchSizes(_DIGITS, (20, 80), seeds=2),
        "cpu": BatchSizes(replace(_MNIST, epochs=16), (32, 128, 512, 2048)),
        "full": BatchSizes(_MNIST, (8, 32, 128, 512, 2048), seeds=5),
    },
    _batch_size_trials,
    _batch_size_report,
    smaller=smaller,
)

_FEWER = replace(_MNIST, size=50_000, held_out=10_000)
_WEIGHTS = {"weights": Entries((0.0,), at_least=2), "learning_rates": Entries()}
WEIGHT = Experiment(
    "milc",
    "weight",
    "Mutual-information-learned classifiers: the weight of the label entropy",
    {
        "smoke": Weights(replace(_DIGITS, held_out=100), weights=(0.0, 50.0), seeds=2),
        "cpu": Weights(replace(_FEWER, epochs=32)),
        "full": Weights(_FEWER, learning_rates=(1e-3, 3e-3, 1e-2, 3e-2), seeds=5),
    },
    _weight_trials,
    _weight_report,
    needs=_WEIGHTS,
    smaller=smaller,
)
