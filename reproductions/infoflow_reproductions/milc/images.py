"""The images that the classifiers learn from, and the two ways they are prepared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from infoflow.core.checks import choice, integer
from infoflow.core.errors import InvalidArgument
from infoflow.data import cifar10, digits, mnist

DATA = ("mnist", "cifar10", "cifar10-16", "digits", "digits32")
"""Names that `images` knows: "cifar10-16" is CIFAR-10 averaged to 16×16, "digits" are scikit-learn's 8×8 scans, and
"digits32" the same enlarged to 32×32 RGB."""


class Images(NamedTuple):
    """uint8 images (n, C, S, S) and their labels (n,), to train on, to choose settings by, and to test on."""

    train: tuple[Tensor, Tensor]
    held_out: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]

    @property
    def counts(self) -> Tensor:
        """How often each class occurs in training."""
        return torch.bincount(self.train[1], minlength=10)


def images(name: str, size: int, held_out: int, root: Path | None) -> Images:
    """`size` images to train on and `held_out` others of the training set, in an order that is always the same.

    Raises UnknownName, MissingData, InvalidArgument where the training set is smaller than that.

    >>> found = images("digits", 1000, 200, None)
    >>> found.train[0].shape, len(found.held_out[1]), len(found.test[1])
    (torch.Size([1000, 1, 8, 8]), 200, 360)
    """
    train, test = _whole(choice(name, "data", DATA), root)
    integer(size, "size")
    integer(held_out, "held_out", minimum=0)
    if size + held_out > len(train[1]):
        raise InvalidArgument(
            f"size {size} and held_out {held_out} are more than the {len(train[1])} training images of {name}"
        )
    order = torch.from_numpy(np.random.default_rng(0).permutation(len(train[1])))
    chosen, others = order[:size], order[size : size + held_out]
    return Images((train[0][chosen], train[1][chosen]), (train[0][others], train[1][others]), test)


def plain(x: Tensor, y: Tensor, *, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
    """Bytes to [0, 1], and nothing else.

    >>> plain(torch.tensor([[[[255, 0]]]], dtype=torch.uint8), torch.tensor([3]))[0].tolist()
    [[[[1.0, 0.0]]]]
    """
    return x.float().mul_(1 / 255), y  # in place: a second tensor of that size costs more than the rest


class Standardized(nn.Module):
    """Images in [0, 1] less the means of some images' channels, over their standard deviations.

    >>> bytes_ = torch.tensor([0, 255], dtype=torch.uint8).reshape(2, 1, 1, 1)
    >>> Standardized(bytes_)(plain(bytes_, bytes_)[0]).flatten().tolist()
    [-1.0, 1.0]
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, images: Tensor) -> None:
        super().__init__()
        pixels = images.double() / 255
        deviation, mean = torch.std_mean(pixels, (0, 2, 3), correction=0, keepdim=True)
        self.register_buffer("mean", mean[0].float())
        self.register_buffer("deviation", deviation[0].float())

    def forward(self, x: Tensor) -> Tensor:
        """Of images (n, C, S, S)."""
        return (x - self.mean) / self.deviation


def augmented(*, flip: bool) -> Callable[..., Sequence[Tensor]]:
    """What `plain` does, and each image moved by up to an eighth of its side, and mirrored half of the time if `flip`.

    >>> image = torch.full((1, 1, 8, 8), 255, dtype=torch.uint8)
    >>> moved, _ = augmented(flip=False)(image, torch.tensor([0]), generator=torch.Generator().manual_seed(1))
    >>> moved.shape, moved.sum() < 64
    (torch.Size([1, 1, 8, 8]), tensor(True))
    """

    def prepare(x: Tensor, y: Tensor, *, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        n, channels, side, _ = x.shape
        reach = max(1, side // 8)
        padded = torch.nn.functional.pad(x, (reach,) * 4)
        places = torch.arange(side, device=x.device)
        down, right = torch.randint(2 * reach + 1, (2, n, 1), generator=generator, device=x.device)
        rows, columns = down + places, right + places
        if flip:
            mirrored = torch.rand(n, 1, generator=generator, device=x.device) < 0.5
            columns = torch.where(mirrored, columns.flip(1), columns)
        samples = torch.arange(n, device=x.device)[:, None, None, None]
        channel = torch.arange(channels, device=x.device)[None, :, None, None]
        return plain(padded[samples, channel, rows[:, None, :, None], columns[:, None, None, :]], y)

    return prepare


@lru_cache(maxsize=2)
def _whole(name: str, root: Path | None) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    if name.startswith("digits"):
        return _digits(side=8) if name == "digits" else _digits(side=32)
    if name == "cifar10-16":
        (x, y), (x_test, y_test) = _whole("cifar10", root)
        return (_halved(x), y), (_halved(x_test), y_test)
    read = mnist if name == "mnist" else cifar10
    pairs = []
    for split in ("train", "test"):
        data = read(split, root=root)
        x = torch.from_numpy(data.inputs.copy())
        pairs.append((x if x.ndim == 4 else x[:, None], torch.from_numpy(data.labels.astype(np.int64))))
    return pairs[0], pairs[1]


def _halved(x: Tensor) -> Tensor:
    parts = torch.split(x, 1000)  # so that not all of it is float32 at once
    return torch.cat([torch.nn.functional.avg_pool2d(part.float(), 2).round().to(torch.uint8) for part in parts])


def _digits(*, side: int) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    data = digits()
    x = torch.from_numpy(np.rint(data.inputs.reshape(-1, 1, 8, 8) * (255 / data.scale)).astype(np.uint8))
    if side == 32:
        x = x.repeat_interleave(4, 2).repeat_interleave(4, 3).expand(-1, 3, -1, -1)
    y = torch.from_numpy(data.labels.astype(np.int64))
    return (x[:1437], y[:1437]), (x[1437:], y[1437:])
