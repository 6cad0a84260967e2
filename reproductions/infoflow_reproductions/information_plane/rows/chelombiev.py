"""Row [5]: estimators that adapt to the activations, and the effect of regularization."""

from __future__ import annotations

import math
from dataclasses import replace

from infoflow.plane.compression import SATURATED, THRESHOLD, VARIES
from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.harness.inference import Sample
from infoflow_reproductions.information_plane.claims import Compression, listed, on, on_each
from infoflow_reproductions.information_plane.generalization import connected_at_the_softmax, unconnected
from infoflow_reproductions.information_plane.reading import Reading
from infoflow_reproductions.information_plane.recipe import Recipe, SettingSweep, Variant, smoke
from infoflow_reproductions.information_plane.row import TableRow
from infoflow_reproductions.information_plane.soundness import left_out

BINS, KDE = "adaptive-binning:bins=30", "kernel-density:variance=0.001,adaptive=True"

_TANH = Variant("tanh", batch_size=256, shuffled_split=True)
_RELU = replace(_TANH, name="ReLU", activation=("relu",), initialization="he", gain=math.sqrt(2))


def varies(reading: Reading, network: str) -> Claim:
    """Judge whether compression of some hidden layer depends on the seed."""
    verdicts = reading.verdicts(network, reading.hidden(network))
    text = f"{network}: whether a hidden layer compresses varies by seed"
    return Claim(text, VARIES in verdicts.values(), listed(verdicts))


def on_average(reading: Reading, network: str) -> Claim:
    """Judge whether no hidden layer compresses in the mean over seeds, of the layers that are not saturated.

    Tested is, seed by seed, what is left at the end beyond 95 % of the value at the peak of the mean.
    """
    left, lost, without = {}, {}, {}
    for layer, verdict in reading.verdicts(network, reading.hidden(network)).items():
        nats = reading.nats(network, layer)
        mean = nats.mean(axis=1)
        if verdict == SATURATED:
            without[layer] = "saturated"
            continue
        peak = nats.iloc[int(mean.to_numpy().argmax())]
        left[layer] = Sample.of([float(value) for value in nats.iloc[-1] - (1 - THRESHOLD) * peak]).above
        lost[layer] = f"loses {1 - mean.iloc[-1] / mean.max():.1%}{'' if left[layer] is not None else ' (not decided)'}"
    text = f"{network}: no hidden layer compresses on average (the mean over seeds loses at most {THRESHOLD:.0%})"
    evidence = "; ".join(filter(None, [listed(lost), left_out(without)]))
    verdicts = set(left.values())
    holds = False if False in verdicts else True if verdicts == {True} else None
    return Claim(text, holds, evidence, seeds=len(reading.metric(network, "test_accuracy").columns))


_FULL = Recipe(
    variants=(
        _TANH,
        _RELU,
        replace(_TANH, name="tanh, L2", weight_decay=0.015),
        replace(_RELU, name="ReLU, L2", weight_decay=0.015),
    ),
    estimators=(BINS, KDE),
    sweeps=(
        SettingSweep("adaptive-binning", "bins", (3, 10, 30, 100, 300)),
        SettingSweep("kernel-density:adaptive=True", "variance", (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)),
    ),
    seeds=20,
    together=20,
    snapshots=30,
    pairs=4096,
)
_FEW = SettingSweep("adaptive-binning", "bins", (3, 30))

_ALL = (
    Compression("all", "every hidden layer compresses"),
    Compression("all", "every hidden layer compresses ({estimator})", by=KDE, published=False),
)

ROW = TableRow(
    "chelombiev",
    "[5]",
    "Chelombiev, Houghton & O'Donnell, Adaptive estimators show information compression in deep neural networks (2019)",
    "ReLU networks compress for some initializations, not on average, with KDE in a later phase; with weight decay "
    "they compress; compression of the softmax layer goes with generalization, that of hidden layers doesn't",
    recipes={
        "smoke": smoke(
            _FULL, replace(_RELU, epochs=3, probe_size=150), _FEW, estimators=(BINS, KDE), seeds=2, snapshots=3
        ),
        "cpu": replace(_FULL, snapshots=14, pairs=600),
        "full": _FULL,
    },
    claims=[
        on(
            "ReLU",
            varies,
            on_average,
            Compression("some", "some hidden layer compresses ({estimator})", by=KDE),
        ),
        on("tanh", Compression("some", "some hidden layer compresses in training with Adam")),
        on("ReLU, L2", Compression("some", "some hidden layer compresses with weight decay")),
        on("tanh, L2", *_ALL),
        on("ReLU, L2", *_ALL),
        on_each(connected_at_the_softmax, unconnected, where=lambda network: network in ("tanh", "ReLU")),
    ],
    unjudged="that I(X;L) decreases before it increases or only increases, by the initialization (claims compare the "
    "end with the peak); that compression with KDE comes late (its epoch has no published figure); that weight decay "
    "makes many neurons inactive (the saturated part of the geometry counts saturated units and inactive ones alike)",
    places=(
        ("every hidden layer", "the surveyed paper [5]; section III-A has it for ReLU, without 'every'"),
        ("softmax layer", "section III-A: generalization seems correlated with compression in the final softmax layer"),
        ("no hidden layer is", "section III-A: no connection between compression of a hidden layer and generalization"),
        ("with Adam", "section III-A: compression also happens when training with Adam"),
        ("weight decay", "section III-A: ReLU networks display compression if weight decay is used"),
        ("KernelDensity", "section III-B: compression in a later phase with ReLU on SZT, σ² adapted in each epoch"),
        ("", "section III-A: compression for some initializations of ReLU networks, not on average"),
    ),
)
