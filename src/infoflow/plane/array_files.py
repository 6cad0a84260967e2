"""Arrays of a recording in Zarr: digests, chunks, and layers that are written a slab of samples at a time."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.abc.store import Store
from zarr.codecs import BloscCodec

from infoflow.plane.chunks import array_document, encoded, write_files

Array: TypeAlias = NDArray[Any]

# A chunk is what one read decompresses: whole seeds, as many as stay small; huge layers are cut by samples.
_CHUNK_BYTES = 4 * 2**20
_LARGEST_CHUNK_BYTES = 64 * 2**20

# As the activations' own, see `chunks`.
_COMPRESSOR = BloscCodec(cname="lz4", clevel=1, shuffle="bitshuffle")


# An array of this many chunks was not recorded: its metadata are damaged, and to look for them would take hours.
_MOST_CHUNKS = 2**22

_CODECS = {"bytes", "blosc"}
_TYPES = {"bool"} | {np.dtype(code).name for code in "bBhHiIlLqQefd"}


@dataclass(frozen=True)
class Stored:
    """One stored layer: its digest, and its least and greatest value for each seed."""

    digest: str
    low: list[float]
    high: list[float]


def digest(*arrays: Array) -> str:
    """A digest of the arrays' shapes, types and bytes."""
    state = hashlib.blake2b(digest_size=16)
    for array in arrays:
        state.update(f"{array.shape}{array.dtype.str}".encode())
        state.update(np.ascontiguousarray(array).data)
    return state.hexdigest()


def check_array(document: dict[str, Any]) -> None:
    """Raise ValueError unless the metadata is of an array of numbers, in codecs that run nothing."""
    if document.get("zarr_format") != 3 or document.get("node_type") != "array":
        raise ValueError("it is no array of Zarr format 3")
    if document.get("data_type") not in _TYPES:
        raise ValueError(f"its type {document.get('data_type')!r} is not one of numbers")
    if document.get("storage_transformers"):
        raise ValueError("it has storage transformers")
    for codec in document.get("codecs") or [{}]:
        name = codec.get("name") if isinstance(codec, dict) else codec
        if name not in _CODECS:
            raise ValueError(f"its codec {name!r} is not one that recordings use")
    _check_chunks(document)


def _check_chunks(document: dict[str, Any]) -> None:
    grid = document.get("chunk_grid")
    configuration = grid.get("configuration") if isinstance(grid, dict) else None
    chunks = configuration.get("chunk_shape") if isinstance(configuration, dict) else None
    shape = document.get("shape")
    if not isinstance(shape, list) or not isinstance(chunks, list) or len(shape) != len(chunks):
        raise ValueError("its shape and the shape of its chunks do not match")
    if any(type(size) is not int or size < 0 for size in shape) or any(
        type(size) is not int or size < 1 for size in chunks
    ):
        raise ValueError("its shape or the shape of its chunks is no list of lengths")
    count = math.prod(-(-size // step) for size, step in zip(shape, chunks, strict=True))
    if count > _MOST_CHUNKS:
        raise ValueError(f"its shape {tuple(shape)} has {count} chunks, more than {_MOST_CHUNKS}")


class Digest:
    """A digest of activations (seeds, n, d) that arrive in slabs of samples; the slabs' sizes do not change it."""

    def __init__(self, seeds: int) -> None:
        self._members = [hashlib.blake2b(digest_size=16) for _ in range(seeds)]
        self._samples = 0
        self._rest = ""

    def add(self, values: Array) -> None:
        """Add the next samples."""
        self._samples += values.shape[1]
        self._rest = f"{values.shape[2:]}{values.dtype.str}"
        for state, member in zip(self._members, values, strict=True):
            state.update(np.ascontiguousarray(member).data)

    @property
    def text(self) -> str:
        """The digest in hexadecimal."""
        whole = hashlib.blake2b(f"{len(self._members)} {self._samples} {self._rest}".encode(), digest_size=16)
        for state in self._members:
            whole.update(state.digest())
        return whole.hexdigest()


def write_array(group: zarr.Group, name: str, values: Array) -> None:
    """Write an array at once, in chunks of samples."""
    row = max(1, values.nbytes // max(1, len(values)))
    rows = max(1, min(len(values), _LARGEST_CHUNK_BYTES // row))
    chunks = (rows, *values.shape[1:])
    array = group.create_array(name, shape=values.shape, dtype=values.dtype, chunks=chunks, compressors=_COMPRESSOR)
    array[...] = values


class LayerWriter:
    """One layer (seeds, n, d), written a slab of samples at a time; chunks are as long as the first slab."""

    def __init__(self, store: Store, path: str, first: Array, n: int) -> None:
        seeds, rows, *width = first.shape
        member = max(1, first.nbytes // seeds)
        if rows == n and member > _LARGEST_CHUNK_BYTES:
            rows = max(1, _LARGEST_CHUNK_BYTES // max(1, member // rows))
        self._store, self._path = store, path
        self._chunks = (max(1, min(seeds, _CHUNK_BYTES // member)), rows, *(max(1, size) for size in width))
        write_files(store, {f"{path}/zarr.json": array_document((seeds, n, *width), self._chunks, first.dtype)})
        self._digest = Digest(seeds)
        self._low = np.full(seeds, np.inf)
        self._high = np.full(seeds, -np.inf)
        self._done = 0
        self.nbytes = 0

    @property
    def steps(self) -> tuple[Callable[[Array], None], Callable[[Array], None]]:
        """What to do with the next slab, in any order or at once."""
        return self._write, self._summarize

    def _write(self, values: Array) -> None:
        row, self._done = self._done, self._done + values.shape[1]
        files = {f"{self._path}/{key}": content for key, content in encoded(values, self._chunks, row)}
        write_files(self._store, files)
        self.nbytes += sum(map(len, files.values()))

    def _summarize(self, values: Array) -> None:
        self._digest.add(values)
        axes = tuple(range(1, values.ndim))
        self._low = np.minimum(self._low, values.min(axes))
        self._high = np.maximum(self._high, values.max(axes))

    @property
    def stored(self) -> Stored:
        """Digest and range of all that was written."""
        return Stored(self._digest.text, self._low.tolist(), self._high.tolist())
