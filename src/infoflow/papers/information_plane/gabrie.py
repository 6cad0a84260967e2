"""Row [14]: networks with orthogonally invariant weights, whose information statistical physics can compute."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from infoflow.checks import choice
from infoflow.estimators.linear_gaussian_channel import LinearGaussianChannel
from infoflow.papers.experiment import Experiment
from infoflow.papers.findings import Claim, Findings
from infoflow.papers.information_plane import figures
from infoflow.papers.information_plane.judging import some_compress
from infoflow.papers.information_plane.reading import Reading
from infoflow.papers.information_plane.rows import PAPER, TableRow, found_rows, notes
from infoflow.papers.information_plane.variant import Recipe as Reader
from infoflow.papers.seeds import over_seeds
from infoflow.papers.trial import Context, Results, Trial
from infoflow.training import snapshot_epochs

ROW = TableRow(
    "gabrie",
    "[14]",
    "Gabrié et al., Entropy and mutual information in models of deep neural networks (2018)",
    "I(X;L) falls in training, not in step with generalisation; exact for linear networks",
    settings_known=False,
    chosen="teacher: linear, SNR 10, 1000 samples; the replica formula isn't computed: nonlinear layers have the "
    "Gaussian upper bound ½ log det(1 + Cov(T)/σ²), which is exact in linear layers",
)

ACTIVATIONS = {"linear": lambda t: t, "ReLU": torch.relu, "hardtanh": torch.nn.functional.hardtanh}
EXACT, BOUND = "LinearGaussianChannel", "GaussianUpperBound"


@dataclass(frozen=True)
class Recipe:
    """Networks inputs-widths-1, W = U diag(s) V with s trained alone."""

    networks: tuple[str, ...] = tuple(ACTIVATIONS)
    inputs: int = 100
    widths: tuple[int, ...] = (100, 100)
    samples: int = 1000
    noise: float = 1e-5
    """Variance of the noise that the informations are defined with."""
    snr: float = 10.0
    learning_rate: float = 0.01
    batch_size: int = 100
    epochs: int = 500
    probe: int = 20_000
    """Inputs that covariances are taken over."""
    snapshots: int = 20
    seeds: int = 5


def trials(recipe: Recipe) -> list[Trial]:
    """Each network from each seed."""
    shared = {
        "inputs": recipe.inputs, "widths": list(recipe.widths), "samples": recipe.samples, "noise": recipe.noise,
        "snr": recipe.snr, "learning_rate": recipe.learning_rate, "batch_size": recipe.batch_size,
        "epochs": recipe.epochs, "probe": recipe.probe, "snapshots": recipe.snapshots,
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
    samples: int,
    noise: float,
    snr: float,
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

    T_l = φ(W_l T_{l−1}) + ε at the layer that is looked at, ε ~ N(0, σ²I). Linear: I = ½ log det(1 + M Mᵀ/σ²), M the
    product of the layers so far. Else ½ log det(1 + Cov(φ(W_l T_{l−1}))/σ²), an upper bound, as a Gaussian has the
    greatest entropy of its covariance.
    """
    activation = ACTIVATIONS[choice(network, "network", ACTIVATIONS)]
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    teacher = normal(inputs) / math.sqrt(inputs)
    x, test, asked = normal(samples, inputs), normal(2000, inputs), normal(probe, inputs)
    y, test_y = (part @ teacher + normal(len(part)) / math.sqrt(snr) for part in (x, test))
    layers = [_Invariant(a, b, normal) for a, b in zip([inputs, *widths], [*widths, 1], strict=False)]
    wanted = set(snapshot_epochs(epochs, snapshots))
    at: list[int] = []
    curves: dict[tuple[int, str], list[float]] = {}
    losses: dict[str, list[float]] = {"train_loss": [], "test_loss": []}

    def forward(t: Tensor) -> list[Tensor]:
        found = []
        for layer in layers[:-1]:
            t = activation(t @ layer.weight.T)
            found.append(t)
        return [*found, t @ layers[-1].weight.T]

    for epoch in range(epochs + 1):
        if epoch in wanted:
            at.append(epoch)
            with torch.no_grad():
                product = torch.eye(inputs, dtype=torch.float64)
                for number, t in enumerate(forward(asked)[:-1]):
                    product = layers[number].weight @ product
                    centred = t - t.mean(0)
                    eigenvalues = torch.linalg.eigvalsh(centred.T @ centred / len(t)).clamp_min(0)
                    bound = 0.5 * float((eigenvalues / noise).log1p().sum())
                    curves.setdefault((number, BOUND), []).append(bound)
                    if network == "linear":
                        exact = LinearGaussianChannel(product, noise_variance=noise).mutual_information().nats
                        curves.setdefault((number, EXACT), []).append(exact)
                for name, (a, b) in (("train_loss", (x, y)), ("test_loss", (test, test_y))):
                    losses[name].append(float((forward(a)[-1][:, 0] - b).square().mean()))
        if epoch == epochs:
            break
        order = torch.randperm(samples, generator=generator)
        for rows in torch.split(order, batch_size):
            loss = (forward(x[rows])[-1][:, 0] - y[rows]).square().mean() / 2
            gradients = torch.autograd.grad(loss, [layer.scale for layer in layers])
            with torch.no_grad():
                for layer, gradient in zip(layers, gradients, strict=True):
                    layer.scale -= learning_rate * gradient
    return {
        "curves": [
            curve
            for (number, estimator), values in curves.items()
            for curve in _curves(number, estimator, values, at, seed)
        ],
        "metrics": {
            name: {"epochs": at, "seeds": [seed], "values": [[value] for value in values]}
            for name, values in losses.items()
        },
        "truth": "finite: noise on a layer, by definition",
    }


def _curves(number: int, estimator: str, values: list[float], at: list[int], seed: int) -> list[dict[str, Any]]:
    """The input axis; the teacher's label has no classes, so that the other axis stays at 0."""
    kind = "exact" if estimator == EXACT else "upper bound"
    shared = {
        "probe": "probe",
        "layer": f"layer{number + 1}",
        "depth": number,
        "estimator": estimator,
        "kind": kind,
        "ceiling_name": "",
        "n": 0,
        "epochs": at,
        "seeds": [seed],
        "ceiling": math.inf,
        "warnings": [],
    }
    return [
        {**shared, "axis": "input", "quantity": "I(X;T+ε)", "nats": [[value] for value in values]},
        {**shared, "axis": "label", "quantity": "not estimated", "nats": [[0.0] for _ in values]},
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
    """Whether information falls, whether with the test error, and the bound against the exact value."""
    reading = Reading(Reader((), ()), results, (BOUND, EXACT))
    claims: list[Claim] = []
    correlations = {}
    for network in reading.networks:
        layers = reading.layers(network)
        claims.append(some_compress(reading, f"{network}: I(X;T) of some layer falls", network, layers, BOUND))
        information, loss = reading.nats(network, layers[-1], BOUND), reading.metric(network, "test_loss")
        pairs = [information[seed].corr(loss[seed], method="spearman") for seed in information.columns]
        correlations[network] = over_seeds([float(value) for value in pairs])
    told = "; ".join(f"{network}: {found}" for network, found in correlations.items())
    together = all(found.low > 0 for found in correlations.values())
    claims.append(
        Claim(
            "not in step with generalisation: I(X;T) of the last layer doesn't follow the test error in every network",
            not together,
            f"rank correlation over snapshots, {told}",
        )
    )
    if reading.has("linear"):
        gaps = [
            float((reading.nats("linear", layer, BOUND) / reading.nats("linear", layer, EXACT) - 1).abs().max().max())
            for layer in reading.layers("linear")
        ]
        claims.append(
            Claim(
                "linear: the Gaussian bound is the exact ½ log det, but for the covariance of finitely many inputs",
                max(gaps) < 0.01,
                f"at most {max(gaps):.2%} apart",
                published=False,
            )
        )
    pictures = [figure for figure in figures.pictures(reading) if figure.name != "geometry"]
    return Findings(found_rows(reading), claims, pictures, notes(ROW, recipe, RECIPES["full"], claims))


RECIPES = {
    "smoke": Recipe(inputs=8, widths=(8, 8), samples=50, batch_size=25, epochs=4, probe=200, snapshots=3, seeds=2,
                    networks=("linear", "ReLU")),
    "cpu": Recipe(epochs=200, seeds=10, snapshots=14),
    "full": Recipe(inputs=500, widths=(500, 500, 500), epochs=2000, seeds=10, snapshots=40),
}  # fmt: skip

GABRIE = Experiment(PAPER, ROW.name, ROW.title, RECIPES, trials, report)
