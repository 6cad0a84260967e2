"""Tables in CSV files, whose separator, decimal mark and encoding differ by country and program."""

from __future__ import annotations

import codecs
import csv
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

# Separators that a header is searched for where the stated one does not occur in it.
_OTHERS = (";", "\t", "|", ",")

# First bytes of files that are no text: Parquet, and the ZIP archives of NumPy and Excel.
_PARQUET, _ARCHIVE = b"PAR1", b"PK\x03\x04"

# Text is a symbol without doubt where each value occurs at least so often on average.
_OCCURRENCES = 4


@dataclass(frozen=True)
class CsvFormat(Settings):
    r"""How a CSV file is written; names are those of pandas.

    Parameters
    ----------
    sep
        Character between fields; "\\t", as a shell passes it, is a tab.
    decimal
        Decimal mark.
    encoding
        Encoding of the text; a byte order mark is ignored.

    Raises
    ------
    InvalidArgument
        If the separator is not one character or equals the decimal mark, or the encoding is unknown.

    Examples
    --------
    >>> CsvFormat(sep=";", decimal=",").decimal
    ','
    """

    sep: str = ","
    decimal: Literal[".", ","] = "."
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sep == r"\t":
            object.__setattr__(self, "sep", "\t")
        if len(self.sep) != 1 or self.sep in "\"'\r\n" or self.sep == self.decimal:
            raise InvalidArgument("sep", "one character other than the decimal mark, quotes and ends of line", self.sep)
        try:
            known = codecs.lookup(self.encoding).name
        except LookupError:
            raise InvalidArgument("encoding", "an encoding such as 'utf-8' or 'cp1252'", self.encoding) from None
        if known == "utf-8":
            object.__setattr__(self, "encoding", "utf-8-sig")


def read_csv(path: Path, form: CsvFormat) -> pd.DataFrame:
    """The table of a CSV file.

    Raises
    ------
    ValueError
        If rows have more fields than the header, the header repeats a name, or the file has another format than stated.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "d.csv"
    >>> _ = path.write_text("a;b\\n1,5;x\\n")
    >>> read_csv(path, CsvFormat(sep=";", decimal=",")).to_dict("list")
    {'a': [1.5], 'b': ['x']}
    """
    import pandas as pd

    with path.open("rb") as file:
        if file.read(len(_PARQUET)).startswith((_PARQUET, _ARCHIVE)):
            raise ValueError("it is a Parquet file or an archive such as .npz and .xlsx, not text")
    try:
        with path.open(encoding=form.encoding, newline="") as file:
            names = next(csv.reader(file, delimiter=form.sep), [])
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"its header repeats {', '.join(map(repr, repeated))}")
        found = [other for other in _OTHERS if len(names) == 1 and other in names[0]]
        if found:
            raise ValueError(f"its header has one column, {names[0]!r}; set sep={found[0]!r} if it separates columns")
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            # Without index_col=False the first of too many fields would become an index, and all columns shift.
            table = pd.read_csv(path, index_col=False, sep=form.sep, decimal=form.decimal, encoding=form.encoding)
    except pd.errors.ParserWarning:
        raise ValueError("rows have more fields than its header has names") from None
    except UnicodeError as error:
        raise ValueError(f"{error}; set its encoding, such as encoding='cp1252'") from None
    other = "." if form.decimal == "," else ","
    for name in table:
        if table[name].dtype.kind not in "biuf" and _has_decimals(table[name], other):
            raise ValueError(f"column {str(name)!r} has numbers with the decimal mark {other!r}; set decimal={other!r}")
    return table


def _has_decimals(column: pd.Series, mark: str) -> bool:
    """Whether all values are numbers, some with such a mark, and too many differ for them to be lists such as "1,3"."""
    present = column.dropna().astype(str).str.strip()
    if _OCCURRENCES * present.nunique() <= len(present) or not present.str.contains(mark, regex=False).any():
        return False
    return bool(present.str.fullmatch(rf"[+-]?\d+(\{mark}\d+)?([eE][+-]?\d+)?").all())
