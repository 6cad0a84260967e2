"""Arrays out of a user's file: .npz, .npy, .csv or .parquet."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from infoflow.errors import BrokenStore, InvalidArgument, MissingData, UnknownName

SUFFIXES = (".npz", ".npy", ".csv", ".parquet")


class ArrayFile:
    """A file whose arrays or columns are called by name.

    `.npz`: names of its arrays. `.csv`, `.parquet`: column names, several of them joined by commas into one array of
    shape (n, columns). `.npy`: column numbers or slices, such as "0", "0:3" or "0,4". Files are read without pickle.

    Raises MissingData (no such file), InvalidArgument (another suffix, text in a column), BrokenStore (damaged),
    UnknownName (a name that is not in the file).

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "pairs.csv"
    >>> _ = path.write_text("a,b,label\\n0.5,1.5,0\\n2.5,3.5,1\\n")
    >>> ArrayFile(path)["a,b"].shape, ArrayFile(path)["label"].tolist()
    ((2, 2), [0, 1])
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise MissingData(f"no file {self.path}")
        if self.path.suffix.lower() not in SUFFIXES:
            raise InvalidArgument(f"{self.path} ends in {self.path.suffix!r}; want one of {', '.join(SUFFIXES)}")
        try:
            self._content = self._read()
        except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
            reason = " ".join(str(error).split())
            raise BrokenStore(f"{self.path} can't be read as {self.path.suffix}: {reason}") from None

    @property
    def names(self) -> list[str]:
        """What can be asked for."""
        if isinstance(self._content, np.ndarray):
            return [str(i) for i in range(self._content.shape[1])]
        return [str(name) for name in self._content]

    def __getitem__(self, selection: str) -> np.ndarray:
        if isinstance(self._content, np.ndarray):
            columns = [self._content[:, i] for i in self._numbers(selection)]
        elif isinstance(self._content, dict):
            return self._content[self._known(selection)]
        else:
            names = [selection] if selection in self._content else [part.strip() for part in selection.split(",")]
            columns = [self._column(self._known(name)) for name in names]
        return columns[0] if len(columns) == 1 else np.stack(columns, axis=1)

    def _read(self) -> Any:
        match self.path.suffix.lower():
            case ".npz":
                with np.load(self.path, allow_pickle=False) as archive:
                    return {name: archive[name] for name in archive.files}
            case ".npy":
                array = np.load(self.path, allow_pickle=False)
                return array.reshape(len(array), -1) if array.ndim else array.reshape(1, 1)
            case ".csv":
                return pd.read_csv(self.path)
            case _:
                return pd.read_parquet(self.path)

    def _known(self, name: str) -> str:
        if name not in self._content:
            raise UnknownName(f"array of {self.path.name}", name, self.names)
        return name

    def _column(self, name: str) -> np.ndarray:
        column = self._content[name]
        if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_complex_dtype(column):
            raise InvalidArgument(f"column {name!r} of {self.path.name} holds {column.dtype}; want numbers")
        return np.asarray(column.to_numpy())

    def _numbers(self, selection: str) -> list[int]:
        width, chosen = self._content.shape[1], list[int]()
        for part in selection.split(","):
            first, colon, last = part.partition(":")
            try:
                start = int(first or 0)
                stop = int(last or width) if colon else start + 1
            except ValueError:
                raise InvalidArgument(
                    f"{selection!r} names no columns of {self.path.name}; want numbers or slices such as 0:3"
                ) from None
            if not 0 <= start < stop <= width:
                raise InvalidArgument(f"{part!r} is outside the {width} columns of {self.path.name}")
            chosen.extend(range(start, stop))
        return chosen
