"""Row [17]: infinite ensembles, whose I(X;Z) is finite and tractable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.harness.seeds import over_seeds
from infoflow_reproductions.harness.trial import Trial
from infoflow_reproductions.information_plane.claims import OVERFITS, Compression, Rises, on_each, rise_of_loss
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


def _is_cnn(network: str) -> bool:
    return CNN in network


def rises(reading: Reading, network: str) -> Claim:
    """Judge whether I(X;L) rises; the review has no such sentence on the convolutional network."""
    return replace(Rises("I(X;L) rises in training", axis="input")(reading, network), published=not _is_cnn(network))


def overfitting(reading: Reading, network: str) -> list[Claim]:
    """Judge whether, where the test loss rises, I(Y;L) ends below its peak and I(X;L) above its value there."""
    label = reading.nats(network, OUTPUT, axis="label")
    inputs = reading.nats(network, OUTPUT)
    peaks = label.idxmax()
    gained = [float(inputs[seed].iloc[-1] - inputs.at[peak, seed]) for seed, peak in peaks.items()]
    lost = reading.lost(network, OUTPUT, "label")
    claims = [
        Claim.above(f"{network}: overfitting shows as a fall of I(Y;L) on new inputs", lost, _LEAST, unit="nats"),
        Claim.above(
            f"{network}: overfitting shows as a rise of I(X;L), after the peak of I(Y;L)",
            gained,
            _LEAST,
            unit="nats",
            published=not _is_cnn(network),
        ),
    ]
    loss = Claim.above("", rise_of_loss(reading, network), OVERFITS)
    if loss.holds:
        return claims
    found = over_seeds(rise_of_loss(reading, network)).mean
    reason = f"does not overfit: the test loss ends {found:.1%} above its lowest value"
    return [replace(claim, holds=None, evidence=f"{claim.evidence}; {reason}") for claim in claims]


def severity(reading: Reading) -> list[Claim]:
    """Judge whether overfitting is more severe with erf than with ReLU, and with small initial weights."""
    claims = []
    for network in reading.networks:
        relu, small = network.replace("erf", "relu", 1), network + SMALL
        pairs = []
        if network.startswith("erf") and reading.has(relu):
            pairs.append((network, relu, f"{network}: overfitting is more severe than with ReLU", not _is_cnn(network)))
        if reading.has(small):
            pairs.append((small, network, f"{network}: overfitting is more severe with small initial weights", True))
        for worse, better, text, published in pairs:
            lost = [reading.lost(one, OUTPUT, "label") for one in (worse, better)]
            gaps = [a - b for a, b in zip(*lost, strict=True)]
            claim = Claim.above(f"{text} (the fall of I(Y;L))", gaps, unit="nats", published=published)
            if max(sum(one) / len(one) for one in lost) < _LEAST:
                evidence = f"{claim.evidence}; neither overfits by {_LEAST} nats"
                claim = replace(claim, holds=None, evidence=evidence)
            claims.append(claim)
    return claims


def tight(reading: Reading, network: str) -> Claim:
    """Judge whether the two bounds agree at the end."""
    low, high = (reading.nats(network, OUTPUT, name).iloc[-1] for name in (LOWER, UPPER))
    text = f"{network}: the bounds on I(X;L) lie less than 0.1 nats apart at the end"
    evidence = f"at most {float((high - low).max()):.4g} nats apart"
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
    claims=[
        on_each(rises, Compression("none", "no compression of I(X;L)", layers="output"), tight),
        lambda reading: [claim for network in reading.networks for claim in overfitting(reading, network)],
        severity,
    ],
    trials=trials,
    settings_known=False,
    chosen="jointly Gaussian data of 30 inputs, SNR 3; 100 training samples; σ_w² = 2, small weights 0.5, σ_b² = 0.01; "
    "CNN: two 3×3 convolutions, an output that reads every pixel, 100 images of MNIST",
    unjudged="the link of compression with generalization, which the table negates: without compression there is "
    "nothing "
    "to correlate; that the planes of the CNN differ in kind",
    places=(
        ("more severe with small", "section III-E: overfitting seems more severe with small weight variances"),
        ("more severe than with ReLU", "section III-E: overfitting seems more severe with erf than with ReLU"),
        ("CNN on parity: overfitting", "section III-E: similar conclusions regarding overfitting for a CNN on parity"),
        ("overfitting, I(Y;L)", "section III-E: overfitting is represented by a decrease of I(Y;L)"),
        ("fall of I(Y;L)", "section III-E: overfitting is represented by a decrease of I(Y;L)"),
        ("rise of I(X;L)", "section III-E: combined with an increase of I(X;L)"),
        ("", "section III-E: experiments do not show compression"),
    ),
    remarks=(
        "Whether overfitting occurs depends on the data, whose settings the paper doesn't publish: the same ensembles "
        f"are also judged on labels that are mostly noise ({NOISIER.inputs} inputs, SNR {NOISIER.snr}). Claims on "
        "overfitting are judged where the test loss rises.",
        "'1000-1000-1000' is run at infinite width.",
        "Epochs are times of gradient flow.",
    ),
)
