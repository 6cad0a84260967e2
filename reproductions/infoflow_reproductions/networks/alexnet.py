"""The AlexNet-like encoder of Deep InfoMax."""

from __future__ import annotations

from torch import nn

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import PositiveFloat, PositiveInt, Seed, validated
from infoflow.models import seeded
from infoflow.models.deep_infomax import MapAndVector, Shape


class AlexNetEncoder(MapAndVector):
    """AlexNet-like encoder of Deep InfoMax for 64×64 images: map 384×15×15, two layers of 4096 units.

    Parameters
    ----------
    shape
        Shape (channels, height, width) of the images; 15 pixels a side at least.
    features
        Length of the vector.
    width
        Factor on the numbers of maps and units.
    seed
        Seed of the initial parameters; torch's global random state is restored afterwards.

    Raises
    ------
    InvalidArgument
        If a number is out of range, or the images are too small.

    Notes
    -----
    Layers: conv 96, pool, conv 192, pool, conv 384 (the map), conv 384, conv 192, pool, fc, fc, vector. Convolutions
    are 3×3 with batch norm and ReLU, pools 3×3 with stride 2.

    References
    ----------
    .. [1] R. D. Hjelm et al., "Learning deep representations by mutual information estimation and maximization",
       ICLR 2019, appendix A.1.
    .. [2] A. Krizhevsky, I. Sutskever and G. E. Hinton, "ImageNet classification with deep convolutional neural
       networks", 2012.

    Examples
    --------
    >>> import torch
    >>> local, vector = AlexNetEncoder(width=1 / 16)(torch.zeros(2, 3, 64, 64)); local.shape, vector.shape
    (torch.Size([2, 24, 15, 15]), torch.Size([2, 64]))
    """

    @validated
    def __init__(
        self, shape: Shape = (3, 64, 64), *, features: PositiveInt = 64, width: PositiveFloat = 1.0, seed: Seed = 0
    ) -> None:
        channels, *sizes = shape
        last = [((((size - 1) // 2) - 1) // 2 - 1) // 2 for size in sizes]
        if len(sizes) != 2 or min(last) < 1:
            raise InvalidArgument("shape", "(channels, height, width) of at least 15 pixels each", tuple(shape))
        a, b, c, units = (max(round(width * base), 1) for base in (96, 192, 384, 4096))

        def block(inputs: int, outputs: int, *more: nn.Module) -> list[nn.Module]:
            convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
            return [convolution, nn.BatchNorm2d(outputs), nn.ReLU(), *more]

        def dense(inputs: int) -> list[nn.Module]:
            return [nn.Linear(inputs, units, bias=False), nn.BatchNorm1d(units), nn.ReLU()]

        with seeded(seed):
            pools = [nn.MaxPool2d(3, 2) for _ in range(3)]
            super().__init__(
                shape,
                nn.Sequential(*block(channels, a, pools[0]), *block(a, b, pools[1]), *block(b, c)),
                nn.Sequential(*block(c, c), *block(c, b, pools[2])),
                nn.Sequential(nn.Flatten(), *dense(b * last[0] * last[1]), *dense(units)),
                nn.Linear(units, features),
            )
