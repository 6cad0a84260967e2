"""Row [13]: kernel density on MNIST networks."""

from __future__ import annotations

from dataclasses import replace

from infoflow.plane.compression import COMPRESSES, DOES_NOT
from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.information_plane.claims import listed, on_each
from infoflow_reproductions.information_plane.reading import Reading
from infoflow_reproductions.information_plane.recipe import IMAGES, OUTPUT, Recipe, SettingSweep, smoke
from infoflow_reproductions.information_plane.row import TableRow

_MNIST = replace(IMAGES, initialization="he", epochs=20, probe="test", probe_size=1000)
_MLP = replace(_MNIST, name="MLP", widths=(1024, 256, 128))
_LENET = replace(_MLP, name="LeNet-5", network="lenet5")
# The last two blocks: earlier maps hold tens of thousands of values.
_BLOCKS = ("features.denseblock3", "features.denseblock4", OUTPUT)
_BIT = 0.6931


def saturates(reading: Reading, network: str) -> Claim:
    """Judge whether the last layer's I(X;T) changes little in the second half of the snapshots."""
    nats = reading.nats(network, reading.layers(network)[-1])
    half = nats.loc[nats.index[len(nats) // 2]]
    text = "the softmax saturates (in the second half of the snapshots it changes by less than 1 bit)"
    margins = [_BIT - abs(float(a - b)) for a, b in zip(nats.iloc[-1], half, strict=True)]
    return Claim.above(f"{network}: {text}", margins, unit="nats")


def inconclusive(reading: Reading) -> list[Claim]:
    """Judge whether the layers disagree; a saturated layer, or one that varies by seed, has no verdict to compare."""
    verdicts = {
        f"{network} {layer}": verdict
        for network in reading.networks
        for layer, verdict in reading.verdicts(network, reading.layers(network)).items()
    }
    text = "inconclusive: not all layers have the same verdict on compression"
    firm = {verdict for verdict in verdicts.values() if verdict in (COMPRESSES, DOES_NOT)}
    decided = sum(verdict in firm for verdict in verdicts.values())
    holds = True if len(firm) > 1 else False if decided == len(verdicts) else None
    return [Claim(text, holds, listed(verdicts))]


_FULL = Recipe(
    variants=(_MLP, _LENET, replace(_MLP, name="DenseNet", network="densenet121", widths=(), layers=_BLOCKS)),
    estimators=("kernel-density:variance=0.1",),
    sweeps=(SettingSweep("kernel-density", "variance", (1e-3, 1e-2, 0.1, 1.0, 10.0)),),
    seeds=10,
    together=1,
    snapshots=20,
)
_DIGITS = replace(_MLP, data="digits", widths=(16, 8), epochs=2, probe_size=100)
_CPU = tuple(replace(one, epochs=8, size=20_000, at_most=most) for one, most in ((_MLP, 0), (_LENET, 3)))

ROW = TableRow(
    "fang",
    "[13]",
    "Fang et al., information plane of MNIST classifiers by kernel density (2018)",
    "the last layers saturate near 1, 2 and 3 bits; inconclusive on compression",
    recipes={
        "smoke": smoke(_FULL, _DIGITS, SettingSweep("kernel-density", "variance", (0.1, 1.0)), seeds=2, snapshots=3),
        "cpu": replace(_FULL, variants=_CPU, snapshots=9, pairs=800),
        "full": _FULL,
    },
    claims=[on_each(saturates), inconclusive],
    settings_known=False,
    chosen="Adam 1e-3, batches of 128, ReLU, σ² = 0.1, 1000 test images; DenseNet-121 at full scale alone",
)
