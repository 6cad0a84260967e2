"""Row [17]: infinite ensembles, whose I(X;Z) is finite and tractable."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Claim, Findings
from infoflow_reproductions.harness.trial import Context, Results, Trial
from infoflow_reproductions.information_plane import figures
from infoflow_reproductions.information_plane.judging import rises
from infoflow_reproductions.information_plane.reading import OUTPUT, Reading
from infoflow_reproductions.information_plane.rows import PAPER, TableRow, found_rows, notes
from infoflow_reproductions.information_plane.variant import Recipe as Reader
from infoflow_reproductions.networks.infinite import InfiniteEnsemble

ROW = TableRow(
    "shwartz-ziv-alemi",
    "[17]",
    "Shwartz-Ziv & Alemi, Information in infinite ensembles of infinitely-wide neural networks (2020)",
    "I(X;L) is finite and rises in training; overfitting shows as I(Y;L) falling",
    settings_known=False,
    chosen="jointly Gaussian data of 30 inputs, SNR 3; 100 training samples; σ_w² = 2, σ_b² = 0.01",
)

LOWER, UPPER = "SampleBound(lower)", "SampleBound(upper)"


@dataclass(frozen=True)
class Data:
    """Y = w·X + noise with |w| = 1, X of so many inputs, noise of variance 1/snr."""

    name: str
    inputs: int
    snr: float


CHOSEN = Data("", 30, 3.0)
# Few inputs and much noise: a network that learns its samples by heart is then mostly wrong elsewhere.
NOISIER = Data(", noisier labels", 5, 0.3)


@dataclass(frozen=True)
class Recipe:
    """Three hidden layers of infinite width; times are those of gradient flow."""

    activations: tuple[str, ...] = ("erf", "relu")
    data: tuple[Data, ...] = (CHOSEN, NOISIER)
    depth: int = 3
    samples: int = 100
    probe: int = 2000
    decades: int = 7
    per_decade: int = 4
    draws: int = 8
    seeds: int = 20


def trials(recipe: Recipe) -> list[Trial]:
    """Each activation on each kind of data, with each draw of it."""
    times = [0, *sorted({round(10 ** (i / recipe.per_decade)) for i in range(recipe.decades * recipe.per_decade + 1)})]
    shared = {
        "depth": recipe.depth, "samples": recipe.samples, "probe": recipe.probe, "times": times, "draws": recipe.draws,
    }  # fmt: skip
    return [
        Trial(
            f"{activation}{data.name}/seed={seed}",
            ensemble,
            {"activation": activation, "inputs": data.inputs, "snr": data.snr, **shared, "seed": seed},
        )
        for activation in recipe.activations
        for data in recipe.data
        for seed in range(recipe.seeds)
    ]


def ensemble(
    activation: str,
    depth: int,
    inputs: int,
    samples: int,
    probe: int,
    snr: float,
    times: Sequence[int],
    draws: int,
    seed: int,
    *,
    context: Context,
) -> dict[str, Any]:
    """Z ~ N(μ(x, t), Σ(x, t)) of an ensemble trained on Y = w·X + noise, X ~ N(0, I): its informations on new X.

    I(X;Z) by sample bounds with the known p(z|x). I(Y;Z) ≥ −½ log(1 − ρ²), as Y is Gaussian: no more than the error of
    the best linear guess of Y from Z is needed.
    """
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    teacher = normal(inputs)
    teacher /= teacher.norm()
    x, asked = normal(samples, inputs), normal(probe, inputs)
    y, asked_y = (part @ teacher + normal(len(part)) / math.sqrt(snr) for part in (x, asked))
    mean, variance = InfiniteEnsemble(activation, depth).trained(x, y, asked, times)
    noise = normal(draws, probe)
    bounds = [sample_bounds(m, v, noise) for m, v in zip(mean, variance, strict=True)]
    ceiling = 0.5 * math.log1p(snr)
    label = [min(_label(m, v, asked_y), ceiling) for m, v in zip(mean, variance, strict=True)]
    losses = [float((m - asked_y).square().mean() + v.mean()) for m, v in zip(mean, variance, strict=True)]
    curves = []
    for number, (name, kind) in enumerate(((LOWER, "lower bound"), (UPPER, "upper bound"))):
        shared = {"probe": "probe", "layer": OUTPUT, "depth": 0, "estimator": name, "n": probe,
                  "epochs": list(times), "seeds": [seed], "warnings": []}  # fmt: skip
        curves += [
            {**shared, "axis": "input", "quantity": "I(X;Z)", "kind": kind,
             "ceiling_name": "log N" if number == 0 else "", "ceiling": math.log(probe) if number == 0 else math.inf,
             "nats": [[both[number]] for both in bounds]},
            {**shared, "axis": "label", "quantity": "I(Z;Y)", "kind": "lower bound", "ceiling_name": "I(X;Y)",
             "ceiling": ceiling, "nats": [[value] for value in label]},
        ]  # fmt: skip
    return {
        "curves": curves,
        "metrics": {"test_loss": {"epochs": list(times), "seeds": [seed], "values": [[loss] for loss in losses]}},
        "truth": "finite: an ensemble is noisy",
    }


def sample_bounds(mean: Tensor, variance: Tensor, noise: Tensor) -> tuple[float, float]:
    """Lower and upper bound of I(X;Z), Z|x_i ~ N(mean_i, variance_i), from n inputs and (draws, n) normal numbers.

        lower = E log p(z|x_i) / (1/n Σ_j p(z|x_j)) ≤ log n,   upper: the same without j = i.

    Nats. Poole et al. (2019), eq. 10 and 13, with the true conditional for a critic.

    >>> generator = torch.Generator().manual_seed(0)
    >>> x = torch.randn(1000, generator=generator)
    >>> low, high = sample_bounds(x, torch.ones(1000), torch.randn(8, 1000, generator=generator))
    >>> low < 0.3466 + 0.05, 0.3466 - 0.05 < high  # ½ log 2
    (True, True)
    """
    n = len(mean)
    spread = variance.clamp_min(1e-12)
    z = mean + noise * spread.sqrt()
    lower = upper = 0.0
    diagonal = torch.eye(n, dtype=torch.bool)
    for row in z:
        density = -((row[:, None] - mean).square() / spread + spread.log()) / 2
        own = density.diagonal()
        lower += float((own - density.logsumexp(1) + math.log(n)).mean())
        others = density.masked_fill(diagonal, -math.inf).logsumexp(1)
        upper += float((own - others + math.log(n - 1)).mean())
    return max(lower / len(z), 0.0), max(upper / len(z), 0.0)


def _label(mean: Tensor, variance: Tensor, y: Tensor) -> float:
    spread = float(mean.var() + variance.mean())
    if spread <= 0:
        return 0.0
    shared = float(((mean - mean.mean()) * (y - y.mean())).mean())
    return -0.5 * math.log1p(-min(shared**2 / (spread * float(y.var())), 1 - 1e-12))


def report(recipe: Recipe, results: Results) -> Findings:
    """Does I(X;Z) rise, and I(Z;Y) fall again? On the chosen data; and where there is more to overfit."""
    reading = Reading(Reader((), ()), results, (LOWER, UPPER))
    claims = []
    for network in reading.networks:
        low, high = (reading.nats(network, OUTPUT, name) for name in (LOWER, UPPER))
        published = not network.endswith(NOISIER.name)
        rise = rises(reading, f"{network}: I(X;L) rises in training", network, OUTPUT, LOWER, "input")
        claims += [
            replace(rise, published=published),
            _overfitting(reading, network, published),
            Claim(
                f"{network}: I(X;L) is finite, and known to within 0.1 nats at the end",
                bool(((high - low).iloc[-1] < 0.1).all()),
                f"bounds at most {float((high - low).iloc[-1].max()):.3g} nats apart",
                published=False,
            ),
        ]
    pictures = [figure for figure in figures.pictures(reading) if figure.name != "geometry"]
    told = notes(ROW, recipe, RECIPES["full"], claims)
    return Findings(found_rows(reading), claims, pictures, [*told, _WHY, "Epochs are times of gradient flow."])


def _overfitting(reading: Reading, network: str, published: bool) -> Claim:
    """Whether I(Y;L) ends below its peak; where not, whether it does on noisier labels."""
    label = reading.nats(network, OUTPUT, LOWER, "label")
    claim = Claim.above(
        f"{network}: overfitting, I(Y;L) on new inputs falls (from its peak to the end)",
        [float(label[seed].max() - label[seed].iloc[-1]) for seed in label.columns],
        0.01,
        unit="nats",
        published=published,
    )
    if claim.holds is not False or not reading.has(network + NOISIER.name):
        return claim
    control = _overfitting(reading, network + NOISIER.name, published=False)
    told = {True: "the data decide: it holds", False: "not the data's noise: it doesn't hold", None: "can't be told"}
    return replace(claim, evidence=f"{claim.evidence}. Why: {told[control.holds]} where labels are mostly noise")


_WHY = (
    "Whether overfitting shows depends on the data, whose settings the paper doesn't tell: the same ensembles are "
    f"judged on labels that are mostly noise, too ({NOISIER.inputs} inputs, SNR {NOISIER.snr})."
)

RECIPES = {
    "smoke": Recipe(
        activations=("erf",),
        data=(Data("", 5, 3.0), NOISIER),
        samples=10,
        probe=60,
        decades=2,
        per_decade=1,
        draws=2,
        seeds=2,
    ),
    "cpu": Recipe(seeds=10, probe=1000),
    "full": Recipe(),
}

ALEMI = Experiment(PAPER, ROW.name, ROW.title, RECIPES, trials, report)
