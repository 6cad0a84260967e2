"""Row [14]: networks with orthogonally invariant weights, whose information statistical physics can compute."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from infoflow.core.checks import choice
from infoflow.core.errors import DidNotConverge
from infoflow.estimators.channels.linear_gaussian import LinearGaussianChannel
from infoflow.estimators.channels.replica import ReplicaInformation
from infoflow.training import snapshot_epochs
from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Claim, Findings
from infoflow_reproductions.harness.seeds import over_seeds
from infoflow_reproductions.harness.trial import Context, Results, Trial
from infoflow_reproductions.information_plane import figures
from infoflow_reproductions.information_plane.curves import NOT_ESTIMATED
from infoflow_reproductions.information_plane.judging import some_compress
from infoflow_reproductions.information_plane.reading import Reading
from infoflow_reproductions.information_plane.rows import PAPER, TableRow, found_rows, notes
from infoflow_reproductions.information_plane.variant import Recipe as Reader

ROW = TableRow(
    "gabrie",
    "[14]",
    "Gabrié et al., Entropy and mutual information in models of deep neural networks (2018)",
    "I(X;L) falls in training, not in step with generalization; exact for linear networks",
    settings_known=False,
    chosen="the authors' released example of regression on a linear teacher: 100 Gaussian inputs, 4 outputs, noise of "
    "variance 0.01; half of 10,000 samples to train on, batches of 50, SGD 0.01; the last layer is free",
)


class Activation(NamedTuple):
    """A layer's φ, and its name to the replica formula."""

    apply: Any
    name: str


ACTIVATIONS: Mapping[str, Activation] = {
    "linear": Activation(lambda t: t, "linear"),
    "ReLU": Activation(torch.relu, "relu"),
    "hardtanh": Activation(torch.nn.functional.hardtanh, "hardtanh"),
}
REPLICA, EXACT, BOUND = "ReplicaInformation", "LinearGaussianChannel", "GaussianUpperBound"


@dataclass(frozen=True)
class Recipe:
    """Networks inputs-widths-outputs, W = U diag(s) V with s trained alone in all layers but the last."""

    networks: tuple[str, ...] = tuple(ACTIVATIONS)
    inputs: int = 100
    widths: tuple[int, ...] = (100, 100, 100)
    outputs: int = 4
    samples: int = 5000
    noise: float = 1e-5
    """Variance of the noise that the informations are defined with."""
    label_noise: float = 0.01
    learning_rate: float = 0.01
    batch_size: int = 50
    epochs: int = 100
    probe: int = 20_000
    """Inputs that covariances are taken over."""
    snapshots: int = 20
    seeds: int = 10


def trials(recipe: Recipe) -> list[Trial]:
    """Each network from each seed."""
    shared = {
        "inputs": recipe.inputs, "widths": list(recipe.widths), "outputs": recipe.outputs, "samples": recipe.samples,
        "noise": recipe.noise, "label_noise": recipe.label_noise, "learning_rate": recipe.learning_rate,
        "batch_size": recipe.batch_size, "epochs": recipe.epochs, "probe": recipe.probe,
        "snapshots": recipe.snapshots,
    }  # fmt: skip
    return [
        Trial(f"{network}/seed={seed}", student, {"network": network, **shared, "seed": seed})
        for network in recipe.networks
        for seed in range(recipe.seeds)
    ]


def student(
    network: str,
    inputs: int,
    widths: Sequence[int],
    outputs: int,
    samples: int,
    noise: float,
    label_noise: float,
    learning_rate: float,
    batch_size: int,
    epochs: int,
    probe: int,
    snapshots: int,
    seed: int,
    *,
    context: Context,
) -> dict[str, Any]:
    """SGD on a linear teacher; the information of every hidden layer as training goes.

    T_l = φ(W_l T_{l−1}) + ε at the layer that is looked at, ε ~ N(0, σ²I). By the replica formula; of a linear network
    beside it exactly, ½ log det(1 + M Mᵀ/σ²), M the product of the layers so far; and by the upper bound
    ½ log det(1 + Cov(φ(W_l T_{l−1}))/σ²), as a Gaussian has the greatest entropy of its covariance.
    """
    activation = ACTIVATIONS[choice(network, "network", ACTIVATIONS)]
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    teacher = normal(inputs, outputs) / math.sqrt(inputs)
    x, test, asked = normal(samples, inputs), normal(samples, inputs), normal(probe, inputs)
    y, test_y = (part @ teacher + math.sqrt(label_noise) * normal(len(part), outputs) for part in (x, test))
    layers = [_Invariant(a, b, normal) for a, b in zip([inputs, *widths], widths, strict=False)]
    last = (normal(outputs, widths[-1]) / math.sqrt(widths[-1])).requires_grad_()
    trained = [*(layer.scale for layer in layers), last]
    wanted = set(snapshot_epochs(epochs, snapshots))
    at: list[int] = []
    curves: dict[tuple[int, str], list[float]] = {}
    losses: dict[str, list[float]] = {"train_loss": [], "test_loss": []}
    warnings: list[str] = []

    def hidden(t: Tensor) -> list[Tensor]:
        found = []
        for layer in layers:
            t = activation.apply(t @ layer.weight.T)
            found.append(t)
        return found

    def error(x: Tensor, y: Tensor) -> Tensor:
        return (hidden(x)[-1] @ last.T - y).square().mean()

    for epoch in range(epochs + 1):
        if epoch in wanted:
            at.append(epoch)
            with torch.no_grad():
                weights = [layer.weight for layer in layers]
                for number, t in enumerate(hidden(asked)):
                    until = weights[: number + 1]
                    known = {BOUND: _bound(t, noise), REPLICA: _replica(until, activation, noise, warnings)}
                    if network == "linear":
                        product = functools.reduce(lambda below, weight: weight @ below, until)
                        known[EXACT] = LinearGaussianChannel(product, noise_variance=noise).mutual_information().nats
                    for estimator, nats in known.items():
                        curves.setdefault((number, estimator), []).append(nats)
                losses["train_loss"].append(float(error(x, y)))
                losses["test_loss"].append(float(error(test, test_y)))
        if epoch == epochs:
            break
        for rows in torch.split(torch.randperm(samples, generator=generator), batch_size):
            gradients = torch.autograd.grad(error(x[rows], y[rows]), trained)
            with torch.no_grad():
                for parameter, gradient in zip(trained, gradients, strict=True):
                    parameter -= learning_rate * gradient
    return {
        "curves": [
            curve
            for (number, estimator), values in curves.items()
            for curve in _curves(number, estimator, values, at, seed, warnings if estimator == REPLICA else [])
        ],
        "metrics": {
            name: {"epochs": at, "seeds": [seed], "values": [[value] for value in values]}
            for name, values in losses.items()
        },
        "truth": "finite: noise on a layer, by definition",
    }


def _bound(t: Tensor, noise: float) -> float:
    centered = t - t.mean(0)
    eigenvalues = torch.linalg.eigvalsh(centered.T @ centered / len(t)).clamp_min(0)
    return 0.5 * float((eigenvalues / noise).log1p().sum())


def _replica(weights: Sequence[Tensor], activation: Activation, noise: float, warnings: list[str]) -> float:
    try:
        found = ReplicaInformation(weights, [activation.name] * len(weights), noise).mutual_information()
    except DidNotConverge as failure:
        warnings.append(str(failure))
        return math.nan
    warnings += [text for text in found.warnings if text not in warnings]
    return found.nats


_KINDS = {EXACT: "exact", REPLICA: "point estimate", BOUND: "upper bound"}


def _curves(
    number: int, estimator: str, values: list[float], at: list[int], seed: int, warnings: list[str]
) -> list[dict[str, Any]]:
    """The input axis; the teacher's label has no classes, so that the other axis stays at 0."""
    shared = {
        "probe": "probe",
        "layer": f"layer{number + 1}",
        "depth": number,
        "estimator": estimator,
        "kind": _KINDS[estimator],
        "ceiling_name": "",
        "n": 0,
        "epochs": at,
        "seeds": [seed],
        "ceiling": math.inf,
        "warnings": warnings,
    }
    return [
        {**shared, "axis": "input", "quantity": "I(X;T+ε)", "nats": [[value] for value in values]},
        {**shared, "axis": "label", "quantity": NOT_ESTIMATED, "nats": [[0.0] for _ in values]},
    ]


class _Invariant:
    """W = U diag(s) Vᵀ with fixed random orthonormal U and V."""

    def __init__(self, inputs: int, outputs: int, normal: Any) -> None:
        rank = min(inputs, outputs)
        self.left = torch.linalg.qr(normal(outputs, outputs))[0][:, :rank]
        self.right = torch.linalg.qr(normal(inputs, inputs))[0][:, :rank]
        # The singular values of a Gaussian matrix of variance 1/inputs.
        self.scale = torch.linalg.svdvals(normal(outputs, inputs) / math.sqrt(inputs)).requires_grad_()

    @property
    def weight(self) -> Tensor:
        product: Tensor = (self.left * self.scale) @ self.right.T
        return product


def report(recipe: Recipe, results: Results) -> Findings:
    """Whether information falls, whether with the test error, and the formula against the exact value and a bound."""
    reading = Reading(Reader((), ()), results, (REPLICA, BOUND, EXACT))
    claims: list[Claim] = []
    correlations = {}
    for network in reading.networks:
        layers = reading.layers(network)
        text = f"{network}: I(X;T) of some layer falls"
        claims.append(some_compress(reading, text, network, layers, REPLICA))
        information, loss = reading.nats(network, layers[-1], REPLICA), reading.metric(network, "test_loss")
        pairs = [information[seed].corr(loss[seed], method="spearman") for seed in information.columns]
        correlations[network] = over_seeds([float(value) for value in pairs])
    told = "; ".join(f"{network}: {found}" for network, found in correlations.items())
    together = all(found.low > 0 for found in correlations.values())
    claims.append(
        Claim(
            "not in step with generalization: I(X;T) of the last layer doesn't follow the test error in every network",
            not together,
            f"rank correlation over snapshots, {told}",
        )
    )
    if reading.has("linear"):
        apart = _apart(reading, "linear", EXACT)
        claims.append(
            Claim(
                "linear: the replica formula gives the exact ½ log det, but for layers of finite width",
                max(map(abs, apart)) < 0.02,
                f"{min(apart):+.2%} to {max(apart):+.2%} off, over layers, snapshots and seeds",
                published=False,
            )
        )
    for network in [name for name in reading.networks if name != "linear"]:
        apart = _apart(reading, network, BOUND)
        claims.append(
            Claim(
                f"{network}: the Gaussian upper bound lies above the replica formula",
                max(apart) < 0,
                f"the formula gives {-max(apart):.0%} to {-min(apart):.0%} less",
                published=False,
            )
        )
    pictures = [figure for figure in figures.pictures(reading) if figure.name != "geometry"]
    return Findings(found_rows(reading), claims, pictures, notes(ROW, recipe, RECIPES["full"], claims))


def _apart(reading: Reading, network: str, other: str) -> list[float]:
    """How far the replica formula is off another value, relative to it: of every layer, the extremes."""
    found: list[float] = []
    for layer in reading.layers(network):
        gaps = reading.nats(network, layer, REPLICA) / reading.nats(network, layer, other) - 1
        found += [float(gaps.min().min()), float(gaps.max().max())]
    return found


RECIPES = {
    "smoke": Recipe(
        networks=("linear", "ReLU"), inputs=8, widths=(8, 8), samples=50, batch_size=25, epochs=4, probe=200,
        noise=0.01, snapshots=3, seeds=2,
    ),
    "cpu": Recipe(widths=(100, 100), epochs=60, snapshots=6),
    "full": Recipe(),
}  # fmt: skip

GABRIE = Experiment(PAPER, ROW.name, ROW.title, RECIPES, trials, report)
