"""Row [15]: MINE on a deterministic convolutional network."""

from __future__ import annotations

import math
from dataclasses import replace

from infoflow_reproductions.harness.findings import Claim, Row
from infoflow_reproductions.information_plane.claims import Compression, on_each
from infoflow_reproductions.information_plane.reading import Reading
from infoflow_reproductions.information_plane.recipe import IMAGES, OUTPUT, Recipe, SettingSweep, smoke
from infoflow_reproductions.information_plane.row import TableRow

_COLOR = replace(IMAGES, data="cifar10", widths=(), initialization="torch", probe="test")
_VGG = replace(_COLOR, name="VGG16", network="vgg16", learning_rate=1e-4, epochs=100, probe_size=2000)
_VGG = replace(_VGG, layers=("relu7", "relu10", "relu13", "relu14", OUTPUT))
_CNN = replace(_COLOR, name="six convolutions", network="cnn-deep", layers=("relu4", "relu6", "relu7", OUTPUT))
_SHALLOW = replace(_CNN, data="digits", network="cnn-shallow", layers=("relu3", OUTPUT))
_DIGITS = replace(_SHALLOW, epochs=1, size=200, probe_size=80)
_MINE = "noisy-mine:max_epochs={},folds=2,variance=0.0"


def out_of_order(reading: Reading, network: str) -> Claim:
    """Judge whether a layer has more information than the one before it."""
    layers = reading.layers(network)
    ends = [reading.nats(network, layer).iloc[-1] for layer in layers]
    steps = {
        f"{deep} above {shallow}": [float(a - b) for a, b in zip(above, below, strict=True)]
        for shallow, deep, below, above in zip(layers, layers[1:], ends, ends[1:], strict=False)
    }
    name, most = max(steps.items(), key=lambda step: sum(step[1]))
    return Claim.above(f"{network}: the order of data processing is violated ({name})", most, unit="nats")


def labels(reading: Reading) -> list[Row]:
    """Compare I(Y;L) of the softmax with log2 10."""
    return [
        Row(
            f"{network}, softmax: I(T;Y) at the end",
            reading.bits(network, OUTPUT, axis="label"),
            "bits",
            math.log2(10),
            0.3,
            comparable=network == "VGG16",
            settings_known=False,
            why="a smaller network and fewer images" if network != "VGG16" else "training and critic unpublished",
        )
        for network in reading.networks
    ]


_FULL = Recipe(
    variants=(_VGG,),
    estimators=(_MINE.format(40),),
    sweeps=(SettingSweep("kernel-density", "variance", (0.01, 0.1, 1.0, 10.0)),),
    sides=("kernel-density:variance=0.1",),
    seeds=10,
    together=1,
    snapshots=12,
    pairs=2000,
)
_SMALL = replace(_CNN, epochs=8, size=3000, probe_size=600)

ROW = TableRow(
    "jonsson",
    "[15]",
    "Jónsson, Cherubini & Eleftheriou, Convergence behavior of DNNs with mutual-information-based regularization "
    "(2020)",
    "compression from epoch 1 on; the order of data processing violated at layer 16; I(Y;L) reaches log 10",
    recipes={
        "smoke": smoke(
            _FULL, _DIGITS, SettingSweep("kernel-density", "variance", (0.1, 1.0)), estimators=(_MINE.format(1),)
        ),
        "cpu": replace(_FULL, variants=(_SMALL,), seeds=2, metrics_on=5000, snapshots=6, pairs=600),
        "full": _FULL,
    },
    claims=[on_each(Compression("some", "some layer compresses", layers="every"), out_of_order)],
    published=labels,
    settings_known=False,
    chosen="Adam 1e-3 (full scale: 1e-4), batches of 128; MINE of three hidden layers of 64 units, no noise",
)
