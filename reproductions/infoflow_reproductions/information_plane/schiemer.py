"""Row [7]: what bin widths and the order of activations do to the plane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from infoflow.core.estimate import SATURATION
from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.information_plane.judging import keeps, some_compress
from infoflow_reproductions.information_plane.reading import Reading, label_of
from infoflow_reproductions.information_plane.rows import TableRow, experiment
from infoflow_reproductions.information_plane.rulers import Ruler
from infoflow_reproductions.information_plane.variant import Recipe, Variant

ROW = TableRow(
    "schiemer",
    "[7]",
    "Schiemer & Ye, Revisiting the information plane (2020)",
    "the plane depends on the bin width: small bins pin layers at (log N, I(X;Y)); a wide layer after a narrow one "
    "shows more information than it can have; tanh layers compress, ReLU layers don't",
)

_TANH = Variant("tanh", batch_size=256, probe="train")
FUNNEL, WIDTHS = "12-3-2-12-2-2", (0.01, 0.07, 0.15, 0.3)


def judge(reading: Reading) -> Sequence[Claim]:
    """Saturation by width; data processing; compression by activation at each width."""
    claims = []
    finest, coarsest = (label_of(f"binning:width={width}") for width in (min(WIDTHS), max(WIDTHS)))
    if reading.has("tanh"):
        fine, coarse = (_pinned(reading, "tanh", by) for by in (finest, coarsest))
        claims.append(
            Claim(
                f"tanh: bins of {min(WIDTHS)} pin more layers at (log N, I(X;Y)) than bins of {max(WIDTHS)}",
                len(fine) > len(coarse),
                f"{', '.join(fine) or 'none'} against {', '.join(coarse) or 'none'}",
            )
        )
    if reading.has(FUNNEL):
        narrow, wide = reading.hidden(FUNNEL)[1:3]
        for width in WIDTHS:
            by = label_of(f"binning:width={width}")
            below, above = (reading.nats(FUNNEL, layer, by).iloc[-1] for layer in (narrow, wide))
            text = f"{FUNNEL}, width {width}: 12 units show more information than the 2 before them"
            claims.append(Claim.above(text, [float(a - b) for a, b in zip(above, below, strict=True)], unit="nats"))
    for network, falls in (("tanh", True), ("ReLU", False)):
        if reading.has(network):
            by = label_of("binning:width=0.07")
            say = some_compress if falls else keeps
            what = "some hidden layer compresses" if falls else "no hidden layer compresses"
            claims.append(say(reading, f"{network}, width 0.07: {what}", network, reading.hidden(network), by))
    return claims


def _pinned(reading: Reading, network: str, estimator: str) -> list[str]:
    """Hidden layers at the ceiling of both axes in every seed, at the end."""
    frame = reading.plane.frame
    rows = frame[(frame["network"] == network) & (frame["estimator"] == estimator)]
    last = rows[rows["epoch"] == rows["epoch"].max()]
    at = last["nats"] >= last["ceiling"] * (1 - SATURATION)
    return [layer for layer in reading.hidden(network) if bool(at[last["layer"] == layer].all())]


_FULL = Recipe(
    variants=(
        _TANH,
        replace(_TANH, name="ReLU", activation=("relu",)),
        replace(_TANH, name="TTRRR", activation=("tanh", "tanh", "relu", "relu", "relu")),
        replace(_TANH, name="RRTTT", activation=("relu", "relu", "tanh", "tanh", "tanh")),
        replace(_TANH, name=FUNNEL, widths=(3, 2, 12, 2)),
        replace(_TANH, name="MNIST 3, 8, 1", data="mnist", classes=(3, 8, 1), at_most=2),
    ),
    estimators=("binning:width=0.07",),
    rulers=(Ruler("binning", "width", (*WIDTHS, 1.0)),),
    seeds=10,
    snapshots=30,
)

SCHIEMER = experiment(
    ROW,
    {
        "smoke": replace(
            _FULL,
            variants=(replace(_FULL.variants[4], epochs=3, probe_size=200),),
            seeds=2,
            snapshots=3,
        ),
        "cpu": replace(
            _FULL,
            variants=tuple(
                replace(one, epochs=60, probe_size=10_000) if one.data == "mnist" else one for one in _FULL.variants
            ),
            snapshots=16,
        ),
        "full": _FULL,
    },
    judge,
)
