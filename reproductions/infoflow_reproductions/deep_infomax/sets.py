"""The images of a training: labeled ones, test images and, where crops are learned from, the uncut images."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from infoflow_reproductions.deep_infomax.settings import Learning
from infoflow_reproductions.deep_infomax.stl10 import stl10
from infoflow_reproductions.deep_infomax.tiny_imagenet import tiny_imagenet
from infoflow_reproductions.harness.data import Labeled, images

SIDE = 64
"""Side of the crops in pixels."""


class Sets(NamedTuple):
    """Images to train and to test on.

    Parameters
    ----------
    train
        Labeled images, for the probes; of uncut images their central part.
    test
        Test images and labels.
    uncut
        Larger images, of which random crops are learned from: first the labeled ones, then those without a label.
    """

    train: Labeled
    test: Labeled
    uncut: Tensor | None = None


def sets(learning: Learning, root: Path | None) -> Sets:
    """Return the images that some settings name.

    Parameters
    ----------
    learning
        The settings.
    root
        Folder of the data sets; None searches the default folders.

    Returns
    -------
    Sets
        Images of type uint8.

    Examples
    --------
    >>> found = sets(Learning("digits32-96", images=100, labeled=40), None)
    >>> found.uncut.shape, found.train[0].shape, found.test[0].shape
    (torch.Size([100, 3, 96, 96]), torch.Size([40, 3, 64, 64]), torch.Size([360, 3, 64, 64]))
    """
    if learning.data == "stl10":
        train, test, unlabeled = stl10(root)
        uncut = torch.cat([train[0], unlabeled[: learning.images - len(train[0])]])
        return Sets((central(train[0]), train[1]), (central(test[0]), test[1]), uncut)
    if learning.data == "tiny-imagenet":
        return Sets(*tiny_imagenet(root))
    name, _, side = learning.data.partition("-")
    # "cifar10-16" is a data set of its own.
    whole = images(learning.data if side == "16" else name, learning.images, 0, root)
    if side == "64":
        train, test = ((enlarged(x, 2), y) for x, y in (whole.train, whole.test))
        return Sets(train, test)
    if side != "96":
        return Sets(whole.train, whole.test)
    (x, y), (x_test, y_test) = whole.train, whole.test
    uncut = enlarged(x, 3)
    return Sets(
        (central(uncut[: learning.labeled]), y[: learning.labeled]), (central(enlarged(x_test, 3)), y_test), uncut
    )


def enlarged(x: Tensor, factor: int) -> Tensor:
    """Return images (n, C, H, W) in which each pixel is repeated.

    Parameters
    ----------
    x
        Images.
    factor
        Number of repetitions along each axis.

    Returns
    -------
    Tensor
        Images (n, C, factor · H, factor · W).
    """
    return x.repeat_interleave(factor, 2).repeat_interleave(factor, 3)


def central(x: Tensor, side: int = SIDE) -> Tensor:
    """Return the central part of images (n, C, H, W).

    Parameters
    ----------
    x
        Images.
    side
        Side of the part.

    Returns
    -------
    Tensor
        Images (n, C, side, side).

    Examples
    --------
    >>> central(torch.arange(16).reshape(1, 1, 4, 4), 2).flatten().tolist()
    [5, 6, 9, 10]
    """
    top, left = ((size - side) // 2 for size in x.shape[2:])
    return x[:, :, top : top + side, left : left + side].contiguous()


def cropped(x: Tensor, generator: torch.Generator, side: int = SIDE) -> Tensor:
    """Return a random part of each image, half of them mirrored.

    Parameters
    ----------
    x
        Images (n, C, H, W).
    generator
        Source of the random draws.
    side
        Side of the parts.

    Returns
    -------
    Tensor
        Images (n, C, side, side).

    Examples
    --------
    >>> cropped(torch.zeros(2, 3, 96, 96), torch.Generator().manual_seed(0)).shape
    torch.Size([2, 3, 64, 64])
    """
    n, device = len(x), x.device

    def places(size: int) -> Tensor:
        first = torch.randint(size - side + 1, (n, 1), generator=generator, device=device)
        return first + torch.arange(side, device=device)

    rows, columns = (places(size) for size in x.shape[2:])
    mirrored = torch.rand(n, 1, generator=generator, device=device) < 0.5
    columns = torch.where(mirrored, columns.flip(1), columns)
    one, channel = torch.arange(n, device=device), torch.arange(x.shape[1], device=device)
    return x[one[:, None, None, None], channel[None, :, None, None], rows[:, None, :, None], columns[:, None, None, :]]
