"""Checks of inputs: what is accepted, what it becomes, and which argument an error names."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from infoflow.core import checks
from infoflow.errors import InvalidArgument, TooFewSamples

REAL = st.sampled_from(["float16", "float32", "float64", ">f4", ">f8", "int8", "uint8", "int64", "bool", "longdouble"])


@given(
    values=REAL.flatmap(
        lambda dtype: arrays.arrays(
            np.dtype(dtype),
            arrays.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4),
            elements={"allow_nan": False, "allow_infinity": False} if np.dtype(dtype).kind == "f" else None,
        )
    )
)
def test_samples_keep_their_values_in_rows(values: np.ndarray) -> None:
    with np.errstate(over="ignore"):
        exact = values.astype(np.float64)
    if not np.isfinite(exact).all():
        return
    tensor = checks.samples(values, "x", minimum=1, dtype=torch.float64)
    assert tensor.shape == (len(values), values[0].size)
    assert np.array_equal(tensor.numpy(), exact.reshape(len(values), -1))
    assert checks.samples(torch.from_numpy(exact), "x", minimum=1).equal(tensor)


@pytest.mark.parametrize(
    ("given_type", "result"),
    [
        (torch.float16, torch.float32),
        (torch.bfloat16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
        (torch.int64, torch.float64),
        (torch.bool, torch.float64),
    ],
)
def test_types_of_samples(given_type: torch.dtype, result: torch.dtype) -> None:
    assert checks.samples(torch.ones(3, 2).to(given_type), "x").dtype == result


def test_views_that_torch_cannot_take_are_copied() -> None:
    values = np.arange(6.0).reshape(3, 2)
    values.flags.writeable = False
    assert checks.samples(values[::-1], "x").tolist() == values[::-1].tolist()


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (3.0, InvalidArgument),
        (["a", "b"], InvalidArgument),
        ([[1.0], [1.0, 2.0]], InvalidArgument),
        (np.ones(3) * 1j, InvalidArgument),
        (torch.ones(3, dtype=torch.complex64), InvalidArgument),
        ([None, 1.0], InvalidArgument),
        (np.ones((3, 0)), InvalidArgument),
        ([1.0], TooFewSamples),
        ([], TooFewSamples),
        ([0.0, math.nan], InvalidArgument),
        ([0.0, -math.inf], InvalidArgument),
    ],
)
def test_what_is_no_samples_is_named(value: Any, error: type[InvalidArgument]) -> None:
    with pytest.raises(error, match=r"^weights must be") as raised:
        checks.samples(value, "weights")
    assert raised.value.argument == "weights"


def test_the_first_fault_is_located() -> None:
    values = torch.zeros(3, 2)
    values[1, 1] = values[2, 0] = math.inf
    with pytest.raises(InvalidArgument, match=r"got 2 infinite values, the first at index \(1, 1\)"):
        checks.finite(values, "x")


def test_finite_numbers_whose_sum_overflows_are_finite() -> None:
    checks.finite(torch.full((4,), 1e308, dtype=torch.float64), "x")


@given(exponent=st.integers(-300, 300))
def test_squarable_numbers_have_squares_in_float64(exponent: int) -> None:
    values = torch.tensor([10.0**exponent, 0.0], dtype=torch.float64)
    if -150 <= exponent <= 150:
        assert checks.squarable(values, "x") is values
        assert 0 < float(values[0] ** 2) < math.inf
    elif abs(exponent) > 150:
        with pytest.raises(InvalidArgument, match=r"^x must be .* in magnitude"):
            checks.squarable(values, "x")


def test_zeros_are_squarable() -> None:
    checks.squarable(torch.zeros(3), "x")
    checks.squarable(torch.tensor([1e-200], dtype=torch.float64), "x", least=0.0)


@given(labels=st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=20))
def test_codes_follow_the_order_of_the_labels(labels: list[int]) -> None:
    codes, count = checks.classes(labels, "y")
    known = sorted(set(labels))
    assert codes.tolist() == [known.index(label) for label in labels]
    assert count == len(known)
    assert checks.is_classes(labels)


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ([0.5, 1.0], InvalidArgument),
        ([[0, 1], [1, 0]], InvalidArgument),
        ([["a"]], InvalidArgument),
        (3, InvalidArgument),
        (np.zeros(0, int), TooFewSamples),
    ],
)
def test_what_is_no_classes_is_named(value: Any, error: type[InvalidArgument]) -> None:
    with pytest.raises(error, match=r"^y must be") as raised:
        checks.classes(value, "y")
    assert raised.value.argument == "y"


def test_a_column_of_booleans_is_classes() -> None:
    assert checks.classes(np.array([[True], [False]]), "y")[0].tolist() == [1, 0]
    assert checks.is_classes(torch.tensor([[True], [False]]))
    assert not checks.is_classes([[0], [0, 1]])


def test_pairs_have_equal_lengths() -> None:
    checks.paired(torch.zeros(3, 2), torch.zeros(3))
    with pytest.raises(InvalidArgument, match=r"^train and test must hold the same number of samples, got 3 and 2"):
        checks.paired(torch.zeros(3), torch.zeros(2), "train", "test")
