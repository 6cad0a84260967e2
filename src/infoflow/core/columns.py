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
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infoflow.core.arrays import numeric, real
from infoflow.core.checks import finite
from infoflow.core.errors import InvalidArgument, TooFewSamples

Missing = Literal["raise", "drop"]


@dataclass(frozen=True)
class Variable:
    """One variable of n samples, which holds numbers, symbols, or both side by side.

    Parameters
    ----------
    name
        Name of the argument or column, for messages.
    numbers : array or tensor of shape (n, ...), or None
        Numbers, as they were given.
    symbols : numpy.ndarray of shape (n, s)
        Codes 0, 1, ... of s columns of symbols.
    missing : numpy.ndarray of shape (n,)
        Which samples have a missing value.

    Examples
    --------
    >>> read(["b", "a", None], "x").symbols[:2].tolist(), read(["b", "a", None], "x").missing.tolist()
    ([[1], [0]], [False, False, True])
    """

    name: str
    numbers: Any
    symbols: NDArray[np.int64]
    missing: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.missing)

    @property
    def symbolic(self) -> bool:
        """Whether there are symbols only."""
        return self.numbers is None

    @property
    def mixed(self) -> bool:
        """Whether there are numbers and symbols."""
        return self.numbers is not None and self.symbols.shape[1] > 0

    @property
    def codes(self) -> NDArray[np.int64]:
        """One code (n,) for each different row of symbols."""
        return _joint(self.symbols)

    @property
    def columns(self) -> NDArray[np.float64]:
        """The numbers as columns (n, d), none where there are symbols only."""
        if self.numbers is None:
            return np.empty((len(self), 0))
        values = self.numbers.cpu().numpy() if isinstance(self.numbers, Tensor) else self.numbers
        return np.asarray(values, dtype=np.float64).reshape(len(self), -1)

    @property
    def values(self) -> Any:
        """The samples as estimators take them: numbers as they are, symbols as codes (n,); see `spaced` for both."""
        return self.codes if self.symbolic else self.spaced if self.mixed else self.numbers

    @property
    def spaced(self) -> NDArray[np.float64]:
        """Standardized numbers, and codes so far apart that different symbols are farther than any two numbers."""
        columns = self.columns
        deviation = columns.std(axis=0)
        columns = (columns - columns.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)
        step = 4.0 * max(1.0, float(np.ptp(columns, axis=0).max(initial=0.0)))
        return np.concatenate([columns, step * self.symbols], axis=1)

    @property
    def indicators(self) -> NDArray[np.float64]:
        """The numbers, and for each symbol but the first of its column an indicator."""
        columns = [self.columns]
        for codes in self.symbols.T:
            columns.append((codes[:, None] == np.unique(codes)[None, 1:]).astype(np.float64))
        return np.concatenate(columns, axis=1)

    def take(self, rows: NDArray[Any]) -> Variable:
        """The samples of these rows (indices or a mask)."""
        chosen = self.numbers
        if isinstance(chosen, Tensor):
            chosen = chosen[torch.from_numpy(rows).to(chosen.device)]
        elif chosen is not None:
            chosen = chosen[rows]
        return replace(self, numbers=chosen, symbols=self.symbols[rows], missing=self.missing[rows])


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


def complete(variables: Sequence[Variable], missing: Missing = "raise") -> tuple[list[Variable], int]:
    """Variables of equal length without missing values, and how many rows were dropped.

    Parameters
    ----------
    variables
        Variables of the same samples.
    missing
        "raise" raises an error that names the first missing value, "drop" leaves out rows with one.

    Raises
    ------
    InvalidArgument
        If lengths differ, or values are missing and `missing` is "raise".
    TooFewSamples
        If no row remains.

    Examples
    --------
    >>> x, y = read([1.0, None, 3.0], "x"), read(["a", "b", "a"], "y")
    >>> complete([x, y], "drop")[1]
    1
    """
    first = variables[0]
    for other in variables[1:]:
        if len(other) != len(first):
            raise InvalidArgument(
                f"{first.name} and {other.name} must hold the same number of samples, "
                f"got {len(first)} and {len(other)}."
            )
    bad = np.logical_or.reduce([variable.missing for variable in variables])
    if not bad.any():
        return list(variables), 0
    if missing == "raise":
        raise _incomplete(next(variable for variable in variables if variable.missing.any()))
    if bad.all():
        names = ", ".join(variable.name for variable in variables)
        raise TooFewSamples(names, "complete in at least one row", got_text=f"missing values in all {len(bad)} rows")
    return [variable.take(~bad) for variable in variables], int(bad.sum())


def dropped(count: int, total: int) -> tuple[str, ...]:
    """The warning for rows that were left out, or nothing.

    >>> dropped(1, 10)
    ('1 of 10 rows had missing values and was left out, so the estimate covers complete rows only',)
    """
    if not count:
        return ()
    was = "was" if count == 1 else "were"
    return (
        f"{count} of {total} rows had missing values and {was} left out, so the estimate covers complete rows only",
    )


def beside(variables: Sequence[Variable], name: str) -> Variable:
    """Several variables side by side, as one.

    >>> beside([read([1, 2], "a"), read([3, 4], "b")], "x").numbers.tolist()
    [[1, 3], [2, 4]]
    """
    lengths = {len(variable) for variable in variables}
    if len(lengths) != 1:
        raise InvalidArgument(name, "columns of equal length", got_text=f"lengths {sorted(lengths)}")
    n = lengths.pop()
    parts = [each.numbers for each in variables if each.numbers is not None]
    joined: Any = None
    if len(parts) == 1 and isinstance(parts[0], Tensor):
        joined = parts[0]
    elif parts:
        arrays = [part.cpu().numpy() if isinstance(part, Tensor) else np.asarray(part) for part in parts]
        joined = np.concatenate([array.reshape(n, -1) for array in arrays], axis=1)
    symbols = np.concatenate([each.symbols for each in variables], axis=1)
    return Variable(name, joined, symbols, np.logical_or.reduce([each.missing for each in variables]))


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


def _incomplete(variable: Variable) -> InvalidArgument:
    if variable.numbers is not None and not variable.mixed:
        try:
            finite(torch.from_numpy(variable.columns.copy()), variable.name)
        except InvalidArgument as error:
            return InvalidArgument(f"{error} Use missing='drop' to leave such rows out.")
    count, row = int(variable.missing.sum()), int(np.argmax(variable.missing))
    return InvalidArgument(
        variable.name,
        "without missing values",
        got_text=f"{count} row{'s' * (count > 1)} with one, the first of them row {row}",
        remedy="Use missing='drop' to leave such rows out.",
    )


def _joint(symbols: NDArray[np.int64]) -> NDArray[np.int64]:
    if symbols.shape[1] == 1:
        return np.unique(symbols[:, 0], return_inverse=True)[1].astype(np.int64)
    return np.unique(symbols, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
