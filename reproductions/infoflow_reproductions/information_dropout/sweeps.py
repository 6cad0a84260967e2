"""All-CNN-32 on CIFAR-10 at several β: total correlation, transmitted information, task and nuisance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.figures import COLORS, mean_and_range
from infoflow_reproductions.harness.findings import Claim, Figure, Findings, Row
from infoflow_reproductions.harness.lists import Entries
from infoflow_reproductions.harness.trial import Results, Trial
from infoflow_reproductions.information_dropout import figures, reporting
from infoflow_reproductions.information_dropout.claims_over_beta import DRASTIC
from infoflow_reproductions.information_dropout.reporting import POINTS, Curve, differences
from infoflow_reproductions.information_dropout.trial import PUBLISHED, SMALL, SMOKE, Run, Settings
from infoflow_reproductions.networks.noisy import Activation

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

# Percentage points: the accuracy on the main task is retained where it drops by significantly less than this.
_MARGIN = 2.0


@dataclass(frozen=True)
class Recipe:
    """Several β at one width.

    Parameters
    ----------
    settings
        Settings of every network.
    betas
        Values of β in ascending order.
    width
        Share of the channels of All-CNN-32.
    seeds
        Number of seeds.
    activation
        Name of the activation; Softplus uses the log-normal prior.
    too_large
        Further, larger β, at which information is expected not to suffice for the task.
    """

    settings: Settings
    betas: tuple[float, ...]
    width: float = 0.25
    seeds: int = 3
    activation: Activation = "relu"
    too_large: tuple[float, ...] = ()


def _trials(recipe: Recipe) -> list[Trial]:
    """Return one network for each β and seed."""
    return [
        Run("information", recipe.width, beta, recipe.activation, seed, recipe.settings).trial
        for beta in (*recipe.betas, *recipe.too_large)
        for seed in range(recipe.seeds)
    ]


def _common(recipe: Recipe, results: Results) -> tuple[Curve, Curve, list[Row]]:
    """Return the transmitted nats, the test errors, and the rows of the nats."""
    nats, errors = (reporting.curve(results, name, "beta", recipe.betas) for name in ("nats", "test_error"))
    return nats, errors, reporting.rows("nats per image, all layers", nats, "nats")


def _report_total_correlation(recipe: Recipe, results: Results) -> Findings:
    """Report total correlation, nats and error against β."""
    nats, errors, nats_rows = _common(recipe, results)
    correlation = reporting.curve(results, "total_correlation", "beta", recipe.betas)
    doubled = {beta: [2 * value for value in values] for beta, values in correlation.items()}
    rows = [
        *reporting.rows("total correlation of log z", correlation, "nats"),
        *reporting.rows("−log|Σ₀⁻¹Σ|, the paper's form", doubled, "nats"),
        *nats_rows,
        *reporting.rows("test error", errors, "%"),
        *reporting.rows("training error", reporting.curve(results, "train_error", "beta", recipe.betas), "%"),
    ]
    claims = [
        reporting.falling("The total correlation of the last dropout layer falls with β", correlation),
    ]
    beyond = {
        name: reporting.curve(results, name, "beta", recipe.too_large)
        for name in ("total_correlation", "nats", "test_error")
    }
    for what, name, unit in (
        ("total correlation of log z", "total_correlation", "nats"),
        ("nats per image, all layers", "nats", "nats"),
        ("test error", "test_error", "%"),
    ):
        rows += reporting.rows(what, beyond[name], unit, "too large β = ")
    picture = figures.panels(
        "total_correlation_against_beta",
        "Total correlation of log z at the last dropout layer (Gaussian, over its units; samples are places of test "
        "images), the transmitted information, and the test error.",
        [
            ({"total correlation": {**correlation, **beyond["total_correlation"]}}, "total correlation (nats)", False),
            ({"all layers": {**nats, **beyond["nats"]}}, "nats per image", True),
            ({"test": {**errors, **beyond["test_error"]}}, "test error / %", False),
        ],
        xlabel="β",
        size=(9.5, 3.6),
    )
    note = (
        f"'Drastic' is an increase by more than {DRASTIC:g} points over the smallest β. The paper's formula "
        "−log|Σ₀⁻¹Σ| is twice the total correlation in nats; both are given. The paper shows a curve without numbers. "
        "The training error is that without noise."
    )
    return Findings(rows, claims, [picture], [note])


def _report_flow(recipe: Recipe, results: Results) -> Findings:
    """Report nats per layer, per unit and per epoch."""
    betas = recipe.betas
    nats, errors, _ = _common(recipe, results)
    per_layer = reporting.layer_curves(results, "nats_per_layer", betas)
    layers = list(per_layer)
    rows = [
        row for name, found in per_layer.items() for row in reporting.rows(f"nats per image, {name}", found, "nats")
    ]
    rows += reporting.rows("test error", errors, "%")
    claims = [
        reporting.falling("The transmitted information falls with β", nats, published=False),
        *(
            reporting.falling(f"{name}: the transmitted information falls with β", per_layer[name], published=False)
            for name in layers
        ),
    ]
    pictures = [
        figures.panels(
            "nats_per_layer",
            "Information that each dropout layer transmits per test image.",
            [(per_layer, "nats per image", True), ({"test": errors}, "test error / %", False)],
            xlabel="β",
        ),
        Figure(
            "nats_per_unit",
            "Information that each unit of a layer transmits over all its places, largest first; mean over seeds, and "
            "their range.",
            lambda canvas: _draw_units(canvas, results, betas, layers),
        ),
        Figure(
            "nats_along_training",
            "Information per training image in each epoch, all dropout layers together; mean over seeds, and their "
            "range.",
            lambda canvas: _draw_epochs(canvas, results, betas),
        ),
    ]
    note = "Nats are upper bounds on the information between a layer's output and its input"
    if recipe.activation == "relu":
        note += ", up to the constant that a log-uniform prior leaves open: a unit with the largest noise counts as 0"
    return Findings(rows, claims, pictures, [f"{note}."])


def _draw_units(canvas: Canvas, results: Results, betas: Sequence[float], layers: Sequence[str]) -> None:
    canvas.set_size_inches(3.6 * len(layers), 3.6)
    for axes, name in zip(canvas.subplots(1, len(layers), squeeze=False)[0], layers, strict=True):
        for i, beta in enumerate(betas):
            units = [found["nats_per_unit"][name] for found in results.of(beta=beta)]
            mean_and_range(axes, range(1, len(units[0]) + 1), units, COLORS[i], f"β = {beta:g}")
        figures.label(axes, "unit, by its nats", "nats per image", name)
        axes.legend(frameon=False, fontsize=8)


def _draw_epochs(canvas: Canvas, results: Results, betas: Sequence[float]) -> None:
    axes = canvas.subplots()
    for i, beta in enumerate(betas):
        curves = [found["information_curve"] for found in results.of(beta=beta)]
        mean_and_range(axes, range(1, len(curves[0]) + 1), curves, COLORS[i], f"β = {beta:g}")
    figures.label(axes, "epoch", "nats per image, all layers")
    figures.logarithmic(axes)
    axes.legend(frameon=False, fontsize=8)


def _report_nuisance(recipe: Recipe, results: Results) -> Findings:
    """Report the errors on object and digit against β."""
    nats, errors, nats_rows = _common(recipe, results)
    nuisance, noisy = (
        reporting.curve(results, name, "beta", recipe.betas) for name in ("nuisance_accuracy", "noisy_test_error")
    )
    first, last = recipe.betas[0], recipe.betas[-1]
    rows = [
        *reporting.rows("test error, object", errors, "%"),
        *reporting.rows("test error with noise, object", noisy, "%"),
        *reporting.rows("test accuracy on the digit", nuisance, "%"),
        *nats_rows,
    ]
    claims = [
        reporting.falling("The accuracy of a classifier of the nuisance falls with β", nuisance),
        Claim.above(
            f"From β = {first:g} to {last:g} the accuracy on the main task, with noise, drops by less than {_MARGIN:g} "
            "points",
            differences(noisy[first], noisy[last]),
            -_MARGIN,
            unit=POINTS,
            published=False,
        ),
        Claim.above(
            "The accuracy on the nuisance drops by more than the accuracy on the main task, both with noise",
            differences(differences(nuisance[first], nuisance[last]), differences(noisy[last], noisy[first])),
            unit=POINTS,
            published=False,
        ),
    ]
    nuisance_errors = {beta: [100 - value for value in values] for beta, values in nuisance.items()}
    picture = figures.panels(
        "errors_against_beta",
        "Test error on the object, on which the network is trained, without noise and with one draw of it, and on the "
        "digit over it, which a classifier predicts from the noisy last representation; and the transmitted "
        "information.",
        [
            (
                {
                    "object (main task), without noise": errors,
                    "object, with noise": noisy,
                    "digit (nuisance), with noise": nuisance_errors,
                },
                "test error / %",
                False,
            ),
            ({"all layers": nats}, "nats per image", True),
        ],
        xlabel="β",
    )
    notes = [
        "The paper gives these curves as a figure without numbers. It does not state how digits are laid over images; "
        "here each pixel is the larger of both.",
        "The digit is classified by a two-layer perceptron on the output of the last dropout layer, with noise. Its "
        "accuracy is a lower bound: a stronger classifier might be more accurate.",
    ]
    return Findings(rows, claims, [picture], notes)


_SMOKE = Recipe(SMOKE, (0.1, 1.0), width=0.05, seeds=2)

_BETAS = {"betas": Entries(at_least=2)}
DISENTANGLING = Experiment(
    "information-dropout",
    "disentangling",
    "Information dropout: total correlation against β, CIFAR-10",
    {
        "smoke": replace(_SMOKE, activation="softplus", too_large=(2.0,)),
        # β/N up to that of the full recipe, whose N is ten times as large.
        "cpu": Recipe(SMALL, (0.01, 0.1, 1.0), seeds=4, activation="softplus", too_large=(10.0, 30.0)),
        "full": Recipe(PUBLISHED, (0.1, 1.0, 3.0, 10.0), activation="softplus", too_large=(100.0, 300.0)),
    },
    _trials,
    _report_total_correlation,
    needs=_BETAS,
)

FLOW = Experiment(
    "information-dropout",
    "flow",
    "Information dropout: nats per layer and unit, CIFAR-10",
    {
        "smoke": _SMOKE,
        "cpu": Recipe(replace(SMALL, samples=3_000), (0.02, 0.2, 2.0)),
        "full": Recipe(PUBLISHED, (0.3, 3.0, 30.0), activation="softplus"),
    },
    _trials,
    _report_flow,
    needs=_BETAS,
)

# β/N as in the full recipe, whose N is ten times as large; networks with little noise have time to overfit.
_OCCLUDED_CPU = replace(SMALL, data="occluded-cifar", held_out=4_000, epochs=24, milestones=(14, 21))
OCCLUDED = Experiment(
    "information-dropout",
    "occluded",
    "Information dropout: task and nuisance on Occluded CIFAR",
    {
        "smoke": replace(_SMOKE, settings=replace(SMOKE, data="toy-occluded")),
        "cpu": Recipe(_OCCLUDED_CPU, (0.01, 0.1, 1.0), seeds=4),
        "full": Recipe(replace(PUBLISHED, data="occluded-cifar"), (0.1, 1.0, 3.0, 10.0), width=1.0),
    },
    _trials,
    _report_nuisance,
    needs=_BETAS,
)
