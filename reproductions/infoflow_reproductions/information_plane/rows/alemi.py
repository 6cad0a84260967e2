"""Row [17]: infinite ensembles, whose I(X;Z) is finite and tractable."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.harness.trial import Context, Trial
from infoflow_reproductions.information_plane.claims import Rises, on_each
from infoflow_reproductions.information_plane.curves import Curve, one_seed, result_of
from infoflow_reproductions.information_plane.reading import Reading
from infoflow_reproductions.information_plane.recipe import OUTPUT, SettingSweep, Variant
from infoflow_reproductions.information_plane.row import TableRow
from infoflow_reproductions.networks.infinite import InfiniteEnsemble, Kernel

LOWER, UPPER = "SampleBound(lower)", "SampleBound(upper)"


@dataclass(frozen=True)
class Data:
    """Y = w·X + noise with |w| = 1, a number of inputs X, noise of variance 1/snr."""

    name: str
    inputs: int
    snr: float


CHOSEN = Data("", 30, 3.0)
# Few inputs and much noise: a network that memorizes its samples is then mostly wrong elsewhere.
NOISIER = Data(", noisier labels", 5, 0.3)


@dataclass(frozen=True)
class Recipe:
    """Three hidden layers of infinite width; times are those of gradient flow."""

    activations: tuple[Kernel, ...] = ("erf", "relu")
    data: tuple[Data, ...] = (CHOSEN, NOISIER)
    depth: int = 3
    samples: int = 100
    probe: int = 2000
    decades: int = 7
    per_decade: int = 4
    draws: int = 8
    seeds: int = 20

    variants: ClassVar[tuple[Variant, ...]] = ()
    sweeps: ClassVar[tuple[SettingSweep, ...]] = ()
    labels: ClassVar[Sequence[str]] = (LOWER, UPPER)


@dataclass(frozen=True)
class Ensemble:
    """An ensemble with its data and the times at which its information is measured."""

    activation: Kernel
    inputs: int
    snr: float
    depth: int
    samples: int
    probe: int
    times: tuple[int, ...]
    draws: int
    seed: int


def trials(recipe: Recipe) -> list[Trial]:
    """Each activation on each kind of data, with each draw of it."""
    steps = range(recipe.decades * recipe.per_decade + 1)
    times = (0, *sorted({round(10 ** (i / recipe.per_decade)) for i in steps}))
    sizes = recipe.depth, recipe.samples, recipe.probe
    return [
        Trial(
            f"{activation}{data.name}/seed={seed}",
            ensemble,
            Ensemble(activation, data.inputs, data.snr, *sizes, times, recipe.draws, seed),
        )
        for activation in recipe.activations
        for data in recipe.data
        for seed in range(recipe.seeds)
    ]


def ensemble(settings: Ensemble, context: Context) -> dict[str, Any]:
    """Z ~ N(μ(x, t), Σ(x, t)) of an ensemble trained on Y = w·X + noise, X ~ N(0, I): its information on new X.

    I(X;Z) by sample bounds with the known p(z|x). I(Y;Z) ≥ −½ log(1 − ρ²), as Y is Gaussian: it only needs the error of
    the best linear predictor of Y from Z.
    """
    generator = torch.Generator().manual_seed(settings.seed)
    inputs, probe, snr, times = settings.inputs, settings.probe, settings.snr, settings.times

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    teacher = normal(inputs)
    teacher /= teacher.norm()
    x, test = normal(settings.samples, inputs), normal(probe, inputs)
    y, test_y = (part @ teacher + normal(len(part)) / math.sqrt(snr) for part in (x, test))
    trained = list(zip(*InfiniteEnsemble(settings.activation, settings.depth).trained(x, y, test, times), strict=True))
    noise = normal(settings.draws, probe)
    bounds = [sample_bounds(mean, variance, noise) for mean, variance in trained]
    ceiling = 0.5 * math.log1p(snr)
    label = one_seed(min(_label(mean, variance, test_y), ceiling) for mean, variance in trained)
    losses = [float((mean - test_y).square().mean() + variance.mean()) for mean, variance in trained]
    curves = []
    for number, (name, kind, top, top_name) in enumerate(
        ((LOWER, "lower bound", math.log(probe), "log N"), (UPPER, "upper bound", math.inf, ""))
    ):
        nats = one_seed(both[number] for both in bounds)
        for axis, quantity, how, values, limit, limit_name in (
            ("input", "I(X;Z)", kind, nats, top, top_name),
            ("label", "I(Z;Y)", "lower bound", label, ceiling, "I(X;Y)"),
        ):
            place = OUTPUT, 0, name, axis, quantity, how, times, [settings.seed]
            curves.append(Curve(*place, values, limit, limit_name, n=probe))
    return result_of(curves, {"test_loss": losses}, times, settings.seed, "finite: an ensemble is noisy")


def sample_bounds(mean: Tensor, variance: Tensor, noise: Tensor) -> tuple[float, float]:
    """Lower and upper bound of I(X;Z), Z|x_i ~ N(mean_i, variance_i), from n inputs and (draws, n) normal numbers.

        lower = E log p(z|x_i) / (1/n Σ_j p(z|x_j)) ≤ log n,   upper: the same without j = i.

    Nats.

    Parameters
    ----------
    mean, variance : Tensor of shape (n,)
        Of Z given each input.
    noise : Tensor of shape (draws, n)
        Standard normal numbers.

    Returns
    -------
    tuple of float
        Lower and upper bound.

    References
    ----------
    Poole et al., On variational bounds of mutual information (2019), eq. 10 and 13, with the true conditional as
    critic.

    Examples
    --------
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


def rises(reading: Reading, network: str) -> Claim:
    """Judge whether I(X;L) rises; on the noisier labels this is a control."""
    claim = Rises("I(X;L) rises in training", axis="input")(reading, network)
    return replace(claim, published=not network.endswith(NOISIER.name))


def overfitting(reading: Reading, network: str) -> Claim:
    """Judge whether I(Y;L) ends below its peak; if not, whether it does on noisier labels."""
    label = reading.nats(network, OUTPUT, axis="label")
    claim = Claim.above(
        f"{network}: overfitting, I(Y;L) on new inputs falls (from its peak to the end)",
        [float(label[seed].max() - label[seed].iloc[-1]) for seed in label.columns],
        0.01,
        unit="nats",
        published=not network.endswith(NOISIER.name),
    )
    if claim.holds is not False or not reading.has(network + NOISIER.name):
        return claim
    control = overfitting(reading, network + NOISIER.name)
    why = {True: "depends on the data: it holds", False: "does not depend on the noise: it fails", None: "inconclusive"}
    return replace(claim, evidence=f"{claim.evidence}. Why: {why[control.holds]} where labels are mostly noise")


def tight(reading: Reading, network: str) -> Claim:
    """Judge whether the two bounds agree at the end."""
    low, high = (reading.nats(network, OUTPUT, name).iloc[-1] for name in (LOWER, UPPER))
    text = f"{network}: I(X;L) is finite, and known to within 0.1 nats at the end"
    evidence = f"bounds at most {float((high - low).max()):.3g} nats apart"
    return Claim(text, bool(((high - low) < 0.1).all()), evidence, published=False)


_SMALL = Recipe(activations=("erf",), data=(Data("", 5, 3.0), NOISIER), samples=10, probe=60, draws=2, seeds=2)

ROW = TableRow(
    "shwartz-ziv-alemi",
    "[17]",
    "Shwartz-Ziv & Alemi, Information in infinite ensembles of infinitely-wide neural networks (2020)",
    "I(X;L) is finite and rises in training; overfitting shows as I(Y;L) falling",
    recipes={
        "smoke": replace(_SMALL, decades=2, per_decade=1),
        "cpu": Recipe(seeds=10, probe=1000),
        "full": Recipe(),
    },
    claims=[on_each(rises, overfitting, tight)],
    trials=trials,
    settings_known=False,
    chosen="jointly Gaussian data of 30 inputs, SNR 3; 100 training samples; σ_w² = 2, σ_b² = 0.01",
    remarks=(
        "Whether overfitting occurs depends on the data, whose settings the paper doesn't publish: the same ensembles "
        f"are also judged on labels that are mostly noise ({NOISIER.inputs} inputs, SNR {NOISIER.snr}).",
        "Epochs are times of gradient flow.",
    ),
)
