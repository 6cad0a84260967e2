"""Row [15]: MINE on a deterministic convolutional network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from infoflow_reproductions.harness.findings import Claim, Row
from infoflow_reproductions.information_plane.figures import bits
from infoflow_reproductions.information_plane.judging import some_compress
from infoflow_reproductions.information_plane.reading import OUTPUT, Reading
from infoflow_reproductions.information_plane.rows import TableRow, experiment
from infoflow_reproductions.information_plane.rulers import Ruler
from infoflow_reproductions.information_plane.variant import Recipe, Variant

ROW = TableRow(
    "jonsson",
    "[15]",
    "Jónsson, Cherubini & Eleftheriou, Convergence behavior of DNNs with mutual-information-based regularization "
    "(2020)",
    "compression from epoch 1 on; the order of data processing violated at layer 16; I(Y;L) reaches log 10",
    settings_known=False,
    chosen="Adam 1e-3 (full scale: 1e-4), batches of 128; MINE of three hidden layers of 64 units, no noise",
)

_VGG = Variant(
    "VGG16", data="cifar10", network="vgg16", widths=(), activation=("relu",), initialization="torch",
    learning_rate=1e-4, batch_size=128, epochs=100, probe="test", probe_size=2000,
    layers=("relu7", "relu10", "relu13", "relu14", OUTPUT),
)  # fmt: skip
_SMALL = replace(
    _VGG, name="six convolutions", network="cnn-deep", learning_rate=1e-3, epochs=8, size=3000, probe_size=600,
    layers=("relu4", "relu6", "relu7", OUTPUT),
)  # fmt: skip


def judge(reading: Reading) -> Sequence[Claim]:
    """Compression, and a layer that shows more than one before it."""
    claims = []
    for network in reading.networks:
        layers = reading.layers(network)
        claims.append(some_compress(reading, f"{network}: some layer compresses", network, layers))
        ends = [reading.nats(network, layer).iloc[-1] for layer in layers]
        steps = {
            f"{deep} above {shallow}": [float(a - b) for a, b in zip(above, below, strict=True)]
            for shallow, deep, below, above in zip(layers, layers[1:], ends, ends[1:], strict=False)
        }
        name, most = max(steps.items(), key=lambda step: sum(step[1]))
        claims.append(Claim.above(f"{network}: the order of data processing is violated ({name})", most, unit="nats"))
    return claims


def labels(reading: Reading) -> list[Row]:
    """I(Y;L) of the softmax beside log2 10."""
    return [
        Row(
            f"{network}, softmax: I(T;Y) at the end",
            [bits(value) for value in reading.nats(network, OUTPUT, axis="label").iloc[-1]],
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
    estimators=("noisy-mine:max_epochs=40,folds=2,variance=0.0",),
    rulers=(Ruler("kernel-density", "variance", (0.01, 0.1, 1.0, 10.0)),),
    sides=("kernel-density:variance=0.1",),
    seeds=10,
    together=1,
    snapshots=12,
    pairs=2000,
)

JONSSON = experiment(
    ROW,
    {
        "smoke": replace(
            _FULL,
            variants=(replace(_SMALL, data="digits", network="cnn-shallow", epochs=1, size=200, probe_size=80,
                              layers=("relu3", OUTPUT)),),
            estimators=("noisy-mine:max_epochs=1,folds=2,variance=0.0",),
            rulers=(Ruler("kernel-density", "variance", (0.1, 1.0)),),
            seeds=1,
            snapshots=2,
        ),
        "cpu": replace(_FULL, variants=(_SMALL,), seeds=2, metrics_on=5000, snapshots=6, pairs=600),
        "full": _FULL,
    },
    judge,
    rows=labels,
)  # fmt: skip
