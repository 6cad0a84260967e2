"""Columns of any library mean the same: symbols, numbers, missing values, and what is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import scipy.sparse
import torch

from infoflow.core.columns import read
from infoflow.core.variable import complete
from infoflow.errors import InvalidArgument, TooFewSamples

WORDS = ["b", "a", "b", "c"]


@pytest.mark.parametrize(
    "column",
    [
        WORDS,
        np.array(WORDS),
        np.array(WORDS, dtype="S1"),
        np.array(WORDS, dtype=object),
        np.array(WORDS)[::-1][::-1],
        pd.Series(WORDS, index=[7, 3, 3, 0]),
        pd.Series(WORDS, dtype="category"),
        pd.Series(WORDS, dtype="string"),
        pd.Series(WORDS, dtype="string[pyarrow]"),
        pd.Categorical(WORDS),
        pd.Index(WORDS),
        pa.array(WORDS),
        pa.chunked_array([WORDS[:2], WORDS[2:]]),
        pa.array(WORDS).dictionary_encode(),
    ],
    ids=lambda column: f"{type(column).__name__}-{getattr(column, 'dtype', '')}",
)
def test_text_and_categories_are_symbols(column: Any) -> None:
    found = read(column, "x")
    assert found.symbolic
    assert found.codes.tolist() == [1, 0, 1, 2]


@pytest.mark.parametrize("dtype", ["bool", "boolean", "bool[pyarrow]", object])
def test_booleans_are_symbols(dtype: Any) -> None:
    assert read(pd.Series([True, False, True], dtype=dtype), "x").codes.tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([1, None, 3], dtype="Int64"),
        pd.Series([1, None, 3], dtype="int64[pyarrow]"),
        pd.Series([1.0, np.nan, 3.0]),
        pd.Series([Decimal(1), None, Decimal(3)], dtype=object),
        [1, None, 3],
        np.ma.masked_array([1, 9, 3], mask=[False, True, False]),
        np.array([1.0, np.nan, 3.0], dtype=">f8"),
        pa.array([1, None, 3]),
        torch.tensor([1.0, float("nan"), 3.0]),
    ],
    ids=lambda column: f"{type(column).__name__}-{getattr(column, 'dtype', '')}",
)
def test_numbers_with_a_missing_value(column: Any) -> None:
    found = read(column, "x")
    assert found.missing.tolist() == [False, True, False]
    (kept,), count = complete([found], "drop")
    assert count == 1
    assert kept.columns[:, 0].tolist() == [1.0, 3.0]


def test_read_only_and_reversed_arrays() -> None:
    values = np.arange(4.0)
    values.flags.writeable = False
    assert read(values[::-1], "x").columns[:, 0].tolist() == [3.0, 2.0, 1.0, 0.0]


def test_a_mixed_frame_is_one_variable() -> None:
    frame = pd.DataFrame({"size": [1.5, 2.5, None], "kind": WORDS[:3], "ok": [True, False, True]}, index=[5, 5, 1])
    found = read(frame, "x")
    assert found.mixed
    assert found.symbols.tolist() == [[1, 1], [0, 0], [1, 1]]
    assert found.missing.tolist() == [False, False, True]
    assert complete([found], "drop")[0][0].indicators.tolist() == [[1.5, 1.0, 1.0], [2.5, 0.0, 0.0]]


def test_symbols_are_farther_apart_than_any_two_numbers() -> None:
    frame = {"size": np.array([0.0, 1.0, 50.0, -3.0]), "kind": WORDS}
    spaced = read(frame, "x").spaced
    assert np.ptp(spaced[:, 0]) < np.diff(np.unique(spaced[:, 1])).min()


def test_a_tuple_of_arrays_is_columns_and_a_nested_tuple_is_rows() -> None:
    a, b = np.arange(3), np.arange(3) % 2
    assert read((a, b), "z").numbers.tolist() == [[0, 0], [1, 1], [2, 0]]
    assert read(((1, 2), (3, 4), (5, 6)), "z").numbers.shape == (3, 2)


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (pd.Series(pd.date_range("2020", periods=3)), "dates or times"),
        (np.array(["2020-01-01"], dtype="datetime64[D]"), "dates or times"),
        (pd.Series(pd.to_timedelta([1, 2], unit="D")), "dates or times"),
        (pd.Series(pd.period_range("2020", periods=2)), "dates or times"),
        ([pd.Timestamp("2020")] * 2, "dates or times"),
        (scipy.sparse.eye(3).tocsr(), "sparse"),
        (torch.eye(3).to_sparse(), "layout sparse"),
        (np.array([1j, 2]), "real numbers"),
        (pd.Series([[1], [2]]), "objects of type list"),
        ({}, "at least one column"),
        ({"a": [1.0], "b": [1.0, 2.0]}, "equal length"),
        (3.0, "a single number"),
    ],
)
def test_what_is_neither_is_refused_with_a_reason(column: Any, words: str) -> None:
    with pytest.raises(InvalidArgument, match=words):
        read(column, "x")


def test_missing_values_are_counted_and_the_first_is_named() -> None:
    x, y = read(np.array([[1.0, np.nan], [2, 3], [np.nan, 4]]), "x"), read(["a", None, "b"], "y")
    with pytest.raises(InvalidArgument, match=r"x must be finite, got 2 NaN values, the first at index \(0, 1\)"):
        complete([x, y])
    with pytest.raises(InvalidArgument, match="y must be without missing values, got 1 row .* row 1"):
        complete([y])
    with pytest.raises(TooFewSamples, match="all 3 rows"):
        complete([x, y], "drop")


def test_unequal_lengths() -> None:
    with pytest.raises(InvalidArgument, match="x and y must hold the same number of samples, got 2 and 3"):
        complete([read([1.0, 2.0], "x"), read([1, 2, 3], "y")])


def test_polars() -> None:
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(
        {
            "size": [1.5, None, 2.5],
            "kind": ["b", "a", "b"],
            "grade": polars.Series(["x", "y", "x"], dtype=polars.Categorical),
        }
    )
    found = read(frame, "x")
    assert found.missing.tolist() == [False, True, False]
    assert found.symbols.tolist() == [[1, 0], [0, 1], [1, 0]]
    assert read(frame["kind"], "x").codes.tolist() == [1, 0, 1]
    with pytest.raises(InvalidArgument, match="dates"):
        read(polars.Series([1, 2]).cast(polars.Datetime), "x")
