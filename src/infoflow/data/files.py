"""Arrays from a user's file: .npz, .npy, .csv or .parquet."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from infoflow.core.errors import BrokenStore, InvalidArgument, MissingData, UnknownName
from infoflow.data.csv_files import CsvFormat, read_csv
from infoflow.data.plain_csv import plain_columns

if TYPE_CHECKING:
    import pandas as pd

    Content = np.ndarray | pd.DataFrame | dict[str, np.ndarray] | tuple[str, ...]


class ArrayFile:
    """A file whose arrays or columns are read by name.

    Parameters
    ----------
    path
        File that ends in .npz, .npy, .csv or .parquet.
    csv
        Separator, decimal mark and encoding of a .csv.

    Raises
    ------
    MissingData
        If there is no such file.
    BrokenStore
        If it is damaged or does not have the format of its ending.
    InvalidArgument
        If it has another ending, or holds objects; `UnknownName` for a name that is not in it.

    Notes
    -----
    A selection is the name of an array (.npz); one or more column names, separated by commas, which give an array of
    shape (n, columns), or a column or table of pandas where some are no numbers (.csv, .parquet); or column numbers
    from 0 and slices, such as "0", "0:3" or "0,4", of the array flattened to two axes (.npy). Files are read without
    pickle.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "pairs.csv"
    >>> _ = path.write_text("a,b,label\\n0.5,1.5,0\\n2.5,3.5,1\\n")
    >>> ArrayFile(path)["a,b"].shape, ArrayFile(path)["label"].tolist()
    ((2, 2), [0, 1])
    """

    def __init__(self, path: str | Path, csv: CsvFormat | None = None) -> None:
        self.path = Path(path)
        csv = csv or CsvFormat()
        if not self.path.is_file():
            raise MissingData(f"no file {self.path}.")
        if self.path.suffix.lower() not in _ENDINGS:
            raise InvalidArgument("path", f"a file that ends in {', '.join(_ENDINGS)}", str(self.path))
        if csv != CsvFormat() and self.path.suffix.lower() != ".csv":
            raise InvalidArgument("csv", "omitted for a file that is no .csv", csv)
        try:
            self._content = _read(self.path, csv)
        except Exception as error:  # damaged bytes make the readers raise almost anything
            raise self._broken(error) from None

    @property
    def names(self) -> list[str]:
        """Names that can be selected."""
        if isinstance(self._content, np.ndarray):
            return [str(i) for i in range(self._content.shape[1])]
        return [str(name) for name in self._content]

    @property
    def table(self) -> pd.DataFrame:
        """All columns of a .csv or .parquet file, or of an .npy, which are named by their numbers."""
        if isinstance(self._content, tuple):
            raise InvalidArgument("path", "a file with columns: .csv, .parquet or .npy", str(self.path))
        import pandas as pd

        if isinstance(self._content, np.ndarray):
            return pd.DataFrame(self._content, columns=self.names)
        return pd.DataFrame(self._content) if isinstance(self._content, dict) else self._content

    def __getitem__(self, selection: str) -> Any:
        if isinstance(self._content, np.ndarray):
            columns = [self._content[:, i] for i in self._numbers(selection, self._content.shape[1])]
        elif isinstance(self._content, tuple):
            return self._member(self._known(selection, "array"))
        else:
            names = [selection] if selection in self._content else [part.strip() for part in selection.split(",")]
            known = [self._known(name, "column") for name in names]
            if isinstance(self._content, dict):
                return _side_by_side([self._content[name] for name in known])
            chosen = self._content[known]
            if not all(dtype.kind in "biuf" for dtype in chosen.dtypes):
                return chosen[known[0]] if len(known) == 1 else chosen
            columns = [np.asarray(chosen[name].to_numpy()) for name in known]
        return _side_by_side(columns)

    def _known(self, name: str, what: str) -> str:
        if name not in self.names:
            raise UnknownName(f"{what} of {self.path.name}", name, self.names)
        return name

    def _member(self, name: str) -> np.ndarray:
        # One by one, so that an array of objects in the same file does no harm.
        try:
            with self.path.open("rb") as file, np.lib.npyio.NpzFile(file, allow_pickle=False) as archive:
                array = archive[name]
        except Exception as error:
            raise self._broken(error, name) from None
        if not isinstance(array, np.ndarray):
            raise BrokenStore(f"{name!r} of {self.path.name} is not an array.")
        return array

    def _numbers(self, selection: str, width: int) -> list[int]:
        chosen: list[int] = []
        for part in (part.strip() for part in selection.split(",")):
            if not re.fullmatch(r"\d+|\d*:\d*", part):
                raise InvalidArgument(f"columns of {self.path.name}", "numbers from 0 or slices such as 0:3", selection)
            first, colon, last = part.partition(":")
            start = int(first or 0)
            stop = int(last or width) if colon else start + 1
            if not 0 <= start < stop <= width:
                raise InvalidArgument(f"columns of {self.path.name}", f"within its {width} columns", part)
            chosen.extend(range(start, stop))
        return chosen

    def _broken(self, error: Exception, name: str = "") -> BrokenStore | InvalidArgument:
        what = f"{name!r} of {self.path.name}" if name else str(self.path)
        if "allow_pickle" in str(error):
            return InvalidArgument(
                what, "numbers", got_text="objects", remedy="Objects are not unpickled, because that could run code."
            )
        reason = " ".join(str(error).split()) or type(error).__name__
        return BrokenStore(f"{what} cannot be read as {self.path.suffix}: {reason}")


def _side_by_side(columns: list[np.ndarray]) -> np.ndarray:
    return columns[0] if len(columns) == 1 else np.stack(columns, axis=1)


def _archive(path: Path) -> tuple[str, ...]:
    with path.open("rb") as file, np.lib.npyio.NpzFile(file, allow_pickle=False) as archive:
        return tuple(archive.files)


def _array(path: Path) -> np.ndarray:
    with path.open("rb") as file:
        array = np.lib.format.read_array(file, allow_pickle=False)
    if array.ndim == 0 or array.size == 0:
        raise ValueError(f"it holds no samples (shape {array.shape})")
    return array.reshape(len(array), -1)


def _parquet(path: Path) -> pd.DataFrame:
    import pandas as pd

    table = pd.read_parquet(path)
    table.columns = table.columns.map(str)  # pandas keeps numbers as names
    return table


def _read(path: Path, csv: CsvFormat) -> Content:
    suffix = path.suffix.lower()
    if suffix != ".csv":
        return _READERS[suffix](path)
    plain = plain_columns(path) if csv == CsvFormat() else None
    return read_csv(path, csv) if plain is None else plain


_READERS: dict[str, Callable[[Path], Content]] = {
    ".npz": _archive,
    ".npy": _array,
    ".parquet": _parquet,
}

_ENDINGS = (".npz", ".npy", ".csv", ".parquet")
