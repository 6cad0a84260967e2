"""The residual generator and judge of images of Gulrajani et al. (2017)."""

from __future__ import annotations

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import PositiveInt, Seed, validated
from infoflow.models import seeded

# Channels over the base width, from 4×4 to 64×64 pixels; smaller images leave out the first ones.
_CHANNELS = (8, 8, 4, 2, 1)
_START = 4


def _widths(side: int, width: int) -> list[int]:
    steps = (side // _START).bit_length() - 1
    if side != _START * 2**steps or not 1 <= steps < len(_CHANNELS):
        raise InvalidArgument("side", "8, 16, 32 or 64", side)
    return [width * factor for factor in _CHANNELS[-(steps + 1) :]]


class _Block(nn.Module):
    """Two convolutions and a shortcut that double or halve the side; with batch norm where asked."""

    def __init__(self, inputs: int, outputs: int, *, up: bool) -> None:
        super().__init__()
        self.up = up
        between = outputs if up else inputs
        self.first = nn.Conv2d(inputs, between, 3, padding=1)
        self.second = nn.Conv2d(between, outputs, 3, padding=1)
        self.shortcut = nn.Conv2d(inputs, outputs, 1)
        self.norms = nn.ModuleList(nn.BatchNorm2d(n) if up else nn.Identity() for n in (inputs, between))

    def _enlarged(self, x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=2) if self.up else x

    def _reduced(self, x: Tensor) -> Tensor:
        return x if self.up else F.avg_pool2d(x, 2)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.first(self._enlarged(self.norms[0](x).relu()))
        hidden = self._reduced(self.second(self.norms[1](hidden).relu()))
        # A convolution of 1×1 commutes with both changes of size; it is cheaper on the smaller maps.
        return hidden + self._enlarged(self.shortcut(self._reduced(x)))


class ResidualGenerator(nn.Module):
    """Residual generator with batch norm: vectors (n, features) to images (n, 3, side, side) in [−1, 1].

    Parameters
    ----------
    features
        Length of the vectors.
    side
        Side of the images: 8, 16, 32 or 64 pixels.
    width
        Channels of the last block; 64 as published.
    seed
        Seed of the initial parameters; torch's global random state is restored afterwards.

    Raises
    ------
    InvalidArgument
        If a number is out of range.

    References
    ----------
    Gulrajani et al.: Improved training of Wasserstein GANs, 2017 (the architecture for 64×64 images).

    Examples
    --------
    >>> import torch
    >>> ResidualGenerator(6, 32, width=2)(torch.zeros(2, 6)).shape
    torch.Size([2, 3, 32, 32])
    """

    @validated
    def __init__(
        self, features: PositiveInt = 128, side: PositiveInt = 64, *, width: PositiveInt = 64, seed: Seed = 0
    ) -> None:
        super().__init__()
        widths = _widths(side, width)
        with seeded(seed):
            blocks = [_Block(a, b, up=True) for a, b in pairwise(widths)]
            self.network = nn.Sequential(
                nn.Linear(features, widths[0] * _START**2),
                nn.Unflatten(1, (widths[0], _START, _START)),
                *blocks,
                nn.BatchNorm2d(widths[-1]),
                nn.ReLU(),
                nn.Conv2d(widths[-1], 3, 3, padding=1),
                nn.Tanh(),
            )

    def forward(self, vectors: Tensor) -> Tensor:
        """Return images of vectors.

        Parameters
        ----------
        vectors
            Batch of shape (n, features).

        Returns
        -------
        Tensor
            Images (n, 3, side, side).
        """
        images: Tensor = self.network(vectors)
        return images


class ResidualJudge(nn.Module):
    """Residual judge without normalization: images (n, 3, side, side) to scores (n, 1).

    Parameters
    ----------
    side
        Side of the images: 8, 16, 32 or 64 pixels.
    width
        Channels of the first block; 64 as published.
    seed
        Seed of the initial parameters; torch's global random state is restored afterwards.

    Raises
    ------
    InvalidArgument
        If a number is out of range.

    References
    ----------
    Gulrajani et al.: Improved training of Wasserstein GANs, 2017 (the architecture for 64×64 images).

    Examples
    --------
    >>> import torch
    >>> ResidualJudge(32, width=2)(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 1])
    """

    @validated
    def __init__(self, side: PositiveInt = 64, *, width: PositiveInt = 64, seed: Seed = 0) -> None:
        super().__init__()
        widths = _widths(side, width)[::-1]
        with seeded(seed):
            blocks = [_Block(a, b, up=False) for a, b in pairwise(widths)]
            self.network = nn.Sequential(
                nn.Conv2d(3, widths[0], 3, padding=1),
                *blocks,
                nn.Flatten(),
                nn.Linear(widths[-1] * _START**2, 1),
            )

    def forward(self, images: Tensor) -> Tensor:
        """Return scores of images.

        Parameters
        ----------
        images
            Batch of shape (n, 3, side, side).

        Returns
        -------
        Tensor
            Scores (n, 1).
        """
        scores: Tensor = self.network(images)
        return scores
