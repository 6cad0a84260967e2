"""Row [17]: infinite ensembles, whose I(X;Z) is finite and tractable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.harness.trial import Trial
from infoflow_reproductions.information_plane.claims import Rises, on_each
from infoflow_reproductions.information_plane.ensembles import LOWER, UPPER, Ensemble, Parity, ensemble, parity
from infoflow_reproductions.information_plane.reading import Reading
from infoflow_reproductions.information_plane.recipe import OUTPUT, SettingSweep, Variant
from infoflow_reproductions.information_plane.row import TableRow
from infoflow_reproductions.networks.infinite import Kernel


@dataclass(frozen=True)
class Data:
    """Y = w·X + noise with |w| = 1, a number of inputs X, noise of variance 1/snr."""

    name: str
    inputs: int
    snr: float


CHOSEN = Data("", 30, 3.0)
# Few inputs and much noise: a network that memorizes its samples is then mostly wrong elsewhere.
NOISIER = Data(", noisier labels", 5, 0.3)
CNN, SMALL = ", CNN on parity", ", small weights"
_LEAST = 0.01  # nats


@dataclass(frozen=True)
class Recipe:
    """Three hidden layers of infinite width, or two convolutions; times are those of gradient flow."""

    activations: tuple[Kernel, ...] = ("erf", "relu")
    data: tuple[Data, ...] = (CHOSEN, NOISIER)
    images: str = "mnist"
    """Digits for the convolutional networks: mnist or digits."""
    weight_variance: float = 2.0
    small_weight_variance: float = 0.5
    depth: int = 3
    convolutions: int = 2
    samples: int = 100
    probe: int = 2000
    images_in_probe: int = 2000
    decades: int = 7
    per_decade: int = 4
    draws: int = 8
    seeds: int = 20

    variants: ClassVar[tuple[Variant, ...]] = ()
    sweeps: ClassVar[tuple[SettingSweep, ...]] = ()
    labels: ClassVar[Sequence[str]] = (LOWER, UPPER)
    without_ceiling: ClassVar[str] = ""


def trials(recipe: Recipe) -> list[Trial]:
    """Each activation and variance of the weights on each kind of data, with each draw of it."""
    steps = range(recipe.decades * recipe.per_decade + 1)
    times = (0, *sorted({round(10 ** (i / recipe.per_decade)) for i in steps}))
    found = []
    for activation in recipe.activations:
        for suffix, variance in (("", recipe.weight_variance), (SMALL, recipe.small_weight_variance)):
            for seed in range(recipe.seeds):
                rest = times, recipe.draws, seed
                for data in recipe.data:
                    sizes = recipe.depth, recipe.samples, recipe.probe
                    settings = Ensemble(activation, variance, data.inputs, data.snr, *sizes, *rest)
                    found.append(Trial(f"{activation}{data.name}{suffix}/seed={seed}", ensemble, settings))
                sizes = recipe.convolutions, recipe.samples, recipe.images_in_probe
                digits = Parity(activation, variance, recipe.images, *sizes, *rest)
                found.append(Trial(f"{activation}{CNN}{suffix}/seed={seed}", parity, digits))
    return found


def _published(network: str) -> bool:
    """Whether the paper has such a network; the noisier labels are a control."""
    return NOISIER.name not in network


def rises(reading: Reading, network: str) -> Claim:
    """Judge whether I(X;L) rises."""
    return replace(Rises("I(X;L) rises in training", axis="input")(reading, network), published=_published(network))


def overfitting(reading: Reading, network: str) -> Claim:
    """Judge whether I(Y;L) ends below its peak; if not, whether it does on noisier labels."""
    text = f"{network}: overfitting, I(Y;L) on new inputs falls (from its peak to the end)"
    claim = Claim.above(
        text, reading.lost(network, OUTPUT, "label"), _LEAST, unit="nats", published=_published(network)
    )
    noisier = network.replace(SMALL, "") + NOISIER.name + (SMALL if SMALL in network else "")
    if claim.holds is not False or not reading.has(noisier):
        return claim
    control = overfitting(reading, noisier)
    why = {True: "depends on the data: it holds", False: "does not depend on the noise: it fails", None: "inconclusive"}
    return replace(claim, evidence=f"{claim.evidence}. Why: {why[control.holds]} where labels are mostly noise")


def severity(reading: Reading) -> list[Claim]:
    """Judge whether overfitting is severer with erf than with ReLU, and with small initial weights."""
    claims = []
    for network in reading.networks:
        relu, small = network.replace("erf", "relu", 1), network + SMALL
        pairs = []
        if network.startswith("erf") and reading.has(relu):
            pairs.append((network, relu, f"{network}: overfitting is severer than with ReLU"))
        if reading.has(small):
            pairs.append((small, network, f"{network}: overfitting is severer with small initial weights"))
        for worse, better, text in pairs:
            lost = [reading.lost(one, OUTPUT, "label") for one in (worse, better)]
            gaps = [a - b for a, b in zip(*lost, strict=True)]
            claim = Claim.above(f"{text} (the fall of I(Y;L))", gaps, unit="nats", published=_published(network))
            if max(sum(one) / len(one) for one in lost) < _LEAST:
                evidence = f"{claim.evidence}; neither overfits by {_LEAST} nats"
                claim = replace(claim, holds=None, evidence=evidence)
            claims.append(claim)
    return claims


def tight(reading: Reading, network: str) -> Claim:
    """Judge whether the two bounds agree at the end."""
    low, high = (reading.nats(network, OUTPUT, name).iloc[-1] for name in (LOWER, UPPER))
    text = f"{network}: I(X;L) is finite, and known to within 0.1 nats at the end"
    evidence = f"bounds at most {float((high - low).max()):.3g} nats apart"
    return Claim(text, bool(((high - low) < 0.1).all()), evidence, published=False)


_SMALL = Recipe(
    activations=("erf",),
    data=(Data("", 5, 3.0), NOISIER),
    images="digits",
    samples=10,
    probe=60,
    images_in_probe=60,
    draws=2,
    seeds=2,
)

ROW = TableRow(
    "shwartz-ziv-alemi",
    "[17]",
    "Shwartz-Ziv & Alemi, Information in infinite ensembles of infinitely-wide neural networks (2019)",
    "I(X;L) is finite and rises in training; overfitting shows as I(Y;L) falling, more with erf than with ReLU and "
    "with small initial weights; similarly for a CNN on the parity of MNIST",
    recipes={
        "smoke": replace(_SMALL, decades=2, per_decade=1),
        "cpu": Recipe(seeds=10, probe=1000, images_in_probe=500),
        "full": Recipe(),
    },
    claims=[on_each(rises, overfitting, tight), severity],
    trials=trials,
    settings_known=False,
    chosen="jointly Gaussian data of 30 inputs, SNR 3; 100 training samples; σ_w² = 2, small weights 0.5, σ_b² = 0.01; "
    "CNN: two 3×3 convolutions, an output that reads every pixel, 100 images of MNIST",
    unjudged="the link of compression with generalization, which the table negates: I(X;L) does not fall here, so that "
    "there is no compression to correlate",
    places=(
        ("severer with small", "section III-E: overfitting seems more severe with small weight variances"),
        ("severer than with ReLU", "section III-E: overfitting seems more severe with erf than with ReLU"),
        ("overfitting", "section III-E: overfitting is represented by a decrease of I(Y;L)"),
        ("", "section III-E: no compression, and with overfitting an increase of I(X;L)"),
    ),
    remarks=(
        "Whether overfitting occurs depends on the data, whose settings the paper doesn't publish: the same ensembles "
        f"are also judged on labels that are mostly noise ({NOISIER.inputs} inputs, SNR {NOISIER.snr}).",
        "Epochs are times of gradient flow.",
    ),
)
