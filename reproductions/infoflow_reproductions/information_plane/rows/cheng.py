"""Row [10]: the softmax layer in ten bins, on an easy and on a hard task."""

from __future__ import annotations

from dataclasses import replace

from infoflow_reproductions.information_plane.claims import Compression, on, on_each
from infoflow_reproductions.information_plane.recipe import IMAGES, OUTPUT, Recipe, SettingSweep, smoke
from infoflow_reproductions.information_plane.row import TableRow

_MNIST = replace(
    IMAGES, name="MNIST, Adam", widths=(256, 64), initialization="he", epochs=30, probe="train", layers=(OUTPUT,)
)
_SGD = replace(_MNIST, name="MNIST, SGD", optimizer="sgd", learning_rate=0.1)
_DIGITS = replace(_MNIST, data="digits", widths=(16,), epochs=3, probe_size=300)
SHALLOW, DEEP = "CIFAR-10, shallow", "CIFAR-10, deep"
_SHALLOW = replace(_MNIST, name=SHALLOW, data="cifar10", network="cnn-shallow", widths=())
_DEEP = replace(_SHALLOW, name=DEEP, network="cnn-deep", epochs=60)

_FULL = Recipe(
    variants=(_MNIST, _SGD, _SHALLOW, _DEEP),
    estimators=("binning:bins=10,low=0,high=1",),
    sweeps=(SettingSweep("binning", "width", (0.01, 0.03, 0.1, 0.3)),),
    seeds=10,
    snapshots=20,
    together=5,
)
_COMPRESSES = Compression("all", "the softmax compresses", layers="output")

ROW = TableRow(
    "cheng",
    "[10]",
    "Cheng et al., Evaluating capability of deep neural networks for image classification via information plane (2018)",
    "the softmax compresses on MNIST, and doesn't on CIFAR-10 with shallow networks",
    recipes={
        "smoke": smoke(
            _FULL, _DIGITS, SettingSweep("binning", "width", (0.01, 0.1)), metrics_on=200, seeds=2, snapshots=3
        ),
        "cpu": replace(
            _FULL,
            variants=(
                *(replace(one, epochs=20, size=20_000) for one in (_MNIST, _SGD)),
                replace(_SHALLOW, epochs=12, size=10_000, at_most=3),
                replace(_DEEP, epochs=8, size=3000, at_most=2),
            ),
            seeds=5,
            metrics_on=5000,
            snapshots=12,
        ),
        "full": _FULL,
    },
    claims=[
        on_each(_COMPRESSES, where=lambda network: network.startswith("MNIST")),
        on(SHALLOW, Compression("none", "the softmax does not compress", layers="output")),
        on(DEEP, replace(_COMPRESSES, published=False)),
    ],
    settings_known=False,
    chosen="MNIST: 784-256-64-10, ReLU, Adam 1e-3 and SGD 0.1; CIFAR-10: 2 or 6 convolutions, Adam; batches of 128",
)
