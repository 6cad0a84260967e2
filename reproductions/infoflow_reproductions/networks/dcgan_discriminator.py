"""The convolutional discriminator of generative baselines."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import NonNegativeInt, PositiveInt, Seed, validated
from infoflow.models import seeded
from infoflow.models.deep_infomax import Shape, Widths, strided_sizes


class DCGANDiscriminator(nn.Module):
    """Discriminator of images (n, *shape), or of pairs of an image and a vector (n, features): scores (n, outputs).

    Parameters
    ----------
    shape
        Shape (channels, height, width) of the images, with sizes divisible by 2 to the number of widths.
    widths
        Numbers of maps of the convolutions, which have kernel 4, stride 2 and leaky ReLU.
    features
        Length of the vectors that join after the convolutions, as in [2]_; 0 for images alone.
    units
        Units of the hidden layer after the convolutions.
    outputs
        Scores per image.
    seed
        Seed of the initial parameters; torch's global random state is restored afterwards.

    Raises
    ------
    InvalidArgument
        If a number is out of range, or the strides do not divide the shape.

    Notes
    -----
    There is no batch norm, since it makes a sample's gradient, and so a gradient penalty, depend on the other samples.

    References
    ----------
    .. [1] A. Radford, L. Metz and S. Chintala, "Unsupervised representation learning with deep convolutional
       generative adversarial networks", ICLR 2016.
    .. [2] J. Donahue, P. Krähenbühl and T. Darrell, "Adversarial feature learning", ICLR 2017.

    Examples
    --------
    >>> import torch
    >>> discriminator = DCGANDiscriminator((3, 32, 32), widths=(8, 16, 32), features=4)
    >>> discriminator(torch.zeros(2, 3, 32, 32), torch.zeros(2, 4)).shape
    torch.Size([2, 1])
    """

    @validated
    def __init__(
        self,
        shape: Shape = (3, 32, 32),
        *,
        widths: Widths = (64, 128, 256),
        features: NonNegativeInt = 0,
        units: PositiveInt = 256,
        outputs: PositiveInt = 1,
        seed: Seed = 0,
    ) -> None:
        super().__init__()
        last = strided_sizes(shape, len(widths))
        self.features = features
        with seeded(seed):
            layers: list[nn.Module] = []
            for before, after in zip([shape[0], *widths], widths, strict=False):
                layers += [nn.Conv2d(before, after, 4, 2, 1), nn.LeakyReLU(0.2)]
            self.convolutions = nn.Sequential(*layers, nn.Flatten())
            flat = widths[-1] * math.prod(last) + features
            self.head = nn.Sequential(nn.Linear(flat, units), nn.LeakyReLU(0.2), nn.Linear(units, outputs))

    def forward(self, images: Tensor, vectors: Tensor | None = None) -> Tensor:
        """Score a batch.

        Parameters
        ----------
        images
            Batch of shape (n, *shape).
        vectors
            Vectors (n, features); required if `features` is not 0, ignored otherwise.

        Returns
        -------
        Tensor
            Scores (n, outputs).

        Raises
        ------
        InvalidArgument
            If the vectors are missing or have another shape.
        """
        hidden = self.convolutions(images)
        if self.features:
            if vectors is None or vectors.shape != (len(images), self.features):
                got = "None" if vectors is None else f"shape {tuple(vectors.shape)}"
                raise InvalidArgument("vectors", f"of shape ({len(images)}, {self.features})", got_text=got)
            hidden = torch.cat([hidden, vectors], 1)
        scores: Tensor = self.head(hidden)
        return scores
