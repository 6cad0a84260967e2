"""Maps of the transmitted information over images of one digit among pieces of others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from infoflow.layers import forget_costs
from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Claim, Findings, Row
from infoflow_reproductions.harness.lists import Entries
from infoflow_reproductions.harness.trial import Context, Results, Trial
from infoflow_reproductions.information_dropout import figures, reporting, training
from infoflow_reproductions.information_dropout.images import Part
from infoflow_reproductions.networks.all_cnn import AllCNN

# Section 8: α(x) < 0.7.
MAX_ALPHA = 0.7
BOX = "share of the image that the digit's box covers"
"""Name of a figure in the table."""
# Numbers of test images whose maps are measured, and whose maps are stored for pictures.
_MEASURED, _SHOWN = 1000, 3


@dataclass(frozen=True)
class Settings(training.Settings):
    """Settings of every network; the defaults are the layers of the paper's All-CNN-96.

    Parameters
    ----------
    data, samples, held_out, epochs, milestones, batch_size, learning_rate
        As in `training.Settings`.
    pool
        Side of the blocks of pixels that are averaged.
    stages, head
        Channels of `AllCNN`.
    width
        Factor on the channels.
    """

    pool: int = 1
    stages: tuple[int, ...] = (32, 64, 96, 192)
    head: int = 192
    width: float = 1.0


# The paper states the number of images and no schedule.
PUBLISHED = Settings(
    "cluttered-mnist", samples=50_000, held_out=0, epochs=80, milestones=(30, 60), batch_size=128, learning_rate=0.01
)


@dataclass(frozen=True)
class Recipe:
    """All-CNN-96 at several β.

    Parameters
    ----------
    settings
        Settings of every network.
    betas
        Values of β in ascending order.
    seeds
        Number of seeds.
    """

    settings: Settings = PUBLISHED
    betas: tuple[float, ...] = (0.01, 0.1, 0.5)
    seeds: int = 3


@dataclass(frozen=True)
class Run:
    """One network.

    Parameters
    ----------
    beta
        Weight β of the information cost.
    seed
        Random seed.
    settings
        Its other settings.
    """

    beta: float
    seed: int
    settings: Settings


def _trials(recipe: Recipe) -> list[Trial]:
    """Return one network for each β and seed."""
    return [
        Trial(f"beta={beta:g}/seed={seed}", run, Run(beta, seed, recipe.settings))
        for beta in recipe.betas
        for seed in range(recipe.seeds)
    ]


def run(chosen: Run, *, context: Context) -> Mapping[str, Any]:
    """Train one network and measure where it transmits information.

    Parameters
    ----------
    chosen
        The network.
    context
        Where it runs.

    Returns
    -------
    mapping
        Errors in percent and what `measured` returns.
    """
    settings, seed = chosen.settings, chosen.seed
    parts = settings.images(context, pool=settings.pool)
    channels = parts.train.x.shape[1]
    network = AllCNN(
        settings.stages, settings.head, channels=channels, width=settings.width, max_alpha=MAX_ALPHA, seed=seed
    ).to(context.device)
    schedule = settings.fit("sgd", momentum=0.9)
    history = training.train(network, parts.train, schedule, beta=chosen.beta, seed=seed, context=context)
    training.to_evaluation(network, parts.train, context)
    found: dict[str, Any] = {
        **training.errors(network, parts, context),
        "train_cross_entropy": history[-1]["cross_entropy"],
        "information_curve": [row["information"] for row in history if "information" in row],
    }
    some = parts.test.first(_MEASURED)
    found |= measured(training.costs(network, some.x, context, per="place"), some, settings.pool)
    forget_costs(network)
    return found


def measured(maps: Mapping[str, Tensor], part: Part, pool: int) -> dict[str, Any]:
    """Return nats, their shares inside the digits' boxes, and a few whole maps.

    Parameters
    ----------
    maps
        For each layer the nats at each place of each image, of shape (n, H, W).
    part
        The n images, with the factor `box` in pixels before pooling.
    pool
        Side of the blocks of pixels that were averaged.

    Returns
    -------
    dict
        Among others `inside`, the percentage of all layers' nats inside the box, `inside_per_layer`, and `area`, the
        percentage of the image's area in the box: the share of nats that are spread evenly. A place at the edge of the
        box counts by its part inside.
    """
    found: dict[str, Any] = {"nats_per_layer": {}, "inside_per_layer": {}, "maps": {}}
    side = part.x.shape[-1]
    boxes = part.factors["box"] / pool
    inside, whole = torch.zeros(len(part)), torch.zeros(len(part))
    for name, nats in maps.items():
        mask = _mask(boxes, side, nats.shape[-1])
        within, total = (nats * mask).flatten(1).sum(1), nats.flatten(1).sum(1)
        found["nats_per_layer"][name] = float(total.mean())
        found["inside_per_layer"][name] = float(100 * (within / total.clamp_min(1e-12)).mean())
        found["maps"][name] = nats[:_SHOWN].tolist()
        inside, whole = inside + within, whole + total
    found["inside"] = float(100 * (inside / whole.clamp_min(1e-12)).mean())
    found["nats"] = float(whole.mean())
    found["area"] = float(100 * _mask(boxes, side, side).flatten(1).mean())
    found["images"] = part.x[:_SHOWN, 0].tolist()
    found["boxes"] = boxes[:_SHOWN].tolist()
    return found


def _mask(boxes: Tensor, side: int, places: int) -> Tensor:
    """Return the part of each place that lies in the box, (n, places, places); boxes are in pixels of the image."""
    edges = torch.arange(places + 1, dtype=torch.float32) * (side / places)

    def covered(low: Tensor, high: Tensor) -> Tensor:
        overlap = torch.minimum(edges[1:], high[:, None]) - torch.maximum(edges[:-1], low[:, None])
        return functional.relu(overlap) * (places / side)

    top, left, bottom, right = boxes.float().unbind(1)
    return covered(top, bottom)[:, :, None] * covered(left, right)[:, None, :]


def _report(recipe: Recipe, results: Results) -> Findings:
    """Report shares inside the box against β, and the maps."""
    betas = recipe.betas
    shares, errors, nats = (reporting.curve(results, name, "beta", betas) for name in ("inside", "test_error", "nats"))
    per_layer = reporting.layer_curves(results, "inside_per_layer", betas)
    layers = list(per_layer)
    area = results.of()[0]["area"]
    rows = reporting.rows("share of the nats inside the digit's box", shares, "%")
    for name, found in per_layer.items():
        rows += reporting.rows(f"share inside the box, {name}", found, "%")
    rows += reporting.rows("test error", errors, "%")
    rows += reporting.rows("nats per image, all layers", nats, "nats")
    rows.append(Row(BOX, [area], "%"))
    first, last = betas[0], betas[-1]
    claims = [
        Claim.above(
            f"At β = {last:g} the share of the information inside the box exceeds the box's share of the area",
            shares[last],
            area,
            unit="%",
        ),
        *(
            Claim.above(
                f"{name}: the share inside the box rises from β = {first:g} to {last:g}",
                reporting.differences(per_layer[name][last], per_layer[name][first]),
                unit=reporting.POINTS,
            )
            for name in layers
        ),
    ]
    seen = [results.of(beta=beta)[0] for beta in betas]
    examples = seen[-1]
    pictures = [
        figures.maps(
            "maps_against_beta",
            "Nats at each place that a dropout layer transmits, for one test image and rising β (from above); the "
            "frame is the digit's box. Seed 0.",
            [[found["images"][0], *(found["maps"][name][0] for name in layers)] for found in seen],
            layers,
            [found["boxes"][0] for found in seen],
            [f"β = {beta:g}" for beta in betas],
        ),
        figures.maps(
            "maps_of_images",
            f"The same for further test images at β = {last:g}.",
            [[image, *(examples["maps"][name][i] for name in layers)] for i, image in enumerate(examples["images"])],
            layers,
            examples["boxes"],
        ),
        figures.panels(
            "share_inside_against_beta",
            f"Share of the nats inside the digit's box (the box is {area:.3g} % of the area), and the test error.",
            [
                ({"all layers": shares, **per_layer}, "nats inside the box / %", False),
                ({"test error": errors}, "test error / %", True),
            ],
            xlabel="β",
        ),
    ]
    note = (
        "The paper shows such maps without figures. The nats of a place are the sum over the layer's units of their "
        "KL, with the noise upstream off; the released code subtracts each map's minimum, which these shares do not."
    )
    return Findings(rows, claims, pictures, [note])


_SMOKE = replace(
    PUBLISHED, data="toy-cluttered", samples=400, stages=(4, 6, 8), head=8, epochs=1, milestones=(), batch_size=50
)
# β/N as in the recipe full; images have a third of the side, which leaves three stages to halve it.
_SMALL = replace(
    replace(PUBLISHED, samples=20_000, epochs=8, milestones=(6,), batch_size=50, learning_rate=0.05),
    pool=3,
    stages=(32, 64, 96),
    width=0.25,
)
EXPERIMENT = Experiment(
    "information-dropout",
    "cluttered",
    "Information dropout: KL maps on Cluttered MNIST",
    {
        "smoke": Recipe(_SMOKE, betas=(0.01, 0.5), seeds=2),
        "cpu": Recipe(_SMALL, betas=(0.004, 0.04, 0.2)),
        "full": Recipe(),
    },
    _trials,
    _report,
    needs={"betas": Entries(at_least=2)},
)
