"""Row [10]: the softmax layer in ten bins, on an easy and on a hard task."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.information_plane.claims import Compression, by_estimator, on, on_each
from infoflow_reproductions.information_plane.reading import Reading
from infoflow_reproductions.information_plane.recipe import IMAGES, OUTPUT, Recipe, SettingSweep, smoke
from infoflow_reproductions.information_plane.row import TableRow

_MNIST = replace(
    IMAGES, name="MNIST, Adam", widths=(256, 64), initialization="he", epochs=30, probe="train", layers=(OUTPUT,)
)
_SGD = replace(_MNIST, name="MNIST, SGD", optimizer="sgd", learning_rate=0.1)
_DIGITS = replace(_MNIST, data="digits", widths=(16,), epochs=3, probe_size=300)
ADAM, SGD = _MNIST.name, _SGD.name
SHALLOW, DEEP, VGG = "CIFAR-10, shallow", "CIFAR-10, deep", "CIFAR-10, VGG-16"
_SHALLOW = replace(_MNIST, name=SHALLOW, data="cifar10", network="cnn-shallow", widths=())
_DEEP = replace(_SHALLOW, name=DEEP, network="cnn-deep", epochs=60)
_VGG = replace(_SHALLOW, name=VGG, network="vgg16", learning_rate=1e-4, epochs=100)
# Two points of the plane agree in I(Y;L) up to `_ALIKE` nats, and differ in accuracy by `_APART` or more.
_ALIKE, _APART = 0.05, 0.01


def pairs(reading: Reading, network: str) -> Claim:
    """Judge whether, of two points of the plane with one I(Y;L), the more accurate one has the lower I(X;L)."""
    nats, label = (reading.nats(network, OUTPUT, axis=axis) for axis in ("input", "label"))
    accuracy = reading.metric(network, "test_accuracy").loc[nats.index]
    shares, count = [], 0
    for seed in nats.columns:
        points = list(zip(label[seed], accuracy[seed], nats[seed], strict=True))
        found = lower_where_better(points)
        count += len(found)
        shares += [sum(found) / len(found)] if found else []
    text = (
        f"{network}: of two points with the same I(Y;L) (within {_ALIKE} nats) the one with the higher accuracy (by "
        f"{_APART:.0%} or more) has the lower I(X;L) more often than not"
    )
    if not shares:
        return Claim(text, None, "there are no such pairs")
    claim = Claim.above(text, shares, 0.5, span=(0.0, 1.0))
    return replace(claim, evidence=f"share of {count} pairs: {claim.evidence}")


def lower_where_better(points: Sequence[tuple[float, float, float]]) -> list[bool]:
    """For each pair of points (I(Y;L), accuracy, I(X;L)) that `pairs` compares: has the better one the lower I(X;L)?

    >>> lower_where_better([(1.0, 0.5, 3.0), (1.01, 0.6, 2.0), (2.0, 0.9, 1.0), (1.0, 0.505, 1.0)])
    [True, False]
    """
    return [
        (x_one < x_other) == (one > other)
        for (y_one, one, x_one), (y_other, other, x_other) in itertools.combinations(points, 2)
        if abs(y_one - y_other) <= _ALIKE and abs(one - other) >= _APART
    ]


def stronger_by_sgd(reading: Reading) -> list[Claim]:
    """Compare the part of I(X;L)'s peak that is lost by SGD and by Adam, seed by seed."""
    if not reading.has(ADAM, SGD):
        return []

    def judged(estimator: str) -> Claim:
        lost = zip(*(reading.shares(network, OUTPUT, estimator) for network in (SGD, ADAM)), strict=True)
        more = [100 * (sgd - adam) for sgd, adam in lost]
        return Claim.above("MNIST: the softmax compresses more with SGD than with Adam", more, unit="percentage points")

    claim = by_estimator(reading, SGD, judged)
    ends = (reading.metric(network, "train_accuracy").iloc[-1].mean() for network in (SGD, ADAM))
    fitted = "training accuracy at the end: {:.1%} with SGD, {:.1%} with Adam".format(*ends)
    return [replace(claim, evidence=f"{claim.evidence}; {fitted}")]


_FULL = Recipe(
    variants=(_MNIST, _SGD, _SHALLOW, _DEEP, _VGG),
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
    "Cheng, Lian, Gao & Geng, Utilizing information bottleneck to evaluate the capability of deep neural networks for "
    "image classification (2019)",
    "the softmax compresses on MNIST, by SGD more than by Adam, and doesn't on CIFAR-10 with shallow networks; of two "
    "points of VGG-16 on CIFAR-10 with the same I(Y;L) the more accurate one often has the lower I(X;L)",
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
            metrics_on=2000,
            snapshots=12,
        ),
        "full": _FULL,
    },
    claims=[
        on_each(_COMPRESSES, where=lambda network: network.startswith("MNIST")),
        on(SHALLOW, Compression("none", "the softmax does not compress", layers="output")),
        on(DEEP, replace(_COMPRESSES, published=False), pairs),
        on(VGG, pairs),
        stronger_by_sgd,
    ],
    settings_known=False,
    chosen="MNIST: 784-256-64-10, ReLU, Adam 1e-3 and SGD 0.1; CIFAR-10: 2 or 6 convolutions, Adam, VGG-16 (full "
    "scale alone, six convolutions elsewhere) with Adam 1e-4; batches of 128; two values of I(Y;L) within 0.05 nats "
    "count as the same",
    unlike="full-batch gradient descent, which the table lists, is not run",
    unjudged="the CNN on MNIST of the table; the three-layer MLP and the CNN of four convolutions on CIFAR-10, and "
    "that a three-layer MLP "
    "trained on MNIST has a higher I(Y;L) than a more accurate six-layer CNN trained on CIFAR-10 (section IV, item 1): "
    "these networks are not trained; the data of the comparison of SGD with Adam, which the text does not name",
    places=(
        ("more with SGD", "section III-A: SGD causes stronger compression than Adam in the softmax layer"),
        (
            "two points",
            "section III-A: of two points with the same I(Y;L) the more accurate one often has a lower I(X;L)",
        ),
        ("does not compress", "section III-A: CIFAR-10 is too complex to allow compression in shallow networks"),
        ("", "section III-A: the softmax layer of various architectures compresses on MNIST"),
    ),
)
