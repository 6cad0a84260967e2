"""CIFAR-10 and CIFAR-100 from the user's own files."""

from __future__ import annotations

import hashlib
import io
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from infoflow.core.checks import choice
from infoflow.core.errors import BrokenStore, MissingData
from infoflow.data.dataset import Dataset
from infoflow.data.roots import roots

SPLITS = ("train", "test")

# md5 as published; a file with another content is never unpickled.
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


def cifar10(split: str = "train", *, root: str | Path | None = None) -> Dataset:
    """CIFAR-10: 32×32 color photographs in ten classes, 50000 to train on and 10000 to test.

    Looked for as `cifar-10-batches-py/` (torchvision's layout) below `root`, or else below `$INFOFLOW_DATA` and
    `~/.cache/infoflow`. Inputs (n, 3, 32, 32) uint8, labels (n,) uint8, scale 255.

    Raises MissingData (says where to put which files), BrokenStore (damaged or another version), UnknownName (split).

    Krizhevsky: Learning multiple layers of features from tiny images, technical report (2009).

    >>> cifar10("train", root="/nowhere")
    Traceback (most recent call last):
    ...
    infoflow.core.errors.MissingData: no data_batch_1 in /nowhere/cifar-10-batches-py; ...
    """
    return _read("cifar10", "cifar-10-batches-py", _CIFAR_10, "labels", 10, split, root)


def cifar100(split: str = "train", *, root: str | Path | None = None) -> Dataset:
    """CIFAR-100: as `cifar10`, in a hundred classes ("fine" labels), in the folder `cifar-100-python/`.

    >>> cifar100("test", root="/nowhere")
    Traceback (most recent call last):
    ...
    infoflow.core.errors.MissingData: no test in /nowhere/cifar-100-python; ...
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
    files = md5[choice(split, "split", SPLITS)]
    folders = [base / folder for base in roots(root)]
    parts = [_unpickled(_find(file, folders), checksum) for file, checksum in files.items()]
    images = np.concatenate([np.asarray(part["data"], np.uint8) for part in parts]).reshape(-1, 3, 32, 32)
    labels = np.concatenate([np.asarray(part[label], np.uint8) for part in parts])
    return Dataset(
        name, images, labels, classes=classes, scale=255.0, source=f"{folder} {split} set, Python files, md5 checked"
    )


def _find(file: str, folders: list[Path]) -> Path:
    for folder in folders:
        if (folder / file).is_file():
            return folder / file
    raise MissingData(
        f"no {file} in {' or '.join(map(str, folders))}; put the set's Python files there, "
        f"or set INFOFLOW_DATA to the folder that holds {folders[0].name}"
    )


class _Arrays(pickle.Unpickler):
    """Unpickles arrays and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("numpy.core.multiarray", "_reconstruct"):
            return np.zeros(0).__reduce__()[0]  # the module has moved since these files were written
        if (module, name) in (("numpy", "ndarray"), ("numpy", "dtype")):
            return getattr(np, name)
        raise pickle.UnpicklingError(f"{module}.{name} is no part of an array")


def _unpickled(path: Path, md5: str) -> Mapping[str, Any]:
    content = path.read_bytes()
    if (found := hashlib.md5(content, usedforsecurity=False).hexdigest()) != md5:
        raise BrokenStore(f"{path} is damaged or another version: its md5 is {found}; want {md5}")
    part: Mapping[str, Any] = _Arrays(io.BytesIO(content), encoding="latin1").load()
    return part
