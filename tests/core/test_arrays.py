"""What becomes an array of real numbers, in which type, and what the error of all else states."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch

from infoflow.core import checks
from infoflow.core.arrays import numeric, real
from infoflow.errors import InvalidArgument


def _values(count: int) -> Any:
    yield from range(count)


@pytest.mark.parametrize("dtype", ["<i8", ">i8", ">f4", ">f8", "float16", "bool", "uint8", "uint64"])
@pytest.mark.parametrize("layout", ["plain", "backwards", "Fortran", "read-only", "strided"])
def test_any_layout_and_byte_order(dtype: str, layout: str) -> None:
    values = (np.arange(24).reshape(6, 4) % 7).astype(dtype)
    if layout == "backwards":
        values = values[::-1, ::-1]
    elif layout == "Fortran":
        values = np.asfortranarray(values)
    elif layout == "read-only":
        values.flags.writeable = False
    elif layout == "strided":
        values = values[::2]
    assert real(values, "x").tolist() == values.tolist()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (pd.Series([1, 2, 3], dtype="Int64"), torch.int64),
        (pd.Series([True, False, True], dtype="boolean"), torch.bool),
        (pd.Series([1.5, 2.0, 3.0], dtype="Float32"), torch.float32),
        (pd.DataFrame({"a": [1.5, 2.0], "b": [True, False]}), torch.float64),
        (pd.DataFrame({"a": [1, 2], "b": [3, 4]}, dtype="Int64"), torch.int64),
        (pd.DataFrame({"a": [1, 2], "b": [0.5, 4]}), torch.float64),
        (pd.Index([3, 1]), torch.int64),
    ],
)
def test_columns_of_pandas_are_the_numbers_that_they_hold(value: Any, expected: torch.dtype) -> None:
    tensor = real(value, "x")
    assert tensor.dtype == expected
    assert tensor.double().tolist() == np.asarray(value).astype(float).tolist()


def test_missing_values_of_pandas_are_named_as_those_of_numpy() -> None:
    with pytest.raises(InvalidArgument, match="^x must be finite, got 1 NaN"):
        checks.samples(pd.Series([1, None, 3], dtype="Int64"), "x")


def test_nullable_integers_are_classes() -> None:
    labels = pd.Series([3, 1, 3], dtype="Int64")
    assert checks.is_classes(labels)
    assert checks.classes(labels, "y")[0].tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (_values(3), r"got a generator\. Convert it to a list first"),
        (iter([1.0, 2.0]), "Convert it to a list first"),
        ({"a": 1.0}, "got a dict"),
        ({1.0, 2.0}, "got a set"),
        (scipy.sparse.csr_matrix(np.eye(3)), r"sparse csr_matrix\. Convert it with \.toarray\(\)"),
        (torch.eye(3).to_sparse(), r"layout sparse_coo\. Convert it with \.to_dense\(\)"),
        (torch.zeros(3, device="meta"), "meta device"),
        (torch.ones(3, dtype=torch.complex64), "complex64"),
        (np.array(["a", "b"]), r"got text \(dtype <U1\)\. Convert class labels to integer codes"),
        (np.array(["a", "b"], dtype=object), "got dtype object. Convert class labels to integer codes"),
        (pd.Series(["a", "b"], dtype="category"), "got dtype category. Convert class labels to integer codes"),
        (pd.Series(["a", "b"], dtype="string"), "Convert class labels to integer codes"),
        (np.zeros(3, dtype="datetime64[s]"), "Convert dates to numbers"),
        (np.ma.masked_array([1.0, 2.0], mask=[True, False]), "1 masked entries"),
        (None, "got a NoneType"),
        (object(), "got a object"),
        ([[1.0], [1.0, 2.0]], "a rectangular array"),
    ],
)
def test_what_is_no_array_of_numbers_is_named_with_a_remedy(value: Any, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message) as raised:
        real(value, "weights")
    assert raised.value.argument == "weights"
    assert "\n" not in str(raised.value)
    assert not checks.is_classes(value) or isinstance(value, torch.Tensor)


def test_an_array_that_masks_nothing_is_an_array() -> None:
    assert numeric(np.ma.masked_array([1.0, 2.0]), "x").tolist() == [1.0, 2.0]


def test_negative_views_of_torch_are_resolved() -> None:
    values = torch.tensor([1 + 2j, 3 - 4j]).conj().imag
    assert values.is_neg()
    assert real(values, "x").numpy().tolist() == [-2.0, 4.0]
