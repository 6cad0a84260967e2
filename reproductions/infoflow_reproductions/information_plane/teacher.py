"""Linear networks on Gaussian inputs with a linear teacher: the one case whose I(X;T) is known in closed form."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from infoflow.estimators.channels.linear_gaussian import LinearGaussianChannel
from infoflow.training import snapshot_epochs
from infoflow_reproductions.harness.trial import Context, Trial

LABEL = "LinearGaussianChannel"
"""The name of the exact values in the plane's table."""


def trials(name: str, *, inputs: int, hidden: int, samples: int, noise: float, epochs: int, rate: float, snr: float,
           snapshots: int, seeds: int) -> list[Trial]:  # fmt: skip
    """One linear student a seed, as trials of the network `name`."""
    arguments = {
        "name": name, "inputs": inputs, "hidden": hidden, "samples": samples, "noise": noise, "epochs": epochs,
        "rate": rate, "snr": snr, "snapshots": snapshots,
    }  # fmt: skip
    return [Trial(f"{name}/seed={seed}", linear_student, {**arguments, "seed": seed}) for seed in range(seeds)]


def linear_student(
    name: str,
    inputs: int,
    hidden: int,
    samples: int,
    noise: float,
    epochs: int,
    rate: float,
    snr: float,
    snapshots: int,
    seed: int,
    *,
    context: Context,
) -> dict[str, Any]:
    """Full-batch gradient descent of y = w₂ᵀ W₁ x on a noisy linear teacher; exact informations of T = W₁X + ε.

        X ~ N(0, I/d),   Y = w·X + noise,   I(X;T) = ½ log det(I + W₁W₁ᵀ/(d σ²)),
        I(T;Y) = −½ log(1 − ρ²),   ρ² = the part of Var Y that the best linear guess from T explains.

    d `inputs`, `noise` the variance σ² of ε, `snr` = Var(w·X)/Var(noise). As in Saxe et al. (2018), section 3.
    """
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    teacher = normal(inputs)
    teacher *= math.sqrt(inputs) / teacher.norm()  # so that w·X has variance 1
    x = normal(samples, inputs) / math.sqrt(inputs)
    y = x @ teacher + normal(samples) / math.sqrt(snr)
    test_x = normal(1000, inputs) / math.sqrt(inputs)
    test_y = test_x @ teacher + normal(1000) / math.sqrt(snr)
    first = normal(hidden, inputs) * 0.1
    second = normal(hidden) * 0.1
    wanted = set(snapshot_epochs(epochs, snapshots))
    at: list[int] = []
    information: list[list[float]] = []
    label: list[list[float]] = []
    errors: dict[str, list[list[float]]] = {"train_loss": [], "test_loss": []}
    for epoch in range(epochs + 1):
        if epoch in wanted:
            at.append(epoch)
            channel = LinearGaussianChannel(first / math.sqrt(inputs), noise_variance=noise)
            information.append([channel.mutual_information().nats])
            label.append([_label(first, teacher, noise, snr)])
            errors["train_loss"].append([float((x @ first.T @ second - y).square().mean())])
            errors["test_loss"].append([float((test_x @ first.T @ second - test_y).square().mean())])
        wrong = (x @ first.T @ second - y) / samples
        towards = x.T @ wrong
        first, second = first - rate * torch.outer(second, towards), second - rate * (first @ towards)
    ceiling = 0.5 * math.log1p(snr)
    shared = {"probe": "exact", "layer": "linear1", "depth": 0, "estimator": LABEL, "kind": "exact", "n": 0,
              "epochs": at, "seeds": [seed], "warnings": []}  # fmt: skip
    return {
        "curves": [
            {**shared, "axis": "input", "quantity": "I(X;T+ε)", "ceiling_name": "", "nats": information,
             "ceiling": math.inf},
            {**shared, "axis": "label", "quantity": "I(T+ε;Y)", "ceiling_name": "I(X;Y)", "nats": label,
             "ceiling": ceiling},
        ],
        "metrics": {metric: {"epochs": at, "seeds": [seed], "values": values} for metric, values in errors.items()},
        "truth": "finite: noise on a linear layer, in closed form",
    }  # fmt: skip


def _label(first: torch.Tensor, teacher: torch.Tensor, noise: float, snr: float) -> float:
    """I(T+ε;Y) of jointly Gaussian T + ε and Y."""
    inputs = first.shape[1]
    covariance = first @ first.T / inputs + noise * torch.eye(len(first), dtype=first.dtype)
    cross = first @ teacher / inputs
    explained = float(cross @ torch.linalg.solve(covariance, cross)) / (1 + 1 / snr)
    return -0.5 * math.log1p(-min(explained, 1 - 1e-12))


def monotone(values: Sequence[float]) -> float:
    """How far a curve ends below its peak, as a part of the peak.

    >>> monotone([0.0, 2.0, 1.0])
    0.5
    """
    peak = float(np.max(values))
    return (peak - float(values[-1])) / peak if peak > 0 else 0.0
