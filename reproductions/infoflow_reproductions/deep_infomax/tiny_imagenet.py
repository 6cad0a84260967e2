"""Tiny ImageNet from its authors' folder: 200 classes of 64×64 photographs."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from infoflow.core.errors import BrokenStore
from infoflow.data.roots import find

_FOLDER = "tiny-imagenet-200"


@lru_cache(maxsize=1)
def tiny_imagenet(root: Path | None) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Return the training images (100000) and, for testing, the labeled validation images (10000).

    Parameters
    ----------
    root
        Folder that contains `tiny-imagenet-200/` with `wnids.txt`, `train/` and `val/`; None searches the default
        folders.

    Returns
    -------
    tuple
        Training and test images (n, 3, 64, 64) of type uint8 with labels (n,), the line of the class in `wnids.txt`.

    Raises
    ------
    MissingData
        If `wnids.txt` is missing.
    BrokenStore
        If a class has no image, or an image of the list is missing or cannot be read.

    References
    ----------
    Le and Yang: Tiny ImageNet visual recognition challenge, 2015.
    """
    names = find("wnids.txt", _FOLDER, root, "the content of tiny-imagenet-200.zip")
    folder = names.parent
    classes = {name: number for number, name in enumerate(names.read_text(encoding="utf-8").split())}
    train = [(path, label) for name, label in classes.items() for path in _images_of(folder, name)]
    try:
        annotations = (folder / "val" / "val_annotations.txt").read_text(encoding="utf-8")
        lines = [line.split("\t")[:2] for line in annotations.splitlines()]
        test = [(folder / "val" / "images" / file, classes[name]) for file, name in lines]
    except (OSError, KeyError, ValueError) as error:
        raise BrokenStore(f"{_FOLDER}/val/val_annotations.txt cannot be read: {error}.") from None
    return _read(train), _read(test)


def _images_of(folder: Path, name: str) -> list[Path]:
    found = sorted((folder / "train" / name / "images").glob("*.JPEG"))
    if not found:
        raise BrokenStore(f"{_FOLDER}/train/{name}/images holds no *.JPEG. Unpack tiny-imagenet-200.zip again.")
    return found


def _read(files: list[tuple[Path, int]]) -> tuple[Tensor, Tensor]:
    from PIL import Image  # comes with matplotlib; only this data set needs it

    pixels = np.empty((len(files), 64, 64, 3), np.uint8)
    for index, (path, _) in enumerate(files):
        try:
            with Image.open(path) as image:
                pixels[index] = np.asarray(image.convert("RGB"))
        except (OSError, ValueError) as error:
            raise BrokenStore(f"{path} cannot be read as a 64×64 image: {error}.") from None
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()
    return images, torch.tensor([label for _, label in files])
