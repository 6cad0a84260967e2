"""Columns of any table or array library become numbers and symbols, with their missing values counted.

Text, booleans and categories are symbols; numbers remain as they are. Functions that take samples read them here, so
that the same input means the same in all of them.
"""

from __future__ import annotations

import datetime
import decimal
import math
import numbers as kinds
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infoflow.core.arrays import numeric, real
from infoflow.core.errors import InvalidArgument
from infoflow.core.variable import Variable, beside


def read(value: Any, name: str) -> Variable:
    """Read an array, column, or table of n rows as one variable.

    Parameters
    ----------
    value
        Array or tensor of shape (n, ...), a column or table of pandas, polars or pyarrow, a masked array, a mapping of
        names to columns, or a tuple of arrays, which are columns side by side.
    name
        Name of the argument, for messages.

    Raises
    ------
    InvalidArgument
        For dates, sparse arrays, complex numbers, objects that are no symbols, and columns of different lengths.

    Examples
    --------
    >>> mixed = read({"height": [1.5, 1.8], "city": ["Rome", "Oslo"]}, "x")
    >>> mixed.numbers.tolist(), mixed.symbols.tolist()
    ([[1.5], [1.8]], [[1], [0]])
    """
    if isinstance(value, Variable):
        return replace(value, name=name)
    if isinstance(value, Tensor):
        return _numbers(real(value, name), name)
    parts = _members(value, name)
    if parts is not None:
        return beside([read(column, label) for label, column in parts], name)
    return _column(value, name)


def _members(value: Any, name: str) -> list[tuple[str, Any]] | None:
    """The columns of a table by name, or None for a single array or column."""
    pandas, polars = sys.modules.get("pandas"), sys.modules.get("polars")
    if pandas is not None and isinstance(value, pandas.DataFrame):
        plain = [isinstance(dtype, np.dtype) and dtype.kind in "iuf" for dtype in value.dtypes]
        if all(plain) and plain:
            return None
        found = [(f"{name}[{label!r}]", value.iloc[:, i]) for i, label in enumerate(value.columns)]
    elif polars is not None and isinstance(value, polars.DataFrame):
        found = [(f"{name}[{label!r}]", value.get_column(label)) for label in value.columns]
    elif hasattr(value, "column_names") and hasattr(value, "column"):  # pyarrow
        found = [(f"{name}[{label!r}]", value.column(i)) for i, label in enumerate(value.column_names)]
    elif isinstance(value, Mapping):
        found = [(f"{name}[{label!r}]", column) for label, column in value.items()]
    elif isinstance(value, tuple) and value and all(getattr(each, "shape", ()) for each in value):
        found = [(f"{name}[{i}]", column) for i, column in enumerate(value)]
    else:
        return None
    if not found:
        raise InvalidArgument(name, "a table with at least one column", got_text="none")
    return found


def _column(value: Any, name: str) -> Variable:
    """An array of numbers of any shape, or one column of symbols."""
    if type(value) is np.ndarray and value.dtype.kind in "iuf":
        return _numbers(numeric(value, name), name)  # without the time of importing pandas
    import pandas as pd

    if type(value).__module__.partition(".")[0] == "polars":
        value = value.cast(sys.modules["polars"].String) if str(value.dtype).startswith(("Cat", "Enum")) else value
        value = pd.Series(value.to_numpy())
    elif hasattr(value, "to_pandas") and not isinstance(value, pd.DataFrame):  # pyarrow
        value = value.to_pandas()
    mask = np.ma.getmaskarray(value) if isinstance(value, np.ma.MaskedArray) else None
    if mask is not None:
        value = np.ma.getdata(value)
    array = value if isinstance(value, np.ndarray) else None
    if array is None and isinstance(value, list | tuple):
        array = _as_array(value)
    dtype = getattr(value if array is None else array, "dtype", None)
    symbolic = (
        getattr(value if array is None else array, "ndim", 0) == 1
        and dtype is not None
        and not pd.api.types.is_complex_dtype(dtype)
        and (pd.api.types.is_bool_dtype(dtype) or not pd.api.types.is_numeric_dtype(dtype))
    )
    if not symbolic:
        plain = numeric(value if array is None else array, name)
        return _numbers(plain, name, mask)
    column = pd.Series(value if array is None else array).reset_index(drop=True)
    gone = np.asarray(column.isna()) | (False if mask is None else mask)
    return _symbols_or_numbers(column, name, gone, pd)


def _as_array(value: Sequence[Any]) -> NDArray[Any] | None:
    """A list of text or objects, such as None, as an array of objects; numbers and nested lists are left to NumPy."""
    if not value or any(isinstance(each, Sequence) and not isinstance(each, str | bytes) for each in value):
        return None
    if all(isinstance(each, kinds.Number) and not isinstance(each, bool) for each in value):
        return None
    if any(getattr(each, "ndim", 0) for each in value):
        return None
    array = np.empty(len(value), dtype=object)
    array[:] = list(value)
    return array


def _symbols_or_numbers(column: Any, name: str, gone: NDArray[np.bool_], pd: Any) -> Variable:
    dtype = column.dtype
    if pd.api.types.is_datetime64_any_dtype(dtype) or str(dtype).startswith(("timedelta", "period", "date", "time")):
        raise _dates(name, dtype)
    present = column[~gone]
    if pd.api.types.is_object_dtype(dtype):
        if all(isinstance(each, kinds.Real | decimal.Decimal) and not isinstance(each, bool) for each in present):
            values = np.full(len(column), np.nan)
            values[~gone] = [float(each) for each in present]
            whole = len(present) and all(isinstance(each, kinds.Integral) for each in present)
            return _numbers(values.astype(np.int64) if whole and not gone.any() else values, name, gone)
        if any(isinstance(each, datetime.date | datetime.timedelta | np.datetime64) for each in present):
            raise _dates(name, "object with dates")
        other = {type(each).__name__ for each in present if not isinstance(each, str | bytes | bool | int | float)}
        if other - {"bool_", "str_", "bytes_"} and not all(map(_is_symbol, present)):
            raise InvalidArgument(name, "numbers or symbols", got_text=f"objects of type {', '.join(sorted(other))}")
    labels, different = pd.factorize(np.asarray(present.astype(object)))
    rank = np.empty(len(different), dtype=np.int64)
    rank[sorted(range(len(different)), key=lambda i: str(different[i]))] = np.arange(len(different))
    codes = np.zeros(len(column), dtype=np.int64)
    codes[~gone] = rank[labels]
    return Variable(name, None, codes[:, None], gone)


def _is_symbol(value: Any) -> bool:
    return not isinstance(value, Sequence | Mapping | set | np.ndarray) or isinstance(value, str | bytes)


def _dates(name: str, dtype: object) -> InvalidArgument:
    return InvalidArgument(
        name,
        "numbers or symbols",
        got_text=f"dates or times (dtype {dtype})",
        remedy="Whether a date is a number, a weekday or a season depends on the question: convert it first.",
    )


def _numbers(values: Any, name: str, mask: NDArray[np.bool_] | None = None) -> Variable:
    if values.ndim == 0:
        raise InvalidArgument(name, "samples of shape (n, ...)", got_text="a single number")
    n = values.shape[0]
    gone = np.zeros(n, dtype=bool)
    if isinstance(values, Tensor):
        if values.is_floating_point() and values.numel() and not bool(torch.isfinite(values.sum())):
            gone = torch.isnan(values).reshape(n, -1).any(1).cpu().numpy()
    elif values.dtype.kind == "f" and values.size:
        with np.errstate(all="ignore"):
            suspicious = not np.isfinite(values.sum())
        if suspicious:
            gone = np.isnan(values).reshape(n, -1).any(1)
    if mask is not None:
        gone = gone | mask.reshape(n, math.prod(mask.shape[1:])).any(1)
    return Variable(name, values, np.empty((n, 0), dtype=np.int64), gone)
