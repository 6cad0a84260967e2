"""Compressed: low-dimensional dependence inside many dimensions is found again."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from infoflow.core.errors import InvalidArgument, TooFewSamples, UnknownName
from infoflow.core.estimate import Kind
from infoflow.estimators.gaussian.gaussian import Gaussian
from infoflow.estimators.wrappers.compressed import Compressed


def embedded(n: int, correlation: float = 0.8) -> tuple[np.ndarray, np.ndarray]:
    """Two correlated numbers, each spread over 60 columns."""
    rng = np.random.default_rng(0)
    a = rng.normal(size=(n, 1))
    b = correlation * a + math.sqrt(1 - correlation**2) * rng.normal(size=(n, 1))
    x = a @ rng.normal(size=(1, 60)) + 0.05 * rng.normal(size=(n, 60))
    y = b @ rng.normal(size=(1, 60)) + 0.05 * rng.normal(size=(n, 60))
    return x, y


TRUTH = -0.5 * math.log(1 - 0.64)


@pytest.mark.parametrize(("method", "tolerance"), [("pca", 0.04), ("autoencoder", 0.1)])
def test_finds_the_latent_information(method: str, tolerance: float) -> None:
    x, y = embedded(3000)
    found = Compressed(Gaussian(copula=True), method=method, components=1, steps=400).estimate(x, y)
    assert found.nats == pytest.approx(TRUTH, abs=tolerance)
    assert found.kind is Kind.POINT
    assert found.n == 3000
    assert any("at most the information" in w for w in found.warnings)


def test_autoencoder_keeps_what_is_shared_not_what_is_large() -> None:
    # The largest variance of x says nothing of y: PCA keeps that, the autoencoder what predicts y too.
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(4000, 1))
    x = np.c_[0.9 * shared + 0.05 * rng.normal(size=(4000, 1)), rng.normal(size=(4000, 2)) * [1.0, 1.2]]
    y = shared + 0.3 * rng.normal(size=(4000, 1))
    by_variance = Compressed(Gaussian(), components=1).estimate(x, y).nats
    learned = Compressed(Gaussian(copula=True), method="autoencoder", components=1, steps=400).estimate(x, y).nats
    assert by_variance < 0.1
    assert learned > 0.5


def test_narrow_variables_and_classes_stay() -> None:
    x, y = embedded(200)
    inner = Gaussian().estimate(x[:, :2], y[:, :2])
    for method in ("pca", "autoencoder"):
        found = Compressed(Gaussian(), method=method, components=2).estimate(x[:, :2], y[:, :2])
        assert found.nats == inner.nats
        assert found.warnings == inner.warnings


def test_plane_with_classes() -> None:
    x, y = embedded(600)
    labels = (x[:, 0] > 0).astype(int)
    found = Compressed("dependence-graph", components=2).measure(y, labels, x)
    assert found.label.ceiling_name == "H(Y)"
    assert found.label.nats > 0.1
    assert "of its variance" in found.input.warnings[-1]


def test_seed_and_global_state() -> None:
    x, y = embedded(200)
    state = torch.random.get_rng_state()
    a, b, c = (
        Compressed(Gaussian(), method="autoencoder", components=2, steps=20, seed=s).estimate(x, y).nats
        for s in (1, 1, 2)
    )
    assert a == b != c
    assert torch.equal(state, torch.random.get_rng_state())


def test_bad_input() -> None:
    x, y = embedded(20)
    with pytest.raises(UnknownName, match="pca"):
        Compressed(Gaussian(), method="PCA ")
    with pytest.raises(InvalidArgument, match="components"):
        Compressed(Gaussian(), components=0)
    with pytest.raises(TooFewSamples, match="components"):
        Compressed(Gaussian(), components=30).estimate(x, y)
    with pytest.raises(InvalidArgument, match="19"):
        Compressed(Gaussian()).estimate(x, y[1:])
    assert Compressed(Gaussian(), components=2).estimate(x, np.arange(20.0)).nats < math.inf
