"""Exponentials and their sums against NumPy and SciPy, at any range of values."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import logsumexp

from infoflow.pairwise.exponentials import kernel_values_, row_log_sums

VALUES = arrays(
    np.float64, (3, 7), elements=st.floats(-1e6, 1e6) | st.floats(-1.0, 1.0) | st.just(-math.inf) | st.just(0.0)
)


@given(VALUES)
def test_sums_are_scipys(values: np.ndarray) -> None:
    found = row_log_sums(torch.from_numpy(values)).numpy()
    np.testing.assert_allclose(found, logsumexp(values, axis=1), rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("spread", [1e-3, 1.0, 80.0, 1e4])
def test_terms_that_are_raised_change_no_sum(dtype: torch.dtype, spread: float) -> None:
    generator = torch.Generator().manual_seed(0)
    values = -spread * torch.randn(50, 2000, generator=generator, dtype=dtype).square()
    expected = torch.from_numpy(logsumexp(values.double().numpy(), axis=1))
    torch.testing.assert_close(row_log_sums(values).double(), expected, rtol=1e-6, atol=1e-6)


def test_infinities_and_nan_are_those_of_torch() -> None:
    inf, nan = math.inf, math.nan
    values = torch.tensor([[-inf, -inf], [inf, 0.0], [inf, -inf], [nan, 0.0], [nan, inf], [-inf, 3.0]])
    torch.testing.assert_close(row_log_sums(values), values.logsumexp(-1), equal_nan=True)


def test_values_are_left_as_they_are() -> None:
    values = torch.tensor([[0.0, -1e4]], dtype=torch.float64, requires_grad=True)
    found = row_log_sums(values)
    assert values.tolist() == [[0.0, -1e4]]
    assert not found.requires_grad


@given(arrays(np.float64, 9, elements=st.floats(-1e9, 1e-6)))
def test_kernel_values_are_exponentials_but_for_the_smallest(exponents: np.ndarray) -> None:
    values = torch.from_numpy(exponents.copy())
    found = kernel_values_(values)
    assert found.data_ptr() == values.data_ptr()
    np.testing.assert_allclose(found.numpy(), np.exp(np.minimum(exponents, 0.0)), rtol=1e-14, atol=1e-130)
    assert float(found.square().min()) > np.finfo(np.float64).tiny
