"""Row [12]: MINE on layers with noise added."""

from __future__ import annotations

from dataclasses import replace

from infoflow_reproductions.harness.findings import Claim, Row
from infoflow_reproductions.information_plane.claims import Compression, Rises, on_each
from infoflow_reproductions.information_plane.reading import Reading
from infoflow_reproductions.information_plane.recipe import IMAGES, Recipe, SettingSweep, smoke
from infoflow_reproductions.information_plane.row import TableRow

_RELU = replace(IMAGES, name="ReLU", widths=(512, 512), initialization="torch", epochs=50, probe="test")
_TANH = replace(_RELU, name="tanh", activation=("tanh",))
_DIGITS = replace(_TANH, data="digits", widths=(8,), epochs=2, probe_size=100)
_MINE = "noisy-mine:max_epochs={},folds=2,variance=2.0"
DECAY = ", weight decay"


def compresses_with_decay(reading: Reading, network: str) -> Claim:
    """Judge whether weight decay, and it alone, makes hidden layers compress."""
    if network.endswith(DECAY):
        return Compression("some", "some hidden layer compresses")(reading, network)
    return Compression("none", "no hidden layer compresses")(reading, network)


def published(reading: Reading) -> list[Row]:
    """Compare with the two figures that the paper states."""
    rows = []
    for network in reading.networks:
        same = reading.variant(network).data == "mnist"
        why = "sizes of the critic and of the training unpublished" if same else "other images"
        last = reading.hidden(network)[-1]
        broken = reading.contradictions(network, [last]).get(last, "")
        for what, values, figure, axis in (
            (f"I(X;T+ε) of {last} before training", reading.bits(network, last, epoch=0), 0.0, "input"),
            (f"I(T+ε;Y) of {last} at the end", reading.bits(network, last, axis="label"), 2.2, "label"),
        ):
            ceiling = reading.ceiling(network, last, axis=axis)
            # The estimate is floored at 0, so that a value of 0 agrees with any information that MINE misses.
            text = f"{network}: {what}"
            reason = "; ".join(filter(None, [why, broken if axis == "label" else ""]))
            rows.append(
                Row(
                    text,
                    values,
                    "bits",
                    figure,
                    0.4,
                    comparable=same,
                    settings_known=not same,
                    why=reason,
                    floor=0.0,
                    ceiling=ceiling,
                    sound=not (broken and axis == "label"),
                )
            )
    return rows


_FULL = Recipe(
    variants=tuple(
        replace(one, name=one.name + suffix, weight_decay=decay)
        for one in (_TANH, _RELU)
        for suffix, decay in (("", 0.0), (DECAY, 1e-3))
    ),
    estimators=(_MINE.format(40),),
    sweeps=(SettingSweep("kernel-density", "variance", (0.02, 0.2, 2.0, 20.0)),),
    sides=("kernel-density:variance=2.0",),
    seeds=10,
    together=1,
    snapshots=15,
    pairs=4000,
)

ROW = TableRow(
    "elad",
    "[12]",
    "Elad, Haviv, Blau & Michaeli, Direct validation of the information bottleneck principle for deep nets (2019)",
    "I(X;L) ≈ 0 at the start, I(Y;L) reaches about 2.2 bits; compression with weight decay only",
    recipes={
        "smoke": smoke(
            _FULL, _DIGITS, SettingSweep("kernel-density", "variance", (0.2, 2.0)), estimators=(_MINE.format(1),)
        ),
        "cpu": replace(
            _FULL,
            variants=tuple(replace(one, epochs=12, size=10_000) for one in _FULL.variants),
            estimators=(_MINE.format(25),),
            seeds=3,
            snapshots=6,
            pairs=800,
        ),
        "full": _FULL,
    },
    claims=[on_each(compresses_with_decay, Rises("fitting, I(T;Y) of {layer} rises"))],
    places=(
        ("fitting", "section III-C: all authors observe a fitting phase in the sense that I(Y;L) increases"),
        ("", "section III-C: no compression at all, unless weight decay is used"),
    ),
    published=published,
    settings_known=False,
    chosen="Adam 1e-3, batches of 128, weight decay 1e-3, MINE of three hidden layers of 64 units on a part of the "
    "test images",
    unjudged="that small weights reduce the range of the layer, which explains I(X;L) ≈ 0 at the start and why "
    "weight decay "
    "compresses: the picture of the geometry shows distances, and nothing is judged by them",
)
