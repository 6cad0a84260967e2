"""Row [12]: MINE on layers with noise added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from infoflow_reproductions.harness.findings import Claim, Row
from infoflow_reproductions.information_plane.figures import bits
from infoflow_reproductions.information_plane.judging import keeps, some_compress
from infoflow_reproductions.information_plane.reading import Reading
from infoflow_reproductions.information_plane.rows import TableRow, experiment
from infoflow_reproductions.information_plane.rulers import Ruler
from infoflow_reproductions.information_plane.variant import Recipe, Variant

ROW = TableRow(
    "elad",
    "[12]",
    "Elad, Haviv, Blau & Michaeli, Direct validation of the information bottleneck principle for deep nets (2019)",
    "I(X;L) ≈ 0 at the start, I(Y;L) reaches about 2.2 bits; compression with weight decay only",
    settings_known=False,
    chosen="Adam 1e-3, batches of 128, weight decay 1e-3, MINE of three hidden layers of 64 units on 800 test images",
)

_TANH = Variant(
    "tanh", data="mnist", widths=(512, 512), initialization="torch", learning_rate=1e-3, batch_size=128, epochs=50,
    probe="test",
)  # fmt: skip
_MINE = "noisy-mine:max_epochs=40,folds=2"
DECAY = ", weight decay"


def judge(reading: Reading) -> Sequence[Claim]:
    """With and without weight decay."""
    claims = []
    for network in reading.networks:
        hidden = reading.hidden(network)
        if network.endswith(DECAY):
            claims.append(some_compress(reading, f"{network}: some hidden layer compresses", network, hidden))
        else:
            claims.append(keeps(reading, f"{network}: no hidden layer compresses", network, hidden))
    return claims


def published(reading: Reading) -> list[Row]:
    """Beside the figures that the paper tells of."""
    rows = []
    for network in reading.networks:
        variant = next(one for one in reading.recipe.variants if one.name == network)
        same = variant.data == "mnist"
        why = "" if same else "other images"
        last = reading.hidden(network)[-1]
        for what, values, figure in (
            (f"I(X;T+ε) of {last} before training", reading.nats(network, last).iloc[0], 0.0),
            (f"I(T+ε;Y) of {last} at the end", reading.nats(network, last, axis="label").iloc[-1], 2.2),
        ):
            rows.append(
                Row(
                    f"{network}: {what}", [bits(value) for value in values], "bits", figure, 0.4, comparable=same,
                    settings_known=not same, why=why or "sizes of the critic and of the training unpublished",
                )
            )  # fmt: skip
    return rows


_FULL = Recipe(
    variants=(
        _TANH,
        replace(_TANH, name=f"tanh{DECAY}", weight_decay=1e-3),
        replace(_TANH, name="ReLU", activation=("relu",)),
        replace(_TANH, name=f"ReLU{DECAY}", activation=("relu",), weight_decay=1e-3),
    ),
    estimators=(f"{_MINE},variance=2.0",),
    rulers=(Ruler("kernel-density", "variance", (0.02, 0.2, 2.0, 20.0)),),
    sides=("kernel-density:variance=2.0",),
    seeds=10,
    together=1,
    snapshots=15,
    pairs=4000,
)

ELAD = experiment(
    ROW,
    {
        "smoke": replace(
            _FULL,
            variants=(replace(_TANH, data="digits", widths=(8,), epochs=2, probe_size=100),),
            estimators=("noisy-mine:max_epochs=1,folds=2,variance=2.0",),
            rulers=(Ruler("kernel-density", "variance", (0.2, 2.0)),),
            seeds=1,
            snapshots=2,
        ),
        "cpu": replace(
            _FULL,
            variants=tuple(replace(one, epochs=12, size=10_000) for one in _FULL.variants),
            estimators=("noisy-mine:max_epochs=25,folds=2,variance=2.0",),
            seeds=3,
            snapshots=6,
            pairs=800,
        ),
        "full": _FULL,
    },
    judge,
    rows=published,
)
