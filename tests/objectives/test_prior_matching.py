"""Matchings against slow references, closed forms, and samples of the prior itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn

from infoflow.core.errors import InvalidArgument, TooFewSamples, UnknownName
from infoflow.objectives import (
    PRIORS,
    AdversarialMatching,
    Ball,
    Gaussian,
    KernelMatching,
    Prior,
    SlicedWassersteinMatching,
    Sphere,
    Uniform,
    squared_discrepancy,
)
from infoflow.objectives.prior_matching import adversarial_loss


@pytest.mark.parametrize("prior", [Uniform(-1, 2), Gaussian(1, 2), Ball(2), Sphere(3)])
def test_samples_and_squashed_vectors_lie_in_the_support(prior: Prior) -> None:
    like = torch.randn(500, 7, generator=torch.Generator().manual_seed(0)) * 5
    sample = prior.sample(like, torch.Generator().manual_seed(1))
    assert sample.shape == like.shape
    assert not bool(prior.outside(sample).any())
    assert not bool(prior.outside(prior.squash(like)).any())


def test_moments_of_the_priors() -> None:
    like, generator = torch.zeros(200_000, 3), torch.Generator().manual_seed(0)
    assert Uniform(0, 1).sample(like, generator).var().item() == pytest.approx(1 / 12, rel=0.02)
    assert Gaussian(1, 2).sample(like, generator).mean().item() == pytest.approx(1, abs=0.02)
    # E r² = R² d/(d+2) in a ball; every coordinate of a sphere has variance R²/d.
    assert Ball(2).sample(like, generator).square().sum(1).mean().item() == pytest.approx(4 * 3 / 5, rel=0.02)
    assert Sphere(3).sample(like, generator).var(0).mean().item() == pytest.approx(3, rel=0.02)


@pytest.mark.parametrize("name", ["uniform", "ball", "sphere"])
@pytest.mark.parametrize("kind", [KernelMatching, SlicedWassersteinMatching])
def test_vectors_outside_the_support_are_counted(name: str, kind: type) -> None:
    y = PRIORS[name]().squash(torch.randn(8, 3))
    y[:2] += 5
    with pytest.raises(InvalidArgument, match="2 of 8 vectors outside"):
        kind(name, squash=False)(y)
    assert math.isfinite(kind(name)(y).item())


def test_invalid_priors_are_rejected() -> None:
    with pytest.raises(InvalidArgument, match=r"^low must be below high \(1.*\), got 1"):
        Uniform(1, 1)
    with pytest.raises(InvalidArgument, match=r"^radius must be"):
        Ball(0)
    with pytest.raises(InvalidArgument, match=r"^scale must be"):
        Gaussian(0, -1)
    with pytest.raises(UnknownName, match="Did you mean 'uniform'"):
        KernelMatching("unifrom")
    with pytest.raises(TooFewSamples):
        KernelMatching()(torch.zeros(1, 3))


def test_the_norm_of_zero_has_a_gradient() -> None:
    for prior in (Ball(), Sphere()):
        y = torch.zeros(2, 3, requires_grad=True)
        prior.squash(y).sum().backward()
        assert bool(torch.isfinite(y.grad).all())


def test_the_kernel_discrepancy_equals_loops() -> None:
    rng = np.random.default_rng(0)
    p, q = rng.normal(size=(6, 2)), rng.normal(size=(5, 2)) + 1
    mean = np.mean([np.sum((a - b) ** 2) for i, a in enumerate(p) for j, b in enumerate(p) if i != j])

    def kernel(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.mean([s * mean / (s * mean + np.sum((a - b) ** 2)) for s in (0.5, 2.0)]))

    within = sum(np.mean([kernel(a, b) for i, a in enumerate(v) for j, b in enumerate(v) if i != j]) for v in (p, q))
    across = np.mean([kernel(a, b) for a in p for b in q])
    found = squared_discrepancy(torch.from_numpy(p), torch.from_numpy(q), (0.5, 2.0))
    assert found.item() == pytest.approx(within - 2 * across, rel=1e-9)


def test_the_kernel_discrepancy_is_zero_on_average_for_equal_distributions() -> None:
    generator = torch.Generator().manual_seed(0)
    values = [
        squared_discrepancy(*torch.randn(2, 50, 4, generator=generator, dtype=torch.float64)).item() for _ in range(200)
    ]
    assert abs(np.mean(values)) < 4 * np.std(values) / math.sqrt(len(values))


def test_the_sliced_distance_is_the_best_assignment_in_one_dimension() -> None:
    y = torch.randn(20, 1, dtype=torch.float64)
    torch.manual_seed(5)
    found = SlicedWassersteinMatching("gaussian", projections=4)(y).item()
    torch.manual_seed(5)
    torch.randn(1, 4, dtype=torch.float64)  # the directions, ±1 here
    prior = Gaussian().sample(y)
    cost = (y - prior.T).square().numpy()
    assert found == pytest.approx(cost[linear_sum_assignment(cost)].mean(), rel=1e-9)


def test_the_adversarial_loss_of_a_linear_discriminator() -> None:
    discriminator = nn.Linear(2, 1).double()
    nn.init.constant_(discriminator.bias, 0.3)
    real, fake = torch.randn(2, 4, 2, dtype=torch.float64)
    found = adversarial_loss(discriminator, real, fake, penalty=3.0).item()
    weight, bias = discriminator.weight.detach().numpy()[0], 0.3
    scores = [v.numpy() @ weight + bias for v in (real, fake)]
    expected = np.log1p(np.exp(-scores[0])).mean() + np.log1p(np.exp(scores[1])).mean() + 1.5 * np.sum(weight**2)
    assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", ["kernel", "sliced", "adversarial"])
def test_training_brings_the_vectors_to_the_prior(name: str) -> None:
    torch.manual_seed(0)
    y = nn.Parameter(torch.randn(256, 2) * 0.2 + 2)
    matching = {
        "kernel": KernelMatching("gaussian"),
        "sliced": SlicedWassersteinMatching("gaussian"),
        "adversarial": AdversarialMatching(2, "gaussian", units=(64, 64)),
    }[name]

    def distance() -> Tensor:
        return squared_discrepancy(torch.randn(2000, 2, generator=torch.Generator().manual_seed(9)), y.detach())

    before = distance()
    mine = torch.optim.Adam([y], 0.05)
    theirs = torch.optim.Adam(matching.opponent.parameters(), 2e-3) if matching.opponent is not None else None
    for _ in range(150):
        if theirs is not None and isinstance(matching, AdversarialMatching):
            theirs.zero_grad()
            matching.opponent_loss(y).backward()
            theirs.step()
        mine.zero_grad()
        matching(y).backward()
        mine.step()
    assert distance() < 0.1 * before
