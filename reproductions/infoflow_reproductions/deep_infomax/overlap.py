"""Figure 14: the outputs of the judge for data and samples in six games, when it is trained far more often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from infoflow.core.denormals import denormals_as_zero
from infoflow.models import DCGANDecoder, seeded
from infoflow_reproductions.baselines.generators import Generative
from infoflow_reproductions.deep_infomax.games import LABELS, PENALTIES, Task, game, losses_and_penalties, trials_of
from infoflow_reproductions.deep_infomax.methods import Size, scaled
from infoflow_reproductions.deep_infomax.notes import GENERATOR_GAME
from infoflow_reproductions.deep_infomax.scale import smaller_than
from infoflow_reproductions.harness.data import images
from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.figures import COLORS, bars, panels
from infoflow_reproductions.harness.findings import Claim, Figure, Findings, Row
from infoflow_reproductions.harness.row_claims import Figures, exceeds
from infoflow_reproductions.harness.trial import Context, Results, Trial, flat, part
from infoflow_reproductions.networks.dcgan_discriminator import DCGANDiscriminator

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

_PAPERS = ("gan", "gan-log-d", "ls-gan", "wgan-gp", "discriminators")
_OURS, _CONTROL = "discriminators", "unpenalized"
METHODS = (*_PAPERS, _CONTROL)
_BINS = 40
_BETAS = (0.5, 0.9)


@dataclass(frozen=True)
class Generation:
    """How every game is trained.

    Parameters
    ----------
    data
        Name in `harness.data.DATA`.
    images
        Number of training images.
    steps
        Steps of the generator.
    ratio
        Steps of the judge for each step of the generator.
    batch_size, learning_rate
        Training of all networks by Adam.
    size
        Sizes of the networks.
    """

    data: str = "cifar10"
    images: int = 50_000
    steps: int = 2000
    ratio: int = 50
    batch_size: int = 64
    learning_rate: float = 1e-4
    size: Size = field(default_factory=Size)


@dataclass(frozen=True)
class Recipe(Generation):
    """Games with several seeds.

    Parameters
    ----------
    data, images, steps, ratio, batch_size, learning_rate, size
        As in `Generation`.
    seeds
        Number of seeds.
    """

    seeds: int = 5


def trials(recipe: Recipe) -> Sequence[Trial]:
    """Return the trials of every game and seed."""
    return trials_of(run, part(recipe, Generation), METHODS, recipe.seeds)


def run(task: Task[Generation], *, context: Context) -> Mapping[str, Any]:
    """Train a game and measure how much the judge's outputs for test images and for samples overlap.

    Parameters
    ----------
    task
        What to train.
    context
        Where the trial runs.

    Returns
    -------
    dict
        "overlap", the common area of both histograms, with "edges", "data" and "samples", the histograms.
    """
    settings, size = task.generation, task.generation.size
    found = images(settings.data, settings.images, 0, context.data_root)
    shape, widths = (3, 32, 32), size.scaled((64, 128, 256))
    made = DCGANDecoder(size.features, shape, widths=widths[::-1], seed=task.seed)
    judge = DCGANDiscriminator(shape, widths=widths, outputs=1, seed=task.seed)
    objective = game(task.method, made, judge, size.features, task.seed).to(context.device)
    with seeded(task.seed):
        _train(objective, found.train[0], settings, task.seed, context.device)
        objective.eval()
        with torch.no_grad():
            x = scaled(found.test[0][:2000].to(context.device))
            drawn = objective.sample(len(x), x)
            outputs = [torch.cat([judge(v) for v in torch.split(each, 500)]).cpu().numpy() for each in (x, drawn)]
    edges, data, samples = histograms(*(each.ravel() for each in outputs))
    return {
        "overlap": float(np.minimum(data, samples).sum()),
        "edges": edges.tolist(),
        "data": data.tolist(),
        "samples": samples.tolist(),
    }


def _train(objective: Generative, x: torch.Tensor, settings: Generation, seed: int, device: str) -> None:
    """Train the generator for some steps, and everything else `ratio` times for each, every time on a new batch."""
    players = objective.players()
    optimizers = {
        name: torch.optim.Adam(module.parameters(), settings.learning_rate, _BETAS)
        for name, (module, _) in players.items()
    }
    rng = np.random.default_rng(seed)

    def step(name: str) -> None:
        rows = torch.from_numpy(rng.integers(len(x), size=settings.batch_size))
        optimizers[name].zero_grad()
        loss: torch.Tensor = players[name][1](scaled(x[rows].to(device)))
        loss.backward()  # type: ignore[no-untyped-call]
        with denormals_as_zero():
            optimizers[name].step()

    others = [name for name in players if name != "generator"]
    for _ in range(settings.steps):
        for _ in range(settings.ratio):
            for name in others:
                step(name)
        step("generator")


def histograms(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the edges of common bins and the shares of both samples in them.

    Parameters
    ----------
    one, other
        Numbers (n,) and (m,).

    Returns
    -------
    tuple of ndarray
        Edges, and shares that sum to 1.

    Examples
    --------
    >>> edges, one, other = histograms(np.array([0.0, 1.0]), np.array([1.0, 1.0]))
    >>> float(np.minimum(one, other).sum())
    0.5
    """
    edges = np.histogram_bin_edges(np.concatenate([one, other]), _BINS)
    shares = [np.histogram(values, edges)[0] / len(values) for values in (one, other)]
    return edges, shares[0], shares[1]


def report(recipe: Recipe, results: Results) -> Findings:
    """Report the overlap of every game, and show the histograms of the first seed."""
    found = {method: results.values("overlap", scale=100, method=method) for method in METHODS}
    rows = [Row(_titled(method), values, "%") for method, values in found.items()]
    pictures = [
        _picture({LABELS[method]: results.of(method=method, seed=0)[0] for method in METHODS}),
        bars(
            "overlap",
            "Common area of the histograms of the judge's outputs for test images and samples.",
            {LABELS[method]: {"overlap": values} for method, values in found.items()},
            "overlap / %",
        ),
    ]
    notes = [
        f"The judge, and the discriminators where there are some, take {recipe.ratio} steps for each of "
        f"{recipe.steps} steps of the generator, every time on a new batch. Networks are convolutional as in DCGAN; "
        "the paper does not state those of its figure. The Gaussians of means 1 and −1 have an overlap of 31.7 %.",
        losses_and_penalties(METHODS),
        f"The paper's method has the contractive penalty on its judge here, as in appendix A.8, and WGAN-GP has one by "
        f'definition; the other games of the figure have none. "{LABELS[_CONTROL]}" is a control of this reproduction '
        "that separates the method from its penalty.",
        GENERATOR_GAME,
        "Not judged: that a lack of overlap is symptomatic of poor training (appendix A.7), since the paper states no "
        "measure of the training. All claims on the overlap are of this reproduction; until after its first "
        "results they were listed as the paper's.",
    ]
    return Findings(rows, (), pictures, notes)


def _titled(method: str) -> str:
    return f"{LABELS[method]}: overlap of the judge's outputs"


def overlaps(figures: Figures) -> list[Claim]:
    """Return this reproduction's claims on the overlap: the method beside the other games, and without its penalty.

    Parameters
    ----------
    figures
        Figures of the table.

    Returns
    -------
    list of Claim
        Those that the figures decide; the paper makes none of them.
    """
    pairs = [(_OURS, method) for method in METHODS if method != _OURS]
    pairs += [(_CONTROL, method) for method in _PAPERS if not PENALTIES[method]]
    return [
        exceeds(
            f"the modes of {LABELS[more]} overlap more than those of {LABELS[less]}",
            figures[_titled(more)],
            figures[_titled(less)],
            "%",
            published=False,
        )
        for more, less in pairs
        if {_titled(more), _titled(less)} <= set(figures)
    ]


def _picture(runs: Mapping[str, Mapping[str, Any]]) -> Figure:
    def draw(canvas: Canvas) -> None:
        for axes, (title, one) in zip(panels(canvas, len(runs), size=(2.6, 2.6)), runs.items(), strict=True):
            for name, color in (("data", COLORS[0]), ("samples", COLORS[1])):
                axes.stairs(one[name], one["edges"], fill=True, alpha=0.5, color=color, label=name)
            axes.set_title(title.replace("with two", "with two\n").replace(", without", ",\nwithout"), fontsize=8)
            axes.set_xlabel("output of the judge", fontsize=8)
        canvas.axes[0].set_ylabel("share of the images", fontsize=8)
        canvas.axes[0].legend(frameon=False, fontsize=7)

    return Figure("outputs", "Outputs of the judge for test images and samples, first seed.", draw)


EXPERIMENT = Experiment(
    "dim",
    "overlap",
    "Deep InfoMax, Figure 14: outputs of a judge that is trained fifty times as often",
    {
        "smoke": Recipe("digits32", 100, steps=1, ratio=2, batch_size=16, size=Size(width=1 / 32, features=4), seeds=1),
        "cpu": Recipe(images=10_000, steps=60, learning_rate=5e-4, size=Size(width=0.125)),
        "full": Recipe(),
    },
    trials,
    report,
    # The caption of Figure 14 states the ratio alone.
    smaller=smaller_than(Recipe(), unstated=set(flat(Recipe())) - {"ratio"}),
)
