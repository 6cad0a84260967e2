"""Table 10: generation by residual networks, scored in the classes and features of an own classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from infoflow.training import Fit, Optimizer, Player, fit
from infoflow_reproductions.deep_infomax.games import LABELS, Task, game, losses_and_penalties, trials_of
from infoflow_reproductions.deep_infomax.generation_scores import frechet_distance, inception_score
from infoflow_reproductions.deep_infomax.measuring_network import measuring_network
from infoflow_reproductions.deep_infomax.methods import Classifier, Size, scaled
from infoflow_reproductions.deep_infomax.notes import GENERATOR_GAME
from infoflow_reproductions.deep_infomax.sets import sets
from infoflow_reproductions.deep_infomax.settings import Learning
from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.figures import bars, pack, sheets
from infoflow_reproductions.harness.findings import Claim, Findings, Row
from infoflow_reproductions.harness.seeds import differences
from infoflow_reproductions.harness.trial import Context, Results, Trial, part
from infoflow_reproductions.networks.residual_gan import ResidualGenerator, ResidualJudge

# Table 10: inception score and FID.
PUBLISHED = {"discriminators": (7.41, 55.15), "ns-gan": (8.65, 40.17), "wgan-gp": (8.38, 42.30)}
PUBLISHED_REAL = (31.21, 4.03)
METHODS = tuple(PUBLISHED)
CLOSE = 1.5
"""Ratio of Fréchet distances up to which a generator came reasonably close; the published one is 1.37."""

_OURS, _GANS = "discriminators", ("ns-gan", "wgan-gp")
_INCEPTION = "the classes and features are those of an own classifier, since Inception's weights are not available"


@dataclass(frozen=True)
class Generation:
    """How every generator is trained and scored.

    Parameters
    ----------
    data
        Name of the data set, as `Learning` takes it.
    images
        Number of training images.
    side
        Side of the images in pixels.
    width
        Base width of the residual networks.
    features
        Length of the vectors.
    epochs, batch_size, learning_rate
        Training of the generator.
    clip
        Largest absolute value of an entry of the discriminators' gradients.
    samples
        Number of samples that are scored.
    measure_epochs
        Epochs of the classifier.
    size
        Sizes of the classifier.
    """

    data: str = "tiny-imagenet"
    images: int = 100_000
    side: int = 64
    width: int = 64
    features: int = 128
    epochs: int = 100
    batch_size: int = 64
    learning_rate: float = 1e-4
    clip: float = 1.0
    samples: int = 10_000
    measure_epochs: int = 30
    size: Size = field(default_factory=lambda: Size(architecture="alexnet"))


@dataclass(frozen=True)
class Recipe(Generation):
    """Generation with several seeds.

    Parameters
    ----------
    data, images, side, width, features, epochs, batch_size, learning_rate, clip, samples, measure_epochs, size
        As in `Generation`.
    seeds
        Number of seeds.
    """

    seeds: int = 4


def trials(recipe: Recipe) -> Sequence[Trial]:
    """Return the trials of every generator and seed."""
    return trials_of(run, part(recipe, Generation), METHODS, recipe.seeds)


def run(task: Task[Generation], *, context: Context) -> Mapping[str, Any]:
    """Train a generator and score its samples.

    Parameters
    ----------
    task
        What to train.
    context
        Where the trial runs.

    Returns
    -------
    dict
        "IS" and "FID" of the samples, "real IS" and "real FID" of the training images, and "samples", a picture.
    """
    settings, seed = task.generation, task.seed
    found = sets(Learning(settings.data, settings.images), context.data_root)
    train = found.train[0][: settings.images], found.train[1][: settings.images]
    made = ResidualGenerator(settings.features, settings.side, width=settings.width, seed=seed)
    judge = ResidualJudge(settings.side, width=settings.width, seed=seed)
    objective = game(task.method, made, judge, settings.features, seed, clip=settings.clip).to(context.device)
    fit(
        {name: Player(*pair) for name, pair in objective.players().items()},
        [train[0]],
        Fit(
            settings.epochs,
            settings.batch_size,
            Optimizer("adam", settings.learning_rate, betas=(0.5, 0.9)),
            channels_last=True,
        ),
        seed=seed,
        prepare=lambda x, *, generator: (scaled(x),),
        **context.resumable({"method": task.method}),
    )
    made.eval()
    vectors = torch.randn(settings.samples, settings.features, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        drawn = torch.cat([made(block.to(context.device)).cpu() for block in torch.split(vectors, 500)])
    network = measuring_network(
        settings.size, train, int(train[1].max()) + 1, settings.measure_epochs, settings.batch_size, context.device
    )
    of_drawn, of_train, of_test = (
        _judged(network, images, context.device)
        for images in (drawn, scaled(train[0][: settings.samples]), scaled(found.test[0][: settings.samples]))
    )
    grid = drawn[:40].add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8).reshape(5, 8, *drawn.shape[1:])
    return {
        "IS": inception_score(of_drawn[0]),
        "FID": frechet_distance(of_drawn[1], of_test[1]),
        "real IS": inception_score(of_train[0]),
        "real FID": frechet_distance(of_train[1], of_test[1]),
        "samples": pack(grid),
    }


@torch.no_grad()
def _judged(network: Classifier, images: Tensor, device: str) -> tuple[Tensor, Tensor]:
    """Predictions (n, classes) and features (n, d)."""
    vectors = torch.cat([network.encoder(block.to(device))[1].relu().cpu() for block in torch.split(images, 500)])
    last = network.last.to("cpu")
    found = last(vectors).softmax(1), vectors
    network.to(device)
    return found


def report(recipe: Recipe, results: Results) -> Findings:
    """Report both scores beside those of Table 10, and whether the paper's method stays behind."""
    rows = []
    for method in METHODS:
        for name, figure in zip(("IS", "FID"), PUBLISHED[method], strict=True):
            values = results.values(name, method=method)
            rows.append(Row(f"{LABELS[method]}: {name}", values, published=figure, comparable=False, why=_INCEPTION))
    for name, figure in zip(("IS", "FID"), PUBLISHED_REAL, strict=True):
        values = results.values(f"real {name}", method=_OURS)
        rows.append(Row(f"real images: {name}", values, published=figure, comparable=False, why=_INCEPTION))
    distance, score = ({m: results.values(name, method=m) for m in METHODS} for name in ("FID", "IS"))
    claims = []
    for gan in _GANS:
        claims += [
            Claim.above(
                f"{LABELS[_OURS]} does not surpass {LABELS[gan]} in FID", differences(distance[_OURS], distance[gan])
            ),
            Claim.above(f"{LABELS[_OURS]} does not surpass {LABELS[gan]} in IS", differences(score[gan], score[_OURS])),
            Claim.above(
                f"{LABELS[_OURS]} came reasonably close to {LABELS[gan]} (FID below {CLOSE:g} times its FID)",
                [CLOSE * other - ours for other, ours in zip(distance[gan], distance[_OURS], strict=True)],
            ),
        ]
    shown = {LABELS[method]: results.of(method=method, seed=0)[0]["samples"] for method in METHODS}
    pictures = [
        sheets("samples", "Samples of each generator, first seed, not selected.", shown),
        bars(
            "fid",
            "Fréchet distance of samples from test images; lower is better.",
            {LABELS[method]: {"FID": values} for method, values in distance.items()},
            "FID of an own classifier",
        ),
    ]
    notes = [
        f"In place of Inception, {_INCEPTION}: no published figure is comparable, only the order.",
        "Networks are the residual ones of Gulrajani et al. for 64×64 images; the generator has batch norm, the judge "
        "none. The encoder of prior matching and the judge of NS-GAN have the contractive penalty, whose weight the "
        "paper does not state. The entries of the "
        f"discriminators' gradients are clipped to {recipe.clip:g}, a bound that the paper does not state; judge and "
        "generator take one step each, also for WGAN-GP.",
        losses_and_penalties(METHODS),
        GENERATOR_GAME,
        "Of the paper's three data sets, Tiny ImageNet is read, that of Table 10; LSUN and CelebA are not.",
    ]
    return Findings(rows, claims, pictures, notes)


def smaller(recipe: Recipe) -> str:
    """Return what is smaller than in the paper; empty at the published scale.

    Parameters
    ----------
    recipe
        The recipe.

    Returns
    -------
    str
        Data, networks and epochs beside the published ones.
    """
    full = Recipe()
    parts = {
        f"{recipe.images} images of {recipe.data} for {full.images} of Tiny ImageNet": (
            (recipe.data, recipe.images) != (full.data, full.images)
        ),
        f"sides of {recipe.side} pixels for {full.side}": recipe.side != full.side,
        f"base width {recipe.width} for {full.width}": recipe.width != full.width,
        f"{recipe.epochs} epochs for {full.epochs}": recipe.epochs != full.epochs,
    }
    return ", ".join(text for text, differs in parts.items() if differs)


_SMALL = Recipe("digits32", 64, 32, 2, 8, epochs=1, batch_size=32, samples=60, measure_epochs=1)

EXPERIMENT = Experiment(
    "dim",
    "table10",
    "Deep InfoMax, Table 10: residual generators by Fréchet distance and inception score",
    {
        "smoke": replace(_SMALL, size=Size(width=1 / 32, features=8), seeds=1),
        "cpu": Recipe(
            "cifar10",
            5000,
            32,
            16,
            64,
            epochs=8,
            learning_rate=5e-4,
            samples=2000,
            measure_epochs=4,
            size=Size(width=0.25),
        ),
        "full": Recipe(),
    },
    trials,
    report,
    smaller=smaller,
)
