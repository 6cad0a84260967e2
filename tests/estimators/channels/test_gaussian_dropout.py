"""GaussianDropoutInformation: closed forms, and zeros, which dropout does not change."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from infoflow.core.errors import InvalidArgument
from infoflow.estimators.channels.noisy_layers import GaussianDropoutInformation


def test_separated_values() -> None:
    t = torch.tensor([[1.0], [100.0], [10_000.0], [-1.0]])
    found = GaussianDropoutInformation(sigma=0.05).measure(t, [0, 0, 1, 1])
    assert found.input.nats == pytest.approx(math.log(4), abs=1e-6)
    assert found.label.nats == pytest.approx(math.log(2), abs=1e-6)
    assert found.input.warnings[0].startswith("close to log n")


def test_scale_of_a_unit_changes_nothing() -> None:
    t = np.random.default_rng(0).normal(size=(50, 3))
    base = GaussianDropoutInformation(0.4).entropy(t).nats
    assert GaussianDropoutInformation(0.4).entropy(t * np.array([1e-6, 1.0, 1e6])).nats == pytest.approx(base)


def test_more_noise_leaves_less_information() -> None:
    t = np.abs(np.random.default_rng(0).normal(size=(200, 2))) + 0.5
    values = [GaussianDropoutInformation(s).entropy(t).nats for s in (0.05, 0.2, 0.8, 3.0)]
    assert values == sorted(values, reverse=True)


def test_zeros_are_finite_with_a_warning() -> None:
    rng = np.random.default_rng(0)
    t = np.maximum(rng.normal(size=(120, 4)), 0)
    found = GaussianDropoutInformation(0.5).measure(t, rng.integers(0, 3, 120))
    for estimate in found:
        assert 0 <= estimate.nats <= estimate.ceiling
        assert any("exactly 0" in w for w in estimate.warnings)
    zeros = GaussianDropoutInformation(0.5).entropy(np.zeros((10, 3)))
    assert zeros.nats == pytest.approx(0)
    assert any("constant" in w for w in zeros.warnings)


def test_tiny_values_stay_finite() -> None:
    t = np.random.default_rng(0).normal(size=(40, 3)) * np.logspace(-148, 0, 40)[:, None]
    found = GaussianDropoutInformation(0.2).entropy(t)
    assert math.isfinite(found.nats)
    assert 0 <= found.nats <= math.log(40)


def test_bad_input() -> None:
    with pytest.raises(InvalidArgument, match="^sigma must"):
        GaussianDropoutInformation(sigma=0)
    with pytest.raises(InvalidArgument, match="infinite"):
        GaussianDropoutInformation().entropy([[1.0], [math.inf]])
    with pytest.raises(InvalidArgument, match=r"^x and y must hold the same"):
        GaussianDropoutInformation().estimate([1.0, 2.0], [0, 1, 1])
