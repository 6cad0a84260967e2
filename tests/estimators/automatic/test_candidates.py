"""Candidates of several pairs of columns against those of each pair alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from infoflow.estimators.automatic.candidates import gaussian, of_lines
from infoflow.estimators.neighbors.ksg import KSG


@pytest.mark.parametrize("n", [9, 60, 400])
def test_pairs_of_columns_give_together_what_each_gives_alone(n: int) -> None:
    rng = np.random.default_rng(n)
    x, noise = torch.from_numpy(rng.normal(size=(2, n, 1)))
    draws = [(x, x + noise), (x.exp(), noise), (noise, noise), (x.round(decimals=1), x.square() + 0.1 * noise)]
    for (left, right), made in zip(draws, of_lines(draws), strict=True):
        alone = gaussian(left, right)
        assert (alone is not None) == (made[0].neighbors is None)
        if alone is not None:
            model = made.pop(0)
            assert model.estimator == alone.estimator
            np.testing.assert_allclose(model.terms, alone.terms, rtol=1e-10, atol=1e-12)
        for each in made:
            assert isinstance(each.estimator, KSG)
            expected = each.estimator.pointwise(left, right)
            np.testing.assert_allclose(each.terms, expected, rtol=1e-12, atol=1e-12, err_msg=each.name)
