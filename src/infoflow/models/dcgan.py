"""Decoder and discriminator of DCGAN, in the shapes of the encoders."""

from __future__ import annotations

import math

from torch import Tensor, nn

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import PositiveInt, Seed, validated
from infoflow.models.deep_infomax import Shape, Widths, strided_sizes
from infoflow.models.seeded import seeded


class DCGANDecoder(nn.Module):
    """Decoder of vectors (n, features) to images (n, *shape) in [−1, 1]; it mirrors `ConvolutionalEncoder`.

    Parameters
    ----------
    features
        Length of the vectors.
    shape
        Shape (channels, height, width) of the images, with sizes divisible by 2 to the number of widths.
    widths
        Numbers of maps, from the smallest map to the largest.
    seed
        Seed of the initial parameters; torch's global random state is restored afterwards.

    Raises
    ------
    InvalidArgument
        If a number is out of range, or the strides do not divide the shape.

    Notes
    -----
    A linear layer computes the smallest map. Transposed convolutions (kernel 4, stride 2) with batch norm and ReLU
    follow, and tanh at the end.

    References
    ----------
    .. [1] A. Radford, L. Metz and S. Chintala, "Unsupervised representation learning with deep convolutional
       generative adversarial networks", ICLR 2016.

    Examples
    --------
    >>> import torch
    >>> DCGANDecoder(64, (3, 32, 32), widths=(32, 16, 8))(torch.zeros(2, 64)).shape
    torch.Size([2, 3, 32, 32])
    """

    @validated
    def __init__(
        self,
        features: PositiveInt = 64,
        shape: Shape = (3, 32, 32),
        *,
        widths: Widths = (256, 128, 64),
        seed: Seed = 0,
    ) -> None:
        super().__init__()
        start = strided_sizes(shape, len(widths))
        self.features = features
        with seeded(seed):
            layers: list[nn.Module] = [
                nn.Linear(features, widths[0] * math.prod(start), bias=False),
                nn.Unflatten(1, (widths[0], *start)),
            ]
            for inputs, outputs in zip(widths, [*widths[1:], shape[0]], strict=True):
                layers += [nn.BatchNorm2d(inputs), nn.ReLU(), nn.ConvTranspose2d(inputs, outputs, 4, 2, 1)]
            self.network = nn.Sequential(*layers, nn.Tanh())

    def forward(self, vectors: Tensor) -> Tensor:
        """Decode a batch of vectors.

        Parameters
        ----------
        vectors
            Batch of shape (n, features).

        Returns
        -------
        Tensor
            Images (n, *shape) in [−1, 1].

        Raises
        ------
        InvalidArgument
            If the vectors have another shape.
        """
        if vectors.ndim != 2 or vectors.shape[1] != self.features:
            raise InvalidArgument("vectors", f"of shape (n, {self.features})", vectors)
        images: Tensor = self.network(vectors)
        return images
