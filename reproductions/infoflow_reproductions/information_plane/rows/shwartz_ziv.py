"""Row [3]: the first analysis in the information plane, with the settings of its text and of its code."""

from __future__ import annotations

from dataclasses import replace

from infoflow.core.estimate import NATS_PER_BIT
from infoflow_reproductions.harness.findings import Claim, Row
from infoflow_reproductions.information_plane.claims import Compression, Rises, on, on_each
from infoflow_reproductions.information_plane.reading import Reading
from infoflow_reproductions.information_plane.recipe import OUTPUT, Recipe, SettingSweep, Variant, smoke
from infoflow_reproductions.information_plane.row import TableRow

# Means of ten seeds of the released protocol, run once independently of this library: epoch -> layer -> bits.
ANCHORS = {
    100: {"tanh3": 11.59, "tanh4": 9.80, "tanh5": 7.59, OUTPUT: 4.45},
    1500: {"tanh3": 11.65, "tanh4": 10.23, "tanh5": 6.33, OUTPUT: 2.17},
    5000: {"tanh3": 11.60, "tanh4": 9.86, "tanh5": 4.38, OUTPUT: 1.88},
}
TOLERANCE = 0.5  # bits

AS_CODE, AS_PAPER, FEW = "as the code does", "as the paper says", "5 % of the data"

_CODE = Variant(AS_CODE, shuffle=False)
_LEAST = 0.01  # bits


def generalizes(reading: Reading, network: str) -> Claim:
    """Compare test accuracy at the end with that at the peak of I(X;T), seed by seed."""
    layer = reading.hidden(network)[-1]
    accuracy = reading.metric(network, "test_accuracy")
    at_peak = [accuracy.at[epoch, seed] for seed, epoch in reading.nats(network, layer).idxmax().items()]
    gains = [100 * float(end - peak) for end, peak in zip(accuracy.iloc[-1], at_peak, strict=True)]
    text = f"{network}: test accuracy rises while {layer} compresses (after its peak)"
    return Claim.above(text, gains, unit="percentage points")


def loses_the_label(reading: Reading, network: str) -> Claim:
    """Judge whether I(T;Y) of the last hidden layer ends below its peak."""
    layer = reading.hidden(network)[-1]
    falls = [nats / NATS_PER_BIT for nats in reading.lost(network, layer, "label")]
    return Claim.above(f"{network}: overfitting, I(T;Y) of {layer} falls late", falls, _LEAST, unit="bits")


def anchors(reading: Reading) -> list[Row]:
    """Compare with an independent run of the released protocol, if training is as long."""
    whole = reading.recipe.variants[0].epochs == _CODE.epochs
    return [
        Row(
            f"{AS_CODE}, {layer}, epoch {epoch}: H(Q(T)), compared with an independent run of the released protocol",
            reading.bits(AS_CODE, layer, epoch=epoch),
            "bits",
            published,
            TOLERANCE,
        )
        for epoch, layers in ANCHORS.items()
        for layer, published in layers.items()
        if whole
    ]


_FULL = Recipe(
    variants=(
        _CODE,
        replace(_CODE, name=AS_PAPER, optimizer="sgd", shuffle=True),
        replace(_CODE, name=FEW, size=205, shuffled_split=True),
    ),
    estimators=("binning:bins=29,low=-1,high=1,closed=False",),
    sweeps=(
        SettingSweep("binning", "width", (0.01, 0.022, 0.05, 0.1, 0.22, 0.5, 1.0)),
        SettingSweep("kernel-density", "variance", (1e-4, 1e-3, 1e-2, 1e-1)),
    ),
    seeds=50,
    also_at=tuple(ANCHORS),
    snapshots=60,
)
_FEW = SettingSweep("binning", "width", (0.1, 1.0))

ROW = TableRow(
    "shwartz-ziv",
    "[3]",
    "Shwartz-Ziv & Tishby, Opening the black box of deep neural networks via information (2017)",
    "fitting, then compression; compression claimed to cause generalization; with few data I(Y;L) falls late",
    recipes={
        "smoke": smoke(_FULL, replace(_CODE, epochs=4, probe_size=200), _FEW, seeds=2, snapshots=3),
        "cpu": replace(_FULL, seeds=10, snapshots=20),
        "full": _FULL,
    },
    claims=[
        on_each(
            Rises("fitting, I(T;Y) of {layer} rises"),
            Compression("some", "then some hidden layer compresses"),
            Compression("all", "the softmax compresses", layers="output"),
            generalizes,
            where=lambda network: network != FEW,
        ),
        on(FEW, loses_the_label),
        on(AS_CODE, lambda reading, network: replace(loses_the_label(reading, network), published=False)),
    ],
    published=anchors,
    unlike="SGD in the table; the network 'as the code does' uses Adam 4e-4, as the authors' released code, and the "
    "one 'as the paper says' SGD at that rate of Adam's, with which it learns less",
    places=(
        ("overfitting", "section III-A: with little training data a late decrease of I(Y;L)"),
        ("rises while", "section III-A: two phases, purportedly connected with fitting and generalization"),
        ("", "section III-A: I(Y;L) initially increases fast, while later I(X;L) decreases slowly"),
    ),
)
