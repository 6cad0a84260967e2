"""Information between label sets and between labels and Gaussian activations, against closed forms."""

from __future__ import annotations

import math

import pytest
import torch

from infoflow.core.errors import InvalidArgument
from infoflow.estimators import GaussianInformation, LabelInformation


def test_information_of_a_noisy_copy() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(0, 4, (40_000,), generator=generator)
    y = torch.where(torch.rand(40_000, generator=generator) < 0.4, torch.randint(0, 4, x.shape, generator=generator), x)
    counts = LabelInformation(4, 4).accumulator("x", "y")
    for rows in range(0, 40_000, 5000):
        part = slice(rows, rows + 5000)
        counts.update(None, {"x": x[part], "y": y[part]}, documents=torch.arange(rows, rows + 5000) // 50)
    same, other = 0.7, 0.1
    truth = math.log(4) + same * math.log(same) + 3 * other * math.log(other)
    reading, first, _ = counts.estimates()
    assert reading.standard_error is not None
    assert abs(reading.value - truth) < max(0.015, 3 * reading.standard_error)
    assert reading.null is not None
    assert abs(reading.null) < 0.001
    assert first.value == pytest.approx(math.log(4), abs=1e-3)


def test_jackknife_removes_most_of_the_bias_of_independent_labels() -> None:
    generator = torch.Generator().manual_seed(1)
    x, y = torch.randint(0, 30, (2, 3000), generator=generator)
    counts = LabelInformation(30, 30).accumulator("x", "y")
    counts.update(None, {"x": x, "y": y})
    reading = counts.estimate()
    assert abs(reading.value) < 0.03  # the plug-in is near 29²/6000 = 0.14
    assert reading.warnings


def test_gaussian_information_of_two_classes_equals_its_closed_form() -> None:
    # ½ log(1 + δ²/4) for means ±δ/2 along one direction of unit noise, which rotation and scale leave as it is.
    generator = torch.Generator().manual_seed(0)
    label = torch.arange(30_000) % 2
    z = torch.randn(30_000, 5, generator=generator)
    z[:, 0] += label * 2.0
    z = z @ torch.randn(5, 5, generator=generator) + 30
    found = GaussianInformation(every=1).accumulator(5, "x", classes=2)
    for rows in range(0, 30_000, 7000):
        found.update(z[rows : rows + 7000], {"x": label[rows : rows + 7000]})
    reading = found.estimate()
    assert reading.value == pytest.approx(0.5 * math.log(2), abs=0.01)
    assert reading.null == pytest.approx(0.0, abs=0.002)


def test_missing_labels_and_labels_beyond_the_classes_are_named() -> None:
    found = GaussianInformation().accumulator(5, "x", classes=2)
    with pytest.raises(InvalidArgument, match="labels must be a mapping with 'x'"):
        found.update(torch.zeros(4, 5), {"y": torch.zeros(4, dtype=torch.int64)})
    with pytest.raises(InvalidArgument, match=r"labels\['x'\] must be smaller than the number of classes \(2\), got 2"):
        found.update(torch.zeros(4, 5), {"x": torch.full((4,), 2)})
