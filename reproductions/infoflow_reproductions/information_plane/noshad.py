"""Row [16]: the dependence graph, EDGE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.information_plane.judging import some_compress
from infoflow_reproductions.information_plane.reading import Reading
from infoflow_reproductions.information_plane.rows import TableRow, experiment
from infoflow_reproductions.information_plane.rulers import Ruler
from infoflow_reproductions.information_plane.variant import Recipe, Variant

ROW = TableRow(
    "noshad",
    "[16]",
    "Noshad, Zeng & Hero, Scalable mutual information estimation using dependence graphs (2019)",
    "some compression in every network, tanh or ReLU, fully connected or convolutional",
)

# 20000 iterations of 128 images.
_TANH = Variant(
    "tanh", data="mnist", widths=(1024, 20, 20, 20), initialization="torch", learning_rate=3e-3, batch_size=128,
    epochs=43, probe="test",
)  # fmt: skip


def judge(reading: Reading) -> Sequence[Claim]:
    """Some layer of each network compresses."""
    return [
        some_compress(reading, f"{network}: some layer compresses", network, reading.layers(network))
        for network in reading.networks
    ]


_FULL = Recipe(
    variants=(
        _TANH,
        replace(_TANH, name="ReLU", activation=("relu",)),
        replace(_TANH, name="CNN", network="cnn-noshad", activation=("relu",)),
    ),
    estimators=("dependence-graph:shifts=10,clip=20",),
    rulers=(Ruler("dependence-graph:shifts=3", "width", (0.03, 0.1, 0.3, 1.0, 3.0), few=True),),
    seeds=10,
    together=1,
    snapshots=20,
    pairs=2000,
)

NOSHAD = experiment(
    ROW,
    {
        "smoke": replace(
            _FULL,
            variants=(replace(_FULL.variants[2], data="digits", epochs=1, size=256, probe_size=100),),
            rulers=(Ruler("dependence-graph:shifts=3", "width", (0.3, 3.0), few=True),),
            seeds=1,
            snapshots=2,
        ),
        "cpu": replace(
            _FULL,
            variants=tuple(replace(one, at_most=2) for one in _FULL.variants),
            metrics_on=5000,
            snapshots=10,
            pairs=1000,
        ),
        "full": _FULL,
    },
    judge,
)
