"""The decoder and the discriminator of DCGAN, in the shapes of the encoders."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from infoflow.core.checks import integer
from infoflow.core.errors import InvalidArgument
from infoflow.models.seeded import seeded


def _first(shape: Sequence[int], steps: int) -> tuple[int, list[int]]:
    channels, *sizes = (integer(value, "shape") for value in shape)
    if len(sizes) != 2 or any(size % 2**steps for size in sizes):
        raise InvalidArgument(
            f"shape is {tuple(shape)}; want (channels, height, width), sizes divisible by {2**steps} for {steps} layers"
        )
    return channels, [size // 2**steps for size in sizes]


class DCGANDecoder(nn.Module):
    """Images from vectors: (n, features) -> (n, *shape) in [−1, 1], the mirror of `ConvolutionalEncoder`.

    A linear layer to the smallest map, then transposed convolutions (kernel 4, stride 2) with batch norm and ReLU
    through `widths`, tanh at the end. It decodes and it generates. Parameters are drawn from `seed` alone.

    Raises InvalidArgument for shapes that the strides don't divide. Radford et al. (2016).

    >>> DCGANDecoder(64, (3, 32, 32), widths=(32, 16, 8))(torch.zeros(2, 64)).shape
    torch.Size([2, 3, 32, 32])
    """

    def __init__(
        self,
        features: int = 64,
        shape: Sequence[int] = (3, 32, 32),
        *,
        widths: Sequence[int] = (256, 128, 64),
        seed: int = 0,
    ) -> None:
        super().__init__()
        channels, start = _first(shape, len(widths))
        self.features = integer(features, "features")
        with seeded(seed):
            layers: list[nn.Module] = [
                nn.Linear(features, widths[0] * math.prod(start), bias=False),
                nn.Unflatten(1, (widths[0], *start)),
            ]
            for inputs, outputs in zip(widths, [*widths[1:], channels], strict=True):
                layers += [nn.BatchNorm2d(inputs), nn.ReLU(), nn.ConvTranspose2d(inputs, outputs, 4, 2, 1)]
            self.network = nn.Sequential(*layers, nn.Tanh())

    def forward(self, vectors: Tensor) -> Tensor:
        """Images of vectors; InvalidArgument for vectors of another size."""
        if vectors.ndim != 2 or vectors.shape[1] != self.features:
            raise InvalidArgument(f"vectors have shape {tuple(vectors.shape)}; want (n, {self.features})")
        images: Tensor = self.network(vectors)
        return images


class DCGANDiscriminator(nn.Module):
    """A number for each image (n, *shape), or for each pair of an image and a vector (n, features): (n, 1).

    Convolutions (kernel 4, stride 2) with leaky ReLU through `widths`, then the vector joins, and two linear layers.
    Without batch norm, which gradient penalties don't go with. Parameters are drawn from `seed` alone.
    Radford et al. (2016); with a vector: Donahue et al. (2017).

    >>> discriminator = DCGANDiscriminator((3, 32, 32), widths=(8, 16, 32), features=4)
    >>> discriminator(torch.zeros(2, 3, 32, 32), torch.zeros(2, 4)).shape
    torch.Size([2, 1])
    """

    def __init__(
        self,
        shape: Sequence[int] = (3, 32, 32),
        *,
        widths: Sequence[int] = (64, 128, 256),
        features: int = 0,
        units: int = 256,
        outputs: int = 1,
        seed: int = 0,
    ) -> None:
        super().__init__()
        channels, last = _first(shape, len(widths))
        self.features = integer(features, "features", minimum=0)
        with seeded(seed):
            layers: list[nn.Module] = []
            for before, after in zip([channels, *widths], widths, strict=False):
                layers += [nn.Conv2d(before, after, 4, 2, 1), nn.LeakyReLU(0.2)]
            self.convolutions = nn.Sequential(*layers, nn.Flatten())
            flat = widths[-1] * math.prod(last) + features
            self.head = nn.Sequential(
                nn.Linear(flat, integer(units, "units")),
                nn.LeakyReLU(0.2),
                nn.Linear(units, integer(outputs, "outputs")),
            )

    def forward(self, images: Tensor, vectors: Tensor | None = None) -> Tensor:
        """Scores (n, outputs)."""
        hidden = self.convolutions(images)
        if self.features:
            if vectors is None or vectors.shape != (len(images), self.features):
                got = None if vectors is None else tuple(vectors.shape)
                raise InvalidArgument(f"vectors are {got} beside {len(images)} images; want (n, {self.features})")
            hidden = torch.cat([hidden, vectors], 1)
        scores: Tensor = self.head(hidden)
        return scores
