"""Row [5]: estimators that follow the activations, and what regularization does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from infoflow.plane.compression import VARIES
from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.information_plane.judging import compresses
from infoflow_reproductions.information_plane.reading import Reading, label_of
from infoflow_reproductions.information_plane.rows import TableRow, experiment
from infoflow_reproductions.information_plane.rulers import Ruler
from infoflow_reproductions.information_plane.variant import Recipe, Variant

ROW = TableRow(
    "chelombiev",
    "[5]",
    "Chelombiev, Houghton & O'Donnell, Adaptive estimators show information compression in deep networks (2019)",
    "non-saturating networks compress too, but not for every seed; L2 makes every layer compress; only compression of "
    "the last layer goes with generalization",
)

BINS, KDE = "adaptive-binning:bins=30", "kernel-density:variance=0.001,adaptive=True"

_TANH = Variant("tanh", batch_size=256, shuffled_split=True)
_RELU = replace(_TANH, name="ReLU", activation=("relu",), initialization="he", gain=math.sqrt(2))


def judge(reading: Reading) -> Sequence[Claim]:
    """By the adaptive bins, and the kernel density as a second opinion."""
    claims = []
    if reading.has("ReLU"):
        verdicts = reading.verdicts("ReLU", reading.hidden("ReLU"))
        told = "; ".join(f"{layer}: {verdict}" for layer, verdict in verdicts.items())
        claims.append(
            Claim("ReLU: whether a hidden layer compresses varies by seed", VARIES in verdicts.values(), told)
        )
    for network in ("tanh, L2", "ReLU, L2"):
        if reading.has(network):
            hidden = reading.hidden(network)
            claims.append(compresses(reading, f"{network}: every hidden layer compresses", network, hidden))
            by = label_of(KDE)
            claims.append(
                compresses(reading, f"{network}: the same by {by}", network, hidden, by, published=False)
            )  # fmt: skip
    if reading.has("ReLU"):
        claims.append(generalization(reading, "ReLU"))
    return claims


def generalization(reading: Reading, network: str) -> Claim:
    """The correlation over seeds of lost information and test accuracy: positive in the last hidden layer alone.

    Its 95 % interval is Fisher's. Holds where it lies above 0 for the last hidden layer and for no other; doesn't where
    the last one's lies below 0 or another's above.
    """
    intervals = {}
    for layer in reading.hidden(network):
        r, n = reading.correlation(network, layer)
        if math.isfinite(r) and n > 3:
            half = 1.96 / math.sqrt(n - 3)
            z = math.atanh(max(-0.999999, min(0.999999, r)))
            intervals[layer] = (r, math.tanh(z - half), math.tanh(z + half))
    told = "; ".join(f"{layer}: r = {r:.2f} [{low:.2f}, {high:.2f}]" for layer, (r, low, high) in intervals.items())
    last = reading.hidden(network)[-1]
    holds: bool | None = None
    if last in intervals:
        others = any(low > 0 for layer, (_, low, _) in intervals.items() if layer != last)
        if others or intervals[last][2] < 0:
            holds = False
        elif intervals[last][1] > 0:
            holds = True
    text = f"{network}: over seeds, only compression of the last hidden layer goes with test accuracy"
    return Claim(text, holds, told or "too few seeds, or nothing varies")


_FULL = Recipe(
    variants=(
        _TANH,
        _RELU,
        replace(_TANH, name="tanh, L2", weight_decay=0.015),
        replace(_RELU, name="ReLU, L2", weight_decay=0.015),
    ),
    estimators=(BINS, KDE),
    rulers=(
        Ruler("adaptive-binning", "bins", (3, 10, 30, 100, 300)),
        Ruler("kernel-density:adaptive=True", "variance", (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)),
    ),
    seeds=20,
    together=20,
    snapshots=30,
    pairs=4096,
)

CHELOMBIEV = experiment(
    ROW,
    {
        "smoke": replace(
            _FULL,
            variants=(replace(_RELU, epochs=3, probe_size=150),),
            estimators=(BINS,),
            rulers=(Ruler("adaptive-binning", "bins", (3, 30)),),
            seeds=2,
            snapshots=3,
        ),
        "cpu": replace(_FULL, snapshots=14, pairs=600),
        "full": _FULL,
    },
    judge,
)
