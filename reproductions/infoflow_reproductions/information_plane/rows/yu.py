"""Row [19]: matrix-based Rényi entropy of a convolutional network, channel by channel."""

from __future__ import annotations

from dataclasses import replace

from infoflow_reproductions.information_plane.claims import Compression, Rises, on_each
from infoflow_reproductions.information_plane.recipe import IMAGES, Recipe, SettingSweep, smoke
from infoflow_reproductions.information_plane.row import TableRow

_IMAGES = replace(IMAGES, network="lenet5", activation=("sigmoid",), initialization="torch", epochs=15)
_LENET = replace(_IMAGES, name="MNIST", probe="train", probe_size=2000)
_RENYI = "alpha=1.01,batch_size=100,kernel_width=scott"
_ALPHA = SettingSweep("matrix-renyi:batch_size=100,kernel_width=scott", "alpha", (0.1, 0.5, 1.5, 2.0, 5.0, 10.0))

_FULL = Recipe(
    variants=(_LENET, replace(_LENET, name="Fashion-MNIST", data="fashion-mnist")),
    estimators=(f"channel-renyi:{_RENYI}", f"matrix-renyi:{_RENYI}"),
    sweeps=(_ALPHA,),
    seeds=10,
    together=1,
    snapshots=20,
)
_DIGITS = replace(_LENET, data="digits", epochs=1, size=256, probe_size=100)
_CPU = replace(_LENET, epochs=8, size=20_000)

ROW = TableRow(
    "yu",
    "[19]",
    "Yu et al., Understanding convolutional neural networks with information theory: an initial exploration (2018)",
    "I(X;L) and I(Y;L) both rise quickly; no compression",
    recipes={
        "smoke": smoke(_FULL, _DIGITS, replace(_ALPHA, values=(0.5, 2.0))),
        "cpu": replace(_FULL, variants=(_CPU,), metrics_on=5000, snapshots=9, pairs=300),
        "full": _FULL,
    },
    claims=[
        on_each(
            Rises("I(X;T) of {layer} rises", axis="input"),
            Rises("I(T;Y) of {layer} rises"),
            Compression("none", "no layer compresses", layers="every"),
        )
    ],
    settings_known=False,
    chosen="learning rate 1e-3, batches of 128; kernel widths by Scott's rule, one for each channel",
    unlike="SGD in the table; here Adam, since SGD 0.1 with momentum 0.9 doesn't learn through so many sigmoids",
    places=(
        ("compresses", "section III-D: no compression phase, despite doubly saturating activation functions"),
        ("", "section III-D: both I(X;L) and I(Y;L) increase rapidly"),
    ),
)
