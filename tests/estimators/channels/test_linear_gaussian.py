"""LinearGaussianChannel against determinants and scalar channels."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from infoflow.core.errors import InvalidArgument
from infoflow.core.estimate import Kind
from infoflow.estimators.channels.linear_gaussian import LinearGaussianChannel
from infoflow.estimators.channels.noisy_layers import SamplePropagation


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 4)])
def test_agrees_with_determinants(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    weight, mix = rng.normal(size=shape), rng.normal(size=(shape[1], shape[1]))
    covariance = mix @ mix.T
    found = LinearGaussianChannel(weight, 0.3, covariance).mutual_information()
    truth = np.linalg.slogdet(np.eye(shape[0]) + weight @ covariance @ weight.T / 0.3)[1] / 2
    assert found.nats == pytest.approx(truth)
    assert found.kind is Kind.EXACT


def test_singular_covariance_and_dead_weights() -> None:
    found = LinearGaussianChannel(torch.eye(2), 1.0, [[3.0, 0.0], [0.0, 0.0]]).mutual_information()
    assert found.nats == pytest.approx(math.log(4) / 2)
    assert LinearGaussianChannel(np.zeros((2, 3)), 1.0).mutual_information().nats == 0


def test_depth_loses_information() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(6, 8)), rng.normal(size=(4, 6))
    one = LinearGaussianChannel(first, 0.1).mutual_information().nats
    two = LinearGaussianChannel(np.diag([0.5] * 6) @ first, 0.1).mutual_information().nats
    assert two < one
    assert LinearGaussianChannel(second @ first, 0.1).mutual_information().nats > 0


def test_agrees_with_sample_propagation() -> None:
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(2, 4)) / 2
    t = rng.normal(size=(3000, 4)) @ weight.T
    truth = LinearGaussianChannel(weight, 0.5).mutual_information().nats
    assert SamplePropagation(variance=0.5, draws=4).entropy(t).nats == pytest.approx(truth, abs=0.05)


def test_bad_input() -> None:
    with pytest.raises(InvalidArgument, match="^noise_variance must"):
        LinearGaussianChannel(np.eye(2), 0.0)
    with pytest.raises(InvalidArgument, match="^weight must be a matrix"):
        LinearGaussianChannel([1.0, 2.0], 1.0)
    with pytest.raises(InvalidArgument, match=r"^covariance must be .* \(2, 2\)"):
        LinearGaussianChannel(np.eye(2), 1.0, np.eye(3))
    with pytest.raises(InvalidArgument, match="^covariance must be symmetric"):
        LinearGaussianChannel(np.eye(2), 1.0, [[1.0, 0.5], [0.0, 1.0]])
    with pytest.raises(InvalidArgument, match="^covariance must be positive semidefinite"):
        LinearGaussianChannel(np.eye(2), 1.0, [[1.0, 2.0], [2.0, 1.0]])
