"""Row [7]: the effect of bin widths and of the order of activations on the plane."""

from __future__ import annotations

from dataclasses import replace

from infoflow.core.estimate import SATURATION
from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.information_plane.claims import Compression, falls_with_depth, on
from infoflow_reproductions.information_plane.generalization import unconnected
from infoflow_reproductions.information_plane.layer_estimators import label_of
from infoflow_reproductions.information_plane.reading import Reading
from infoflow_reproductions.information_plane.recipe import Recipe, SettingSweep, Variant, smoke
from infoflow_reproductions.information_plane.row import TableRow

FUNNEL, WIDTHS = "12-3-2-12-2-2", (0.01, 0.07, 0.15, 0.3)
_TANH = Variant("tanh", batch_size=256, probe="train")
_MNIST = replace(_TANH, name="MNIST 3, 8, 1", data="mnist", classes=(3, 8, 1), at_most=4)
_FUNNEL = replace(_TANH, name=FUNNEL, widths=(12, 3, 2, 12, 2, 2))


def saturates(reading: Reading, network: str) -> Claim:
    """Compare the number of layers that are saturated in all of training between the smallest and the largest bins."""
    fine, coarse = (_saturated(reading, network, width) for width in (min(WIDTHS), max(WIDTHS)))
    text = (
        f"throughout training bins of {min(WIDTHS)} saturate more hidden layers at (log N, I(X;Y)) than bins of "
        f"{max(WIDTHS)}"
    )
    evidence = f"{', '.join(fine) or 'none'} against {', '.join(coarse) or 'none'}"
    return Claim(f"{network}: {text}", len(fine) > len(coarse), evidence)


def _saturated(reading: Reading, network: str, width: float) -> list[str]:
    """Hidden layers at the ceiling of both axes in every seed and at every snapshot after the start."""
    frame = reading.plane.frame
    rows = frame[(frame["network"] == network) & (frame["estimator"] == label_of(f"binning:width={width}"))]
    trained = rows[rows["epoch"] > rows["epoch"].min()]
    at = trained["nats"] >= trained["ceiling"] * (1 - SATURATION)
    return [layer for layer in reading.hidden(network) if bool(at[trained["layer"] == layer].all())]


def gains(reading: Reading) -> list[Claim]:
    """Compare the fourth hidden layer with the narrow third one in all of training, at each bin width."""
    if not reading.has(FUNNEL):
        return []
    claims = []
    for width in WIDTHS:
        by = label_of(f"binning:width={width}")
        below, above = (reading.nats(FUNNEL, layer, by) for layer in reading.hidden(FUNNEL)[2:4])
        text = (
            f"{FUNNEL}, bin width {width}: throughout training the layer of 12 units carries more information than "
            "that of 2 before it"
        )
        least = (above - below).min()
        claims.append(Claim.above(text, [float(gap) for gap in least], unit="nats"))
    return claims


_FULL = Recipe(
    variants=(
        _TANH,
        replace(_TANH, name="ReLU", activation=("relu",)),
        replace(_TANH, name="TTRRR", activation=("tanh", "tanh", "relu", "relu", "relu")),
        replace(_TANH, name="RRTTT", activation=("relu", "relu", "tanh", "tanh", "tanh")),
        _FUNNEL,
        _MNIST,
        replace(_MNIST, name="MNIST 3, 8, 1, ReLU", activation=("relu",)),
    ),
    estimators=("binning:width=0.07",),
    sweeps=(SettingSweep("binning", "width", (*WIDTHS, 1.0)),),
    seeds=10,
    snapshots=30,
)
_CPU = tuple(
    replace(one, epochs=60, probe_size=10_000) if one.data == "mnist" else replace(one, epochs=5000)
    for one in _FULL.variants
)

ROW = TableRow(
    "schiemer",
    "[7]",
    "Schiemer & Ye, Revisiting the information plane (2020)",
    "the plane depends on the bin width: small bins saturate layers at (log N, I(X;Y)); a wide layer after a narrow "
    "one has more information than possible; tanh layers compress, ReLU layers don't; compression isn't connected with "
    "generalization",
    recipes={
        "smoke": smoke(_FULL, replace(_FUNNEL, epochs=3, probe_size=200), seeds=2, snapshots=3),
        "cpu": replace(_FULL, variants=_CPU, snapshots=16),
        "full": _FULL,
    },
    claims=[
        on("tanh", saturates),
        gains,
        on("tanh", unconnected),
        on("tanh", Compression("some", "some hidden layer compresses at bin width 0.07")),
        on("ReLU", Compression("none", "no hidden layer compresses at bin width 0.07")),
        on("MNIST 3, 8, 1", Compression("some", "some hidden layer compresses at bin width 0.07")),
        on("MNIST 3, 8, 1, ReLU", Compression("none", "no hidden layer compresses at bin width 0.07")),
        on("tanh", falls_with_depth),
    ],
    unlike="SGD in the table, here Adam 4e-4; of MNIST the digits 3, 8 and 1, with the widths of the networks on SZT",
    unjudged="a connection of early stopping with the start of the compression phase: the review gives no measure",
    places=(
        ("saturate more", "section III-A: for small bins many layers remain at (log N, I(X;Y))"),
        ("layer index", "section III-A: I(X;L) decreases with the layer index in the 10-7-5-4-3 MLP"),
        ("12 units", "section III-A: I(X;L3) < I(X;L4) throughout training of 12-3-2-12-2-2"),
        ("connected", "section III-A: no connection between generalization and compression"),
        ("", "section III-A: compression with tanh on SZT and MNIST, but not if ReLU was used"),
    ),
)
