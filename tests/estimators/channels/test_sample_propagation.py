"""SamplePropagation: closed forms, ceilings, and networks whose earlier layers are noisy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from infoflow.core.errors import InvalidArgument
from infoflow.estimators.channels.noisy_layers import SamplePropagation
from infoflow.estimators.kernel.kernel_density import KernelDensity
from infoflow.estimators.registry import Ability, can


def test_separated_points_and_classes() -> None:
    t = torch.arange(8.0)[:, None] * 100
    y = torch.tensor([0, 0, 1, 1, 2, 2, 3, 3])
    found = SamplePropagation(variance=1.0).measure(t, y)
    assert found.input.nats == pytest.approx(math.log(8))
    assert found.input.saturated
    assert any("log n" in w for w in found.input.warnings)
    assert found.label.nats == pytest.approx(math.log(4))


def test_constant_layer() -> None:
    found = SamplePropagation().measure(np.ones((6, 2)), [0, 1, 0, 1, 0, 1])
    assert found.input.nats == pytest.approx(0)
    assert found.label.nats == pytest.approx(0)
    assert any("constant" in w for w in found.input.warnings)


def test_gaussian_channel() -> None:
    # T = S + ε, S ~ N(0, 1), σ² = 1: I = ½ log 2, far below log n.
    t = np.random.default_rng(0).normal(size=(2000, 1))
    found = SamplePropagation(variance=1.0).entropy(t)
    assert found.interval is not None
    assert found.nats == pytest.approx(0.5 * math.log(2), abs=0.03)
    assert found.interval.high - found.interval.low < 0.05


def test_lies_between_the_pairwise_bounds() -> None:
    # The bounds of Kolchinsky and Tracey hold for the same mixture.
    t = np.random.default_rng(1).normal(size=(300, 3))
    found = SamplePropagation(variance=0.3).entropy(t)
    low = KernelDensity(variance=0.3, bound="lower").entropy(t).nats
    high = KernelDensity(variance=0.3, bound="upper").entropy(t).nats
    assert low < found.nats < high


def test_noisy_earlier_layers_as_groups() -> None:
    # X in {0, 1}, S = 4X + noise₁, T = S + ε: the groups are the inputs, and I(X;T) that of a binary channel.
    rng = np.random.default_rng(0)
    groups = np.repeat([0, 1], 400)
    s = 2.0 * groups + rng.normal(scale=0.6, size=800)
    found = SamplePropagation(variance=0.64, draws=4).estimate(s, groups)
    grid = np.linspace(-8, 10, 20001)
    p = [np.exp(-((grid - m) ** 2) / 2) / math.sqrt(2 * math.pi) for m in (0.0, 2.0)]
    truth = sum(float((q * np.log(2 * q / (p[0] + p[1]))).sum()) * (grid[1] - grid[0]) / 2 for q in p)
    assert found.nats == pytest.approx(truth, abs=0.04)


def test_same_draws_for_estimate_entropy_and_measure() -> None:
    rng = np.random.default_rng(0)
    t, y = rng.normal(size=(100, 2)), rng.integers(0, 3, 100)
    estimator = SamplePropagation(seed=4)
    plane = estimator.measure(t, y)
    assert plane == (estimator.entropy(t), estimator.estimate(t, y))
    assert can(estimator, Ability.PLANE)
    state = torch.random.get_rng_state()
    assert SamplePropagation(seed=5).entropy(t).nats != plane.input.nats
    assert torch.equal(state, torch.random.get_rng_state())


def test_bad_input() -> None:
    for arguments, word in (({"variance": 0}, "variance"), ({"draws": 1}, "draws"), ({"seed": -1}, "seed")):
        with pytest.raises(InvalidArgument, match=f"^{word} must"):
            SamplePropagation(**arguments)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match="classes"):
        SamplePropagation().estimate(np.ones((4, 1)), np.ones(4))
    with pytest.raises(InvalidArgument, match=r"^t and y must hold the same"):
        SamplePropagation().measure(np.ones((4, 1)), [0, 1])
