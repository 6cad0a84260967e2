"""MNIST and Fashion-MNIST from the user's own files."""

from __future__ import annotations

from pathlib import Path

from infoflow.core.checks import choice
from infoflow.core.errors import BrokenStore, MissingData
from infoflow.data.dataset import Dataset
from infoflow.data.idx import read_idx
from infoflow.data.roots import roots

SPLITS = ("train", "test")

# md5 of the four unpacked files, as published; a packed file is checked after unpacking, so any gzip level will do.
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


def mnist(split: str = "train", *, root: str | Path | None = None) -> Dataset:
    """MNIST: 28×28 scans of handwritten digits, 60000 to train on and 10000 to test.

    Looked for as `MNIST/raw/` (torchvision's layout, packed or not) below `root`, or else below `$INFOFLOW_DATA` and
    `~/.cache/infoflow`. Inputs (n, 28, 28) uint8, labels (n,) uint8, scale 255.

    Raises MissingData (says where to put which files), BrokenStore (damaged), UnknownName (split).

    LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document recognition, Proc. IEEE 86 (1998).

    >>> mnist("train", root="/nowhere")
    Traceback (most recent call last):
    ...
    infoflow.core.errors.MissingData: no train-images-idx3-ubyte (or .gz) in /nowhere/MNIST/raw; ...
    """
    return _read("mnist", "MNIST", _MNIST, split, root)


def fashion_mnist(split: str = "train", *, root: str | Path | None = None) -> Dataset:
    """Fashion-MNIST: 28×28 pictures of clothes in ten classes, 60000 to train on and 10000 to test.

    As `mnist`, in the folder `FashionMNIST/raw/`.

    Xiao, Rasul, Vollgraf: Fashion-MNIST, arXiv:1708.07747.

    >>> fashion_mnist("test", root="/nowhere")
    Traceback (most recent call last):
    ...
    infoflow.core.errors.MissingData: no t10k-images-idx3-ubyte (or .gz) in /nowhere/FashionMNIST/raw; ...
    """
    return _read("fashion-mnist", "FashionMNIST", _FASHION_MNIST, split, root)


def _find(file: str, folders: list[Path]) -> Path:
    for folder in folders:
        for candidate in (folder / file, folder / f"{file}.gz"):
            if candidate.is_file():
                return candidate
    raise MissingData(
        f"no {file} (or .gz) in {' or '.join(map(str, folders))}; "
        f"put the four IDX files there, or set INFOFLOW_DATA to the folder that holds {'/'.join(folders[0].parts[-2:])}"
    )


def _read(name: str, folder: str, md5: dict[str, str], split: str, root: str | Path | None) -> Dataset:
    prefix = "train" if choice(split, "split", SPLITS) == "train" else "t10k"
    folders = [base / folder / "raw" for base in roots(root)]
    images_file, labels_file = f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte"
    paths = _find(images_file, folders), _find(labels_file, folders)
    images, labels = read_idx(paths[0], md5=md5[images_file]), read_idx(paths[1], md5=md5[labels_file])
    if len(images) != len(labels):
        raise BrokenStore(f"{paths[0]} holds {len(images)} images but {paths[1]} {len(labels)} labels")
    return Dataset(
        name, images, labels, classes=10, scale=255.0, source=f"{folder} {split} set, IDX files, md5 checked"
    )
