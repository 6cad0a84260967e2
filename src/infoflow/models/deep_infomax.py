"""Encoders of Deep InfoMax: each returns a map of local features and a vector."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated

from torch import Tensor, nn

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import Each, Integer, NonNegativeInt, PositiveInt, Seed, validated
from infoflow.models.seeded import seeded

Shape = Annotated[Sequence[int], Each(Integer(1), length=2)]
Widths = Annotated[Sequence[int], Each(Integer(1), length=1)]

_CONVOLUTION: dict[int, type[nn.Conv1d] | type[nn.Conv2d]] = {1: nn.Conv1d, 2: nn.Conv2d}
_NORM: dict[int, type[nn.BatchNorm1d] | type[nn.BatchNorm2d]] = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d}


class MapAndVector(nn.Module):
    """Base class of the encoders: `local` computes the map, `conv`, `fc` and `vector` continue from it.

    Parameters
    ----------
    shape
        Shape of one input.
    local
        Layers up to the map of local features.
    conv
        The remaining convolutions.
    fc
        Hidden fully connected layers.
    vector
        Last layer, whose output is the vector.

    Notes
    -----
    The attribute `layers` names the layers at which the paper places its three probes, for `infoflow.probes`.

    Examples
    --------
    >>> ConvolutionalEncoder((3, 32, 32)).layers
    {'conv': 'conv', 'fc': 'fc', 'Y': 'output'}
    """

    layers: dict[str, str] = {"conv": "conv", "fc": "fc", "Y": "output"}  # noqa: RUF012  (nn.Module has no slots)

    def __init__(
        self, shape: Sequence[int], local: nn.Sequential, conv: nn.Sequential, fc: nn.Sequential, vector: nn.Linear
    ) -> None:
        super().__init__()
        self.shape = tuple(shape)
        self.local, self.conv, self.fc, self.vector = local, conv, fc, vector
        self.features = vector.out_features

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Encode a batch.

        Parameters
        ----------
        inputs
            Batch of shape (n, *shape).

        Returns
        -------
        tuple of Tensor
            Map (n, channels, ...) and vector (n, features).

        Raises
        ------
        InvalidArgument
            If the inputs have another shape.
        """
        if inputs.ndim != len(self.shape) + 1 or tuple(inputs.shape[1:]) != self.shape:
            wanted = f"of shape (n, {', '.join(map(str, self.shape))})"
            raise InvalidArgument("inputs", wanted, inputs)
        local = self.local(inputs)
        return local, self.vector(self.fc(self.conv(local)))


def strided_sizes(shape: Sequence[int], strides: int, axes: Sequence[int] = (2,)) -> list[int]:
    """Sizes of the map that so many strides of 2 leave of inputs (channels, sizes...), with one of `axes` axes."""
    sizes = shape[1:]
    if len(sizes) not in axes or any(size % 2**strides for size in sizes):
        known = {1: "(channels, length)", 2: "(channels, height, width)"}
        forms = " or ".join(known[count] for count in axes)
        raise InvalidArgument("shape", f"{forms} with sizes divisible by {2**strides}", tuple(shape))
    return [size // 2**strides for size in sizes]


def _block(axes: int, inputs: int, outputs: int) -> list[nn.Module]:
    """Convolution, batch norm, ReLU; no bias before the norm."""
    convolution = _CONVOLUTION[axes](inputs, outputs, 4, 2, padding=1, bias=False)
    return [convolution, _NORM[axes](outputs), nn.ReLU()]


class ConvolutionalEncoder(MapAndVector):
    """Convolutional encoder of Deep InfoMax: strided convolutions, one hidden layer, a linear vector.

    Parameters
    ----------
    shape
        Shape of one input: (channels, height, width) of images or (channels, length) of time series, with sizes
        divisible by 2 to the number of convolutions.
    widths
        Numbers of maps of the convolutions, which have kernel 4, stride 2, batch norm and ReLU. The default is the
        paper's encoder of 32×32 images, with a map of 128×8×8. For 64×64 images the paper uses
        `widths=(64, 128, 256, 512), local=2`, with a map of 256×8×8.
    local
        Index, from 0, of the convolution whose output is the map.
    units
        Units of the hidden layer, with batch norm and ReLU.
    features
        Length of the vector.
    seed
        Seed of the initial parameters; torch's global random state is restored afterwards.

    Raises
    ------
    InvalidArgument
        If a number is out of range, or the strides do not divide the shape.

    References
    ----------
    .. [1] R. D. Hjelm et al., "Learning deep representations by mutual information estimation and maximization",
       ICLR 2019, appendix A.1.

    Examples
    --------
    >>> import torch
    >>> local, vector = ConvolutionalEncoder()(torch.zeros(2, 3, 32, 32)); local.shape, vector.shape
    (torch.Size([2, 128, 8, 8]), torch.Size([2, 64]))
    >>> ConvolutionalEncoder((2, 64), widths=(8, 16), local=0, units=32)(torch.zeros(5, 2, 64))[0].shape
    torch.Size([5, 8, 32])
    """

    @validated
    def __init__(
        self,
        shape: Shape = (3, 32, 32),
        *,
        widths: Widths = (64, 128, 256),
        local: NonNegativeInt = 1,
        units: PositiveInt = 1024,
        features: PositiveInt = 64,
        seed: Seed = 0,
    ) -> None:
        sizes = strided_sizes(shape, len(widths), axes=(1, 2))
        if local >= len(widths):
            raise InvalidArgument("local", f"the index of one of {len(widths)} convolutions", local)
        flat = widths[-1] * math.prod(sizes)
        with seeded(seed):
            blocks = [
                _block(len(sizes), inputs, outputs)
                for inputs, outputs in zip([shape[0], *widths], widths, strict=False)
            ]
            first, rest = (
                [layer for block in part for layer in block] for part in (blocks[: local + 1], blocks[local + 1 :])
            )
            super().__init__(
                shape,
                nn.Sequential(*first),
                nn.Sequential(*rest),
                nn.Sequential(nn.Flatten(), nn.Linear(flat, units, bias=False), nn.BatchNorm1d(units), nn.ReLU()),
                nn.Linear(units, features),
            )
