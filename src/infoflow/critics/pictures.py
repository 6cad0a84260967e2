"""A separable critic of images: convolutions in place of a perceptron."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from torch import nn

from infoflow.core.blocks import ACTIVATIONS, Builder
from infoflow.core.checks import integer
from infoflow.core.errors import InvalidArgument
from infoflow.critics.vectors import Separable

Shape = tuple[int, int, int]


class SeparablePictures(Separable):
    """A separable critic in which f or g, or both, are convolutions of stride 2 and a linear layer.

    Parameters
    ----------
    x_shape
        (C, H, W) of images, or the number of features of vectors, for which f is a perceptron.
    y_shape
        The same for Y and g.
    embedding
        Dimensions of f and g.
    hidden
        Widths of the hidden layers of a perceptron.
    channels
        Channels of the 3×3 convolutions, each of which halves height and width.
    activation
        Activation between the layers.
    seed
        Random seed of the initial weights.

    Raises
    ------
    InvalidArgument
        If images have fewer than 2^len(channels) pixels per side, or a setting is outside of its range.

    Notes
    -----
    Takes images (n, C, H, W), flattened or not. No layer has batch statistics.

    Examples
    --------
    >>> import torch
    >>> critic = SeparablePictures((1, 8, 8), 3, channels=(4, 8))
    >>> positive, negative = critic.scores(torch.ones(5, 1, 8, 8), torch.ones(5, 3))
    >>> positive.shape, negative.shape
    (torch.Size([5]), torch.Size([5, 4]))
    """

    def __init__(
        self,
        x_shape: Shape | int,
        y_shape: Shape | int,
        embedding: int = 32,
        hidden: Sequence[int] = (64, 64),
        *,
        channels: Sequence[int] = (16, 32),
        activation: str = "gelu",
        seed: int = 0,
    ) -> None:
        sides = x_shape, y_shape
        features = [_features(side, name, channels) for side, name in zip(sides, ("x_shape", "y_shape"), strict=True)]
        # Both sides have a perceptron first, so that the initial weights of vectors do not depend on the other side.
        super().__init__(features[0], features[1], embedding, hidden, activation=activation, seed=seed)
        build = Builder(2 * seed + 1, False)
        for name, side in zip(("x_network", "y_network"), sides, strict=True):
            if not isinstance(side, int):
                setattr(self, name, _convolutions(side, channels, embedding + 1, activation, build))


def _features(shape: Shape | int, name: str, channels: Sequence[int]) -> int:
    if isinstance(shape, int):
        return shape
    if len(shape) != 3 or min(shape[1:]) < 2 ** len(channels) or shape[0] < 1:
        wanted = f"(channels, height, width) with at least {2 ** len(channels)} pixels per side"
        raise InvalidArgument(name, wanted, shape)
    return math.prod(shape)


def _convolutions(shape: Shape, channels: Sequence[int], outputs: int, activation: str, build: Builder) -> nn.Module:
    kind = ACTIVATIONS[activation]
    layers: list[nn.Module] = [nn.Unflatten(1, shape)]
    height, width = shape[1:]
    for inside, outside in itertools.pairwise([shape[0], *channels]):
        layers += [build.convolution(inside, integer(outside, "channels")), kind()]
        height, width = (height + 1) // 2, (width + 1) // 2
    flat = ([shape[0], *channels][-1]) * height * width
    return nn.Sequential(*layers, nn.Flatten(), build.linear(flat, outputs))
