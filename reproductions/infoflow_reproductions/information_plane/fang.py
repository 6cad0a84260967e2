"""Row [13]: kernel density on MNIST networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.information_plane.reading import OUTPUT, Reading
from infoflow_reproductions.information_plane.rows import TableRow, experiment
from infoflow_reproductions.information_plane.rulers import Ruler
from infoflow_reproductions.information_plane.variant import Recipe, Variant

ROW = TableRow(
    "fang",
    "[13]",
    "Fang et al., information plane of MNIST classifiers by kernel density (2018)",
    "the last layers saturate near 1, 2 and 3 bits; inconclusive on compression",
    settings_known=False,
    chosen="Adam 1e-3, batches of 128, ReLU, σ² = 0.1, 1000 test images; DenseNet-121 at full scale alone",
)

_MLP = Variant(
    "MLP", data="mnist", widths=(1024, 256, 128), activation=("relu",), initialization="he", learning_rate=1e-3,
    batch_size=128, epochs=20, probe="test", probe_size=1000,
)  # fmt: skip
# The last two of DenseNet's: earlier maps hold tens of thousands of values.
_BLOCKS = ("features.denseblock3", "features.denseblock4")


def judge(reading: Reading) -> Sequence[Claim]:
    """Inconclusive means that the layers don't agree."""
    claims = []
    told, kinds = [], set()
    for network in reading.networks:
        verdicts = reading.verdicts(network, reading.layers(network))
        kinds |= set(verdicts.values())
        told += [f"{network} {layer}: {verdict}" for layer, verdict in verdicts.items()]
        nats = reading.nats(network, reading.layers(network)[-1])
        half = nats.loc[nats.index[len(nats) // 2]]
        claims.append(
            Claim.above(
                f"{network}: the softmax saturates (in the second half of the snapshots it moves by less than 1 bit)",
                [0.6931 - abs(float(a - b)) for a, b in zip(nats.iloc[-1], half, strict=True)],
                unit="nats",
            )
        )
    claims.append(Claim("inconclusive: not all layers have the same verdict on compression", len(kinds) > 1,
                        "; ".join(told)))  # fmt: skip
    return claims


_FULL = Recipe(
    variants=(
        _MLP,
        replace(_MLP, name="LeNet-5", network="lenet5"),
        replace(_MLP, name="DenseNet", network="densenet121", widths=(), layers=(*_BLOCKS, OUTPUT)),
    ),
    estimators=("kernel-density:variance=0.1",),
    rulers=(Ruler("kernel-density", "variance", (1e-3, 1e-2, 0.1, 1.0, 10.0)),),
    seeds=10,
    together=1,
    snapshots=20,
)

FANG = experiment(
    ROW,
    {
        "smoke": replace(
            _FULL,
            variants=(replace(_MLP, data="digits", widths=(16, 8), epochs=2, probe_size=100),),
            rulers=(Ruler("kernel-density", "variance", (0.1, 1.0)),),
            seeds=2,
            snapshots=3,
        ),
        "cpu": replace(
            _FULL,
            variants=tuple(
                replace(one, epochs=8, size=20_000, at_most=most)
                for one, most in zip(_FULL.variants, (0, 3), strict=False)
            ),
            snapshots=9,
            pairs=800,
        ),
        "full": _FULL,
    },
    judge,
)
