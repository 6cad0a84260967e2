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
