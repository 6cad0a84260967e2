"""Row [15]: MINE on a deterministic convolutional network."""

from __future__ import annotations

import math
from dataclasses import replace

from infoflow_reproductions.harness.findings import Row
from infoflow_reproductions.information_plane.claims import Compression, Rises, below_the_label, on_each
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
            ceiling=reading.ceiling(network, OUTPUT, axis="label"),
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
    "Jónsson, Cherubini & Eleftheriou, Convergence of DNNs with mutual-information-based regularization (2019)",
    "compression from the first epoch; I(Y;L) increases to log 10 from a comparably large value; data processing is "
    "violated at the end, I(X;L) < I(Y;L) in layer 16",
    recipes={
        "smoke": smoke(
            _FULL, _DIGITS, SettingSweep("kernel-density", "variance", (0.1, 1.0)), estimators=(_MINE.format(1),)
        ),
        "cpu": replace(_FULL, variants=(_SMALL,), seeds=2, metrics_on=5000, snapshots=6, pairs=600),
        "full": _FULL,
    },
    claims=[
        on_each(
            Compression("some", "some layer compresses", layers="every"),
            below_the_label,
            Rises("I(T;Y) of {layer} rises"),
        )
    ],
    published=labels,
    settings_known=False,
    chosen="Adam 1e-3 (full scale: 1e-4), batches of 128; MINE of three hidden layers of 64 units, no noise",
    unlike="torchvision's VGG-16 with one dense layer of 512 units in place of three, so that the text's layer 16 is "
    "the "
    "output here; at cpu scale six convolutions in place of it",
    unjudged="that compression begins with the first epoch (layers whose estimates contradict each other have no "
    "verdict, and few snapshots are taken); that I(Y;L) starts at a comparably large value, of which no figure is "
    "given",
    places=(
        ("breaks data processing", "section III-C: I(X;L) < I(Y;L) for layer 16 at the end of training"),
        ("compresses", "section III-C: compression from the first epoch"),
        ("", "section III-C: all observe that I(Y;L) increases; here to log 10"),
    ),
)
