"""Row [18]: matrix-based Rényi entropy with tensor kernels."""

from __future__ import annotations

import math
from dataclasses import replace

from infoflow_reproductions.harness.findings import Row
from infoflow_reproductions.information_plane.claims import Compression, Rises, on, on_each
from infoflow_reproductions.information_plane.reading import Reading
from infoflow_reproductions.information_plane.recipe import IMAGES, OUTPUT, Recipe, SettingSweep, smoke
from infoflow_reproductions.information_plane.row import TableRow

_SGD = replace(IMAGES, widths=(1000, 20, 20, 20), initialization="he", optimizer="sgd", learning_rate=0.09)
_MNIST = replace(_SGD, batch_size=100, epochs=10, probe="train", probe_size=2000)
_MLP = replace(_MNIST, name="MLP, ReLU", batch_norm=True, layers=("norm1", "norm2", "norm3", "norm4", OUTPUT))
_TANH = replace(_MLP, name="MLP, tanh", activation=("tanh",))
_CNN = replace(_MNIST, name="CNN", network="cnn-wickstrom")
_VGG = replace(_MNIST, name="VGG16", data="cifar10", network="vgg16", epochs=100)
_NARROW = replace(_MLP, data="digits", widths=(16, 8), layers=("norm1", "norm2", OUTPUT))
_DIGITS = replace(_NARROW, epochs=1, size=200, probe_size=100)
_BATCH = "matrix-renyi:batch_size=100,input_width=8"


def labels(reading: Reading) -> list[Row]:
    """Compare I(Y;L) of the softmax with log2 10."""
    return [
        Row(
            f"{network}, softmax: I(T;Y) at the end, published as log2 10",
            reading.bits(network, OUTPUT, axis="label"),
            "bits",
            math.log2(10),
            0.15,
            comparable=reading.variant(network).data == "mnist",
            why="" if reading.variant(network).data == "mnist" else "other images",
        )
        for network in reading.networks
    ]


_FULL = Recipe(
    variants=(_MLP, _TANH, _CNN, replace(_VGG, layers=("relu7", "relu10", "relu13", "relu14", OUTPUT))),
    # The mean over mini-batches replaces the moving average of widths over iterations.
    estimators=(f"{_BATCH},kernel_width=alignment",),
    sweeps=(
        SettingSweep(f"{_BATCH},kernel_width=alignment", "alpha", (0.1, 0.5, 1.5, 2.0, 5.0, 10.0)),
        SettingSweep(_BATCH, "kernel_width", (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)),
    ),
    seeds=10,
    together=1,
    snapshots=20,
    pairs=1000,
)
_CPU = (*(replace(one, at_most=4) for one in (_MLP, _TANH)), replace(_CNN, at_most=3))

ROW = TableRow(
    "wickstrom",
    "[18]",
    "Wickstrøm et al., Information plane analysis of deep neural networks via matrix-based Rényi's entropy and tensor "
    "kernels (2019)",
    "the MLP fits, then compresses, with ReLU and with tanh; the CNN compresses at the softmax alone; I(Y;L) reaches "
    "log2 10",
    recipes={
        "smoke": smoke(_FULL, _DIGITS, SettingSweep(_BATCH, "kernel_width", (1.0, 10.0))),
        "cpu": replace(_FULL, variants=_CPU, seeds=5, metrics_on=5000, snapshots=8, pairs=300),
        "full": _FULL,
    },
    claims=[
        on_each(
            Rises("fitting, I(T;Y) of {layer} rises"),
            Compression("some", "then some layer compresses", layers="every"),
            where=lambda network: network.startswith("MLP"),
        ),
        on(
            "CNN",
            Compression("all", "the softmax compresses", layers="output"),
            Compression("none", "no other layer compresses"),
        ),
    ],
    published=labels,
)
