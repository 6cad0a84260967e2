"""Row [5]: estimators that adapt to the activations, and the effect of regularization."""

from __future__ import annotations

import math
from dataclasses import replace

from infoflow.plane.compression import VARIES
from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.information_plane.claims import Compression, listed, on
from infoflow_reproductions.information_plane.reading import Reading
from infoflow_reproductions.information_plane.recipe import Recipe, SettingSweep, Variant, smoke
from infoflow_reproductions.information_plane.row import TableRow

BINS, KDE = "adaptive-binning:bins=30", "kernel-density:variance=0.001,adaptive=True"

_TANH = Variant("tanh", batch_size=256, shuffled_split=True)
_RELU = replace(_TANH, name="ReLU", activation=("relu",), initialization="he", gain=math.sqrt(2))


def varies(reading: Reading, network: str) -> Claim:
    """Judge whether compression of some hidden layer depends on the seed."""
    verdicts = reading.verdicts(network, reading.hidden(network))
    text = f"{network}: whether a hidden layer compresses varies by seed"
    return Claim(text, VARIES in verdicts.values(), listed(verdicts))


def generalization(reading: Reading, network: str) -> Claim:
    """The correlation over seeds of lost information with test accuracy is positive in the last hidden layer alone.

    Its 95 % interval is Fisher's. Holds if it lies above 0 for the last hidden layer and for no other; fails if the
    last one's lies below 0 or another's above.
    """
    intervals = {}
    for layer in reading.hidden(network):
        r, n = reading.correlation(network, layer)
        if math.isfinite(r) and n > 3:
            half = 1.96 / math.sqrt(n - 3)
            z = math.atanh(max(-0.999999, min(0.999999, r)))
            intervals[layer] = (r, math.tanh(z - half), math.tanh(z + half))
    evidence = listed({layer: f"r = {r:.2f} [{low:.2f}, {high:.2f}]" for layer, (r, low, high) in intervals.items()})
    last = reading.hidden(network)[-1]
    holds: bool | None = None
    if last in intervals:
        others = any(low > 0 for layer, (_, low, _) in intervals.items() if layer != last)
        if others or intervals[last][2] < 0:
            holds = False
        elif intervals[last][1] > 0:
            holds = True
    text = f"{network}: over seeds, only compression of the last hidden layer correlates with test accuracy"
    return Claim(text, holds, evidence or "too few seeds, or no variation")


_FULL = Recipe(
    variants=(
        _TANH,
        _RELU,
        replace(_TANH, name="tanh, L2", weight_decay=0.015),
        replace(_RELU, name="ReLU, L2", weight_decay=0.015),
    ),
    estimators=(BINS, KDE),
    sweeps=(
        SettingSweep("adaptive-binning", "bins", (3, 10, 30, 100, 300)),
        SettingSweep("kernel-density:adaptive=True", "variance", (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)),
    ),
    seeds=20,
    together=20,
    snapshots=30,
    pairs=4096,
)
_FEW = SettingSweep("adaptive-binning", "bins", (3, 30))

_ALL = (
    Compression("all", "every hidden layer compresses"),
    Compression("all", "the same by {estimator}", by=KDE, published=False),
)

ROW = TableRow(
    "chelombiev",
    "[5]",
    "Chelombiev, Houghton & O'Donnell, Adaptive estimators show information compression in deep networks (2019)",
    "non-saturating networks compress too, but not for every seed; L2 makes every layer compress; only compression of "
    "the last layer goes with generalization",
    recipes={
        "smoke": smoke(_FULL, replace(_RELU, epochs=3, probe_size=150), _FEW, estimators=(BINS,), seeds=2, snapshots=3),
        "cpu": replace(_FULL, snapshots=14, pairs=600),
        "full": _FULL,
    },
    claims=[on("ReLU", varies), on("tanh, L2", *_ALL), on("ReLU, L2", *_ALL), on("ReLU", generalization)],
)
