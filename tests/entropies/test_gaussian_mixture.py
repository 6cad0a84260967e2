"""Monte-Carlo mixture entropies against closed forms and quadrature."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm

from infoflow.core.errors import InvalidArgument
from infoflow.entropies.gaussian_mixture import multiplied_information, noisy_information


def test_one_gaussian_is_exact() -> None:
    found = noisy_information(torch.full((4, 5), 3.0), 0.25).component
    assert found.nats == pytest.approx(0, abs=1e-9)
    assert found.error == pytest.approx(0, abs=1e-9)


def test_far_components_add_log_n() -> None:
    found = noisy_information(torch.arange(6.0)[:, None] * 1000, 1.0)
    assert found.component.nats == pytest.approx(math.log(6))


def test_agrees_with_quadrature_in_one_dimension() -> None:
    centers, sigma = np.array([-1.0, 0.2, 0.5, 2.0]), 0.6

    def density(z: float) -> float:
        return float(norm.pdf(z, centers, sigma).mean())

    truth, _ = quad(lambda z: -density(z) * math.log(density(z)), -8, 9)
    found = noisy_information(torch.from_numpy(centers), sigma**2, draws=4000, seed=1).component
    assert 0 < found.error < 0.01
    assert abs(found.nats + float(norm(0, sigma).entropy()) - truth) < 4 * found.error


def test_label_information_agrees_with_quadrature() -> None:
    centers, labels, sigma = np.array([-1.0, 0.0, 0.5, 2.0]), [0, 0, 1, 1], 0.5

    def entropy(means: np.ndarray) -> float:
        def integrand(z: float) -> float:
            p = float(norm.pdf(z, means, sigma).mean())
            return -p * math.log(p)

        return quad(integrand, -7, 8)[0]

    truth = entropy(centers) - (entropy(centers[:2]) + entropy(centers[2:])) / 2
    found = noisy_information(torch.from_numpy(centers), sigma**2, torch.tensor(labels), draws=4000).label
    assert found is not None
    assert abs(found.nats - truth) < 4 * found.error < 0.05


def test_multiplied_noise_agrees_with_quadrature() -> None:
    centers, sigma = np.array([0.5, 1.0, -2.0]), 0.4

    def density(z: float) -> float:
        return float(norm.pdf(z, centers, sigma * np.abs(centers)).mean())

    whole, _ = quad(lambda z: -density(z) * math.log(density(z)), -8, 5, limit=400, points=[-2.0, 0.0, 0.5, 1.0])
    truth = whole - np.mean(np.log(np.abs(centers) * sigma * math.sqrt(2 * math.pi * math.e)))
    found = multiplied_information(torch.from_numpy(centers), sigma, draws=5000).component
    assert abs(found.nats - truth) < 4 * found.error < 0.05


def test_a_zero_is_an_atom() -> None:
    # Zeros tell the first from the others for sure, and the two equal ones not at all.
    found = multiplied_information(torch.tensor([[0.0, 1.0], [1.0, 1.0], [1.0, 1.0]]), 0.3, torch.tensor([0, 1, 1]))
    assert found.component.nats == pytest.approx(math.log(3) - 2 / 3 * math.log(2))
    assert found.label is not None
    assert found.label.nats == pytest.approx(math.log(3) - 2 / 3 * math.log(2))


def test_blocks_and_far_origins_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    t = torch.from_numpy(np.random.default_rng(0).normal(size=(60, 3)))
    exact = noisy_information(t, 0.3).component
    assert noisy_information(t + 1e5, 0.3).component.nats == pytest.approx(exact.nats, abs=1e-6)
    # Draws come in another order with other blocks, so only the distribution stays.
    monkeypatch.setattr("infoflow.entropies.gaussian_mixture._PAIRS", 7 * 60)
    again = noisy_information(t, 0.3).component
    assert abs(again.nats - exact.nats) < 5 * math.hypot(exact.error, again.error)


def test_bad_arguments() -> None:
    with pytest.raises(InvalidArgument, match="variance"):
        noisy_information(torch.zeros(3, 1), 0.0)
    with pytest.raises(InvalidArgument, match="draws"):
        noisy_information(torch.zeros(3, 1), 1.0, draws=1)
    with pytest.raises(InvalidArgument, match="labels"):
        noisy_information(torch.zeros(3, 1), 1.0, torch.tensor([0, 1]))


def test_the_scale_of_a_coordinate_means_nothing_to_dropout() -> None:
    f = torch.randn(20, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    plain = multiplied_information(f, 0.1).component.nats
    assert multiplied_information(
        f * torch.tensor([1e-250, 1e200], dtype=torch.float64), 0.1
    ).component.nats == pytest.approx(plain)
    with pytest.raises(InvalidArgument, match="at least 1e-150 of the largest magnitude"):
        multiplied_information(torch.tensor([[1.0], [1e-200]], dtype=torch.float64), 0.1)
