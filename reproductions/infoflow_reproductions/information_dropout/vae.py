"""Two autoencoders on MNIST, one with a Gaussian latent, one with information dropout: are their bounds alike?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from infoflow.objectives.loss import Loss
from infoflow.training import Fit, Optimizer, Player, fit
from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Claim, Figure, Findings, Row
from infoflow_reproductions.harness.trial import Context, Results, Trial
from infoflow_reproductions.information_dropout import figures
from infoflow_reproductions.information_dropout.pictures import pictures
from infoflow_reproductions.information_dropout.training import batches
from infoflow_reproductions.networks.vae import VariationalAutoencoder

LATENT, HIDDEN = 256, 512
NAMES = {"gaussian": "Gaussian latent", "information": "information dropout"}
PUBLISHED = {"gaussian": {1: -98.8, 2: -99.0, 3: -98.7}, "information": {1: -100.0, 2: -99.1, 3: -99.1}}
# "Within 2 nats": how near the two bounds have to be to each other, and ours to the published ones.
MARGIN = 2.0
# Draws of z for each test image.
_DRAWS = 4


@dataclass(frozen=True)
class Recipe:
    """As published: latent of 256 k units, hidden layers of 512 k."""

    data: str = "mnist"
    samples: int = 60_000
    factors: tuple[float, ...] = (1, 2, 3)
    epochs: int = 300
    milestones: tuple[int, ...] = (30, 120)
    batch_size: int = 100
    learning_rate: float = 1e-3
    seeds: int = 3


RECIPES = {
    "smoke": Recipe(data="toy-digits", samples=500, factors=(0.0625,), epochs=2, milestones=(), batch_size=50, seeds=2),
    "cpu": Recipe(
        samples=20_000, factors=(0.125, 0.25), epochs=150, milestones=(100, 135), learning_rate=3e-3, seeds=5
    ),
    "full": Recipe(),
}


def trials(recipe: Recipe) -> list[Trial]:
    """Both kinds at every size."""
    shared = {
        "data": recipe.data, "samples": recipe.samples, "epochs": recipe.epochs,
        "milestones": list(recipe.milestones), "batch_size": recipe.batch_size, "learning_rate": recipe.learning_rate,
    }  # fmt: skip
    return [
        Trial(f"{latent}/k={k:g}/seed={seed}", run, {"latent": latent, "k": float(k), "seed": seed, **shared})
        for k in recipe.factors
        for latent in NAMES
        for seed in range(recipe.seeds)
    ]


def run(
    *, context: Context, latent: str, k: float, seed: int, data: str, samples: int, epochs: int,
    milestones: Sequence[int], batch_size: int, learning_rate: float,
) -> Mapping[str, Any]:  # fmt: skip
    """Trains one autoencoder; its bound on log p(x) for test images, and the two parts of it, in nats."""
    parts = pictures(data, samples, root=context.data_root)
    x, test = parts.train.x.flatten(1), parts.test.x.flatten(1)
    network = VariationalAutoencoder(
        x.shape[1], latent=latent, units=round(LATENT * k), hidden=round(HIDDEN * k), seed=seed
    )

    def loss(batch: Tensor) -> Loss:
        likelihood, divergence = (part.mean() for part in network.bound(batch))
        return Loss(divergence - likelihood, {"reconstruction": -likelihood.detach(), "nats": divergence.detach()})

    history = fit(
        Player(network, loss), [x],
        Fit(epochs, batch_size, Optimizer("adam", learning_rate, milestones=tuple(milestones))),
        seed=seed, checkpoint=context.checkpoint, resume=True, progress=context.progress, device=context.device,
    )  # fmt: skip
    network.eval()
    devices = [torch.device(context.device)] if context.device.startswith("cuda") else []
    with torch.no_grad(), torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        halves = [network.bound(batch) for _ in range(_DRAWS) for batch in batches(test, context.device)]
    likelihood, divergence = (float(torch.cat([half[i] for half in halves]).mean()) for i in (0, 1))
    return {
        "bound": likelihood - divergence, "log_likelihood": likelihood, "nats": divergence,
        "curve": [-row["loss"] for row in history if "loss" in row],
    }  # fmt: skip


def report(recipe: Recipe, results: Results) -> Findings:
    """Bounds beside the published ones, and their difference."""
    bounds = {
        name: {k: [found["bound"] for found in results.of(latent=latent, k=float(k))] for k in recipe.factors}
        for latent, name in NAMES.items()
    }
    rows = []
    for latent, name in NAMES.items():
        for k in recipe.factors:
            published = PUBLISHED[latent].get(int(k)) if float(k).is_integer() else None
            whole = recipe.epochs == RECIPES["full"].epochs and recipe.samples == RECIPES["full"].samples
            rows.append(Row(
                f"bound on log p(x), {name}, k = {k:g}", bounds[name][k], "nats", published,
                MARGIN, comparable=whole, settings_known=False,
                why="fewer images and epochs" if not whole else
                "the paper names neither optimizer nor whether pixels are made binary; here Adam, pixels in [0, 1]",
            ))  # fmt: skip
            rows.append(Row(f"nats in the latent, {name}, k = {k:g}",
                            [found["nats"] for found in results.of(latent=latent, k=float(k))], "nats"))  # fmt: skip
    claims = []
    for k in recipe.factors:
        gaps = [a - b for a, b in zip(bounds[NAMES["gaussian"]][k], bounds[NAMES["information"]][k], strict=True)]
        claims.append(
            Claim.above(
                f"k = {k:g}: the two bounds lie within {MARGIN:g} nats of each other",
                [MARGIN - abs(gap) for gap in gaps], unit="nats to spare",
            )
        )  # fmt: skip
    pictures_ = [
        Figure("bound_against_size", "Bound on the log-likelihood of test images; dots are seeds, bars the 95 % "
               "interval of their mean.",
               lambda canvas: figures.beside(canvas, [(bounds, "bound (nats)", False)],
                                             xlabel="k (latent 256 k, hidden 512 k)")),
    ]  # fmt: skip
    if recipe.epochs > 1:
        pictures_.append(
            Figure("gap_along_training", "How much higher the Gaussian latent's bound is than information dropout's on "
                   "training images in each epoch; mean over seeds, and their range. The band is what counts as alike.",
                   lambda canvas: _draw_gaps(canvas, recipe, results))
        )  # fmt: skip
    return Findings(
        rows,
        claims,
        pictures_,
        [
            f"Pixels in [0, 1] count as Bernoulli means. Each test image's bound is the mean over {_DRAWS} draws of z.",
            "In log z both latents are Gaussian; the decoder of information dropout sees z itself, log-normal, and α is"
            " at most 1, so it may need longer to train: the difference along training says whether it does.",
        ],
    )


def _draw_gaps(canvas: Any, recipe: Recipe, results: Results) -> None:
    axes = canvas.subplots()
    for i, k in enumerate(recipe.factors):
        gaussian, information = (
            np.array([found["curve"] for found in results.of(latent=latent, k=float(k))]) for latent in NAMES
        )
        gaps = gaussian - information
        epochs = np.arange(1, gaps.shape[1] + 1)
        axes.plot(epochs, gaps.mean(0), color=figures.COLORS[i], marker=figures.MARKERS[i], ms=3.5, label=f"k = {k:g}")
        axes.fill_between(epochs, gaps.min(0), gaps.max(0), color=figures.COLORS[i], alpha=0.2, lw=0)
    axes.axhspan(-MARGIN, MARGIN, color="black", alpha=0.06, lw=0)
    axes.set_xlabel("epoch")
    axes.set_ylabel("difference of the bounds (nats)")
    axes.legend(frameon=False, fontsize=8)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


EXPERIMENT = Experiment(
    "information-dropout", "vae", "Information dropout: bounds of two autoencoders on MNIST", RECIPES, trials, report
)
