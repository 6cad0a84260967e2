"""Row [16]: the dependence graph, EDGE."""

from __future__ import annotations

from dataclasses import replace

from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.information_plane.claims import Compression, on, on_each, supported
from infoflow_reproductions.information_plane.reading import Reading
from infoflow_reproductions.information_plane.recipe import IMAGES, Recipe, SettingSweep, smoke
from infoflow_reproductions.information_plane.row import TableRow

# 20000 iterations of 128 images.
_MNIST = replace(IMAGES, initialization="torch", learning_rate=3e-3, epochs=43, probe="test")
_RELU = replace(_MNIST, name="ReLU", widths=(1024, 20, 20, 20))
_NARROW = replace(_RELU, name="ReLU, 200-100-60-30", widths=(200, 100, 60, 30))
_CNN = replace(_RELU, name="CNN", network="cnn-noshad")
_WIDTH = SettingSweep("dependence-graph:shifts=3", "width", (0.03, 0.1, 0.3, 1.0, 3.0), few=True)

# "Very few" epochs, and the part of its greatest value that I(T;Y) must have by then.
_FEW, _LARGE = 3, 0.95


def no_fitting(reading: Reading, network: str) -> Claim:
    """Judge whether I(T;Y) of the last hidden layer is large after very few epochs."""
    layer = reading.hidden(network)[-1]
    nats = reading.nats(network, layer, axis="label")
    parts = [float(nats[seed].loc[:_FEW].iloc[-1] / nats[seed].max()) for seed in nats.columns]
    text = f"{network}: no fitting phase, I(T;Y) of {layer} has {_LARGE:.0%} of its greatest value by epoch {_FEW}"
    return supported(reading, Claim.above(text, parts, _LARGE, span=(0.0, 1.0)), network, [layer])


_FULL = Recipe(
    variants=(replace(_RELU, name="tanh", activation=("tanh",)), _RELU, _NARROW, _CNN),
    estimators=("dependence-graph:shifts=10,clip=20",),
    sweeps=(_WIDTH,),
    seeds=10,
    together=1,
    snapshots=20,
    pairs=2000,
)
_CPU = tuple(replace(one, epochs=15, at_most=2) for one in _FULL.variants)

ROW = TableRow(
    "noshad",
    "[16]",
    "Noshad, Zeng & Hero, Scalable mutual information estimation using dependence graphs (2019)",
    "some compression in every network, tanh or ReLU, fully connected or convolutional",
    recipes={
        "smoke": smoke(
            _FULL, replace(_CNN, data="digits", epochs=1, size=256, probe_size=100), replace(_WIDTH, values=(0.3, 3.0))
        ),
        "cpu": replace(_FULL, variants=_CPU, metrics_on=5000, snapshots=10, pairs=1000),
        "full": _FULL,
    },
    claims=[on_each(Compression("some", "some hidden layer compresses")), on("CNN", no_fitting)],
    places=(
        ("no fitting", "section III-E: for the CNN I(Y;L) is large at the beginning or after very few epochs"),
        ("CNN", "section III-E: compression was also observed in a CNN"),
        ("200-100-60-30", "section III-E: compression was also observed in a 200-100-60-30 MLP"),
        ("", "section III-E: compression in the hidden layers for both tanh and ReLU"),
    ),
)
