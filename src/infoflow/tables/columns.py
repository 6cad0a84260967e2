"""A table of any library, read column by column."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from infoflow.core.columns import read
from infoflow.core.errors import InvalidArgument, MissingData, UnknownName
from infoflow.core.variable import Variable


@dataclass(frozen=True)
class Table:
    """Named columns that are read on use, so that a file larger than memory can be used."""

    names: tuple[Any, ...]
    column: Callable[[int], Any]
    in_memory: bool = True

    def __post_init__(self) -> None:
        repeated = sorted({str(name) for name in self.names if self.names.count(name) > 1})
        if repeated:
            raise InvalidArgument("table", "a table of unique column names", got_text=f"{', '.join(repeated)} twice")

    def read(self, name: Any) -> Variable:
        """The column of that name."""
        return read(self.column(self.position(name)), f"column {name!r}")

    def only(self, name: Any) -> Table:
        """The table that another process needs to read this column: the column alone, or the file."""
        if not self.in_memory:
            return self
        held = self.column(self.position(name))
        return Table((name,), lambda _: held)

    def position(self, name: Any) -> int:
        """The position of a column, or UnknownName with the nearest name."""
        if name in self.names:
            return self.names.index(name)
        raise UnknownName("column", name, map(str, self.names))


def table_of(table: Any) -> Table:
    """The columns of a table of pandas, polars or pyarrow, a mapping, an array (n, d), or a Parquet file.

    >>> table_of({"a": [1, 2], "b": [3, 4]}).names
    ('a', 'b')
    """
    if isinstance(table, str | Path):
        return _parquet(Path(table))
    if isinstance(table, Mapping):
        names = tuple(table)
        return Table(names, lambda i: table[names[i]])
    if hasattr(table, "column_names") and hasattr(table, "column"):  # pyarrow
        members = _without_index(table.column_names, getattr(table.schema, "pandas_metadata", None))
        return Table(members, lambda i: table.column(table.column_names.index(members[i])))
    if hasattr(table, "iloc") and hasattr(table, "columns"):  # pandas; repeated names are distinct positions
        return Table(tuple(table.columns), lambda i: table.iloc[:, i])
    if hasattr(table, "get_column"):  # polars
        return Table(tuple(table.columns), lambda i: table.get_column(table.columns[i]))
    array = table if hasattr(table, "shape") else np.asarray(table)
    if len(getattr(array, "shape", ())) != 2 or hasattr(array, "nnz"):
        raise InvalidArgument("table", "a table of columns, an array of shape (n, d) or a Parquet file", table)
    return Table(tuple(range(array.shape[1])), lambda i: array[:, i])


def target_of(table: Table, target: Any) -> tuple[Variable, tuple[Any, ...]]:
    """The target, a column's name or values of its own, and the names of the other columns."""
    named = isinstance(target, str | int | np.integer) or (isinstance(target, tuple) and target in table.names)
    if not named:
        return read(target, "target"), table.names
    return table.read(target), tuple(name for name in table.names if name != target)


def chosen_names(table: Table, columns: Sequence[Any] | None) -> tuple[Any, ...]:
    """Names of all columns, or the given ones, which must exist and differ."""
    if columns is None:
        return table.names
    for name in columns:
        table.position(name)
    repeated = [name for i, name in enumerate(columns) if name in columns[:i]]
    if repeated:
        raise InvalidArgument("columns", "different names", got_text=f"{repeated[0]!r} twice")
    return tuple(columns)


def check_length(variable: Variable, other: Variable) -> None:
    """Raise an error for variables of different lengths, which is no property of one column alone."""
    if len(variable) != len(other):
        raise InvalidArgument(
            f"{variable.name} and {other.name} must hold the same number of samples, "
            f"got {len(variable)} and {len(other)}."
        )


def _parquet(path: Path) -> Table:
    if not path.is_file():
        raise MissingData(f"no file {path}.")
    import pyarrow
    import pyarrow.parquet

    def intact(read: Callable[[], Any]) -> Any:
        try:
            return read()
        except (pyarrow.ArrowException, OSError, ValueError, RecursionError) as error:
            raise InvalidArgument("table", "a Parquet file", str(path), remedy=str(error).split("\n")[0]) from None

    file = intact(lambda: pyarrow.parquet.ParquetFile(path))
    pandas = intact(lambda: file.schema_arrow.pandas_metadata)
    names, metadata = _without_index(file.schema_arrow.names, pandas), file.metadata
    file.close()

    def column(i: int) -> Any:
        # The metadata of a thousand columns take longer to parse than one column to read.
        with intact(lambda: pyarrow.parquet.ParquetFile(path, metadata=metadata)) as again:
            return intact(lambda: again.read(columns=[names[i]])).column(names[i])

    return Table(names, column, in_memory=False)


def _without_index(names: Sequence[Any], pandas: Any) -> tuple[Any, ...]:
    """Names of columns but those in which pandas stored the index of a frame, by the metadata of a file."""
    index = pandas.get("index_columns") if isinstance(pandas, dict) else None
    if not isinstance(index, list):
        return tuple(names)
    return tuple(name for name in names if name not in index)
