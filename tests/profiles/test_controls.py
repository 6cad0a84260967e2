"""Controls of soft entropy: what each removes, on activations whose structure is known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from infoflow.errors import UnknownName
from infoflow.estimators.streaming.accumulator import RowAccumulator
from infoflow.estimators.streaming.soft_entropy import SoftEntropy
from infoflow.profiles.controls import CONTROLS, control

N, D, K = 4000, 64, 4


def _clusters(scale: Tensor | None = None) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    centers = 3 * torch.nn.functional.normalize(torch.randn(K, D, generator=generator), dim=1)
    label = torch.arange(N) % K
    rows = centers[label] + 0.2 * torch.randn(N, D, generator=generator)
    return (rows if scale is None else rows * scale), label


def _read(accumulator: RowAccumulator, rows: Tensor, label: Tensor) -> dict[str, float]:
    accumulator.update(rows, {"class": label}, documents=torch.arange(len(rows)))
    return {reading.quantity.split(",")[0]: reading.value for reading in accumulator.estimates()}


def _plain(rows: Tensor, label: Tensor) -> dict[str, float]:
    return _read(SoftEntropy(center=True).accumulator(dimensions=D), rows, label)


def test_not_centered_loses_the_information_to_an_offset_that_centering_removes() -> None:
    rows, label = _clusters()
    moved = rows + 50
    assert _plain(moved, label)["I(class;W)"] == pytest.approx(_plain(rows, label)["I(class;W)"], abs=1e-3)
    assert _read(control("not centered")(D), moved, label)["I(class;W)"] < 0.1 * _plain(rows, label)["I(class;W)"]


def test_rotation_changes_no_more_than_other_references_do() -> None:
    rows, label = _clusters()
    others = [
        _read(SoftEntropy(center=True, seed=seed).accumulator(dimensions=D), rows, label)["I(class;W)"]
        for seed in range(6)
    ]
    rotated = _read(control("rotated")(D), rows, label)["I(class;W)"]
    spread = max(others) - min(others)
    assert min(others) - spread < rotated < max(others) + spread


def test_whitening_removes_scales_of_directions() -> None:
    scale = torch.logspace(0, 3, D)
    rows = torch.randn(N, D, generator=torch.Generator().manual_seed(1))
    label = torch.arange(N) % K
    even = _plain(rows, label)["H(W)"]
    assert _plain(rows * scale, label)["H(W)"] < even - 0.3
    assert _read(control("whitened")(D), rows * scale, label)["H(W)"] == pytest.approx(even, abs=0.02)
    assert even < math.log(100)


def test_a_gaussian_of_the_same_covariance_holds_nothing_of_the_labels() -> None:
    rows, label = _clusters()
    value = _plain(rows, label)
    matched = _read(control("matched Gaussian")(D), rows, label)
    assert value["I(class;W)"] > 0.3
    assert abs(matched["I(class;W)"]) < 0.02


def test_names_are_known_and_draws_leave_the_random_state() -> None:
    rows, label = _clusters()
    state = torch.get_rng_state()
    for name in CONTROLS:
        accumulator = control(name)(D)
        accumulator.update(rows[:500], {"class": label[:500]})
        assert accumulator.n == 500
        assert all(reading.quantity.endswith(f", {name}") for reading in accumulator.estimates())
    assert torch.equal(torch.get_rng_state(), state)
    with pytest.raises(UnknownName, match="whitened"):
        control("whitend")


def test_merged_accumulators_hold_both_parts() -> None:
    rows, label = _clusters()
    first, second = control("not centered")(D), control("not centered")(D)
    whole = control("not centered")(D)
    first.update(rows[:2000], {"class": label[:2000]}, documents=torch.arange(2000))
    second.update(rows[2000:], {"class": label[2000:]}, documents=torch.arange(2000, N))
    whole.update(rows, {"class": label}, documents=torch.arange(N))
    assert first.merge(second).estimate().value == pytest.approx(whole.estimate().value, abs=1e-6)
