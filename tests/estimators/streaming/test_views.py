"""LiDAR, DiME and InfoNCE against closed forms and a slow reference."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.linalg
import torch

from infoflow.estimators import ViewMeasures


def test_lidar_equals_the_spectrum_of_whitened_class_means() -> None:
    rng = np.random.default_rng(0)
    objects = rng.normal(size=(200, 1, 6)) * [3, 2, 1, 0.5, 0.1, 0.1]
    views = objects + 0.3 * rng.normal(size=(200, 4, 6))
    means = views.mean(1)
    within = sum(np.cov(each.T) for each in views) / 200 + 1e-4 * np.eye(6)
    values = scipy.linalg.eigh(np.cov(means.T), within, eigvals_only=True)
    values /= values.sum()
    found = ViewMeasures().accumulator(dimensions=6)
    for part in np.split(views, 5):
        found.update(torch.from_numpy(part))
    assert float(found.lidar()) == pytest.approx(math.exp(-(values * np.log(values)).sum()), rel=1e-9)


def test_equal_and_independent_views() -> None:
    generator = torch.Generator().manual_seed(0)
    z, other = (torch.randn(64, 32, generator=generator) for _ in range(2))
    readings = {}
    for name, second in (("equal", z), ("independent", other)):
        found = ViewMeasures(temperature=0.05).accumulator(dimensions=32)
        found.update(torch.stack([z, second], 1))
        readings[name] = {reading.quantity: reading.value for reading in found.estimates()}
    assert readings["equal"]["InfoNCE"] == pytest.approx(math.log(64), abs=0.01)
    assert readings["independent"]["InfoNCE"] < 0
    assert readings["equal"]["DiME"] > 3 * abs(readings["independent"]["DiME"])


def test_orthonormal_views_have_dime_zero_as_pairing_does_not_matter() -> None:
    found = ViewMeasures().accumulator(dimensions=64)
    z = torch.eye(64, dtype=torch.float64)
    found.update(torch.stack([z, z], 1))
    assert found.estimates()[1].value == pytest.approx(0.0, abs=0.01)
