"""The small convolutional classifiers of the information-plane literature."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from torch import nn

from infoflow.core.checks import choice, integer
from infoflow.core.errors import InvalidArgument
from infoflow.models.mlp import ACTIVATIONS
from infoflow.models.seeded import seeded


class Convolution(NamedTuple):
    """A convolution, its activation, and 2×2 pooling of the kind that is named ("" for none).

    >>> Convolution(6, 5, padding=2, pool="average").channels
    6
    """

    channels: int
    kernel: int
    padding: int = 0
    pool: str = ""


_POOLS = {"max": nn.MaxPool2d, "average": nn.AvgPool2d}


class ConvolutionalNet(nn.Sequential):
    """Convolutions, then fully connected layers, all with one activation: (n, C, S, S) -> logits (n, `classes`).

    Modules are named `conv1`, `relu1`, `pool1`, ..., `flatten`, `linear1`, `reluK`, ..., with activations counted
    through. Parameters are drawn as torch does, from `seed` alone. `image` = (channels C, side S).

    Raises InvalidArgument (a number out of range; nothing left to flatten), UnknownName (activation, pool).

    >>> import torch
    >>> network = ConvolutionalNet((1, 28), [Convolution(4, 3), Convolution(8, 3, pool="max")], [16], "relu")
    >>> [name for name, _ in network.named_children()]
    ['conv1', 'relu1', 'conv2', 'relu2', 'pool2', 'flatten', 'linear1', 'relu3', 'linear2']
    >>> network(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 10])
    """

    def __init__(
        self,
        image: tuple[int, int],
        convolutions: Sequence[Convolution],
        dense: Sequence[int],
        activation: str = "relu",
        *,
        classes: int = 10,
        seed: int = 0,
    ) -> None:
        channels, side = (integer(value, "image") for value in image)
        kind = ACTIVATIONS[choice(activation, "activation", ACTIVATIONS)]
        modules: OrderedDict[str, nn.Module] = OrderedDict()
        count = 0
        with seeded(seed):
            for i, layer in enumerate(convolutions, 1):
                modules[f"conv{i}"] = nn.Conv2d(channels, layer.channels, layer.kernel, padding=layer.padding)
                count += 1
                modules[f"{activation}{count}"] = kind()
                channels, side = layer.channels, side + 2 * layer.padding - layer.kernel + 1
                if layer.pool:
                    modules[f"pool{i}"] = _POOLS[choice(layer.pool, "pool", _POOLS)](2)
                    side //= 2
                if side < 1:
                    raise InvalidArgument(f"image side is {image[1]}; nothing of it is left after convolution {i}")
            modules["flatten"] = nn.Flatten()
            width = channels * side**2
            for i, features in enumerate(dense, 1):
                modules[f"linear{i}"] = nn.Linear(width, integer(features, "dense"))
                count += 1
                modules[f"{activation}{count}"] = kind()
                width = features
            modules[f"linear{len(dense) + 1}"] = nn.Linear(width, integer(classes, "classes", minimum=2))
        super().__init__(modules)


class LeNet5(ConvolutionalNet):
    """LeNet-5: convolutions of 6 and 16 maps (5×5) with 2×2 average pooling, then 120, 84 and `classes` units.

    The first convolution keeps the side (padding 2), as the original pads 28 to 32. LeCun, Bottou, Bengio & Haffner
    (1998), section II-B; its trained pooling and its sparse connections are left out, as is usual.

    Raises InvalidArgument (a side below 16 leaves nothing to flatten), UnknownName (activation).

    >>> import torch
    >>> network = LeNet5(activation="sigmoid")
    >>> network(torch.zeros(2, 1, 28, 28)).shape, sum(p.numel() for p in network.parameters())
    (torch.Size([2, 10]), 61706)
    """

    def __init__(
        self, image: tuple[int, int] = (1, 28), classes: int = 10, activation: str = "tanh", *, seed: int = 0
    ) -> None:
        layers = [Convolution(6, 5, padding=2, pool="average"), Convolution(16, 5, pool="average")]
        super().__init__(image, layers, [120, 84], activation, classes=classes, seed=seed)
