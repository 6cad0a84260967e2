"""Row [6]: networks with noise as a part of them, whose I(X;T) is finite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.harness.inference import CORRELATION
from infoflow_reproductions.information_plane.claims import Compression, by_estimator, listed, on, supported
from infoflow_reproductions.information_plane.generalization import unconnected
from infoflow_reproductions.information_plane.layer_estimators import label_of
from infoflow_reproductions.information_plane.reading import Reading
from infoflow_reproductions.information_plane.recipe import IMAGES, Recipe, SettingSweep, Variant, smoke
from infoflow_reproductions.information_plane.row import TableRow

NOISY, RELU, ORTHONORMAL, CNN = "noisy", "noisy, ReLU", "noisy, orthonormal", "CNN 1583–128, two bins"
_STEP = 0.05

_NOISY = Variant(NOISY, noise=0.1, epochs=4000, probe_size=128, repeats=6)
_RELU = replace(_NOISY, name=RELU, activation=("relu",))
_ORTHONORMAL = replace(_NOISY, name=ORTHONORMAL, orthonormal=5e-3)
_IMAGES = replace(IMAGES, initialization="torch", epochs=10)
_TANH = replace(_IMAGES, name=CNN, network="cnn-goldfeld", widths=(), activation=("tanh",))
_REGULARIZED = replace(_TANH, noise=0.1, noise_in="training")
_CNN = replace(_REGULARIZED, probe="test", probe_size=3000, measured_by=("binning:bins=2,low=-1,high=1",))


def turns_often(reading: Reading, network: str) -> Claim:
    """Judge whether I(X;T) of some hidden layer rises and falls several times."""
    layers = reading.hidden(network)

    def judged(estimator: str) -> Claim:
        found = {
            layer: [reversals(curve.to_numpy()) for _, curve in reading.nats(network, layer, estimator).items()]
            for layer in layers
        }
        text = f"{network}: I(X;T) of some hidden layer changes its direction twice or more with some seed"
        claim = Claim(text, _several(found), listed({layer: str(times) for layer, times in found.items()}))
        return supported(reading, claim, network, layers, estimator)

    return by_estimator(reading, network, judged)


def _several(turns: Mapping[str, Sequence[int]]) -> bool:
    return max(max(found) for found in turns.values()) >= 2


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
    """Judge whether two bins per unit distinguish all inputs: at the end, or in the convolutions throughout "
    "training."""
    shares = {}
    for layer in reading.hidden(network)[: 2 if convolutions else None]:
        rows = reading.rows(network, layer)
        counted = rows if convolutions else rows[rows["epoch"] == rows["epoch"].max()]
        shares[layer] = float((counted["nats"] / np.log(counted["n"])).min())
    which, when = ("convolutional", "throughout training") if convolutions else ("hidden", "at the end")
    text = f"{network}: H(Q(T)) of every {which} layer is within 5 % of log N {when}"
    evidence = listed({layer: f"{share:.0%} of log N" for layer, share in shares.items()})
    return Claim(text, min(shares.values()) > 1 - _STEP, evidence)


def clusters(reading: Reading, network: str) -> Claim:
    """Compare distances within classes, relative to those between them, at the peak of I(X;T) and at the end.

    The layer is the hidden one that loses most of its peak.
    """
    layer = max(reading.hidden(network), key=lambda one: float(np.median(reading.shares(network, one))))
    text = (
        f"{network}: where I(X;T) of {layer} falls, clusters form (within / between classes, at the peak less the end)"
    )
    rows = reading.geometry[(reading.geometry["network"] == network) & (reading.geometry["layer"] == layer)]
    within, between = (
        rows[rows["measure"] == measure].pivot(index="epoch", columns="seed", values="value")
        for measure in ("within", "between")
    )
    ratio, peaks = within / between, reading.nats(network, layer).idxmax()
    falls = [float(ratio.at[peak, seed] - ratio[seed].iloc[-1]) for seed, peak in peaks.items()]
    return supported(reading, Claim.above(text, falls), network, [layer])


ALIKE = 0.5
"""Mean correlation over snapshots above which two estimators count as similar."""


def like_binning(reading: Reading, network: str) -> Claim:
    """Judge whether sample propagation and binning at the best of the swept widths correlate over snapshots."""
    labels = [
        label_of(one) for sweep in reading.recipe.sweeps for one in sweep.texts if one.startswith("binning:width")
    ]
    text = f"{network}: sample propagation is similar to binning (correlation over snapshots, mean over hidden layers)"
    found = {bins: _similarity(reading, network, bins) for bins in labels if bins in set(reading.plane.estimators)}
    found = {bins: means for bins, means in found.items() if not means.isna().any()}
    if not found:
        return Claim(text, None, "no hidden layer varies in training with both")
    best = max(found, key=lambda bins: float(found[bins].mean()))
    claim = Claim.above(text, [float(value) for value in found[best]], ALIKE, span=CORRELATION)
    by_width = listed({bins: f"{float(means.mean()):.2f}" for bins, means in found.items()})
    claim = replace(claim, evidence=f"{best}: {claim.evidence}; means by width: {by_width}")
    return supported(reading, claim, network, reading.hidden(network))


def _similarity(reading: Reading, network: str, bins: str) -> pd.Series[float]:
    """The mean over hidden layers of the correlation with bins, by seed."""
    pairs = [
        reading.nats(network, layer).corrwith(reading.nats(network, layer, bins)) for layer in reading.hidden(network)
    ]
    return pd.concat(pairs, axis=1).mean(axis=1)


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
    "I(X;T) of noisy networks rises and falls several times; tanh compresses, ReLU doesn't; it falls where "
    "clusters form; orthonormal weights remove compression; sample propagation is similar to binning; a CNN "
    "quantized to two bins per unit keeps log N; compression of hidden layers isn't connected with generalization",
    recipes={
        "smoke": smoke(_FULL, replace(_NOISY, epochs=3, size=512, probe_size=20, repeats=4), _FEW, snapshots=3),
        "cpu": replace(
            _FULL, variants=(*_CPU, replace(_CNN, epochs=4, size=20_000, at_most=3)), snapshots=12, pairs=768
        ),
        "full": _FULL,
    },
    claims=[
        on(
            NOISY,
            turns_often,
            Compression("some", "some hidden layer compresses"),
            clusters,
            like_binning,
            unconnected,
        ),
        on(RELU, Compression("none", "no hidden layer compresses")),
        on(ORTHONORMAL, Compression("none", "no hidden layer compresses")),
        on(CNN, near_ceiling, partial(near_ceiling, convolutions=True)),
    ],
    settings_known=False,
    chosen="SZT: batches of 512, σ = 0.1, 128 inputs 6 times each; orthonormal penalty 0.005; CNN: 16 and 32 maps of "
    "5×5 with pooling before the 1583 and 128 units, noise σ = 0.1 in training alone, 3000 test images measured; "
    "similar "
    "is a correlation above 0.5 at the best of the swept widths",
    unlike="SGD in the table, here Adam 4e-4 (CNN: 1e-3); without its synthetic data",
    unjudged="MLPs on MNIST (section III-A), and the network of Fig. 5b in [6], whose top accuracy needs no clusters "
    "(section "
    "IV, item 6): these are not trained",
    places=(
        ("changes its direction", "section III-A: I(X;L) may increase and decrease again multiple times"),
        ("clusters form", "section III-A: L is clustered in epochs with small I(X;L), Figs. 5a and 8 in [6]"),
        ("similar to", "section III-E: sample propagation yields results similar to a binning estimator"),
        ("connected", "section III-A: no connection between compression of a hidden layer and generalization"),
        ("orthonormal", "section III-A: encouraging orthonormal weight matrices prevents compression"),
        ("log N throughout", "section IV, item 4: convolutional layers are close to log N throughout training"),
        ("log N", "section III-A: H(Q(L)) ≈ log N for all layers with only binary quantization"),
        ("", "section III-A: compression with tanh on SZT, but not if ReLU was used"),
    ),
)
