"""Arrays in the chunks of Zarr 3, encoded and decoded without Zarr's own machinery, which takes most of the time."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numcodecs import blosc
from numpy.typing import NDArray
from zarr.abc.store import Store
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync
from zarr.storage import LocalStore

Array = NDArray[Any]

_BLOSC_HEADER = 16
# Activations become as small as with zstd, in a third of its time.
_NAME, _LEVEL, _SHUFFLE = "lz4", 1, "bitshuffle"


def array_document(shape: tuple[int, ...], chunks: tuple[int, ...], dtype: np.dtype[Any]) -> bytes:
    """The metadata of an array of numbers in compressed chunks, as Zarr 3 writes them."""
    blosc_settings = {"typesize": dtype.itemsize, "cname": _NAME, "clevel": _LEVEL, "shuffle": _SHUFFLE, "blocksize": 0}
    document = {
        "shape": list(shape),
        "data_type": dtype.name,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(chunks)}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": False if dtype.kind == "b" else 0.0 if dtype.kind == "f" else 0,
        "codecs": [
            {"name": "bytes", "configuration": {"endian": "little"}} if dtype.itemsize > 1 else {"name": "bytes"},
            {"name": "blosc", "configuration": blosc_settings},
        ],
        "attributes": {},
        "zarr_format": 3,
        "node_type": "array",
        "storage_transformers": [],
    }
    return json.dumps(document, indent=2).encode()


def encoded(values: Array, chunks: tuple[int, ...], row: int) -> Iterator[tuple[str, bytes]]:
    """The chunks of a slab (seeds, rows, ...) whose first row is the row `row` of the array, where a chunk begins."""
    for start in itertools.product(*(range(0, size, step) for size, step in zip(values.shape, chunks, strict=True))):
        part = values[tuple(slice(at, at + step) for at, step in zip(start, chunks, strict=True))]
        if part.shape != chunks:  # the last chunk of an axis is filled up
            whole = np.zeros(chunks, dtype=values.dtype)
            whole[tuple(map(slice, part.shape))] = part
            part = whole
        little = np.ascontiguousarray(part, dtype=values.dtype.newbyteorder("<"))
        places = [at // step for at, step in zip(start, chunks, strict=True)]
        places[1] += row // chunks[1]
        content = blosc.compress(little.reshape(-1), _NAME.encode(), _LEVEL, blosc.BITSHUFFLE)
        yield "/".join(["c", *map(str, places)]), bytes(content)


def plain_chunks(document: Mapping[str, Any]) -> bool:
    """Whether the metadata describes what `array_document` writes, so that `read_chunks` can read it."""
    codecs = [codec.get("name") if isinstance(codec, dict) else None for codec in document.get("codecs") or []]
    grid, keys = document.get("chunk_grid"), document.get("chunk_key_encoding")
    endian = (document.get("codecs") or [{}])[0]
    return (
        codecs == ["bytes", "blosc"]
        and isinstance(grid, dict)
        and grid.get("name") == "regular"
        and keys == {"name": "default", "configuration": {"separator": "/"}}
        and (endian.get("configuration") or {}).get("endian", "little") == "little"
    )


def read_chunks(store: Store, path: str, document: Mapping[str, Any]) -> Array:
    """The array of these metadata; ValueError where a chunk is damaged."""
    shape = tuple(document["shape"])
    chunks = tuple(document["chunk_grid"]["configuration"]["chunk_shape"])
    dtype = np.dtype(document["data_type"]).newbyteorder("<")
    starts = list(itertools.product(*(range(0, size, step) for size, step in zip(shape, chunks, strict=True))))
    keys = ["/".join([path, "c", *(str(at // step) for at, step in zip(s, chunks, strict=True))]) for s in starts]
    values: Array | None = None
    for start, content in zip(starts, _contents(store, keys), strict=True):
        chunk = _decoded(content, chunks, dtype)
        if chunks == shape:
            return chunk
        if values is None:
            values = np.empty(shape, dtype=dtype)
        place = tuple(slice(at, min(at + step, size)) for at, step, size in zip(start, chunks, shape, strict=True))
        values[place] = chunk[tuple(slice(0, part.stop - part.start) for part in place)]
    return np.empty(shape, dtype=dtype) if values is None else values


def _decoded(content: bytes | None, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    if content is None:  # Zarr's rule for chunks of zeros alone, so the digest must reveal one that is lost
        return np.zeros(shape, dtype=dtype)
    size = int(np.prod(shape)) * dtype.itemsize
    # The header states both lengths, and the decoder would believe it.
    if len(content) < _BLOSC_HEADER:
        raise ValueError("a chunk is cut off")
    known, stored = (int.from_bytes(content[at : at + 4], "little") for at in (4, 12))
    if known != size or stored != len(content):
        raise ValueError("a chunk has another length than it should")
    try:
        return np.frombuffer(bytearray(blosc.decompress(content)), dtype=dtype).reshape(shape)
    except RuntimeError as error:
        raise ValueError(f"a chunk is damaged: {error}") from None


def read_file(store: Store, key: str) -> bytes | None:
    """One file of a store; None where there is none."""
    return next(iter(_contents(store, [key])))


def _contents(store: Store, keys: list[str]) -> Iterator[bytes | None]:
    if isinstance(store, LocalStore):
        for key in keys:
            path = Path(store.root, key)
            yield path.read_bytes() if path.exists() else None
        return

    async def get() -> list[Any]:
        prototype = default_buffer_prototype()
        return await asyncio.gather(*(store.get(key, prototype) for key in keys))

    for buffer in sync(get()):
        yield None if buffer is None else buffer.to_bytes()


def write_files(store: Store, files: Mapping[str, bytes]) -> None:
    """Write these files of a store, all at once where it is not local."""
    if isinstance(store, LocalStore):
        for key, content in files.items():
            path = Path(store.root, key)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return

    async def put() -> None:
        buffer = default_buffer_prototype().buffer
        await asyncio.gather(*(store.set(key, buffer.from_bytes(content)) for key, content in files.items()))

    sync(put())
