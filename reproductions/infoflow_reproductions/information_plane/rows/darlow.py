"""Row [11]: variational bounds on both axes: a classifier for the label, a generative model for the input."""

from __future__ import annotations

from dataclasses import replace

from infoflow_reproductions.harness.findings import Row
from infoflow_reproductions.information_plane.claims import Compression, Rises, on_each
from infoflow_reproductions.information_plane.reading import Reading
from infoflow_reproductions.information_plane.recipe import IMAGES, OUTPUT, Recipe, SettingSweep, smoke
from infoflow_reproductions.information_plane.row import TableRow

_COLOR = replace(IMAGES, data="cifar10", widths=(), activation=("leaky_relu",), initialization="torch", epochs=100)
_DEEP = ("leaky_relu6", "leaky_relu7", OUTPUT)
_ADAM = replace(_COLOR, name="six convolutions", network="cnn-deep", probe="train", layers=_DEEP)
_CNN = replace(_ADAM, optimizer="sgd", learning_rate=0.05, momentum=0.9, probe_size=10_000)
_TORCHVISION = replace(_CNN, name="ResNet-18", network="resnet18", layers=("layer3", "layer4", OUTPUT))
_RESNET = replace(_TORCHVISION, weight_decay=5e-4, probe_size=3000)
_SHALLOW = replace(_CNN, data="digits", network="cnn-shallow", layers=("leaky_relu3", OUTPUT))
_DIGITS = replace(_SHALLOW, epochs=1, size=200, probe_size=100)


def peaks(reading: Reading) -> list[Row]:
    """Compare the epoch of the greatest I(X;T) with the paper's."""
    return [
        Row(
            f"{network}, {layer}: epoch of the peak of I(X;T)",
            [float(epoch) for epoch in reading.nats(network, layer).idxmax()],
            "",
            10.0,
            5.0,
            comparable=False,
            why="another network and other images",
        )
        for network in reading.networks
        for layer in reading.hidden(network)[-1:]
    ]


_FULL = Recipe(
    variants=(_RESNET, _CNN),
    estimators=("generative:side=8,epochs=100",),
    sweeps=(SettingSweep("kernel-density", "variance", (0.01, 0.1, 1.0, 10.0)),),
    sides=("kernel-density:variance=0.1",),
    seeds=10,
    together=1,
    snapshots=20,
    pairs=10_000,
)

ROW = TableRow(
    "darlow",
    "[11]",
    "Darlow & Storkey, What information does a ResNet compress? (2020)",
    "fitting until about epoch 10, then compression, by a classifier's bound of I(Y;L) and PixelCNN++ of I(X;L)",
    recipes={
        "smoke": smoke(
            _FULL,
            _DIGITS,
            SettingSweep("kernel-density", "variance", (0.1, 1.0)),
            estimators=("generative:side=3,epochs=1",),
        ),
        "cpu": replace(
            _FULL,
            variants=(replace(_ADAM, epochs=12, size=3000, probe_size=2000),),
            estimators=("generative:side=7,epochs=40",),
            seeds=2,
            metrics_on=5000,
            snapshots=7,
            pairs=1500,
        ),
        "full": _FULL,
    },
    claims=[
        on_each(
            Rises("fitting, I(T;Y) of {layer} rises"),
            Rises("fitting, I(X;T) of {layer} rises at first", axis="input", at_first=True),
            Compression("some", "then some hidden layer compresses"),
        )
    ],
    published=peaks,
    settings_known=False,
    chosen="ResNet-18 (six convolutions at the smaller scales), CIFAR-10 in place of CINIC-10; pictures of 7×7 pixels "
    "and four grays, masked networks in place of PixelCNN++; SGD 0.05 with momentum 0.9 (Adam 1e-3 at cpu scale, where "
    "that doesn't always learn), batches of 128",
)
