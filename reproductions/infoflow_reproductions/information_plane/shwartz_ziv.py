"""Row [3]: the paper that began it, as its text says and as its code does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from infoflow_reproductions.harness.findings import Claim, Row
from infoflow_reproductions.information_plane.figures import bits
from infoflow_reproductions.information_plane.judging import compresses, rises, some_compress
from infoflow_reproductions.information_plane.reading import OUTPUT, Reading
from infoflow_reproductions.information_plane.rows import TableRow, experiment
from infoflow_reproductions.information_plane.rulers import Ruler
from infoflow_reproductions.information_plane.variant import Recipe, Variant

ROW = TableRow(
    "shwartz-ziv",
    "[3]",
    "Shwartz-Ziv & Tishby, Opening the black box of deep neural networks via information (2017)",
    "fitting, then compression; compression claimed to cause generalization",
)

# Means of ten seeds of the released protocol, run once independently of this library: epoch -> layer -> bits.
ANCHORS = {
    100: {"tanh3": 11.59, "tanh4": 9.80, "tanh5": 7.59, OUTPUT: 4.45},
    1500: {"tanh3": 11.65, "tanh4": 10.23, "tanh5": 6.33, OUTPUT: 2.17},
    5000: {"tanh3": 11.60, "tanh4": 9.86, "tanh5": 4.38, OUTPUT: 1.88},
}
TOLERANCE = 0.5  # bits

AS_CODE, AS_PAPER = "as the code does", "as the paper says"

_CODE = Variant(AS_CODE, shuffle=False)


def judge(reading: Reading) -> Sequence[Claim]:
    """Fitting and compression under both protocols; accuracy gained after the peak."""
    claims = []
    for network in reading.networks:
        hidden = reading.hidden(network)
        last = hidden[-1]
        claims += [
            rises(reading, f"{network}: fitting, I(T;Y) of {last} rises", network, last),
            some_compress(reading, f"{network}: then some hidden layer compresses", network, hidden),
            compresses(reading, f"{network}: the softmax compresses", network, [OUTPUT]),
            _generalizes(reading, network, last),
        ]
    return claims


def _generalizes(reading: Reading, network: str, layer: str) -> Claim:
    """Test accuracy at the end less that at the peak of I(X;T), seed by seed."""
    nats, accuracy = reading.nats(network, layer), reading.metric(network, "test_accuracy")
    at_peak = [accuracy.at[epoch, seed] for seed, epoch in nats.idxmax().items()]
    gains = [100 * float(end - peak) for end, peak in zip(accuracy.iloc[-1], at_peak, strict=True)]
    return Claim.above(
        f"{network}: test accuracy rises while {layer} compresses (after its peak)", gains, unit="percentage points"
    )


def anchors(reading: Reading) -> list[Row]:
    """Beside an independent run of the released protocol, where ours is whole."""
    rows = []
    whole = reading.recipe.variants[0].epochs == _CODE.epochs
    for epoch, layers in ANCHORS.items() if whole else ():
        for layer, wanted in layers.items():
            values = [bits(float(value)) for value in reading.nats(AS_CODE, layer).loc[epoch].to_numpy()]
            rows.append(
                Row(
                    f"{AS_CODE}, {layer}, epoch {epoch}: H(Q(T)) beside an independent run of the released protocol",
                    values,
                    "bits",
                    wanted,
                    TOLERANCE,
                )
            )
    return rows


_FULL = Recipe(
    variants=(_CODE, replace(_CODE, name=AS_PAPER, optimizer="sgd", shuffle=True)),
    estimators=("binning:bins=29,low=-1,high=1,closed=False",),
    rulers=(
        Ruler("binning", "width", (0.01, 0.022, 0.05, 0.1, 0.22, 0.5, 1.0)),
        Ruler("kernel-density", "variance", (1e-4, 1e-3, 1e-2, 1e-1)),
    ),
    seeds=50,
    also_at=tuple(ANCHORS),
    snapshots=60,
)

SHWARTZ_ZIV = experiment(
    ROW,
    {
        "smoke": replace(
            _FULL,
            variants=(replace(_CODE, epochs=4, probe_size=200),),
            rulers=(Ruler("binning", "width", (0.1, 1.0)),),
            seeds=2,
            snapshots=3,
        ),
        "cpu": replace(_FULL, seeds=10, snapshots=20),
        "full": _FULL,
    },
    judge,
    rows=anchors,
)
