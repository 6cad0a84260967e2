"""Rows [8] and [9]: the decision that a network comes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.information_plane.judging import keeps, rises
from infoflow_reproductions.information_plane.reading import OUTPUT, Reading
from infoflow_reproductions.information_plane.rows import TableRow, experiment
from infoflow_reproductions.information_plane.variant import Recipe, Variant

ROW = TableRow(
    "balda",
    "[8], [9]",
    "Balda, Behboodi & Mathar, On the information dynamics of deep neural networks (2018, 2019)",
    "H(L) of the decision L rises, then H(L|Y) falls; no compression",
    chosen="SGD 0.1 (0.03 for the two convolutions on CIFAR-10, where 0.1 doesn't always learn), batches of 128; "
    "DenseNet-121 at full scale alone; the synthetic task left out",
)

_MLP = Variant(
    "MNIST, MLP", data="mnist", widths=(256, 64), activation=("relu",), initialization="he", optimizer="sgd",
    learning_rate=0.1, batch_size=128, epochs=20, probe="test", layers=(OUTPUT,),
)  # fmt: skip


def judge(reading: Reading) -> Sequence[Claim]:
    """H(L), H(L|Y) and the verdict on H(L), which is I(X;L)."""
    claims = []
    for network in reading.networks:
        h = reading.nats(network, OUTPUT)
        given = h - reading.nats(network, OUTPUT, axis="label")
        claims += [
            rises(reading, f"{network}: H(L) rises", network, OUTPUT, axis="input"),
            Claim.above(
                f"{network}: then H(L|Y) falls (from its peak to the end)",
                [float(given[seed].max() - given[seed].iloc[-1]) for seed in given.columns],
                unit="nats",
            ),
            keeps(reading, f"{network}: H(L) doesn't fall again, no compression", network, [OUTPUT]),
        ]
    return claims


_FULL = Recipe(
    variants=(
        _MLP,
        replace(_MLP, name="MNIST, LeNet-5", network="lenet5"),
        replace(_MLP, name="CIFAR-10, CNN", data="cifar10", network="cnn-shallow", widths=(), learning_rate=0.03),
        replace(_MLP, name="CIFAR-10, DenseNet", data="cifar10", network="densenet121", widths=(), epochs=60),
    ),
    estimators=("decision-rule",),
    seeds=10,
    together=5,
    snapshots=20,
)

BALDA = experiment(
    ROW,
    {
        "smoke": replace(
            _FULL, variants=(replace(_MLP, data="digits", widths=(16,), epochs=3),), seeds=2, snapshots=3
        ),
        "cpu": replace(
            _FULL,
            variants=(
                _MLP,
                replace(_FULL.variants[1], epochs=5, size=20_000),
                replace(_FULL.variants[2], epochs=8, size=10_000, at_most=3),
            ),
            snapshots=12,
        ),
        "full": _FULL,
    },
    judge,
)  # fmt: skip
