"""All-CNN-32 at several widths: what each dropout layer and unit transmits, and how activations are distributed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Claim, Figure, Findings, Row
from infoflow_reproductions.harness.lists import Entries
from infoflow_reproductions.harness.trial import Results, Trial
from infoflow_reproductions.information_dropout import figures, reporting
from infoflow_reproductions.information_dropout.claims_over_size import ALIKE, FOLLOWS
from infoflow_reproductions.information_dropout.images import SIDES
from infoflow_reproductions.information_dropout.reporting import Curve, differences
from infoflow_reproductions.information_dropout.trial import PUBLISHED, SMALL, SMOKE, Run, Settings
from infoflow_reproductions.networks.noisy import Activation

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

_PRIORS: dict[Activation, str] = {"relu": "log-uniform", "softplus": "learned log-normal"}


@dataclass(frozen=True)
class Recipe:
    """Several widths at one β. Of the defaults, the paper states the widths and the schedule.

    Parameters
    ----------
    settings
        Settings of every network.
    widths
        Shares of the channels of All-CNN-32, in ascending order.
    beta
        Weight β of the information cost.
    seeds
        Number of seeds.
    """

    settings: Settings = PUBLISHED
    widths: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0)
    beta: float = 3.0
    seeds: int = 4


def _trials(recipe: Recipe) -> list[Trial]:
    """Return networks with Softplus at every width, and networks with ReLU at the largest for their activations."""
    runs: list[tuple[Activation, float]] = [("softplus", width) for width in recipe.widths]
    runs.append(("relu", recipe.widths[-1]))
    return [
        Run("information", width, recipe.beta, activation, seed, recipe.settings).trial
        for activation, width in runs
        for seed in range(recipe.seeds)
    ]


def _report(recipe: Recipe, results: Results) -> Findings:
    """Report nats by layer and by unit against the width, and the distance of activations from their priors."""
    widths = recipe.widths
    per_layer, per_unit = _layers(results, widths)
    per_activation = _per_activation(per_unit, SIDES[recipe.settings.data] // recipe.settings.pool)
    total = reporting.curve(results, "nats", "width", widths, activation="softplus")
    errors = reporting.curve(results, "test_error", "width", widths, activation="softplus")
    layers = list(per_layer)
    first, last = layers[0], layers[-1]
    rows = [*reporting.rows("nats per image, all layers", total, "nats", "width ")]
    for name in per_layer:
        rows += reporting.rows(f"nats per image, {name}", per_layer[name], "nats", "width ")
        rows += reporting.rows(f"nats per unit and image, {name}", per_unit[name], "nats", "width ")
        rows += reporting.rows(f"nats per activation, {name}", per_activation[name], "nats", "width ")
    rows += reporting.rows("test error", errors, "%", "width ")
    claims = [
        *(
            Claim.above(
                f"Width {width:g}: the second layer transmits less information than the first",
                differences(per_layer[first][width], per_layer[last][width]),
                unit="nats",
            )
            for width in widths
        ),
        *(
            Claim.above(
                f"{name}: with the smallest share of filters each unit transmits more than with the largest",
                differences(per_unit[name][widths[0]], per_unit[name][widths[-1]]),
                unit="nats",
            )
            for name in per_layer
        ),
    ]
    found = {name: results.of(activation=name, width=widths[-1]) for name in _PRIORS}
    for name, runs in found.items():
        distances = [float(one["distance_from_prior"]) for one in runs]
        rows.append(Row(f"Kolmogorov distance from the {_PRIORS[name]} prior, {name}", distances))
    picture = figures.panels(
        "nats_against_width",
        "Information that each dropout layer transmits per test image, and each of its activations on average, "
        "against the share of filters.",
        [(per_layer, "nats per image", True), (per_activation, "nats per activation", True)],
        xlabel="width (share of the channels)",
    )
    histogram = Figure(
        "activations",
        "Logarithm of the noisy activations of the last dropout layer on test images, first seed, and its prior: the "
        "log-uniform between the 1 % and 99 % quantiles, or the log-normal that the layer has learned.",
        lambda canvas: _draw(canvas, {name: runs[0] for name, runs in found.items()}),
    )
    notes = [
        f"'Hardly varies' is a relative difference of at most {100 * ALIKE:g} % between the smallest and the largest "
        f"share of filters, 'approximately' a Kolmogorov distance of at most {FOLLOWS:g}: between log z and the normal "
        "distribution whose mean and variance the layer has learned for Softplus, and the uniform one between its 1 % "
        "and 99 % quantiles for ReLU, whose zeros are left out, as the prior has a point mass there.",
        "The paper shows curves without numbers.",
        "Nats are upper bounds on the information between a layer's output and its input.",
    ]
    return Findings(rows, claims, [picture, histogram], notes)


def _layers(results: Results, widths: Sequence[float]) -> tuple[Mapping[str, Curve], Mapping[str, Curve]]:
    """Return nats of each layer, and their mean over its units, by width."""
    runs = {width: results.of(activation="softplus", width=width) for width in widths}
    names = list(runs[widths[0]][0]["nats_per_layer"])
    per_layer = {name: {w: [float(one["nats_per_layer"][name]) for one in runs[w]] for w in widths} for name in names}
    per_unit = {
        name: {w: [float(np.mean(one["nats_per_unit"][name])) for one in runs[w]] for w in widths} for name in names
    }
    return per_layer, per_unit


def _per_activation(per_unit: Mapping[str, Curve], side: int) -> dict[str, Curve]:
    """Return the nats of a unit divided by its places; each layer halves the side of its input, rounded up."""
    found: dict[str, Curve] = {}
    for name, curve in per_unit.items():
        side = (side + 1) // 2
        found[name] = {width: [value / side**2 for value in values] for width, values in curve.items()}
    return found


def _draw(canvas: Canvas, found: Mapping[Activation, Mapping[str, Sequence[float]]]) -> None:
    canvas.set_size_inches(4.2 * len(found), 3.4)
    for axes, (name, run) in zip(canvas.subplots(1, len(found), squeeze=False)[0], found.items(), strict=True):
        edges, density = (np.array(run[key]) for key in ("log_edges", "log_density"))
        axes.stairs(density, edges, fill=True, alpha=0.5, label="noisy activations")
        axes.plot((edges[1:] + edges[:-1]) / 2, run["prior_density"], color="black", lw=1.4, label=_PRIORS[name])
        figures.label(axes, "log z", "density", name)
        axes.legend(frameon=False, fontsize=8)


EXPERIMENT = Experiment(
    "information-dropout",
    "sizes",
    "Information dropout, Figures 1 and 6: nats against the share of filters, and activations beside their priors",
    {
        "smoke": Recipe(SMOKE, widths=(0.05, 0.1), beta=1.0, seeds=2),
        # β/N as in the recipe full: N is a tenth of the full recipe's.
        "cpu": Recipe(SMALL, widths=(0.125, 0.25), beta=0.3),
        "full": Recipe(),
    },
    _trials,
    _report,
    needs={"widths": Entries()},
)
