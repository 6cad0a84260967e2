"""Where the nats are: maps of the information that passes, over images of one digit among pieces of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from infoflow.layers import forget_costs
from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Claim, Figure, Findings, Row
from infoflow_reproductions.harness.trial import Context, Results, Trial
from infoflow_reproductions.information_dropout import figures
from infoflow_reproductions.information_dropout.pictures import Part, pictures
from infoflow_reproductions.information_dropout.reporting import by, by_seed, per_seed
from infoflow_reproductions.information_dropout.training import Schedule, costs, error, settle, train
from infoflow_reproductions.networks.all_cnn import AllCNN

MAX_ALPHA = 1.0
# Test images whose maps are measured, and those that are kept to be shown.
_MEASURED = 1000
_SHOWN = 3


@dataclass(frozen=True)
class Recipe:
    """All-CNN-96 as published, at several β; `stages` and `head` are its channels."""

    data: str = "cluttered-mnist"
    samples: int = 50_000
    held_out: int = 0
    pool: int = 1
    stages: tuple[int, ...] = (32, 64, 96, 192)
    head: int = 192
    width: float = 1.0
    betas: tuple[float, ...] = (0.01, 0.1, 0.5)
    epochs: int = 80
    milestones: tuple[int, ...] = (30, 60)
    batch_size: int = 128
    learning_rate: float = 0.01
    seeds: int = 3


RECIPES = {
    "smoke": Recipe(
        data="toy-cluttered", samples=400, stages=(4, 6, 8), head=8, betas=(0.01, 0.5), epochs=1, milestones=(),
        batch_size=50, seeds=2,
    ),
    # β/N as published; images are a third of the size, so a stage less is left to stride.
    "cpu": Recipe(
        samples=20_000, pool=3, stages=(32, 64, 96), width=0.25, betas=(0.004, 0.04, 0.2), epochs=8, milestones=(6,),
        batch_size=50, learning_rate=0.05,
    ),
    "full": Recipe(),
}  # fmt: skip


def trials(recipe: Recipe) -> list[Trial]:
    """One network for each β and seed."""
    shared = {
        "data": recipe.data, "samples": recipe.samples, "held_out": recipe.held_out, "pool": recipe.pool,
        "stages": list(recipe.stages), "head": recipe.head, "width": recipe.width, "epochs": recipe.epochs,
        "milestones": list(recipe.milestones), "batch_size": recipe.batch_size, "learning_rate": recipe.learning_rate,
    }  # fmt: skip
    return [
        Trial(f"beta={beta:g}/seed={seed}", run, {"beta": beta, "seed": seed, **shared})
        for beta in recipe.betas
        for seed in range(recipe.seeds)
    ]


def run(
    *, context: Context, beta: float, seed: int, data: str, samples: int, held_out: int, pool: int,
    stages: Sequence[int], head: int, width: float, epochs: int, milestones: Sequence[int], batch_size: int,
    learning_rate: float,
) -> Mapping[str, Any]:  # fmt: skip
    """Trains one network; `inside` is the share of each layer's nats that lies inside the digit's box (per cent)."""
    parts = pictures(data, samples, held_out, pool=pool, root=context.data_root)
    network = AllCNN(stages, head, channels=parts.train.x.shape[1], width=width, max_alpha=MAX_ALPHA, seed=seed).to(
        context.device
    )
    schedule = Schedule(epochs, batch_size, learning_rate, tuple(milestones), nesterov=False)
    history = train(network, parts.train, schedule, beta=beta, seed=seed, context=context)
    settle(network, parts.train, context)
    found: dict[str, Any] = {
        "test_error": error(network, parts.test, context),
        "held_out_error": error(network, parts.held_out, context),
        "train_cross_entropy": history[-1]["cross_entropy"],
        "information_curve": [row["information"] for row in history if "information" in row],
    }
    some = parts.test.first(_MEASURED)
    found |= measured(costs(network, some.x, context, per="place"), some, pool)
    forget_costs(network)
    return found


def measured(maps: Mapping[str, Tensor], part: Part, pool: int) -> dict[str, Any]:
    """From {layer: nats at each place of each image (n, H, W)}: nats, shares inside the box, and a few whole maps.

    `inside` is of all layers' nats together, `inside_per_layer` of each; `area` is the share of the image's area in
    the box, which is what nats spread evenly would give. A place at the edge of the box counts by its part inside.
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
    """(n, places, places): which part of each place lies in the box, given in pixels of an image of that side."""
    edges = torch.arange(places + 1, dtype=torch.float32) * (side / places)

    def covered(low: Tensor, high: Tensor) -> Tensor:
        overlap = torch.minimum(edges[1:], high[:, None]) - torch.maximum(edges[:-1], low[:, None])
        return functional.relu(overlap) * (places / side)

    top, left, bottom, right = boxes.float().unbind(1)
    return covered(top, bottom)[:, :, None] * covered(left, right)[:, None, :]


def report(recipe: Recipe, results: Results) -> Findings:
    """Shares inside the box against β, and the maps themselves."""
    betas = list(recipe.betas)
    layers = list(results.of()[0]["inside_per_layer"])
    shares = by(results, "inside", "beta", betas)
    per_layer = {
        name: {beta: [found["inside_per_layer"][name] for found in results.of(beta=beta)] for beta in betas}
        for name in layers
    }
    errors, nats = by(results, "test_error", "beta", betas), by(results, "nats", "beta", betas)
    area = results.of()[0]["area"]
    rows = [Row(f"share of the nats inside the digit's box, β = {beta:g}", shares[beta], "%") for beta in betas]
    rows += [
        Row(f"share inside the box, {name}, β = {beta:g}", values, "%")
        for name, curve in per_layer.items()
        for beta, values in curve.items()
    ]
    rows += [Row(f"test error, β = {beta:g}", errors[beta], "%") for beta in betas]
    rows += [Row(f"nats per image, all layers, β = {beta:g}", nats[beta], "nats") for beta in betas]
    first, last = betas[0], betas[-1]
    rising = [[-value for value in curve] for curve in by_seed(results, "inside", "beta", betas)]
    risen = Claim.falling("The share of the nats inside the digit's box rises with β", rising)
    told = " → ".join(f"{sum(v) / len(v):.3g}" for v in shares.values())
    claims = [
        Claim(risen.text, risen.holds, f"{told} %; the box is {area:.3g} % of the area; {recipe.seeds} seed(s)"),
        Claim.above(
            f"At β = {last:g} the box holds more than its share of the area", per_seed(results, "inside", beta=last),
            area, unit="%",
        ),
        Claim.falling("The nats that pass fall with β", by_seed(results, "nats", "beta", betas)),
    ]  # fmt: skip
    for name in layers:
        differences = [b - a for a, b in zip(per_layer[name][first], per_layer[name][last], strict=True)]
        claims.append(
            Claim.above(f"{name}: the share inside rises from β = {first:g} to {last:g}", differences, unit="%")
        )
    seen = [results.of(beta=beta)[0] for beta in betas]

    def draw_maps(canvas: Any) -> None:
        canvas.set_size_inches(1.75 * (len(layers) + 1), 1.85 * len(betas) + 0.4)
        rows_ = [[found["images"][0], *(found["maps"][name][0] for name in layers)] for found in seen]
        figures.maps(canvas, rows_, ["image", *layers], [found["boxes"][0] for found in seen],
                     [f"β = {beta:g}" for beta in betas])  # fmt: skip

    def draw_examples(canvas: Any) -> None:
        canvas.set_size_inches(1.75 * (len(layers) + 1), 1.85 * len(seen[-1]["images"]) + 0.4)
        rows_ = [[image, *(seen[-1]["maps"][name][i] for name in layers)] for i, image in enumerate(seen[-1]["images"])]
        figures.maps(canvas, rows_, ["image", *layers], seen[-1]["boxes"], [])

    pictures_ = [
        Figure("maps_against_beta", "Nats at each place that a dropout layer lets through, for one test image, at "
               "rising β (from above); the frame is the digit's. Seed 0.", draw_maps),
        Figure("maps_of_images", f"The same for further test images at β = {last:g}.", draw_examples),
        Figure("share_inside_against_beta", f"Share of the nats inside the digit's box (the box is {area:.3g} % of the "
               "area), and the test error; dots are seeds, bars the 95 % interval of their mean.",
               lambda canvas: figures.beside(canvas, [({"all layers": shares, **per_layer}, "nats inside the box (%)",
               False), ({"test error": errors}, "test error (%)", True)], xlabel="β")),
    ]  # fmt: skip
    return Findings(
        rows, claims, pictures_,
        ["The paper shows such maps without figures. A place's nats are the sum over the layer's units of their KL, "
         "noise off upstream; the released code shows them less each map's minimum, which the shares here don't."],
    )  # fmt: skip


EXPERIMENT = Experiment(
    "information-dropout", "cluttered", "Information dropout: KL maps on Cluttered MNIST", RECIPES, trials, report
)
