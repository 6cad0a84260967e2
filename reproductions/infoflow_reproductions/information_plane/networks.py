"""The networks of Table I by name."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from infoflow.core.checks import choice
from infoflow.layers import GaussianNoise, QuantizedActivation
from infoflow.models import MLP, Convolution, ConvolutionalNet, LeNet5, after_activations, stack, vision_network
from infoflow_reproductions.information_plane.variant import Variant

# Noshad et al.: 5×5 to 4 maps, 3×3 to 8 and 16 with pooling, 256 units; Wickstrøm et al.: 4, 8 and 16 maps, 256 units.
_CONVOLUTIONS = {
    "cnn-noshad": [Convolution(4, 5), Convolution(8, 3, pool="max"), Convolution(16, 3, pool="max")],
    "cnn-wickstrom": [Convolution(4, 3), Convolution(8, 3, pool="max"), Convolution(16, 3, pool="max")],
    "cnn-shallow": [Convolution(16, 3, 1, "max"), Convolution(32, 3, 1, "max")],
    "cnn-deep": [
        *(Convolution(width, 3, 1, pool) for width, pool in
          ((32, ""), (32, "max"), (64, ""), (64, "max"), (128, ""), (128, "max"))),
    ],
    "vgg16": [
        *(Convolution(width, 3, 1, "max" if last else "")
          for width, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
          for last in [False] * (count - 1) + [True]),
    ],
}  # fmt: skip
_DENSE = {"cnn-noshad": [256], "cnn-wickstrom": [256], "cnn-shallow": [64], "cnn-deep": [128], "vgg16": [512]}

VISION = ("resnet18", "densenet121")
"""torchvision's, for color images; which of their modules to record has to be said."""

NETWORKS = ("mlp", "lenet5", *_CONVOLUTIONS, *VISION)
"""What `Variant.network` can be."""


def takes_images(variant: Variant) -> bool:
    """Whether its network is convolutional."""
    return choice(variant.network, "network", NETWORKS) != "mlp"


def stackable(variant: Variant) -> bool:
    """Whether many seeds of it train side by side, and none depends on the others."""
    return variant.network == "mlp" and not (variant.batch_norm or variant.noise or variant.levels)


def channels(variant: Variant) -> int | None:
    """How many channels its network wants of images; None for as many as they have."""
    return 3 if variant.network in VISION else None


def build(variant: Variant, shape: Sequence[int], classes: int, seeds: Sequence[int]) -> nn.Module:
    """The network for inputs of this shape: a stack of one member a seed, or the network of the only seed.

    >>> build(Variant("szt"), (12,), 2, [0, 1]).members
    2
    """
    if stackable(variant):
        return stack([_one(variant, shape, classes, seed) for seed in seeds])
    (seed,) = seeds
    network = _one(variant, shape, classes, seed)
    if takes_images(variant):  # a third faster on processors, pooling most of all
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def _one(variant: Variant, shape: Sequence[int], classes: int, seed: int) -> nn.Module:
    if variant.network in VISION:
        return vision_network(variant.network, classes, seed=seed)
    network: nn.Sequential
    if variant.network == "mlp":
        activation = variant.activation[0] if len(variant.activation) == 1 else list(variant.activation)
        network = MLP((shape[0], *variant.widths, classes), activation,
                      initialization=variant.initialization, seed=seed)  # fmt: skip
    elif variant.network == "lenet5":
        network = LeNet5((shape[0], shape[1]), classes, variant.activation[0], seed=seed)
    else:
        network = ConvolutionalNet(
            (shape[0], shape[1]),
            _CONVOLUTIONS[variant.network],
            _DENSE[variant.network],
            variant.activation[0],
            classes=classes,
            seed=seed,
        )
    if variant.gain != 1.0:
        with torch.no_grad():
            for layer in network.modules():
                if isinstance(layer, nn.Linear | nn.Conv2d):
                    layer.weight.mul_(variant.gain)
    if variant.levels:
        network = after_activations(network, "quantized", lambda _: _quantized(variant))
    if variant.noise:
        network = after_activations(network, "noise", lambda _: GaussianNoise(variant.noise, evaluation="sampled"))
    if variant.batch_norm:
        network = after_activations(network, "norm", nn.BatchNorm1d)
    return network


def _quantized(variant: Variant) -> nn.Module:
    bounded = variant.activation[0] in ("tanh", "hardtanh", "softsign")
    return QuantizedActivation(variant.levels, *((-1.0, 1.0) if bounded else ()))
