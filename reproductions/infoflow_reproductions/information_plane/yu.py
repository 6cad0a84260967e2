"""Row [19]: matrix-based Rényi entropy of a convolutional network, channel by channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.information_plane.judging import keeps, rises
from infoflow_reproductions.information_plane.reading import Reading
from infoflow_reproductions.information_plane.rows import TableRow, experiment
from infoflow_reproductions.information_plane.rulers import Ruler
from infoflow_reproductions.information_plane.variant import Recipe, Variant

ROW = TableRow(
    "yu",
    "[19]",
    "Yu et al., Understanding convolutional neural networks with information theory (2020)",
    "I(X;L) and I(Y;L) both rise quickly; no compression",
    settings_known=False,
    chosen="Adam 1e-3 (SGD 0.1 with momentum 0.9 doesn't learn through so many sigmoids), batches of 128; widths of "
    "the kernels by Scott's rule, one for each channel",
)

_LENET = Variant(
    "MNIST", data="mnist", network="lenet5", activation=("sigmoid",), initialization="torch",
    learning_rate=1e-3, batch_size=128, epochs=15, probe="train", probe_size=2000,
)  # fmt: skip

_RENYI = "alpha=1.01,batch_size=100,kernel_width=scott"


def judge(reading: Reading) -> Sequence[Claim]:
    """Both axes rise; no layer compresses."""
    claims = []
    for network in reading.networks:
        last = reading.hidden(network)[-1]
        claims += [
            rises(reading, f"{network}: I(X;T) of {last} rises", network, last, axis="input"),
            rises(reading, f"{network}: I(T;Y) of {last} rises", network, last),
            keeps(reading, f"{network}: no hidden layer compresses", network, reading.hidden(network)),
        ]
    return claims


_FULL = Recipe(
    variants=(_LENET, replace(_LENET, name="Fashion-MNIST", data="fashion-mnist")),
    estimators=(f"channel-renyi:{_RENYI}", f"matrix-renyi:{_RENYI}"),
    rulers=(Ruler("matrix-renyi:batch_size=100,kernel_width=scott", "alpha", (0.1, 0.5, 1.5, 2.0, 5.0, 10.0)),),
    seeds=10,
    together=1,
    snapshots=20,
)

YU = experiment(
    ROW,
    {
        "smoke": replace(
            _FULL,
            variants=(replace(_LENET, data="digits", epochs=1, size=256, probe_size=100),),
            rulers=(Ruler("matrix-renyi:batch_size=100,kernel_width=scott", "alpha", (0.5, 2.0)),),
            seeds=1,
            snapshots=2,
        ),
        "cpu": replace(
            _FULL, variants=(replace(_LENET, epochs=8, size=20_000),), metrics_on=5000, snapshots=9, pairs=300
        ),
        "full": _FULL,
    },
    judge,
)
