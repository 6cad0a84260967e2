"""Row [6]: networks with noise as a part of them, whose I(X;T) is finite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.information_plane.claims import Compression, explained, listed, on
from infoflow_reproductions.information_plane.reading import Reading
from infoflow_reproductions.information_plane.recipe import IMAGES, Recipe, SettingSweep, Variant, smoke
from infoflow_reproductions.information_plane.row import TableRow

NOISY, RELU, ORTHONORMAL, CNN = "noisy", "noisy, ReLU", "noisy, orthonormal", "CNN 1583–128, two bins"
_STEP = 0.05

_NOISY = Variant(NOISY, noise=0.1, epochs=4000, probe_size=128, repeats=6)
_RELU = replace(_NOISY, name=RELU, activation=("relu",))
_ORTHONORMAL = replace(_NOISY, name=ORTHONORMAL, orthonormal=5e-3)
_TANH = replace(IMAGES, name=CNN, network="cnn-goldfeld", widths=(), activation=("tanh",), epochs=10)
_REGULARIZED = replace(_TANH, noise=0.1, noise_in="training")
_CNN = replace(_REGULARIZED, probe="test", probe_size=3000, measured_by=("binning:bins=2,low=-1,high=1",))


def turns_often(reading: Reading, network: str) -> Claim:
    """Judge whether I(X;T) of some hidden layer rises and falls several times."""

    def turns(estimator: str) -> dict[str, list[int]]:
        return {
            layer: [reversals(curve.to_numpy()) for _, curve in reading.nats(network, layer, estimator).items()]
            for layer in reading.hidden(network)
        }

    used = reading.first(network)
    found = turns(used)
    text = f"{network}: I(X;T) of some hidden layer changes its direction twice or more (in the median seed)"
    claim = Claim(text, _several(found), listed({layer: str(times) for layer, times in found.items()}))
    return explained(reading, claim, network, used, lambda other: _several(turns(other)))


def _several(turns: Mapping[str, Sequence[int]]) -> bool:
    return max(float(np.median(found)) for found in turns.values()) >= 2


def reversals(curve: Sequence[float] | np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> int:
    """Count how often a curve turns; moves of less than 5 % of its greatest value don't count.

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


def near_ceiling(reading: Reading, network: str, *, convolutions: bool = False) -> Claim:
    """Judge whether two bins per unit already distinguish all inputs, in every hidden layer or the first two alone."""
    shares = {}
    for layer in reading.hidden(network)[: 2 if convolutions else None]:
        rows = reading.rows(network, layer)
        last = rows[rows["epoch"] == rows["epoch"].max()]
        shares[layer] = float((last["nats"] / np.log(last["n"])).min())
    which = "convolutional" if convolutions else "hidden"
    text = f"{network}: H(Q(T)) of every {which} layer is within 5 % of log N"
    evidence = listed({layer: f"{share:.0%} of log N" for layer, share in shares.items()})
    return Claim(text, min(shares.values()) > 1 - _STEP, evidence)


_FULL = Recipe(
    variants=(_NOISY, _RELU, _ORTHONORMAL, _CNN),
    estimators=("noisy-network:variance=0.01,draws=4",),
    sweeps=(SettingSweep("binning", "width", (0.03, 0.1, 0.3, 1.0)),),
    sides=("binning:width=0.1",),
    seeds=10,
    snapshots=30,
    pairs=10_000,
)
_FEW = SettingSweep("binning", "width", (0.1, 1.0))
_CPU = tuple(replace(one, epochs=2500, at_most=most) for one, most in ((_NOISY, 0), (_RELU, 6), (_ORTHONORMAL, 0)))

ROW = TableRow(
    "goldfeld",
    "[6]",
    "Goldfeld et al., Estimating information flow in deep neural networks (2019)",
    "I(X;T) of noisy networks rises and falls several times; falls are clusters forming; orthonormal weights remove "
    "compression; a CNN in two bins per unit loses nothing",
    recipes={
        "smoke": smoke(_FULL, replace(_NOISY, epochs=3, size=512, probe_size=20, repeats=4), _FEW, snapshots=3),
        "cpu": replace(
            _FULL, variants=(*_CPU, replace(_CNN, epochs=4, size=20_000, at_most=3)), snapshots=12, pairs=768
        ),
        "full": _FULL,
    },
    claims=[
        on(NOISY, turns_often, Compression("some", "some hidden layer compresses")),
        on(RELU, Compression("none", "no hidden layer compresses")),
        on(ORTHONORMAL, Compression("none", "no hidden layer compresses")),
        on(CNN, near_ceiling, partial(near_ceiling, convolutions=True)),
    ],
    settings_known=False,
    chosen="SZT: Adam 4e-4, batches of 512, σ = 0.1, 128 inputs 6 times each; orthonormal penalty 0.005; CNN: 16 "
    "and 32 maps of 5×5 with pooling before the 1583 and 128 units, tanh, noise σ = 0.1 in training alone, on MNIST",
)
