"""The elliptical model where radii carry nothing."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from infoflow.estimators import create


@pytest.mark.parametrize("copula", [True, False])
def test_a_radius_that_is_the_same_everywhere_adds_nothing_to_the_gaussian(copula: bool) -> None:
    """A whitened column of two values that are as frequent has one radius."""
    noise = np.random.default_rng(0).normal(size=(100, 1))
    x = np.tile([-1.0, 1.0], 50)[:, None]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = create("elliptical", copula=copula).estimate(x, x + noise)
    reference = create("gaussian", copula=copula).estimate(x, x + noise)
    assert found.nats == pytest.approx(reference.nats, abs=0.05)
