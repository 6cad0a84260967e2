"""Row [13]: kernel density on MNIST networks."""

from __future__ import annotations

import math
from dataclasses import replace

from infoflow.core.estimate import NATS_PER_BIT
from infoflow.plane.compression import COMPRESSES, DOES_NOT
from infoflow_reproductions.harness.findings import FEWEST_TO_DIFFER, Claim, Row
from infoflow_reproductions.harness.row_claims import Figures
from infoflow_reproductions.information_plane.claims import Rises, listed, on_each
from infoflow_reproductions.information_plane.layer_estimators import label_of
from infoflow_reproductions.information_plane.reading import Reading
from infoflow_reproductions.information_plane.recipe import IMAGES, OUTPUT, Recipe, SettingSweep, smoke
from infoflow_reproductions.information_plane.row import TableRow

_MNIST = replace(IMAGES, initialization="he", epochs=20, probe="test", probe_size=1000)
_MLP = replace(_MNIST, name="MLP", widths=(1024, 256, 128))
_LENET = replace(_MLP, name="LeNet-5", network="lenet5")
# The last two blocks: earlier maps hold tens of thousands of values.
_BLOCKS = ("features.denseblock3", "features.denseblock4", OUTPUT)


FIGURES = {"MLP": 1.0, "LeNet-5": 2.0, "DenseNet": 3.0}
"""Published bits of I(Y;L) at which the final layer saturates, by network."""
TOLERANCE = 0.5  # bits, half of the distance between two of them


def _what(network: str) -> str:
    """The name of a figure among those of every row."""
    return f"{network}, {OUTPUT}: I(T+ε;Y) at the end"


def saturates(reading: Reading) -> list[Row]:
    """Compare I(T;Y) of the final layer with the published figures."""
    return [
        Row(
            f"{network}, final layer: I(T+ε;Y) at the end, published",
            reading.bits(network, OUTPUT, axis="label"),
            "bits",
            FIGURES[network],
            TOLERANCE,
            comparable=reading.variant(network).data == "mnist",
            settings_known=False,
            why="σ² and training unpublished" if reading.variant(network).data == "mnist" else "other images",
            ceiling=reading.ceiling(network, OUTPUT, axis="label"),
        )
        for network in reading.networks
        if network in FIGURES
    ]


def by_variance(reading: Reading) -> list[Row]:
    """I(T;Y) of the final layers at each swept σ²."""
    return [
        Row(
            f"{network}, {OUTPUT}: I(T+ε;Y) at the end, σ² = {variance:g}",
            reading.bits(network, OUTPUT, label_of(text), axis="label"),
            "bits",
            ceiling=reading.ceiling(network, OUTPUT, label_of(text), axis="label"),
        )
        for network in reading.networks
        for sweep in reading.recipe.sweeps
        for text, variance in zip(sweep.texts, sweep.values, strict=True)
    ]


def near_the_figures(figures: Figures) -> list[Claim]:
    """Judge whether I(T;Y) of the final layers saturates around 1, 2 and 3 bits."""
    claims = []
    for network, published in FIGURES.items():
        found = figures.get(_what(network))
        if found is None:
            continue
        text = f"{network}: I(Y;L) of the final layer saturates around {published:g} bit (within {TOLERANCE:g})"
        low, high = found.interval
        evidence = f"{found.text()} bits at the end, log2 10 is {math.log2(10):.4g}"
        marks = {name: one for name, one in figures.items() if name.startswith(f"{_what(network)}, σ² = ")}
        if marks:
            found_by = listed({name.partition(", σ² = ")[2]: f"{one.mean:.3g}" for name, one in marks.items()})
            evidence += f". Why: bits by σ² are {found_by}"
        near = low >= published - TOLERANCE and high <= published + TOLERANCE
        far = low > published + TOLERANCE or high < published - TOLERANCE
        holds = True if near else False if far and found.n >= FEWEST_TO_DIFFER else None
        claims.append(Claim(text, holds, evidence, seeds=found.n))
    return claims


def accurate(reading: Reading, network: str) -> Claim:
    """Judge whether the test accuracy exceeds 95 %."""
    ends = [float(value) for value in reading.metric(network, "test_accuracy").iloc[-1]]
    return Claim.above(f"{network}: test accuracy exceeds 95 %", ends, 0.95, unit="accuracy")


def lower_with_noise(reading: Reading, network: str) -> Claim:
    """Judge whether I(T;Y) of the final layer falls with the variance σ² of the noise."""
    (sweep,) = reading.recipe.sweeps
    ends = [reading.nats(network, OUTPUT, label_of(text), "label").iloc[-1] / NATS_PER_BIT for text in sweep.texts]
    text = (
        f"{network}: I(Y;L) of the final layer is small where σ² is large ({', '.join(map(str, sweep.values))}, bits)"
    )
    return Claim.falling(text, [[float(end[seed]) for end in ends] for seed in ends[0].index])


def inconclusive(reading: Reading) -> list[Claim]:
    """Judge whether the layers disagree; a saturated layer, or one that varies by seed, has no verdict to compare."""
    verdicts = {
        f"{network} {layer}": verdict
        for network in reading.networks
        for layer, verdict in reading.verdicts(network, reading.layers(network)).items()
    }
    text = "layers disagree on compression"
    firm = {verdict for verdict in verdicts.values() if verdict in (COMPRESSES, DOES_NOT)}
    decided = sum(verdict in firm for verdict in verdicts.values())
    holds = True if len(firm) > 1 else False if decided == len(verdicts) else None
    return [Claim(text, holds, listed(verdicts))]


_FULL = Recipe(
    variants=(_MLP, _LENET, replace(_MLP, name="DenseNet", network="densenet121", widths=(), layers=_BLOCKS)),
    estimators=("kernel-density:variance=0.1",),
    sweeps=(SettingSweep("kernel-density", "variance", (1e-3, 1e-2, 0.1, 1.0, 10.0)),),
    seeds=10,
    together=1,
    snapshots=20,
)
_DIGITS = replace(_MLP, data="digits", widths=(16, 8), epochs=2, probe_size=100)
_CPU = tuple(replace(one, epochs=8, size=20_000, at_most=most) for one, most in ((_MLP, 0), (_LENET, 3)))

ROW = TableRow(
    "fang",
    "[13]",
    "Fang, Wang & Yamaguchi, Dissecting deep learning networks – visualizing mutual information (2018)",
    "I(Y;L) increases throughout training, and in the final layers saturates at around 1, 2 and 3 bit; inconclusive on "
    "compression",
    recipes={
        "smoke": smoke(_FULL, _DIGITS, SettingSweep("kernel-density", "variance", (0.1, 1.0)), seeds=2, snapshots=3),
        "cpu": replace(_FULL, variants=_CPU, snapshots=9, pairs=800),
        "full": _FULL,
    },
    claims=[on_each(Rises("I(T;Y) of {layer} rises", layer=OUTPUT), accurate, lower_with_noise), inconclusive],
    published=lambda reading: [*saturates(reading), *by_variance(reading)],
    of_figures=near_the_figures,
    unlike="the text names 50,000 epochs; at full scale 20, at which test accuracy exceeds the 95 % of the text",
    places=(
        ("where σ² is large", "section III-B: KDE is a poor estimator of I(Y;L) here, because σ² was chosen too large"),
        ("95 %", "section III-B: all three networks achieve test accuracies exceeding 95 %"),
        ("final layer", "section III-B: the final layers saturate at around 1, 2, or 3 bit, respectively"),
        ("layers disagree", "section III-B: inconclusive regarding compression"),
        (
            "rises",
            "section III-B: all indicate that I(Y;L) increases throughout training, albeit not necessarily "
            "monotonically",
        ),
    ),
    settings_known=False,
    chosen="Adam 1e-3, batches of 128, ReLU, σ² = 0.1, 1000 test images; DenseNet-121 at full scale alone",
)
