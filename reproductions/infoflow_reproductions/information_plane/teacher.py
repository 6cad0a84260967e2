"""Linear networks on Gaussian inputs with a linear teacher, whose I(X;T) is known in closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import torch

from infoflow.estimators.channels.linear_gaussian import LinearGaussianChannel
from infoflow.training import snapshot_epochs
from infoflow_reproductions.harness.trial import Context, Trial
from infoflow_reproductions.information_plane.curves import Curve, one_seed, result_of

LABEL = "LinearGaussianChannel"
"""The name of the exact values in the plane's table."""


@dataclass(frozen=True)
class LinearStudent:
    """A linear network of one hidden layer; the defaults are those of Saxe et al. (2018), section 3."""

    name: str
    inputs: int = 100
    hidden: int = 100
    samples: int = 100
    noise: float = 1.0
    """Variance of the noise on the hidden layer."""
    epochs: int = 10_000
    rate: float = 0.1
    snr: float = 1.0
    """Var(w·X) / Var(noise) of the teacher."""
    snapshots: int = 30
    seed: int = 0


def trials(student: LinearStudent, seeds: int) -> list[Trial]:
    """One linear student for each seed."""
    return [Trial(f"{student.name}/seed={seed}", linear_student, replace(student, seed=seed)) for seed in range(seeds)]


def linear_student(settings: LinearStudent, context: Context) -> dict[str, Any]:
    """Full-batch gradient descent of y = w₂ᵀ W₁ x on a noisy linear teacher; exact information values of T = W₁X + ε.

        X ~ N(0, I/d),   Y = w·X + noise,   I(X;T) = ½ log det(I + W₁W₁ᵀ/(d σ²)),
        I(T;Y) = −½ log(1 − ρ²),   ρ² = the part of Var Y that the best linear predictor from T explains.

    d `inputs`, σ² `noise`.
    """
    inputs, samples, snr = settings.inputs, settings.samples, settings.snr
    generator = torch.Generator().manual_seed(settings.seed)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    def drawn(count: int) -> tuple[torch.Tensor, torch.Tensor]:
        x = normal(count, inputs) / math.sqrt(inputs)
        return x, x @ teacher + normal(count) / math.sqrt(snr)

    teacher = normal(inputs)
    teacher *= math.sqrt(inputs) / teacher.norm()  # so that w·X has variance 1
    train, test = drawn(samples), drawn(1000)
    first, second = normal(settings.hidden, inputs) * 0.1, normal(settings.hidden) * 0.1
    at = snapshot_epochs(settings.epochs, settings.snapshots)
    information: list[float] = []
    label: list[float] = []
    errors: dict[str, list[float]] = {"train_loss": [], "test_loss": []}
    for epoch in range(settings.epochs + 1):
        if epoch in at:
            channel = LinearGaussianChannel(first / math.sqrt(inputs), noise_variance=settings.noise)
            information.append(channel.mutual_information().nats)
            label.append(_label(first, teacher, settings))
            for values, (x, y) in zip(errors.values(), (train, test), strict=True):
                values.append(float((x @ first.T @ second - y).square().mean()))
        x, y = train
        wrong = (x @ first.T @ second - y) / samples
        gradient = x.T @ wrong
        first, second = (
            first - settings.rate * torch.outer(second, gradient),
            second - settings.rate * (first @ gradient),
        )
    axes = (
        ("input", "I(X;T+ε)", information, math.inf, ""),
        ("label", "I(T+ε;Y)", label, 0.5 * math.log1p(snr), "I(X;Y)"),
    )
    curves = [
        Curve(
            "linear1",
            0,
            LABEL,
            axis,
            quantity,
            "exact",
            at,
            [settings.seed],
            one_seed(nats),
            ceiling,
            ceiling_name,
            probe="exact",
        )
        for axis, quantity, nats, ceiling, ceiling_name in axes
    ]
    return result_of(curves, errors, at, settings.seed, "finite: noise on a linear layer, in closed form")


def _label(first: torch.Tensor, teacher: torch.Tensor, settings: LinearStudent) -> float:
    """I(T+ε;Y) of jointly Gaussian T + ε and Y."""
    covariance = first @ first.T / settings.inputs + settings.noise * torch.eye(len(first), dtype=first.dtype)
    cross = first @ teacher / settings.inputs
    explained = float(cross @ torch.linalg.solve(covariance, cross)) / (1 + 1 / settings.snr)
    return -0.5 * math.log1p(-min(explained, 1 - 1e-12))
