"""Row [14]: networks with orthogonally invariant weights, whose information statistical physics can compute."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

import pandas as pd
import torch
from torch import Tensor

from infoflow.core.checks import choice
from infoflow.core.errors import DidNotConverge
from infoflow.estimators.channels.linear_gaussian import LinearGaussianChannel
from infoflow.training import snapshot_epochs
from infoflow_reproductions.harness.findings import Claim, Row
from infoflow_reproductions.harness.inference import Sample
from infoflow_reproductions.harness.lists import Entries
from infoflow_reproductions.harness.seeds import over_seeds
from infoflow_reproductions.harness.trial import Context, Trial, part
from infoflow_reproductions.information_plane.claims import explained, listed, on_each
from infoflow_reproductions.information_plane.curves import NOT_ESTIMATED, Curve, one_seed, result_of
from infoflow_reproductions.information_plane.reading import Reading
from infoflow_reproductions.information_plane.recipe import SettingSweep, Variant
from infoflow_reproductions.information_plane.replica import ReplicaInformation
from infoflow_reproductions.information_plane.row import TableRow


class Activation(NamedTuple):
    """A layer's φ, and its name in the replica formula."""

    apply: Any
    name: str


LINEAR = "linear"
ACTIVATIONS: Mapping[str, Activation] = {
    LINEAR: Activation(lambda t: t, "linear"),
    "ReLU": Activation(torch.relu, "relu"),
    "hardtanh": Activation(torch.nn.functional.hardtanh, "hardtanh"),
}
NETWORKS: Mapping[str, tuple[str, ...]] = {
    **{name: (name,) for name in ACTIVATIONS},
    "linear-ReLU": (LINEAR, "ReLU"),
    "linear-hardtanh": (LINEAR, "hardtanh"),
}
"""Activations of the hidden layers, repeated from the first layer on."""
REPLICA, EXACT, BOUND = "ReplicaInformation", "LinearGaussianChannel", "GaussianUpperBound"
_KINDS = {EXACT: "exact", REPLICA: "point estimate", BOUND: "upper bound"}


@dataclass(frozen=True)
class Training:
    """A network inputs-widths-outputs, W = U diag(s) V with s trained alone in all layers except the last."""

    inputs: int = 1000
    widths: tuple[int, ...] = (500, 250, 100)
    outputs: int = 4
    samples: int = 5000
    noise: float = 1e-5
    """Variance of the noise that the information are defined with."""
    label_noise: float = 0.01
    learning_rate: float = 0.01
    batch_size: int = 50
    epochs: int = 100
    probe: int = 20_000
    """Inputs that covariances are estimated from."""
    snapshots: int = 20


@dataclass(frozen=True)
class Recipe(Training):
    """The networks that are trained so."""

    networks: tuple[str, ...] = tuple(NETWORKS)
    seeds: int = 10

    variants: ClassVar[tuple[Variant, ...]] = ()
    sweeps: ClassVar[tuple[SettingSweep, ...]] = ()
    labels: ClassVar[Sequence[str]] = (REPLICA, BOUND, EXACT)
    without_ceiling: ClassVar[str] = ""


@dataclass(frozen=True)
class Student:
    """One network, its training and its seed."""

    network: str
    training: Training
    seed: int


def trials(recipe: Recipe) -> list[Trial]:
    """Each network from each seed."""
    return [
        Trial(f"{network}/seed={seed}", student, Student(network, part(recipe, Training), seed))
        for network in recipe.networks
        for seed in range(recipe.seeds)
    ]


class _Network:
    """Invariant layers with activations that repeat, and a free last layer."""

    def __init__(self, training: Training, pattern: Sequence[str], normal: Callable[..., Tensor]) -> None:
        sizes = [training.inputs, *training.widths]
        self.activations = [ACTIVATIONS[pattern[depth % len(pattern)]] for depth in range(len(training.widths))]
        self.layers = [_Invariant(a, b, normal) for a, b in zip(sizes, training.widths, strict=False)]
        self.last = (normal(training.outputs, sizes[-1]) / math.sqrt(sizes[-1])).requires_grad_()

    @property
    def trained(self) -> list[Tensor]:
        return [*(layer.scale for layer in self.layers), self.last]

    def hidden(self, t: Tensor) -> list[Tensor]:
        found = []
        for layer, activation in zip(self.layers, self.activations, strict=True):
            t = activation.apply(t @ layer.weight.T)
            found.append(t)
        return found

    def error(self, x: Tensor, y: Tensor) -> Tensor:
        return (self.hidden(x)[-1] @ self.last.T - y).square().mean()


class _Invariant:
    """W = U diag(s) Vᵀ with fixed random orthonormal U and V."""

    def __init__(self, inputs: int, outputs: int, normal: Callable[..., Tensor]) -> None:
        rank = min(inputs, outputs)
        self.left = torch.linalg.qr(normal(outputs, outputs))[0][:, :rank]
        self.right = torch.linalg.qr(normal(inputs, inputs))[0][:, :rank]
        # The singular values of a Gaussian matrix of variance 1/inputs.
        self.scale = torch.linalg.svdvals(normal(outputs, inputs) / math.sqrt(inputs)).requires_grad_()

    @property
    def weight(self) -> Tensor:
        product: Tensor = (self.left * self.scale) @ self.right.T
        return product


def student(settings: Student, context: Context) -> dict[str, Any]:
    """SGD on a linear teacher; the information of every hidden layer during training.

    T_l = φ(W_l T_{l−1}) + ε at the layer that is measured, ε ~ N(0, σ²I): by the replica formula; for a linear network
    also exactly, ½ log det(1 + M Mᵀ/σ²), M the product of the layers so far; and by the upper bound
    ½ log det(1 + Cov(φ(W_l T_{l−1}))/σ²), as a Gaussian has the greatest entropy for its covariance.
    """
    training, seed = settings.training, settings.seed
    inputs, samples = training.inputs, training.samples
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    teacher = normal(inputs, training.outputs) / math.sqrt(inputs)
    x, test, probe = normal(samples, inputs), normal(samples, inputs), normal(training.probe, inputs)
    noise = math.sqrt(training.label_noise)
    y, test_y = (each @ teacher + noise * normal(len(each), training.outputs) for each in (x, test))
    network = _Network(training, NETWORKS[choice(settings.network, "network", NETWORKS)], normal)
    at = snapshot_epochs(training.epochs, training.snapshots)
    nats: dict[tuple[int, str], list[float]] = {}
    losses: dict[str, list[float]] = {"train_loss": [], "test_loss": []}
    warnings: list[str] = []
    for epoch in range(training.epochs + 1):
        if epoch in at:
            with torch.no_grad():
                for key, value in _informations(network, probe, training.noise, warnings):
                    nats.setdefault(key, []).append(value)
                losses["train_loss"].append(float(network.error(x, y)))
                losses["test_loss"].append(float(network.error(test, test_y)))
        if epoch == training.epochs:
            break
        for rows in torch.split(torch.randperm(samples, generator=generator), training.batch_size):
            gradients = torch.autograd.grad(network.error(x[rows], y[rows]), network.trained)
            with torch.no_grad():
                for parameter, gradient in zip(network.trained, gradients, strict=True):
                    parameter -= training.learning_rate * gradient
    curves = []
    for (depth, estimator), values in nats.items():
        place = f"layer{depth + 1}", depth, estimator
        shown = warnings if estimator == REPLICA else []
        # The teacher's label has no classes, so the other axis stays at 0.
        for axis, quantity, line in (("input", "I(X;T+ε)", values), ("label", NOT_ESTIMATED, [0.0] * len(values))):
            curves.append(Curve(*place, axis, quantity, _KINDS[estimator], at, [seed], one_seed(line), warnings=shown))
    return result_of(curves, losses, at, seed, "finite: noise on a layer, by definition")


def _informations(
    network: _Network, probe: Tensor, noise: float, warnings: list[str]
) -> list[tuple[tuple[int, str], float]]:
    """(layer, estimator) and nats of every hidden layer."""
    found = []
    weights = [layer.weight for layer in network.layers]
    for depth, t in enumerate(network.hidden(probe)):
        until = weights[: depth + 1]
        found.append(((depth, BOUND), _bound(t, noise)))
        found.append(((depth, REPLICA), _replica(until, network.activations[: depth + 1], noise, warnings)))
        if all(activation.name == LINEAR for activation in network.activations[: depth + 1]):
            product = functools.reduce(lambda below, weight: weight @ below, until)
            exact = LinearGaussianChannel(product, noise_variance=noise).mutual_information().nats
            found.append(((depth, EXACT), exact))
    return found


def _bound(t: Tensor, noise: float) -> float:
    centered = t - t.mean(0)
    eigenvalues = torch.linalg.eigvalsh(centered.T @ centered / len(t)).clamp_min(0)
    return 0.5 * float((eigenvalues / noise).log1p().sum())


def _replica(weights: Sequence[Tensor], activations: Sequence[Activation], noise: float, warnings: list[str]) -> float:
    try:
        found = ReplicaInformation(weights, [one.name for one in activations], noise).mutual_information()
    except DidNotConverge as failure:
        warnings.append(str(failure))
        return math.nan
    warnings += [text for text in found.warnings if text not in warnings]
    return found.nats


_MIXED = tuple(name for name, pattern in NETWORKS.items() if len(pattern) > 1)
_SHORT = 0.05  # part of the epochs that a short initial rise may take


def falls(reading: Reading) -> list[Claim]:
    """Judge for each layer whether I(X;T) falls from snapshot to snapshot, once a short initial rise is over.

    In nats, since the noise of variance 1e-5 adds a large constant, of which the whole change is less than 1 %.
    """
    claims = []
    for network in reading.networks:
        for layer in reading.layers(network):
            text = f"{network}: I(X;T) of {layer} always decreases in training, after at most a short rise (nats)"
            claim = replace(_decreases(reading, network, layer, text), published=network in _MIXED)
            judge = functools.partial(_always_falls, reading, network, layer)
            claims.append(explained(reading, claim, network, reading.first(network), judge))
    return claims


def _decreases(reading: Reading, network: str, layer: str, text: str, estimator: str | None = None) -> Claim:
    """Judge the snapshots from the greatest mean of the first epochs on, as changes since then."""
    nats = reading.nats(network, layer, estimator)
    start = nats.loc[: _SHORT * nats.index[-1]].mean(axis=1).idxmax()
    since = nats.iloc[list(nats.index).index(start) :]
    return Claim.falling(text, [[float(value) for value in since[seed] - since[seed].iloc[0]] for seed in since])


def _always_falls(reading: Reading, network: str, layer: str, estimator: str) -> bool | None:
    measured = len(reading.rows(network, layer, estimator))
    return _decreases(reading, network, layer, "", estimator).holds if measured else None


def _falls(reading: Reading, network: str, layer: str, estimator: str | None = None) -> bool | None:
    """Whether I(X;T) falls by an estimator; None if it does neither, or the layer is not measured by it."""
    measured = len(reading.rows(network, layer, estimator))
    return Sample.of(_fallen(reading, network, layer, estimator)).above if measured else None


def _fallen(reading: Reading, network: str, layer: str, estimator: str | None = None) -> list[float]:
    nats = reading.nats(network, layer, estimator)
    first = nats.loc[: _SHORT * nats.index[-1]].max()
    return [float(first[seed] - nats[seed].iloc[-1]) for seed in nats.columns]


IN_STEP = 0.5
"""Absolute rank correlation over snapshots above which information and test error are in step."""


def out_of_step(reading: Reading) -> list[Claim]:
    """Judge whether a compression of the last layer follows the test error, in networks that compress."""
    found = {}
    for network in reading.networks:
        layer = reading.layers(network)[-1]
        information, loss = reading.nats(network, layer), reading.metric(network, "test_loss")
        pairs = [information[seed].corr(loss[seed], method="spearman") for seed in information.columns]
        found[network] = [float(value) for value in pairs], _falls(reading, network, layer) is True
    claim = step_claim(found)
    losses = [reading.metric(network, "test_loss") for network, (_, compresses) in found.items() if compresses]
    if losses and all(bool((loss.diff().iloc[1:] < 0).all(axis=None)) for loss in losses):
        reason = "the test error falls at every snapshot, so that whatever changes steadily is in step with it"
        return [replace(claim, holds=None, evidence=f"{claim.evidence}; not judged: {reason}")]
    if claim.holds is False:
        claim = replace(claim, evidence=f"{claim.evidence}. Why: {_with_time(reading)}")
    return [claim]


def _with_time(reading: Reading) -> str:
    """State how information and test error change with the epoch, by which alone they would be in step."""
    found = {}
    for network in reading.networks:
        tables = reading.nats(network, reading.layers(network)[-1]), reading.metric(network, "test_loss")
        both = (table.rank().corrwith(pd.Series(range(len(table)), table.index)).mean() for table in tables)
        found[network] = " and ".join(f"{one:.2f}" for one in both)
    return f"rank correlations of I(X;T) and of the test error with the epoch: {listed(found)}"


def step_claim(found: Mapping[str, tuple[Sequence[float], bool]]) -> Claim:
    """Return the claim that compression is not in step with generalization.

    Correlations of either sign are in step. Without compression there is nothing to compare.
    """
    spread = {network: over_seeds(values, span=(-1.0, 1.0)) for network, (values, _) in found.items()}
    evidence = listed({network: str(one) for network, one in spread.items()})
    sizes = {
        network: over_seeds([abs(value) for value in values], span=(0.0, 1.0))
        for network, (values, compresses) in found.items()
        if compresses
    }
    holds: bool | None = None
    if not sizes:
        evidence += "; the last layer compresses in no network, so that there is no compression to be in step"
    elif any(one.high < IN_STEP for one in sizes.values()):
        holds = True
    elif all(one.low > IN_STEP for one in sizes.values()):
        holds = False
    text = "not in step with generalization: where I(X;T) of the last layer falls, it does not follow the test error"
    return Claim(text, holds, f"rank correlation over snapshots, {evidence}")


def replica_is_exact(reading: Reading, network: str) -> Claim:
    """Compare the replica formula with the closed form in layers that are linear so far."""
    errors = _relative_errors(reading, network, EXACT)
    text = f"{network}: the replica formula is within 2 % of the exact ½ log det, in layers that are linear so far"
    evidence = f"{min(errors):+.2%} to {max(errors):+.2%} off, over layers, snapshots and seeds"
    return Claim(text, max(map(abs, errors)) < 0.02, evidence, seeds=len(reading.found[network]))


def errors_of_prediction(reading: Reading) -> list[Row]:
    """The mean squared error on test samples, of labels of variance about 1, before and after training."""
    return [
        Row(f"{network}: mean squared error on test samples {when}", [float(value) for value in loss.iloc[place]])
        for network in reading.networks
        for loss in [reading.metric(network, "test_loss")]
        for when, place in (("before training", 0), ("at the end", -1))
    ]


def below_bound(reading: Reading, network: str) -> Claim:
    """Compare the replica formula with the Gaussian upper bound."""
    errors = _relative_errors(reading, network, BOUND)
    text = f"{network}: the Gaussian upper bound lies above the replica formula (layers that are not linear so far)"
    evidence = f"the formula gives {-max(errors):.0%} to {-min(errors):.0%} less"
    return Claim(text, max(errors) < 0, evidence, published=False)


def _relative_errors(reading: Reading, network: str, other: str) -> list[float]:
    """The least and the greatest error of the replica formula relative to another value, of every layer.

    The bound of a linear layer is the exact value itself, except for the covariance's estimate.
    """
    found: list[float] = []
    for layer in reading.layers(network):
        linear = len(reading.rows(network, layer, EXACT)) > 0
        if linear != (other == EXACT):
            continue
        gaps = reading.nats(network, layer, REPLICA) / reading.nats(network, layer, other) - 1
        found += [float(gaps.min().min()), float(gaps.max().max())]
    return found


_SMALL = Recipe(
    networks=(LINEAR, "ReLU", "linear-hardtanh"),
    inputs=8,
    widths=(8, 8),
    samples=50,
    batch_size=25,
    epochs=4,
    probe=200,
)

ROW = TableRow(
    "gabrie",
    "[14]",
    "Gabrié et al., Entropy and mutual information in models of deep neural networks (2018)",
    "I(X;L) of networks that mix linear layers with others falls in training, potentially after a short rise, not in "
    "step with generalization; with hardtanh alone it is less consistent; exact for linear networks",
    recipes={
        "smoke": replace(_SMALL, noise=0.01, snapshots=3, seeds=2),
        "cpu": Recipe(networks=tuple(ACTIVATIONS), inputs=100, widths=(100, 100), epochs=60, snapshots=6),
        "cpu-published": Recipe(networks=("linear-ReLU", "linear-hardtanh", "hardtanh"), snapshots=6),
        "full": Recipe(),
    },
    claims=[
        falls,
        out_of_step,
        on_each(replica_is_exact, where=lambda network: NETWORKS[network][0] == LINEAR),
        on_each(below_bound, where=lambda network: network != LINEAR),
    ],
    published=errors_of_prediction,
    trials=trials,
    settings_known=False,
    chosen="the authors' released example of regression on a linear teacher: Gaussian inputs, 4 outputs, noise of "
    "variance 0.01; half of 10,000 samples to train on, batches of 50, SGD 0.01; the last layer is free; mixed "
    "networks alternate linear layers with others, the first is linear",
    remarks=(
        "The rule for a fall, the sign of its change in nats, was set after the first results had been seen: the whole "
        "change is under 1 % of a total that the noise sets, so that no share of the peak shows it. That it must not "
        "rise "
        "again afterwards, as the sentence has 'always', was added later.",
        "1000-500-250-100 is read as 1000 inputs and three hidden layers, as in the authors' example.",
    ),
    unjudged="that with hardtanh alone the behavior is less consistent and depends on the variance of the initial "
    "weights: "
    "one variance is run",
    places=(
        ("exact", "section III-E: the estimate is exact in the linear case"),
        ("in step", "section III-E: an eventual compression is not synchronized with generalization"),
        ("", "section III-E: with mixed activations I(X;L) is always decreasing, potentially after a short increase"),
    ),
    needs={"networks": Entries(), "widths": Entries(at_least=2)},
)
