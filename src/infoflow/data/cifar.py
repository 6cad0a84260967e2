"""CIFAR-10 and CIFAR-100 from the user's own files."""

from __future__ import annotations

import hashlib
import io
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from infoflow.core.errors import BrokenStore
from infoflow.core.settings import validated
from infoflow.data.dataset import Dataset
from infoflow.data.roots import find

# Published md5; a file with other content is never unpickled.
_CIFAR_10 = {
    "train": {
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    },
    "test": {"test_batch": "40351d587109b95175f43aff81a1287e"},
}
_CIFAR_100 = {
    "train": {"train": "16019d7e3df5f24257cddd939b257f8d"},
    "test": {"test": "f0ef6b0ae62326f3e7ffdfab6717acfc"},
}


@validated
def cifar10(split: Literal["train", "test"] = "train", *, root: str | Path | None = None) -> Dataset:
    """Read CIFAR-10: 32×32 color photographs in ten classes, 50000 for training and 10000 for testing.

    Parameters
    ----------
    split : {"train", "test"}
        Which part.
    root
        Folder that holds the data; by default `$INFOFLOW_DATA`, then `~/.cache/infoflow`.

    Returns
    -------
    Dataset
        Inputs (n, 3, 32, 32) uint8, labels (n,) uint8, scale 255.

    Raises
    ------
    MissingData
        If the files are not found; the message states where to put them.
    BrokenStore
        If a file is damaged or of another version.
    UnknownName
        If there is no such split.

    Notes
    -----
    The files are looked for in `cifar-10-batches-py/`, as torchvision lays them out.

    References
    ----------
    Krizhevsky: Learning multiple layers of features from tiny images, technical report (2009).

    Examples
    --------
    >>> cifar10("train", root="/nowhere")
    Traceback (most recent call last):
    ...
    infoflow.core.errors.MissingData: no data_batch_1 in /nowhere/cifar-10-batches-py. ...
    """
    return _read("cifar10", "cifar-10-batches-py", _CIFAR_10, "labels", 10, split, root)


@validated
def cifar100(split: Literal["train", "test"] = "train", *, root: str | Path | None = None) -> Dataset:
    """Read CIFAR-100: 32×32 color photographs in a hundred classes, 50000 for training and 10000 for testing.

    Parameters
    ----------
    split : {"train", "test"}
        Which part.
    root
        Folder that holds the data; by default `$INFOFLOW_DATA`, then `~/.cache/infoflow`.

    Returns
    -------
    Dataset
        Inputs (n, 3, 32, 32) uint8, labels (n,) uint8 of the fine classes, scale 255.

    Raises
    ------
    MissingData
        If the files are not found; the message states where to put them.
    BrokenStore
        If a file is damaged or of another version.
    UnknownName
        If there is no such split.

    Notes
    -----
    The files are looked for in `cifar-100-python/`, as torchvision lays them out.

    References
    ----------
    Krizhevsky: Learning multiple layers of features from tiny images, technical report (2009).

    Examples
    --------
    >>> cifar100("test", root="/nowhere")
    Traceback (most recent call last):
    ...
    infoflow.core.errors.MissingData: no test in /nowhere/cifar-100-python. ...
    """
    return _read("cifar100", "cifar-100-python", _CIFAR_100, "fine_labels", 100, split, root)


def _read(
    name: str,
    folder: str,
    md5: Mapping[str, Mapping[str, str]],
    label: str,
    classes: int,
    split: str,
    root: str | Path | None,
) -> Dataset:
    files = md5[split]
    paths = [find(file, folder, root, "the Python files of the data set") for file in files]
    parts = [_unpickled(path, checksum) for path, checksum in zip(paths, files.values(), strict=True)]
    images = np.concatenate([np.asarray(part["data"], np.uint8) for part in parts]).reshape(-1, 3, 32, 32)
    labels = np.concatenate([np.asarray(part[label], np.uint8) for part in parts])
    return Dataset(
        name, images, labels, classes=classes, scale=255.0, source=f"{folder} {split} set, Python files, md5 checked"
    )


class _Arrays(pickle.Unpickler):
    """Unpickler that accepts nothing but arrays."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("numpy.core.multiarray", "_reconstruct"):
            return np.zeros(0).__reduce__()[0]  # the module has moved since these files were written
        if (module, name) in (("numpy", "ndarray"), ("numpy", "dtype")):
            return getattr(np, name)
        raise pickle.UnpicklingError(f"{module}.{name} is not part of an array")


def _unpickled(path: Path, md5: str) -> Mapping[str, Any]:
    content = path.read_bytes()
    if (found := hashlib.md5(content, usedforsecurity=False).hexdigest()) != md5:
        raise BrokenStore(f"{path} is damaged or another version: its md5 is {found}, expected {md5}.")
    part: Mapping[str, Any] = _Arrays(io.BytesIO(content), encoding="latin1").load()
    return part
