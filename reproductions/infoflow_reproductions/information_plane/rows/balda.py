"""Rows [8] and [9]: the information of a network's decision."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.information_plane.claims import Compression, Rises, on_each
from infoflow_reproductions.information_plane.fano import fano
from infoflow_reproductions.information_plane.reading import FITTED, Reading
from infoflow_reproductions.information_plane.recipe import IMAGES, OUTPUT, Recipe, Variant, smoke
from infoflow_reproductions.information_plane.row import TableRow

_SGD = replace(IMAGES, optimizer="sgd", learning_rate=0.1, epochs=20, probe="test", layers=(OUTPUT,))
_MLP = replace(_SGD, name="MNIST, MLP", widths=(256, 64), initialization="he")
_SIGMOID = replace(_MLP, name="MNIST, MLP, sigmoid", activation=("sigmoid",))
_LENET = replace(_MLP, name="MNIST, LeNet-5", network="lenet5")
_COLOR = replace(_MLP, data="cifar10", widths=())
_CNN = replace(_COLOR, name="CIFAR-10, CNN", network="cnn-shallow", learning_rate=0.03)
_SYNTHETIC = Variant(
    "synthetic, MLP",
    optimizer="sgd",
    learning_rate=0.1,
    batch_size=128,
    epochs=200,
    shuffled_split=True,
    probe="test",
    layers=(OUTPUT,),
)
_ROUNDING = 1e-4  # of the stored numbers
# Few steps an epoch and a small learning rate, so that snapshots show the epoch in which H(L|Y) begins to fall.
SLOW, NOISY = "MNIST, MLP, slow", "MNIST, MLP, slow, label noise"
_SLOW = replace(_MLP, name=SLOW, learning_rate=5e-4, size=20_000, epochs=30)
_NOISY = replace(_SLOW, name=NOISY, label_noise=0.5)


def equivocation_falls(reading: Reading, network: str) -> Claim:
    """Judge whether H(L|Y) = H(L) − I(L;Y) falls after H(L) has risen, by more than 5 % of the greatest H(L)."""
    entropy = reading.nats(network, OUTPUT)
    given = entropy - reading.nats(network, OUTPUT, axis="label")
    text = f"{network}: then H(L|Y) falls (from where H(L) has 95 % of its greatest value to the end)"
    starts = {seed: int(np.argmax(entropy[seed] >= FITTED * entropy[seed].max())) for seed in entropy.columns}
    if np.median(list(starts.values())) <= 1:
        return Claim(text, None, "H(L) has risen by the first snapshot of training, so that no order can be observed")
    falls = [float(given[seed].iloc[start] - given[seed].iloc[-1]) for seed, start in starts.items()]
    return Claim.above(text, falls, (1 - FITTED) * float(entropy.max().max()), unit="nats")


def rising_bound(reading: Reading, network: str) -> Claim:
    """Judge whether Fano's bound of H(L) from the error on the same inputs rises, which it does with the accuracy."""
    entropy = reading.nats(network, OUTPUT)
    rows = reading.rows(network, OUTPUT, axis="label")
    errors = 1 - reading.metric(network, "test_accuracy").loc[entropy.index]
    # The ceiling of I(L;Y) is the smaller of H(Y) and H(L), so its largest value is at most H(Y).
    top, classes = float(rows["ceiling"].max()), 2 if reading.variant(network).data == "szt" else 10
    bounds = errors.map(lambda error: fano(error, top, classes))
    above = float((entropy - bounds).min().min())
    text = f"{network}: test accuracy rises, and with it Fano's bound, below which H(L) cannot lie"
    rises = [float(bounds[seed].iloc[-1] - bounds[seed].iloc[0]) for seed in bounds]
    claim = Claim.above(text, rises, unit="nats", published=False)
    evidence = f"rise of the bound: {claim.evidence}; H(L) lies at least {above:.3g} nats above it"
    return replace(claim, holds=claim.holds if above > -_ROUNDING else False, evidence=evidence)


def later_with_noise(reading: Reading) -> list[Claim]:
    """Compare H(L) where H(L|Y) begins to fall, seed by seed, with and without label noise."""
    if not reading.has(SLOW, NOISY):
        return []
    onsets = []
    for network in (NOISY, SLOW):
        entropy = reading.nats(network, OUTPUT)
        given = entropy - reading.nats(network, OUTPUT, axis="label")
        onsets.append([float(entropy[seed].to_numpy()[given[seed].to_numpy().argmax()]) for seed in entropy.columns])
    gaps = [noisy - clean for noisy, clean in zip(*onsets, strict=True)]
    text = "label noise: H(L|Y) begins to fall at a larger H(L) than without"
    return [Claim.above(text, gaps, unit="nats")]


_FULL = Recipe(
    variants=(
        _MLP,
        _SIGMOID,
        _SLOW,
        _NOISY,
        _SYNTHETIC,
        _LENET,
        _CNN,
        replace(_COLOR, name="CIFAR-10, DenseNet", network="densenet121", epochs=60),
    ),
    estimators=("decision-rule",),
    seeds=10,
    together=5,
    snapshots=20,
)
_SMOKE = smoke(_FULL, replace(_MLP, data="digits", widths=(16,), epochs=3), seeds=2, snapshots=3)
_CPU = (
    _MLP,
    _SIGMOID,
    _SLOW,
    _NOISY,
    _SYNTHETIC,
    replace(_LENET, epochs=5, size=20_000),
    replace(_CNN, epochs=8, size=10_000, at_most=3),
)

ROW = TableRow(
    "balda",
    "[8], [9]",
    "Balda, Behboodi & Mathar, An information theoretic view on learning of artificial neural networks (2018), and On "
    "the trajectory of stochastic gradient descent in the information plane (2018)",
    "H(L) of the decision L rises, then H(L|Y) falls, at a larger H(L) with label noise; no compression, as H(L) is "
    "bounded from below by an increasing function of training time",
    recipes={"smoke": _SMOKE, "cpu": replace(_FULL, variants=_CPU, metrics_on=5000, snapshots=12), "full": _FULL},
    claims=[
        on_each(
            Rises("H(L) rises", axis="input"),
            equivocation_falls,
            Compression("none", "H(L) does not fall again, no compression", layers="output"),
            rising_bound,
        ),
        later_with_noise,
    ],
    settings_known=False,
    chosen="SGD 0.1 (0.03 for the two convolutions on CIFAR-10, where 0.1 doesn't always learn), batches of 128; "
    "the slow networks 0.0005, so that single epochs show when H(L|Y) begins to fall; half of the labels drawn anew; "
    "DenseNet-121 at full scale alone; the synthetic data are those of [3], tanh, SGD 0.1",
    remarks=(
        "Fano's bound, H(L) ≥ I(L;Y) ≥ H(Y) − h(e) − e log(C − 1) from the error e on the same inputs, is this "
        "reproduction's: it holds for every decision and rises with the accuracy.",
        "H(L) is the entropy of finitely many values, which the plug-in estimates reliably, also where it is log 10.",
    ),
    unjudged="Proposition 3 of [9], a lower bound of H(L) that rises with the time of training: the review does not "
    "give its formula",
    places=(
        ("begins to fall", "section III-E: the onset occurs at larger values of H(L) if label noise is added"),
        ("no compression", "section III-E: compression does not happen at all"),
        ("", "section III-E: first a strong increase of H(L), followed by a decrease of H(L|Y)"),
    ),
)
