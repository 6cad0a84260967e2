"""Row [11]: variational bounds on both axes: a classifier for the label, a generative model for the input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from infoflow_reproductions.harness.findings import Claim, Row
from infoflow_reproductions.information_plane.judging import rises, some_compress
from infoflow_reproductions.information_plane.reading import OUTPUT, Reading
from infoflow_reproductions.information_plane.rows import TableRow, experiment
from infoflow_reproductions.information_plane.rulers import Ruler
from infoflow_reproductions.information_plane.variant import Recipe, Variant

ROW = TableRow(
    "darlow",
    "[11]",
    "Darlow & Storkey, What information does a ResNet compress? (2020)",
    "fitting until about epoch 10, then compression, by a classifier's bound of I(Y;L) and PixelCNN++ of I(X;L)",
    settings_known=False,
    chosen="ResNet-18 (six convolutions at the smaller scales), CIFAR-10 in place of CINIC-10; pictures of 7×7 pixels "
    "and four grays, masked networks in place of PixelCNN++; SGD 0.05 with momentum 0.9 (Adam 1e-3 at cpu scale, where "
    "that doesn't always learn), batches of 128",
)

_CNN = Variant(
    "six convolutions", data="cifar10", network="cnn-deep", widths=(), activation=("relu",), initialization="torch",
    optimizer="sgd", learning_rate=0.05, momentum=0.9, batch_size=128, epochs=100, probe="train", probe_size=10_000,
    layers=("relu6", "relu7", OUTPUT),
)  # fmt: skip
_RESNET = replace(
    _CNN, name="ResNet-18", network="resnet18", weight_decay=5e-4, probe_size=3000, layers=("layer3", "layer4", OUTPUT)
)


def judge(reading: Reading) -> Sequence[Claim]:
    """Fitting, then compression."""
    claims = []
    for network in reading.networks:
        last = reading.hidden(network)[-1]
        claims += [
            rises(reading, f"{network}: fitting, I(T;Y) of {last} rises", network, last),
            rises(
                reading,
                f"{network}: fitting, I(X;T) of {last} rises at first",
                network,
                last,
                axis="input",
                at_first=True,
            ),
            some_compress(reading, f"{network}: then some hidden layer compresses", network, reading.hidden(network)),
        ]
    return claims


def peaks(reading: Reading) -> list[Row]:
    """The epoch of the greatest I(X;T)."""
    return [
        Row(
            f"{network}, {reading.hidden(network)[-1]}: epoch of the peak of I(X;T)",
            [float(epoch) for epoch in reading.nats(network, reading.hidden(network)[-1]).idxmax()],
            "",
            10.0,
            5.0,
            comparable=False,
            why="another network and other images",
        )
        for network in reading.networks
    ]


_FULL = Recipe(
    variants=(_RESNET, _CNN),
    estimators=("generative:side=8,epochs=100",),
    rulers=(Ruler("kernel-density", "variance", (0.01, 0.1, 1.0, 10.0)),),
    sides=("kernel-density:variance=0.1",),
    seeds=10,
    together=1,
    snapshots=20,
    pairs=10_000,
)

DARLOW = experiment(
    ROW,
    {
        "smoke": replace(
            _FULL,
            variants=(replace(_CNN, data="digits", network="cnn-shallow", epochs=1, size=200, probe_size=100,
                              layers=("relu3", OUTPUT)),),
            estimators=("generative:side=3,epochs=1",),
            rulers=(Ruler("kernel-density", "variance", (0.1, 1.0)),),
            seeds=1,
            snapshots=2,
        ),
        "cpu": replace(
            _FULL,
            variants=(replace(_CNN, optimizer="adam", learning_rate=1e-3, momentum=0.0, epochs=12, size=3000,
                              probe_size=2000),),
            estimators=("generative:side=7,epochs=40",),
            seeds=2,
            metrics_on=5000,
            snapshots=7,
            pairs=1500,
        ),
        "full": _FULL,
    },
    judge,
    rows=peaks,
)  # fmt: skip
