"""Row [6]: networks that are noisy by design, whose I(X;T) is finite and really theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.information_plane.judging import explained, keeps, some_compress
from infoflow_reproductions.information_plane.reading import Reading
from infoflow_reproductions.information_plane.rows import TableRow, experiment
from infoflow_reproductions.information_plane.rulers import Ruler
from infoflow_reproductions.information_plane.variant import Recipe, Variant

ROW = TableRow(
    "goldfeld",
    "[6]",
    "Goldfeld et al., Estimating information flow in deep neural networks (2019)",
    "I(X;T) of noisy networks rises and falls several times; falls are clusters forming; orthonormal weights remove "
    "compression; a CNN in two bins a unit keeps all",
    settings_known=False,
    chosen="SZT: Adam 4e-4, batches of 512, σ = 0.1, 128 inputs 6 times each; orthonormal penalty 0.005; CNN: LeNet-5, "
    "tanh, on MNIST",
)

NOISY, ORTHONORMAL, CNN = "noisy", "noisy, orthonormal", "CNN, two bins"
_STEP = 0.05

_NOISY = Variant(NOISY, noise=0.1, epochs=4000, probe_size=128, repeats=6)
_CNN = Variant(
    CNN, data="mnist", network="lenet5", widths=(), learning_rate=1e-3, batch_size=128, epochs=10, probe="test",
    probe_size=3000,
    measured_by=("binning:bins=2,low=-1,high=1",),
)  # fmt: skip


def judge(reading: Reading) -> Sequence[Claim]:
    """Phases, the effect of the penalty, and the two bins."""
    claims = []
    if reading.has(NOISY):
        hidden = reading.hidden(NOISY)
        used = reading.first(NOISY)
        turns = _turns(reading, used)
        claims += [
            explained(
                reading,
                Claim(
                    "noisy: I(X;T) of some hidden layer changes its direction twice or more (in the median seed)",
                    _several(turns),
                    "; ".join(f"{layer}: {times}" for layer, times in turns.items()),
                ),
                NOISY,
                used,
                lambda other: _several(_turns(reading, other)),
            ),
            some_compress(reading, "noisy: some hidden layer compresses", NOISY, hidden),
        ]
    if reading.has(ORTHONORMAL):
        claims.append(
            keeps(
                reading,
                "noisy, orthonormal weights: no hidden layer compresses",
                ORTHONORMAL,
                reading.hidden(ORTHONORMAL),
            )
        )
    if reading.has(CNN):
        shares = {}
        for layer in reading.hidden(CNN):
            frame = reading.plane.frame
            rows = frame[(frame["network"] == CNN) & (frame["layer"] == layer) & (frame["axis"] == "input")]
            last = rows[rows["epoch"] == rows["epoch"].max()]
            shares[layer] = float((last["nats"] / np.log(last["n"])).min())
        claims.append(
            Claim(
                "CNN in two bins a unit: H(Q(T)) of every convolutional layer is within 5 % of log N",
                min(list(shares.values())[:2]) > 1 - _STEP,
                "; ".join(f"{layer}: {share:.0%}" for layer, share in shares.items()),
            )
        )
    return claims


def _turns(reading: Reading, estimator: str) -> dict[str, list[int]]:
    """Of every hidden layer, how often I(X;T) turns with each seed."""
    return {
        layer: [reversals(curve.to_numpy()) for _, curve in reading.nats(NOISY, layer, estimator).items()]
        for layer in reading.hidden(NOISY)
    }


def _several(turns: Mapping[str, Sequence[int]]) -> bool:
    return max(float(np.median(found)) for found in turns.values()) >= 2


def reversals(curve: Sequence[float] | np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> int:
    """How often a curve turns; moves of less than 5 % of its greatest value don't count.

    >>> reversals([0.0, 1.0, 0.5, 0.9, 0.89]), reversals([0.0, 0.98, 0.97, 1.0])
    (2, 0)
    """
    step = _STEP * float(np.max(curve))
    turns, direction, extreme = 0, 0, float(curve[0])
    for value in map(float, curve[1:]):
        moved = value - extreme
        if (direction >= 0 and moved > 0) or (direction <= 0 and moved < 0):
            if direction == 0 and abs(moved) < step:
                continue
            direction = 1 if moved > 0 else -1
            extreme = value
        elif abs(moved) >= step:
            turns, direction, extreme = turns + 1, -direction, value
    return turns


_FULL = Recipe(
    variants=(_NOISY, replace(_NOISY, name=ORTHONORMAL, orthonormal=5e-3), _CNN),
    estimators=("noisy-network:variance=0.01,draws=4",),
    rulers=(Ruler("binning", "width", (0.03, 0.1, 0.3, 1.0)),),
    sides=("binning:width=0.1",),
    seeds=10,
    snapshots=30,
    pairs=10_000,
)

GOLDFELD = experiment(
    ROW,
    {
        "smoke": replace(
            _FULL,
            variants=(replace(_NOISY, epochs=3, size=512, probe_size=20, repeats=4),),
            rulers=(Ruler("binning", "width", (0.1, 1.0)),),
            seeds=1,
            snapshots=3,
        ),
        "cpu": replace(
            _FULL,
            variants=(
                replace(_NOISY, epochs=2500),
                replace(_FULL.variants[1], epochs=2500),
                replace(_CNN, epochs=4, size=20_000, at_most=3),
            ),
            snapshots=12,
            pairs=768,
        ),
        "full": _FULL,
    },
    judge,
)
