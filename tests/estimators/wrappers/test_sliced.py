"""Sliced information of Gaussians: averaged over directions numerically, and at most by canonical correlation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.core.estimate import Estimate, Kind
from infoflow.estimators.gaussian.gaussian import Gaussian
from infoflow.estimators.histogram.discrete import Discrete
from infoflow.estimators.wrappers.sliced import Sliced

CROSS = np.array([[0.9, 0.0], [0.0, 0.3]])


def gaussian(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    covariance = np.block([[np.eye(2), CROSS], [CROSS.T, np.eye(2)]])
    z = np.random.default_rng(seed).multivariate_normal(np.zeros(4), covariance, size=n)
    return z[:, :2], z[:, 2:]


@pytest.mark.slow
def test_average_over_directions() -> None:
    # θ and φ uniform on the circle: E −½ log(1 − (θᵀCφ)²) on a fine grid of angles.
    angles = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    theta, phi = np.meshgrid(angles, angles)
    correlation = 0.9 * np.cos(theta) * np.cos(phi) + 0.3 * np.sin(theta) * np.sin(phi)
    truth = float((-0.5 * np.log(1 - correlation**2)).mean())
    x, y = gaussian(2000)
    found = Sliced(Gaussian(), slices=1000).estimate(x, y)
    assert found.interval is not None
    assert found.interval.low - 0.02 < truth < found.interval.high + 0.02
    assert found.interval.high - found.interval.low < 0.05
    assert found.quantity == "SI_1(X;Y)"


def test_slices_that_determine_each_other_are_infinite_without_an_interval() -> None:
    x = np.random.default_rng(0).normal(size=(60, 1)) * [1.0, 2.0, 3.0]
    found = Sliced(Gaussian(), slices=3).estimate(x, x)
    assert found.nats == math.inf
    assert found.interval is None


def test_largest_slice_is_the_first_canonical_correlation() -> None:
    x, y = gaussian(8000)
    rotation = np.array([[0.6, -0.8], [0.8, 0.6]])
    found = Sliced(Gaussian(), mode="max", slices=30).estimate(x @ rotation, y * 5)
    assert found.nats == pytest.approx(-0.5 * math.log(1 - 0.81), abs=0.05)


def test_largest_slice_of_independent_data_is_not_flattered() -> None:
    rng = np.random.default_rng(0)
    found = Sliced(Gaussian(), mode="max", slices=40).estimate(rng.normal(size=(300, 20)), rng.normal(size=(300, 20)))
    assert abs(found.nats) < 0.05  # on the samples searched it would be some 0.3


@dataclass(frozen=True)
class Radius:
    """Rises where the projection nears the direction (0, 1), which no correlation with y shows."""

    def estimate(self, x: Any, y: Any) -> Estimate:
        value = float(torch.as_tensor(x).square().mean())
        return Estimate(value, quantity="I(X;Y)", kind=Kind.POINT, estimator="Radius", n=len(x))


def test_search_climbs() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, 3)) * np.array([1.0, 3.0, 1.0])
    found = Sliced(Radius(), mode="max", slices=60).estimate(x, rng.integers(0, 2, 2000))
    assert found.nats == pytest.approx(9.0, rel=0.12)


def test_all_dimensions_are_the_whole() -> None:
    x, y = gaussian(500)
    whole = Gaussian().estimate(x, y).nats
    assert Sliced(Gaussian(), k=2, slices=2).estimate(x, y).nats == pytest.approx(whole)
    k_sliced = [Sliced(Gaussian(), k=k, slices=50).estimate(x, y).nats for k in (1, 2)]
    assert k_sliced[0] < k_sliced[1]


def test_classes_pass_through() -> None:
    labels = np.random.default_rng(0).integers(0, 3, 100)
    found = Sliced(Discrete(), slices=3).estimate(labels, labels)
    assert found.nats == pytest.approx(Discrete().estimate(labels, labels).nats)


def test_seed_and_global_state() -> None:
    x, y = gaussian(200)
    state = torch.random.get_rng_state()
    for mode in ("average", "max"):
        a, b, c = (Sliced(Gaussian(), slices=5, mode=mode, seed=s).estimate(x, y).nats for s in (1, 1, 2))
        assert a == b != c
    assert torch.equal(state, torch.random.get_rng_state())


def test_bad_input() -> None:
    x, y = gaussian(50)
    with pytest.raises(UnknownName, match="gaussian"):
        Sliced("gausian")
    with pytest.raises(InvalidArgument, match="estimator"):
        Sliced(3)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match="estimator"):
        Sliced(Gaussian)  # type: ignore[arg-type]
    with pytest.raises(UnknownName, match="average"):
        Sliced(Gaussian(), mode="avrage")
    with pytest.raises(InvalidArgument, match="slices"):
        Sliced(Gaussian(), slices=1)
    with pytest.raises(InvalidArgument, match="49"):
        Sliced(Gaussian()).estimate(x, y[1:])
    with pytest.raises(InvalidArgument, match="^x must"):
        Sliced(Gaussian()).measure(x, np.zeros(50, dtype=int))
