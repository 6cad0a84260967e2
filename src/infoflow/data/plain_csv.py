"""Small CSV files that hold nothing but numbers, which are read without the time of importing pandas."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

# Larger files take longer to read than pandas takes to import.
_LARGEST = 1 << 20

_INTEGER = re.compile(r"-?[0-9]{1,18}")
_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]*)?([eE][+-]?[0-9]{1,4})?")


def plain_columns(path: Path) -> dict[str, np.ndarray] | None:
    """The columns of a small file of numbers, or None where it holds anything else or is ambiguous.

    Parameters
    ----------
    path
        File of fields that commas separate, in UTF-8.

    Returns
    -------
    dict of str to ndarray of shape (n,), or None
        int64 where all fields are integers, otherwise float64. None for text, missing values, quotes, blank lines,
        rows of another length than the header, repeated or unusual names, and large files.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "d.csv"
    >>> _ = path.write_text("a,b\\n1,0.5\\n2,1\\n")
    >>> plain_columns(path)
    {'a': array([1, 2]), 'b': array([0.5, 1. ])}
    """
    if path.stat().st_size > _LARGEST:
        return None
    try:
        header, *rows = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except UnicodeError:
        return None
    names = header.split(",")
    if not rows or len(set(names)) < len(names) or not all(name.isidentifier() for name in names):
        return None
    fields = [row.split(",") for row in rows]
    if any(len(row) != len(names) for row in fields):
        return None
    columns = [_column(texts) for texts in zip(*fields, strict=True)]
    found = {name: column for name, column in zip(names, columns, strict=True) if column is not None}
    return found if len(found) == len(names) else None


def _column(texts: tuple[str, ...]) -> np.ndarray | None:
    """The numbers of the fields, or None where one is none."""
    if all(map(_INTEGER.fullmatch, texts)):
        return np.array([int(text) for text in texts], dtype=np.int64)
    if all(map(_NUMBER.fullmatch, texts)):
        values = np.array([float(text) for text in texts])
        return values if np.isfinite(values).all() else None
    return None
