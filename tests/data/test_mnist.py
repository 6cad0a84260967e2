"""The MNIST family: found, checked, or one line that says what is wrong."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from infoflow.core.errors import BrokenStore, MissingData, UnknownName
from infoflow.data import load, mnist
from infoflow.data.idx import read_idx


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_idx_is_read_packed_or_not(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"images{suffix}"
    path.write_bytes(gzip.compress(idx(IMAGES)) if suffix else idx(IMAGES))
    assert (read_idx(path) == IMAGES).all()


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("cut", idx(IMAGES)[:-1], "holds 39 bytes, but .* requires 40"),
        ("long", idx(IMAGES) + b"x", "holds 41 bytes"),
        ("header", idx(IMAGES)[:10], "damaged"),
        ("empty", b"", "begins with nothing"),
        ("html", b"<html>not found</html>", "not an IDX file"),
        ("floats", bytes([0, 0, 0x0D, 1, 0, 0, 0, 0]), "not an IDX file of bytes"),
        ("plain.gz", idx(IMAGES), "cannot be read"),
        ("cut.gz", gzip.compress(idx(IMAGES), mtime=0)[:-9], "cannot be read"),
    ],
)
def test_a_damaged_file_is_named_with_what_is_wrong(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BrokenStore, match=told) as caught:
        read_idx(path)
    assert str(path) in str(caught.value)


def test_a_folder_in_place_of_a_file_is_told() -> None:
    with pytest.raises(BrokenStore, match="cannot be read"):
        read_idx(Path("/"))


def test_another_content_fails_the_checksum(tmp_path: Path) -> None:
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    (raw / "train-images-idx3-ubyte").write_bytes(idx(IMAGES))
    (raw / "train-labels-idx1-ubyte").write_bytes(idx(np.zeros(2, np.uint8)))
    with pytest.raises(BrokenStore, match=r"md5 .* expected 6bbc9ace898e44ae57da46a324031adb"):
        mnist(root=tmp_path)


def test_a_missing_set_says_in_one_line_where_to_put_which_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INFOFLOW_DATA", str(tmp_path / "sets"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with pytest.raises(MissingData) as caught:
        load("fashion-mnist")
    message = str(caught.value)
    assert "\n" not in message
    for part in (
        "train-images-idx3-ubyte",
        "sets/FashionMNIST/raw",
        "home/.cache/infoflow/FashionMNIST/raw",
        "INFOFLOW_DATA",
    ):
        assert part in message


def test_the_environment_comes_before_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the folder whose file is damaged."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("INFOFLOW_DATA", str(tmp_path / "sets"))
    for base in (tmp_path / "home" / ".cache" / "infoflow", tmp_path / "sets"):
        raw = base / "MNIST" / "raw"
        raw.mkdir(parents=True)
        for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"):
            (raw / name).write_bytes(b"damaged")
    with pytest.raises(BrokenStore, match="sets/MNIST/raw"):
        mnist()
    monkeypatch.delenv("INFOFLOW_DATA")
    with pytest.raises(BrokenStore, match=r"home/\.cache/infoflow/MNIST/raw"):
        mnist()


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'test'"):
        mnist("tests")


def test_real_mnist() -> None:
    try:
        parts = load("mnist")
    except MissingData as error:
        pytest.skip(str(error))
    assert parts.train.inputs.shape == (60000, 28, 28)
    assert parts.test.inputs.shape == (10000, 28, 28)
    assert parts.train.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert np.bincount(parts.test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert float(parts.test.tensors()[0].max()) == 1.0
