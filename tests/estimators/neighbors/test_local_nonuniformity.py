"""The correction of thin neighborhoods, against boxes worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from infoflow.core.errors import InvalidArgument
from infoflow.estimators.neighbors.local_nonuniformity import corrections, nonuniformity_threshold


def test_a_thin_neighborhood_turned_by_45_degrees() -> None:
    # Around the origin: ±a along the diagonal and ±b across it. The straight box has half side a/√2 twice.
    a, b = 1.0, 1e-3
    along, across = np.array([1.0, 1.0]) / math.sqrt(2), np.array([1.0, -1.0]) / math.sqrt(2)
    points = torch.from_numpy(np.stack([0 * along, a * along, -a * along, b * across, -b * across]))
    index = torch.tensor([[1, 2, 3, 4]] * 5)
    want = math.log(a * b) - math.log(a * a / 2)
    assert corrections(points, index, 0.5)[0][0].item() == pytest.approx(want, abs=1e-6)
    assert corrections(points, index, 1e-6)[0][0].item() == 0.0  # not thin enough for that threshold


def test_a_straight_neighborhood_needs_none() -> None:
    points = torch.tensor([[0.0, 0.0], [2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]], dtype=torch.float64)
    assert corrections(points, torch.tensor([[1, 2, 3, 4]] * 5), 0.9)[0][0].item() == 0.0


def test_the_threshold_is_the_quantile_it_claims() -> None:
    ratios = []
    for cloud in np.random.default_rng(1).uniform(-1, 1, size=(4000, 5, 2)):
        _, axes = np.linalg.eigh(cloud.T @ cloud)
        ratios.append(np.prod(np.abs(cloud @ axes).max(0)) / np.prod(np.abs(cloud).max(0)))
    assert np.mean(np.array(ratios) < nonuniformity_threshold(5)) == pytest.approx(0.005, abs=0.004)


def test_bad_input_is_named() -> None:
    with pytest.raises(InvalidArgument, match="^k must"):
        nonuniformity_threshold(0)
    with pytest.raises(InvalidArgument, match="^dimensions must"):
        nonuniformity_threshold(3, 1)
