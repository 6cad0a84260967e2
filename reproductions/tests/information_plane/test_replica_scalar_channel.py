"""One unit's channel against closed forms, a quadrature of its own density, and properties of Gaussian channels."""

from __future__ import annotations

import math

import numpy as np
import pytest
from infoflow_reproductions.information_plane.replica.scalar_channel import ACTIVATIONS, channel, second_moment
from scipy.integrate import quad
from scipy.stats import norm

APPLIED = {
    "linear": lambda z: z,
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "hardtanh": lambda z: np.clip(z, -1, 1),
}
PLACES = [(1.0, 0.5, 1.0), (100.0, 0.05, 1.0), (0.1, 2.0, 3.0), (1000.0, 0.3, 2.0)]


def test_every_activation_has_a_reference() -> None:
    assert set(APPLIED) == set(ACTIVATIONS)


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
@pytest.mark.parametrize("variance", [0.1, 1.0, 7.0])
def test_second_moments(name: str, variance: float) -> None:
    root = math.sqrt(variance)
    ends = (-9 * root, 9 * root)
    truth = quad(lambda z: float(APPLIED[name](z)) ** 2 * norm.pdf(z, 0, root), *ends, points=[-1, 0, 1])[0]
    assert second_moment(name, variance) == pytest.approx(truth, rel=1e-6)


def test_a_rectified_gaussian_by_its_own_density() -> None:
    """ω = 0, V = 1: y is a Gaussian at 0 half of the time, else the sum of a half-Gaussian and noise (skew-normal)."""
    precision = 3.0
    inner = 1 / (1 + precision)

    def density(y: float) -> float:
        above = norm.pdf(y, 0, math.sqrt(1 + 1 / precision)) * norm.cdf(inner * precision * y / math.sqrt(inner))
        return 0.5 * norm.pdf(y, 0, 1 / math.sqrt(precision)) + above

    entropy = quad(lambda y: -density(y) * math.log(density(y)), -8, 10, points=[0], epsabs=1e-10)[0]
    truth = entropy - 0.5 * math.log(2 * math.pi * math.e / precision)
    assert channel("relu", precision, 1.0, 1.0).information == pytest.approx(truth, abs=1e-5)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_information_grows_by_half_the_error_as_noise_falls(name: str, place: tuple[float, float, float]) -> None:
    """dI/dA = ½ E Var(t | y): Guo, Shamai and Verdú (2005), theorem 1."""
    precision, variance, power = place
    step = 0.02
    more, less = (channel(name, precision * (1 + sign * step), variance, power).information for sign in (1, -1))
    slope = (more - less) / (2 * step * precision)
    assert slope == pytest.approx(channel(name, precision, variance, power).unknown_output / 2, rel=5e-3)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_no_activation_has_more_information_than_none(name: str, place: tuple[float, float, float]) -> None:
    found, plain = channel(name, *place), channel("linear", *place)
    assert 0 < found.information <= plain.information + 1e-6
    assert plain.unknown_input - 1e-6 <= found.unknown_input <= place[1] + 1e-6
    assert found.unknown_output <= plain.unknown_output + 1e-6
