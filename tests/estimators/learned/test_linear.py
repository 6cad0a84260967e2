"""The linear Gaussian model that densities are relative to."""

from __future__ import annotations

import math

import pytest
import torch

from infoflow.estimators.learned.densities.linear import fit_linear_gaussian


@pytest.mark.parametrize("scale", [1.0, 1e-7])
def test_columns_that_repeat_each_other_do_not_stop_the_fit(scale: float) -> None:
    x = torch.randn(200, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    y = x + torch.randn(200, 1, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    columns = torch.cat([x, x, scale * x, 0 * x], dim=1)
    found = fit_linear_gaussian(columns[:100], y[:100], columns[100:], y[100:])
    expected = -0.5 * math.log(2 * math.pi * math.e)  # the noise is standard normal
    assert float(found.log_density(columns[100:], y[100:]).mean()) == pytest.approx(expected, abs=0.2)


def test_constant_columns_carry_nothing() -> None:
    y = torch.randn(100, 1, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    nothing = torch.zeros(100, 2, dtype=torch.float64)
    assert not bool(fit_linear_gaussian(nothing, y, nothing, y).weights.any())


def test_more_columns_than_rows_give_a_ridge_regression() -> None:
    generator = torch.Generator().manual_seed(0)
    y, noise = (torch.randn(80, size, generator=generator, dtype=torch.float64) for size in (2, 90))
    x = y @ torch.randn(2, 90, generator=generator, dtype=torch.float64) + 0.1 * noise
    fit = slice(60)
    weights = fit_linear_gaussian(x[fit], y[fit], x[60:], y[60:]).weights
    assert bool(weights.any())
    centered, target = (each[fit] - each[fit].mean(0) for each in (x, y))
    gram, cross = centered.mT @ centered / 60, centered.mT @ target / 60
    penalties = [0.03, 0.3, 3.0]
    errors = [float((gram @ weights + c * gram.diagonal().mean() * weights - cross).abs().max()) for c in penalties]
    assert min(errors) < 1e-12  # the normal equations of one of the penalties that are tried
