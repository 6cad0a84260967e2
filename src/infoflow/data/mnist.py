"""MNIST and Fashion-MNIST from the user's own files."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from infoflow.core.errors import BrokenStore
from infoflow.core.settings import validated
from infoflow.data.dataset import Dataset
from infoflow.data.idx import read_idx
from infoflow.data.roots import find

# Published md5 of the four unpacked files; packed files are checked after unpacking, so that any gzip level passes.
_MNIST = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
_FASHION_MNIST = {
    "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
    "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
    "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
}


@validated
def mnist(split: Literal["train", "test"] = "train", *, root: str | Path | None = None) -> Dataset:
    """Read MNIST: 28×28 scans of handwritten digits, 60000 for training and 10000 for testing.

    Parameters
    ----------
    split : {"train", "test"}
        Which part.
    root
        Folder that holds the data; by default `$INFOFLOW_DATA`, then `~/.cache/infoflow`.

    Returns
    -------
    Dataset
        Inputs (n, 28, 28) uint8, labels (n,) uint8, scale 255.

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
    The files are looked for in `MNIST/raw/`, as torchvision lays them out, packed or not.

    References
    ----------
    LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document recognition, Proc. IEEE 86 (1998).

    Examples
    --------
    >>> mnist("train", root="/nowhere")
    Traceback (most recent call last):
    ...
    infoflow.core.errors.MissingData: no train-images-idx3-ubyte (or .gz) in /nowhere/MNIST/raw. ...
    """
    return _read("mnist", "MNIST", _MNIST, split, root)


@validated
def fashion_mnist(split: Literal["train", "test"] = "train", *, root: str | Path | None = None) -> Dataset:
    """Read Fashion-MNIST: 28×28 pictures of clothes in ten classes, 60000 for training and 10000 for testing.

    Parameters
    ----------
    split : {"train", "test"}
        Which part.
    root
        Folder that holds the data; by default `$INFOFLOW_DATA`, then `~/.cache/infoflow`.

    Returns
    -------
    Dataset
        Inputs (n, 28, 28) uint8, labels (n,) uint8, scale 255.

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
    The files are looked for in `FashionMNIST/raw/`, as torchvision lays them out, packed or not.

    References
    ----------
    Xiao, Rasul, Vollgraf: Fashion-MNIST, arXiv:1708.07747.

    Examples
    --------
    >>> fashion_mnist("test", root="/nowhere")
    Traceback (most recent call last):
    ...
    infoflow.core.errors.MissingData: no t10k-images-idx3-ubyte (or .gz) in /nowhere/FashionMNIST/raw. ...
    """
    return _read("fashion-mnist", "FashionMNIST", _FASHION_MNIST, split, root)


def _read(name: str, folder: str, md5: dict[str, str], split: str, root: str | Path | None) -> Dataset:
    prefix = "train" if split == "train" else "t10k"
    files = f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte"
    paths = [find(file, f"{folder}/raw", root, "the four IDX files", compressed=True) for file in files]
    images, labels = (read_idx(path, md5=md5[file]) for path, file in zip(paths, files, strict=True))
    if len(images) != len(labels):
        raise BrokenStore(f"{paths[0]} holds {len(images)} images but {paths[1]} {len(labels)} labels.")
    source = f"{folder} {split} set, IDX files, md5 checked"
    return Dataset(name, images, labels, classes=10, scale=255.0, source=source)
