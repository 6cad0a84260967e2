"""Reader of IDX files, the format of MNIST and Fashion-MNIST."""

from __future__ import annotations

import gzip
import hashlib
import math
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from infoflow.core.errors import BrokenStore, MissingData

_UNSIGNED_BYTE = 0x08

# What NumPy 1 can hold.
_MOST_AXES = 32


def read_idx(path: Path, *, md5: str | None = None) -> np.ndarray[Any, Any]:
    """Read the array of unsigned bytes in an IDX file.

    Parameters
    ----------
    path
        The file, gzip-compressed if its name ends in `.gz`.
    md5
        Checksum (hex) of the unpacked file, compared if given.

    Returns
    -------
    ndarray
        The array, uint8, read-only.

    Raises
    ------
    MissingData
        If there is no such file.
    BrokenStore
        If it is not IDX, too short or too long, or its checksum differs.

    Notes
    -----
    The format is two zero bytes, a type code (8), the number of axes, the length of each axis as a big-endian 32-bit
    integer, then the values.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "two-idx1-ubyte"
    >>> _ = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]))
    >>> read_idx(path).tolist()
    [7, 9]
    """
    content = _content(path)
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != _UNSIGNED_BYTE or content[3] == 0:
        raise BrokenStore(f"{path} is not an IDX file of bytes: it begins with {content[:4].hex(' ') or 'nothing'}.")
    if content[3] > _MOST_AXES:
        raise BrokenStore(f"{path} is damaged: its header has {content[3]} axes, more than {_MOST_AXES}.")
    header = 4 + 4 * content[3]
    if len(content) < header:
        raise BrokenStore(f"{path} is damaged: it holds {len(content)} bytes, but its header alone has {header}.")
    shape = struct.unpack(f">{content[3]}I", content[4:header])
    if len(content) != header + math.prod(shape):
        raise BrokenStore(
            f"{path} is damaged: it holds {len(content)} bytes, "
            f"but shape {shape} in its header requires {header + math.prod(shape)}."
        )
    if md5 is not None and (found := hashlib.md5(content, usedforsecurity=False).hexdigest()) != md5:
        raise BrokenStore(f"{path} is damaged or another version: md5 of the unpacked file is {found}, expected {md5}.")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def _content(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
        return gzip.decompress(raw) if path.suffix == ".gz" else raw
    except FileNotFoundError:
        raise MissingData(f"no file {path}") from None
    except (OSError, EOFError, zlib.error) as error:
        raise BrokenStore(f"{path} cannot be read: {error}") from None
