"""Geometry of activations against distances computed one by one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.plane import record
from infoflow.plane.activation_geometry import COLUMNS, Geometry, geometry, geometry_of


@settings(max_examples=25)
@given(n=st.integers(3, 12), d=st.integers(1, 15), classes=st.integers(1, 4), seed=st.integers(0, 99))
def test_distances_and_rank_equal_those_of_a_loop(n: int, d: int, classes: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    t, y = rng.normal(size=(n, d)) + 5, rng.integers(0, classes, n)
    found = geometry(t, y)
    same, other = [], []
    for i in range(n):
        for j in range(n):
            (same if y[i] == y[j] else other).append(float(np.sum((t[i] - t[j]) ** 2)))
    assert found.within == pytest.approx(np.sqrt(np.mean(same)), rel=1e-9, abs=1e-9)
    assert found.between == pytest.approx(np.sqrt(np.mean(other)) if other else 0.0, rel=1e-9, abs=1e-9)
    singular = np.linalg.svd(t - t.mean(0), compute_uv=False) ** 2
    p = singular[singular > 1e-12 * singular.sum()] / singular.sum()
    assert found.effective_rank == pytest.approx(np.exp(-(p * np.log(p)).sum()), rel=1e-6)
    assert 1 - 1e-9 <= found.effective_rank <= min(n - 1, d) + 1e-9


def test_saturation_counts_both_ends_and_a_constant_layer_has_no_spread() -> None:
    t = np.array([[-1.0, -0.999], [1.0, 0.0], [0.5, 0.3], [0.995, -0.2]])
    found = geometry(t, [0, 1, 0, 1])
    assert found.saturated == 4 / 8
    assert (found.low, found.high) == (-1.0, 1.0)
    constant = geometry(np.ones((4, 3)), [0, 1, 0, 1])
    assert constant == Geometry(1.0, 1.0, 1.0, 0.0, 0.0, 0.0)


def test_a_recording_has_a_row_for_every_layer_seed_epoch_and_measure(tmp_path: Path) -> None:
    network = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Tanh())
    x, y = torch.randn(20, 3), torch.arange(20) % 2
    with record(network, x, y, store=tmp_path / "run", name="net") as recorder:
        for epoch in (0, 5):
            recorder.snapshot(epoch)
    frame = geometry_of(tmp_path / "run")
    layers = frame["layer"].unique()
    assert list(frame.columns) == COLUMNS
    assert len(frame) == len(layers) * 2 * len(Geometry._fields)
    with torch.no_grad():
        expected = geometry(network(x), y)
    last = frame[(frame["layer"] == layers[-1]) & (frame["epoch"] == 5)].set_index("measure")["value"]
    assert last.to_dict() == pytest.approx(expected._asdict(), rel=1e-5)
    with pytest.raises(UnknownName, match="layer"):
        geometry_of(tmp_path / "run", layers=["nothing"])
    with pytest.raises(InvalidArgument, match=r"^epochs must"):
        geometry_of(tmp_path / "run", epochs=[])


@pytest.mark.parametrize(
    ("t", "y", "argument"),
    [
        (np.full((3, 2), np.nan), [0, 1, 0], "NaN"),
        (np.zeros((3, 2)), [0, 1], "t"),
        (np.zeros((3, 2)), [0.5, 1.0, 0.0], "y"),
    ],
)
def test_invalid_input_is_rejected(t: np.ndarray, y: list[float], argument: str) -> None:
    with pytest.raises(InvalidArgument, match=argument):
        geometry(t, y)
