"""The encoders of Deep InfoMax: a map of local features on the way, and a vector at the end."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from infoflow.core.checks import integer
from infoflow.core.errors import InvalidArgument
from infoflow.models.seeded import seeded

_CONVOLUTION: dict[int, type[nn.Conv1d] | type[nn.Conv2d]] = {1: nn.Conv1d, 2: nn.Conv2d}
_NORM: dict[int, type[nn.BatchNorm1d] | type[nn.BatchNorm2d]] = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d}


class MapAndVector(nn.Module):
    """What the encoders share: `local` gives the map, `conv` the last map, `fc` the units, `vector` the vector.

    `forward(inputs)` returns (map, vector). `layers` names where the paper's three probes look, for `infoflow.probes`.

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
        """Map (n, channels, ...) and vector (n, features) of inputs (n, *shape); InvalidArgument for another shape."""
        if inputs.ndim != len(self.shape) + 1 or tuple(inputs.shape[1:]) != self.shape:
            raise InvalidArgument(
                f"inputs have shape {tuple(inputs.shape)}; want (n, {', '.join(map(str, self.shape))})"
            )
        local = self.local(inputs)
        return local, self.vector(self.fc(self.conv(local)))


def _block(axes: int, inputs: int, outputs: int, *more: nn.Module, kernel: int, stride: int) -> list[nn.Module]:
    """Convolution, batch norm, ReLU; no bias before the norm."""
    convolution = _CONVOLUTION[axes](inputs, outputs, kernel, stride, padding=1, bias=False)
    return [convolution, _NORM[axes](outputs), nn.ReLU(), *more]


def _units(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Linear(inputs, outputs, bias=False), nn.BatchNorm1d(outputs), nn.ReLU()]


class ConvolutionalEncoder(MapAndVector):
    """Convolutions of stride 2 (kernel 4, batch norm, ReLU), a hidden layer, a linear vector: the paper's encoders.

        local = blocks up to number `local` (from 0);  conv = the rest;  fc = `units` with norm and ReLU;  vector linear

    The default is the encoder of 32×32 images: 64-128-256, the map 128×8×8, 1024 units, 64 features. That of 64×64
    images has `widths=(64, 128, 256, 512), local=2`, the map 256×8×8. `shape` is
    (channels, height, width), or (channels, length) for time series. Parameters are drawn from `seed` alone.

    Raises InvalidArgument for a shape that the strides don't divide. Hjelm et al. (2019), appendix A.2, table 4.

    >>> local, vector = ConvolutionalEncoder()(torch.zeros(2, 3, 32, 32)); local.shape, vector.shape
    (torch.Size([2, 128, 8, 8]), torch.Size([2, 64]))
    >>> ConvolutionalEncoder((2, 64), widths=(8, 16), local=0, units=32)(torch.zeros(5, 2, 64))[0].shape
    torch.Size([5, 8, 32])
    """

    def __init__(
        self,
        shape: Sequence[int] = (3, 32, 32),
        *,
        widths: Sequence[int] = (64, 128, 256),
        local: int = 1,
        units: int = 1024,
        features: int = 64,
        seed: int = 0,
    ) -> None:
        channels, *sizes = (integer(value, "shape") for value in shape)
        axes, shrink = len(sizes), 2 ** len(widths)
        if axes not in _CONVOLUTION or any(size % shrink for size in sizes):
            raise InvalidArgument(
                f"shape is {tuple(shape)}; want (channels, height, width) or (channels, length), sizes divisible by "
                f"{shrink} for {len(widths)} strides"
            )
        if not 0 <= integer(local, "local", minimum=0) < len(widths):
            raise InvalidArgument(f"local is {local}; want the number of one of {len(widths)} blocks, from 0")
        with seeded(seed):
            blocks = [
                _block(axes, inputs, integer(outputs, "widths"), kernel=4, stride=2)
                for inputs, outputs in zip([channels, *widths], widths, strict=False)
            ]
            flat = widths[-1] * math.prod(size // shrink for size in sizes)
            first, rest = (
                [layer for block in part for layer in block] for part in (blocks[: local + 1], blocks[local + 1 :])
            )
            super().__init__(
                shape,
                nn.Sequential(*first),
                nn.Sequential(*rest),
                nn.Sequential(nn.Flatten(), *_units(flat, integer(units, "units"))),
                nn.Linear(units, integer(features, "features")),
            )


class AlexNetEncoder(MapAndVector):
    """The paper's AlexNet-like encoder of 64×64 images: map 384×15×15, two layers of 4096 units, 64 features.

    conv 96 – pool – conv 192 – pool – conv 384 (the map) – conv 384 – conv 192 – pool – fc – fc – vector, all
    convolutions 3×3 with batch norm and ReLU, pools 3/2. `width` scales channels and units. Parameters are drawn from
    `seed` alone. Hjelm et al. (2019), appendix A.2; Krizhevsky et al. (2012).

    >>> local, vector = AlexNetEncoder(width=1 / 16)(torch.zeros(2, 3, 64, 64)); local.shape, vector.shape
    (torch.Size([2, 24, 15, 15]), torch.Size([2, 64]))
    """

    def __init__(
        self, shape: Sequence[int] = (3, 64, 64), *, features: int = 64, width: float = 1.0, seed: int = 0
    ) -> None:
        channels, *sizes = (integer(value, "shape") for value in shape)
        last = [((((size - 1) // 2) - 1) // 2 - 1) // 2 for size in sizes]
        if len(sizes) != 2 or min(last) < 1:
            raise InvalidArgument(f"shape is {tuple(shape)}; want (channels, height, width) of at least 15 each")
        a, b, c, units = (max(round(width * base), 1) for base in (96, 192, 384, 4096))

        def block(inputs: int, outputs: int, *more: nn.Module) -> list[nn.Module]:
            return _block(2, inputs, outputs, *more, kernel=3, stride=1)

        with seeded(seed):
            pools = [nn.MaxPool2d(3, 2) for _ in range(3)]
            super().__init__(
                shape,
                nn.Sequential(*block(channels, a, pools[0]), *block(a, b, pools[1]), *block(b, c)),
                nn.Sequential(*block(c, c), *block(c, b, pools[2])),
                nn.Sequential(nn.Flatten(), *_units(b * last[0] * last[1], units), *_units(units, units)),
                nn.Linear(units, integer(features, "features")),
            )


def example_batch(encoder: MapAndVector, n: int = 2) -> Tensor:
    """Zeros in the shape that the encoder takes, (n, *shape), for whoever needs its shapes.

    >>> example_batch(ConvolutionalEncoder()).shape
    torch.Size([2, 3, 32, 32])
    """
    return torch.zeros(integer(n, "n"), *encoder.shape)
