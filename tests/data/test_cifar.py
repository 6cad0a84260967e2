"""CIFAR-10: read as published, or one line that says what is wrong."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from infoflow.core.errors import BrokenStore, MissingData, UnknownName
from infoflow.data import cifar10, load
from infoflow.data.cifar import _Arrays


def test_the_real_set_is_as_published() -> None:
    try:
        data = load("cifar10")
    except MissingData as missing:
        pytest.skip(str(missing))
    assert data.train.inputs.shape == (50000, 3, 32, 32)
    assert data.test.inputs.shape == (10000, 3, 32, 32)
    assert np.bincount(data.train.labels).tolist() == [5000] * 10
    # The mean color that everybody normalizes with.
    means = data.train.inputs.mean(axis=(0, 2, 3)) / 255
    assert means.round(4).tolist() == [0.4914, 0.4822, 0.4465]
    images, labels = data.test.images()
    assert images.shape == (10000, 3, 32, 32)
    assert 0 <= images.min() < images.max() <= 1
    assert labels[:4].tolist() == [3, 8, 8, 0]  # cat, ship, ship, aeroplane


def test_another_content_is_never_unpickled(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "harmed",))

    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    (folder / "test_batch").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(BrokenStore, match="damaged or another version"):
        cifar10("test", root=tmp_path)
    with (
        (folder / "test_batch").open("rb") as file,
        pytest.raises(pickle.UnpicklingError, match="not part of an array"),
    ):
        _Arrays(file).load()
    assert not (tmp_path / "harmed").exists()


def test_what_is_missing_or_unknown_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingData, match="data_batch_1"):
        cifar10("train", root=tmp_path)
    with pytest.raises(UnknownName, match="'valid'"):
        cifar10("valid", root=tmp_path)
