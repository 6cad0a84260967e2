"""Small convolutional classifiers of the information-plane literature."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Annotated, NamedTuple

import torch
from torch import nn

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import Each, Integer, OneOf, Seed, check, validated
from infoflow.models.mlp import ACTIVATIONS, INITIALIZATIONS, Activation, Initialization

_POOLS = {"max": nn.MaxPool2d, "average": nn.AvgPool2d}

Image = Annotated[tuple[int, int], Each(Integer(1), length=2)]
Classes = Annotated[int, Integer(2)]


class Convolution(NamedTuple):
    """Convolution of stride 1 with an activation and, where `pool` is set, 2×2 pooling.

    Parameters
    ----------
    channels
        Number of output maps.
    kernel
        Side of the kernel in pixels.
    padding
        Zeros added at each border, in pixels.
    pool
        "max", "average", or "" for no pooling.

    Examples
    --------
    >>> Convolution(6, 5, padding=2, pool="average").channels
    6
    """

    channels: int
    kernel: int
    padding: int = 0
    pool: str = ""


class ConvolutionalNet(nn.Sequential):
    """Convolutions, then fully connected layers: images (n, C, S, S) to logits (n, classes).

    Parameters
    ----------
    image
        Channels C and side S of the images.
    convolutions
        Convolutional layers, in order.
    dense
        Numbers of units of the hidden fully connected layers.
    activation
        Name in `ACTIVATIONS`, used in all hidden layers.
    classes
        Number of logits, at least 2.
    initialization
        Distribution of the initial parameters, by its name in `INITIALIZATIONS`; `MLP` describes each.
    seed
        Seed of the initial parameters. Torch's global random state is neither used nor changed.

    Raises
    ------
    InvalidArgument
        If a number is out of range, or no pixel is left after a convolution.
    UnknownName
        If the activation, the initialization or a kind of pooling does not exist.

    Notes
    -----
    Modules are named `conv1`, `relu1`, `pool1`, ..., `flatten`, `linear1`, `reluK`, ...; activations are numbered
    through both parts.

    Examples
    --------
    >>> network = ConvolutionalNet((1, 28), [Convolution(4, 3), Convolution(8, 3, pool="max")], [16], "relu")
    >>> [name for name, _ in network.named_children()]
    ['conv1', 'relu1', 'conv2', 'relu2', 'pool2', 'flatten', 'linear1', 'relu3', 'linear2']
    >>> network(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 10])
    """

    @validated
    def __init__(
        self,
        image: Image,
        convolutions: Sequence[Convolution],
        dense: Annotated[Sequence[int], Each(Integer(1))],
        activation: Activation = "relu",
        *,
        classes: Classes = 10,
        initialization: Initialization = "torch",
        seed: Seed = 0,
    ) -> None:
        channels, side = image
        modules: OrderedDict[str, nn.Module] = OrderedDict()
        count = 0
        # skip_init, since the layers themselves would draw from the global random state.
        for i, layer in enumerate(convolutions, 1):
            modules[f"conv{i}"] = nn.utils.skip_init(  # type: ignore[no-untyped-call]
                nn.Conv2d, channels, layer.channels, layer.kernel, padding=layer.padding
            )
            count += 1
            modules[f"{activation}{count}"] = ACTIVATIONS[activation]()
            channels, side = layer.channels, side + 2 * layer.padding - layer.kernel + 1
            if layer.pool:
                modules[f"pool{i}"] = _POOLS[check(layer.pool, "pool", OneOf(tuple(_POOLS)))](2)
                side //= 2
            if side < 1:
                raise InvalidArgument("image", f"large enough to leave a pixel after convolution {i}", image)
        modules["flatten"] = nn.Flatten()
        width = channels * side**2
        for i, features in enumerate((*dense, classes), 1):
            modules[f"linear{i}"] = nn.utils.skip_init(nn.Linear, width, features)  # type: ignore[no-untyped-call]
            if i <= len(dense):
                count += 1
                modules[f"{activation}{count}"] = ACTIVATIONS[activation]()
            width = features
        generator = torch.Generator().manual_seed(seed)
        weighted = [module for module in modules.values() if isinstance(module, nn.Conv2d | nn.Linear)]
        for module in weighted:
            assert module.bias is not None
            INITIALIZATIONS[initialization](module.weight, module.bias, module is weighted[-1], generator)
        super().__init__(modules)
