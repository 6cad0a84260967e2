"""A variable of n samples, of numbers, symbols or both, and how several are combined and freed of missing values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

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
    >>> from infoflow.core.columns import read
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
    >>> from infoflow.core.columns import read
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

    >>> from infoflow.core.columns import read
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
