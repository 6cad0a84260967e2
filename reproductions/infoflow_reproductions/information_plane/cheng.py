"""Row [10]: the softmax layer in ten bins, on an easy and on a hard task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.information_plane.judging import compresses, keeps
from infoflow_reproductions.information_plane.reading import OUTPUT, Reading
from infoflow_reproductions.information_plane.rows import TableRow, experiment
from infoflow_reproductions.information_plane.rulers import Ruler
from infoflow_reproductions.information_plane.variant import Recipe, Variant

ROW = TableRow(
    "cheng",
    "[10]",
    "Cheng et al., Evaluating capability of deep neural networks for image classification via information plane (2018)",
    "the softmax compresses on MNIST, and doesn't on CIFAR-10 with shallow networks",
    settings_known=False,
    chosen="MNIST: 784-256-64-10, ReLU, Adam 1e-3 and SGD 0.1; CIFAR-10: 2 or 6 convolutions, Adam; batches of 128",
)

_MNIST = Variant(
    "MNIST, Adam", data="mnist", widths=(256, 64), activation=("relu",), initialization="he", learning_rate=1e-3,
    batch_size=128, epochs=30, probe="train", layers=(OUTPUT,),
)  # fmt: skip
SHALLOW = "CIFAR-10, shallow"


def judge(reading: Reading) -> Sequence[Claim]:
    """Of the softmax."""
    claims = []
    for network in reading.networks:
        if network.startswith("MNIST"):
            claims.append(compresses(reading, f"{network}: the softmax compresses", network, [OUTPUT]))
        elif network == SHALLOW:
            claims.append(keeps(reading, f"{network}: the softmax doesn't compress", network, [OUTPUT]))
        else:
            claims.append(
                compresses(reading, f"{network}: the softmax compresses", network, [OUTPUT], published=False)
            )  # fmt: skip
    return claims


_FULL = Recipe(
    variants=(
        _MNIST,
        replace(_MNIST, name="MNIST, SGD", optimizer="sgd", learning_rate=0.1),
        replace(_MNIST, name=SHALLOW, data="cifar10", network="cnn-shallow", widths=(), epochs=30),
        replace(_MNIST, name="CIFAR-10, deep", data="cifar10", network="cnn-deep", widths=(), epochs=60),
    ),
    estimators=("binning:bins=10,low=0,high=1",),
    rulers=(Ruler("binning", "width", (0.01, 0.03, 0.1, 0.3)),),
    seeds=10,
    snapshots=20,
    together=5,
)

CHENG = experiment(
    ROW,
    {
        "smoke": replace(
            _FULL,
            variants=(replace(_MNIST, data="digits", widths=(16,), epochs=3, probe_size=300),),
            rulers=(Ruler("binning", "width", (0.01, 0.1)),),
            seeds=2,
            metrics_on=200,
            snapshots=3,
        ),
        "cpu": replace(
            _FULL,
            variants=(
                *(replace(one, epochs=20, size=20_000) for one in _FULL.variants[:2]),
                replace(_FULL.variants[2], epochs=12, size=10_000, at_most=3),
                replace(_FULL.variants[3], epochs=8, size=3000, at_most=2),
            ),
            seeds=5,
            metrics_on=5000,
            snapshots=12,
        ),
        "full": _FULL,
    },
    judge,
)
