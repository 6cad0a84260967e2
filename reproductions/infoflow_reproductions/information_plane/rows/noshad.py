"""Row [16]: the dependence graph, EDGE."""

from __future__ import annotations

from dataclasses import replace

from infoflow_reproductions.information_plane.claims import Compression, on_each
from infoflow_reproductions.information_plane.recipe import IMAGES, Recipe, SettingSweep, smoke
from infoflow_reproductions.information_plane.row import TableRow

# 20000 iterations of 128 images.
_MNIST = replace(IMAGES, initialization="torch", learning_rate=3e-3, epochs=43, probe="test")
_RELU = replace(_MNIST, name="ReLU", widths=(1024, 20, 20, 20))
_NARROW = replace(_RELU, name="ReLU, 200-100-60-30", widths=(200, 100, 60, 30))
_CNN = replace(_RELU, name="CNN", network="cnn-noshad")
_WIDTH = SettingSweep("dependence-graph:shifts=3", "width", (0.03, 0.1, 0.3, 1.0, 3.0), few=True)

_FULL = Recipe(
    variants=(replace(_RELU, name="tanh", activation=("tanh",)), _RELU, _NARROW, _CNN),
    estimators=("dependence-graph:shifts=10,clip=20",),
    sweeps=(_WIDTH,),
    seeds=10,
    together=1,
    snapshots=20,
    pairs=2000,
)
_TWO_SEEDS = tuple(replace(one, at_most=2) for one in _FULL.variants)

ROW = TableRow(
    "noshad",
    "[16]",
    "Noshad, Zeng & Hero, Scalable mutual information estimation using dependence graphs (2019)",
    "some compression in every network, tanh or ReLU, fully connected or convolutional",
    recipes={
        "smoke": smoke(
            _FULL, replace(_CNN, data="digits", epochs=1, size=256, probe_size=100), replace(_WIDTH, values=(0.3, 3.0))
        ),
        "cpu": replace(_FULL, variants=_TWO_SEEDS, metrics_on=5000, snapshots=10, pairs=1000),
        "full": _FULL,
    },
    claims=[on_each(Compression("some", "some layer compresses", layers="every"))],
)
