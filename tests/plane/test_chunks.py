"""Chunks of recordings are those of Zarr 3: what one writes the other reads, for any shape and store."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import zarr
from zarr.storage import LocalStore, MemoryStore

from infoflow.plane.array_files import LayerWriter
from infoflow.plane.chunks import array_document, encoded, plain_chunks, read_chunks, write_files


@pytest.fixture(params=["local", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> LocalStore | MemoryStore:
    return LocalStore(tmp_path) if request.param == "local" else MemoryStore()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64", "uint8", "bool"])
@pytest.mark.parametrize(("shape", "chunks"), [((2, 7, 3), (1, 3, 3)), ((1, 5, 4), (1, 5, 4)), ((3, 4), (2, 4))])
def test_zarr_reads_what_is_written(
    store: LocalStore | MemoryStore, dtype: str, shape: tuple[int, ...], chunks: tuple[int, ...]
) -> None:
    values = (np.random.default_rng(0).normal(size=shape) * 100).astype(dtype)
    files = {f"a/{key}": content for key, content in encoded(values, chunks, 0)}
    write_files(store, {"a/zarr.json": array_document(shape, chunks, values.dtype), **files})
    array = zarr.open_array(store, path="a", mode="r", zarr_format=3)
    assert array.dtype == values.dtype
    np.testing.assert_array_equal(array[...], values)
    document = array.metadata.to_dict()
    np.testing.assert_array_equal(read_chunks(store, "a", {**document, "data_type": dtype}), values)


def test_slabs_are_the_array_whose_metadata_zarr_would_write(store: LocalStore | MemoryStore) -> None:
    values = np.random.default_rng(1).normal(size=(2, 10, 3)).astype(np.float32)
    writer = LayerWriter(store, "a", values[:, :4], 10)
    for start in (0, 4, 8):
        for step in writer.steps:
            step(values[:, start : start + 4])
    array = zarr.open_array(store, path="a", mode="r", zarr_format=3)
    np.testing.assert_array_equal(array[...], values)
    assert writer.stored.low == pytest.approx(values.min((1, 2)).tolist())
    blosc = zarr.codecs.BloscCodec(cname="lz4", clevel=1, shuffle="bitshuffle")
    settings = {"shape": (2, 10, 3), "chunks": array.chunks, "dtype": "float32", "compressors": blosc}
    own = zarr.create_array(MemoryStore(), **settings)
    assert array.metadata.to_dict() == own.metadata.to_dict()


def test_other_layouts_are_left_to_zarr() -> None:
    for settings in ({"compressors": None}, {"compressors": zarr.codecs.ZstdCodec()}, {"shards": (4,)}):
        array = zarr.create_array(MemoryStore(), shape=(4,), chunks=(2,), dtype="float32", **settings)
        assert not plain_chunks(array.metadata.to_dict())


@pytest.mark.parametrize("damage", ["cut", "longer", "header", "inside"])
def test_damaged_chunks_are_noticed(damage: str) -> None:
    values = np.arange(3000, dtype=np.float32).reshape(1, 1000, 3)
    store = MemoryStore()
    [(key, content)] = encoded(values, values.shape, 0)
    broken = {
        "cut": content[:10],
        "longer": content + b"0",
        "header": content[:4] + b"\xff\xff\xff\x7f" + content[8:],
        "inside": content[:16] + b"\xff" * 40 + content[56:],
    }[damage]
    write_files(store, {f"a/{key}": broken})
    document = {
        "shape": values.shape,
        "data_type": "float32",
        "chunk_grid": {"configuration": {"chunk_shape": values.shape}},
    }
    with pytest.raises(ValueError, match="chunk"):
        read_chunks(store, "a", document)
