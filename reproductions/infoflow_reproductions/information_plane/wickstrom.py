"""Row [18]: matrix-based Rényi entropy with tensor kernels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from infoflow_reproductions.harness.findings import Claim, Row
from infoflow_reproductions.information_plane.figures import bits
from infoflow_reproductions.information_plane.judging import compresses, keeps, rises, some_compress
from infoflow_reproductions.information_plane.reading import OUTPUT, Reading
from infoflow_reproductions.information_plane.rows import TableRow, experiment
from infoflow_reproductions.information_plane.rulers import Ruler
from infoflow_reproductions.information_plane.variant import Recipe, Variant

ROW = TableRow(
    "wickstrom",
    "[18]",
    "Wickstrøm et al., Information plane analysis of deep neural networks via matrix-based Rényi's entropy and tensor "
    "kernels (2019)",
    "the MLP fits, then compresses; the CNN compresses at the softmax alone; I(Y;L) reaches log2 10",
)

_MLP = Variant(
    "MLP", data="mnist", widths=(1024, 20, 20, 20), activation=("relu",), initialization="he", batch_norm=True,
    optimizer="sgd", learning_rate=0.09, batch_size=100, epochs=10, probe="train", probe_size=2000,
    layers=("norm1", "norm2", "norm3", "norm4", OUTPUT),
)  # fmt: skip
_CNN = replace(_MLP, name="CNN", network="cnn-wickstrom", batch_norm=False, layers=())
_VGG = replace(
    _CNN,
    name="VGG16",
    data="cifar10",
    network="vgg16",
    epochs=100,
    layers=("relu7", "relu10", "relu13", "relu14", OUTPUT),
)


def judge(reading: Reading) -> Sequence[Claim]:
    """Fitting, and where it compresses."""
    claims = []
    if reading.has("MLP"):
        last = reading.hidden("MLP")[-1]
        claims += [
            rises(reading, f"MLP: fitting, I(T;Y) of {last} rises", "MLP", last),
            some_compress(reading, "MLP: then some layer compresses", "MLP", reading.layers("MLP")),
        ]
    if reading.has("CNN"):
        claims += [
            compresses(reading, "CNN: the softmax compresses", "CNN", [OUTPUT]),
            keeps(reading, "CNN: no other layer compresses", "CNN", reading.hidden("CNN")),
        ]
    return claims


def labels(reading: Reading) -> list[Row]:
    """I(Y;L) of the softmax beside log2 10."""
    rows = []
    for network in reading.networks:
        variant = next(one for one in reading.recipe.variants if one.name == network)
        rows.append(
            Row(
                f"{network}, softmax: I(T;Y) at the end, published as log2 10",
                [bits(value) for value in reading.nats(network, OUTPUT, axis="label").iloc[-1]],
                "bits",
                math.log2(10),
                0.15,
                comparable=variant.data == "mnist",
                why="" if variant.data == "mnist" else "other images",
            )
        )
    return rows


_BATCH = "matrix-renyi:batch_size=100,input_width=8"

_FULL = Recipe(
    variants=(_MLP, _CNN, _VGG),
    # The mean over mini-batches stands for the moving average of widths over iterations.
    estimators=(f"{_BATCH},kernel_width=alignment",),
    rulers=(
        Ruler(f"{_BATCH},kernel_width=alignment", "alpha", (0.1, 0.5, 1.5, 2.0, 5.0, 10.0)),
        Ruler(_BATCH, "kernel_width", (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)),
    ),
    seeds=10,
    together=1,
    snapshots=20,
    pairs=1000,
)

WICKSTROM = experiment(
    ROW,
    {
        "smoke": replace(
            _FULL,
            variants=(replace(_MLP, data="digits", widths=(16, 8), epochs=1, size=200, probe_size=100,
                              layers=("norm1", "norm2", OUTPUT)),),
            rulers=(Ruler(_BATCH, "kernel_width", (1.0, 10.0)),),
            seeds=1,
            snapshots=2,
        ),
        "cpu": replace(
            _FULL, variants=(_MLP, replace(_CNN, at_most=3)), seeds=5, metrics_on=5000, snapshots=8, pairs=300
        ),
        "full": _FULL,
    },
    judge,
    rows=labels,
)  # fmt: skip
