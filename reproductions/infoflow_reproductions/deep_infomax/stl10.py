"""STL-10's labeled images, from the binary files that its authors distribute, cut to 64×64."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from infoflow.core.errors import BrokenStore, MissingData
from infoflow.data.roots import roots

_SIDE, _CUT = 96, 64


@lru_cache(maxsize=1)
def stl10(root: Path | None) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Return the central part of training (5000) and test (8000) images, and their classes 0 to 9.

    Parameters
    ----------
    root
        Folder that contains `stl10_binary/{train,test}_{X,y}.bin`, as torchvision stores them; None searches the
        default folders.

    Returns
    -------
    tuple
        Training and test images (n, 3, 64, 64) of type uint8 with labels (n,).

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
    train, test = (_part(root, name) for name in ("train", "test"))
    return train, test


def _part(root: Path | None, name: str) -> tuple[Tensor, Tensor]:
    x = np.fromfile(_file(root, f"{name}_X.bin"), np.uint8)
    y = np.fromfile(_file(root, f"{name}_y.bin"), np.uint8)
    if len(y) == 0 or len(x) != len(y) * 3 * _SIDE**2 or y.min() < 1 or y.max() > 10:
        raise BrokenStore(f"stl10_binary/{name}_X.bin and {name}_y.bin do not agree. Use the published files.")
    # Each channel is stored column by column.
    images = x.reshape(-1, 3, _SIDE, _SIDE).swapaxes(2, 3)
    edge = (_SIDE - _CUT) // 2
    cut = np.ascontiguousarray(images[:, :, edge : edge + _CUT, edge : edge + _CUT])
    return torch.from_numpy(cut), torch.from_numpy(y.astype(np.int64) - 1)


def _file(root: Path | None, name: str) -> Path:
    folders = [folder / "stl10_binary" for folder in roots(root)]
    for folder in folders:
        if (folder / name).exists():
            return folder / name
    raise MissingData(
        f"no {name} in {' or '.join(map(str, folders))}. Put the files of stl10_binary.tar.gz there, or set "
        "INFOFLOW_DATA to the folder that holds stl10_binary"
    )
