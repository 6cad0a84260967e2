"""STL-10 from the binary files that its authors distribute: labeled and unlabeled images of 96×96 pixels."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from infoflow.core.errors import BrokenStore, MissingData
from infoflow.data.roots import roots

_SIDE = 96


@lru_cache(maxsize=1)
def stl10(root: Path | None) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor], Tensor]:
    """Return training (5000) and test (8000) images with their classes 0 to 9, and unlabeled images (100000).

    Parameters
    ----------
    root
        Folder that contains `stl10_binary/{train,test}_{X,y}.bin` and `stl10_binary/unlabeled_X.bin`, as torchvision
        stores them; None searches the default folders.

    Returns
    -------
    tuple
        Training and test images (n, 3, 96, 96) of type uint8 with labels (n,), and images without labels.

    Raises
    ------
    MissingData
        If a file is missing.
    BrokenStore
        If images and labels do not agree.

    References
    ----------
    Coates, Ng, Lee: An analysis of single-layer networks in unsupervised feature learning, 2011.
    """
    train, test = (_labeled(root, name) for name in ("train", "test"))
    return train, test, _images(root, "unlabeled")


def _labeled(root: Path | None, name: str) -> tuple[Tensor, Tensor]:
    images = _images(root, name)
    y = np.fromfile(_file(root, f"{name}_y.bin"), np.uint8)
    if len(y) == 0 or len(images) != len(y) or y.min() < 1 or y.max() > 10:
        raise BrokenStore(f"stl10_binary/{name}_X.bin and {name}_y.bin do not agree. Use the published files.")
    return images, torch.from_numpy(y.astype(np.int64) - 1)


def _images(root: Path | None, name: str) -> Tensor:
    x = np.fromfile(_file(root, f"{name}_X.bin"), np.uint8)
    if len(x) % (3 * _SIDE**2):
        raise BrokenStore(f"stl10_binary/{name}_X.bin holds no whole number of images. Use the published files.")
    # Each channel is stored column by column.
    return torch.from_numpy(np.ascontiguousarray(x.reshape(-1, 3, _SIDE, _SIDE).swapaxes(2, 3)))


def _file(root: Path | None, name: str) -> Path:
    folders = [folder / "stl10_binary" for folder in roots(root)]
    for folder in folders:
        if (folder / name).exists():
            return folder / name
    raise MissingData(
        f"no {name} in {' or '.join(map(str, folders))}. Put the files of stl10_binary.tar.gz there, or set "
        "INFOFLOW_DATA to the folder that holds stl10_binary"
    )
