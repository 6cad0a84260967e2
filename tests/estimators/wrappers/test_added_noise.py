"""Noise on a layer makes its information finite, and as large as theory says."""

from __future__ import annotations

import math

import numpy as np
import pytest

from infoflow.core.errors import InvalidArgument
from infoflow.estimators import AddedNoise, Gaussian

X = np.random.default_rng(0).normal(size=(4000, 2))


@pytest.mark.parametrize("variance", [0.1, 2.0])
def test_a_deterministic_linear_layer_has_the_channels_capacity(variance: float) -> None:
    found = AddedNoise(Gaussian(), variance=variance).estimate(2 * X, X)
    # Two independent channels of signal 4 and this noise.
    assert found.nats == pytest.approx(math.log1p(4 / variance), abs=0.05)
    assert found.quantity == "I(X+ε;Y)"


def test_without_noise_the_quantity_is_that_of_the_layer() -> None:
    y = (X[:, 0] > 0).astype(int)
    layer, inputs = X[:1000] ** 3, X[:1000]
    found = AddedNoise("ksg", variance=0.0).measure(layer, y[:1000], inputs)
    assert (found.input.quantity, found.label.quantity) == ("I(X;T)", "I(T;Y)")
    assert found.label.nats == AddedNoise("ksg", variance=0.0).estimate(layer, y[:1000]).nats
    assert found.input.nats > math.log(10)  # the layer is a function of the inputs


def test_labels_are_measured_from_the_same_noisy_layer() -> None:
    y = (X[:, 0] > 0).astype(int)
    quiet, loud = (AddedNoise("ksg", variance=v).measure(X[:1000], y[:1000], X[:1000]) for v in (0.01, 4.0))
    assert 0.0 <= loud.label.nats < quiet.label.nats
    assert loud.input.nats < quiet.input.nats


def test_the_plane_needs_inputs() -> None:
    with pytest.raises(InvalidArgument, match="^x must"):
        AddedNoise("gaussian").measure(X, (X[:, 0] > 0).astype(int))
