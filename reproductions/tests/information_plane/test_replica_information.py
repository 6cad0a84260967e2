"""The replica formula against determinants, a Monte-Carlo of small networks, and properties of information."""

from __future__ import annotations

import functools
import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from infoflow_reproductions.information_plane.replica import ReplicaInformation
from scipy.spatial.distance import cdist
from scipy.special import logsumexp

from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.core.estimate import Kind
from infoflow.estimators import LinearGaussianChannel

APPLIED = {"relu": lambda z: np.maximum(z, 0), "hardtanh": lambda z: np.clip(z, -1, 1), "linear": lambda z: z}


def weights(*sizes: int, seed: int = 0, gain: float = 1.0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [gain * rng.normal(size=(b, a)) / np.sqrt(a) for a, b in itertools.pairwise(sizes)]


def nats(layers: list[np.ndarray], names: list[str], noise: float, **more: float) -> float:
    found = ReplicaInformation(layers, names, noise, **more).mutual_information()
    assert found.warnings == ()
    return found.nats


@given(st.integers(1, 8), st.integers(1, 8), st.floats(1e-5, 10), st.integers(0, 100))
@settings(max_examples=40, deadline=None)
def test_one_linear_layer_is_exact(inputs: int, outputs: int, noise: float, seed: int) -> None:
    layers = weights(inputs, outputs, seed=seed)
    truth = LinearGaussianChannel(layers[0], noise).mutual_information().nats
    assert nats(layers, ["linear"], noise) == pytest.approx(truth, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("sizes", [(150, 150, 150), (100, 200, 100), (150, 100, 50, 50)])
@pytest.mark.parametrize("noise", [1.0, 1e-2, 1e-5])
def test_wide_linear_networks_have_the_determinant_of_their_product(sizes: tuple[int, ...], noise: float) -> None:
    layers = weights(*sizes)
    product = functools.reduce(lambda below, weight: weight @ below, layers)
    truth = LinearGaussianChannel(product, noise).mutual_information().nats
    assert nats(layers, ["linear"] * len(layers), noise) == pytest.approx(truth, rel=0.02)


def monte_carlo(layers: list[np.ndarray], names: list[str], noise: float) -> float:
    """E log p(y|x)/p(y), p(y) the mean over 40,000 other inputs."""
    rng = np.random.default_rng(1)
    t = rng.normal(size=(40_200, layers[0].shape[1]))
    for weight, name in zip(layers, names, strict=True):
        t = APPLIED[name](t @ weight.T)
    chosen, others = t[:200], t[200:]
    y = chosen + np.sqrt(noise) * rng.normal(size=chosen.shape)
    own = -((y - chosen) ** 2).sum(1) / (2 * noise)
    mean = logsumexp(-cdist(y, others, "sqeuclidean") / (2 * noise), axis=1) - np.log(len(others))
    return float(np.mean(own - mean))


@pytest.mark.parametrize(
    ("sizes", "names", "noise"),
    [
        ((12, 12), ["relu"], 1.0),
        pytest.param((12, 12), ["hardtanh"], 1.0, marks=pytest.mark.slow),
        pytest.param((12, 24), ["relu"], 1.0, marks=pytest.mark.slow),
        pytest.param((12, 12, 12), ["relu", "linear"], 0.5, marks=pytest.mark.slow),
        ((12, 12, 12), ["hardtanh", "relu"], 0.5),
    ],
)
def test_small_networks_on_average(sizes: tuple[int, ...], names: list[str], noise: float) -> None:
    draws = [weights(*sizes, seed=seed) for seed in range(8)]
    found = np.mean([nats(layers, names, noise) for layers in draws])
    assert found == pytest.approx(np.mean([monte_carlo(layers, names, noise) for layers in draws]), rel=0.07)


@pytest.mark.parametrize("name", ["linear", "relu", "leaky_relu", "hardtanh"])
def test_depth_and_noise_lose_information_and_scale_moves_it(name: str) -> None:
    layers = weights(40, 40, 40)
    one, two = nats(layers[:1], [name], 0.01), nats(layers, [name] * 2, 0.01)
    assert 0 < two < one
    assert nats(layers, [name] * 2, 0.1) < two
    scaled = [layers[0] / 3, layers[1]]
    assert nats(scaled, [name] * 2, 0.01, input_variance=9.0) == pytest.approx(two, rel=1e-5)
    assert one <= nats(layers[:1], ["linear"], 0.01)


def test_kind_quantity_and_tensors() -> None:
    layer = torch.nn.Linear(20, 10, dtype=torch.float32)
    found = ReplicaInformation([layer.weight], ["relu"], 0.1).mutual_information()
    assert found.kind is Kind.POINT
    assert found.quantity == "I(X;T+ε)"
    assert found.parameters["layers"] == ((10, "relu"),)
    again = ReplicaInformation([layer.weight.detach().double().numpy()], ["relu"], 0.1).mutual_information()
    assert found.nats == pytest.approx(again.nats)


def test_bad_input() -> None:
    square = np.eye(3)
    with pytest.raises(InvalidArgument, match="^weights must"):
        ReplicaInformation([], [], 1.0)
    with pytest.raises(InvalidArgument, match="^activations must"):
        ReplicaInformation([square], [], 1.0)
    with pytest.raises(InvalidArgument, match="^activations must"):
        ReplicaInformation([square] * 4, "relu", 1.0)
    with pytest.raises(UnknownName, match="hardtanh"):
        ReplicaInformation([square], ["hardtan"], 1.0)
    with pytest.raises(InvalidArgument, match="noise_variance"):
        ReplicaInformation([square], ["relu"], 0.0)
    with pytest.raises(InvalidArgument, match="input_variance"):
        ReplicaInformation([square], ["relu"], 1.0, input_variance=-1.0)
    with pytest.raises(InvalidArgument, match=r"^weights\[1\] must be a matrix with 3 inputs"):
        ReplicaInformation([square, np.ones((2, 2))], ["relu"] * 2, 1.0)
    with pytest.raises(InvalidArgument, match=r"^weights\[0\] must be a matrix"):
        ReplicaInformation([np.ones((2, 2, 2))], ["relu"], 1.0)
    with pytest.raises(InvalidArgument, match="NaN"):
        ReplicaInformation([square * np.nan], ["relu"], 1.0)
    with pytest.raises(InvalidArgument, match=r"^weights\[0\] must be different from 0"):
        ReplicaInformation([square * 0], ["relu"], 1.0).mutual_information()
