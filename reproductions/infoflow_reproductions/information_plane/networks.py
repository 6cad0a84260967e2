"""The networks of Table I by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import nn

from infoflow.core.checks import choice
from infoflow.layers import GaussianNoise, QuantizedActivation
from infoflow.models import MLP, Convolution, ConvolutionalNet, after_activations, stack
from infoflow_reproductions.information_plane.recipe import Variant
from infoflow_reproductions.networks.vision import vision_network

_Layers = list[Convolution]


def _pooled(*widths: int, repeats: int = 1) -> _Layers:
    """3×3 convolutions of each width, so often, the last one of each width with pooling."""
    counts = [(width, number) for width in widths for number in range(1, repeats + 1)]
    return [Convolution(width, 3, 1, "max" if number == repeats else "") for width, number in counts]


# LeCun et al. (1998), section II-B, with a padding of 2 where the original pads images of 28 to 32 pixels, and without
# trained pooling and sparse connections, as is usual.
_LENET5 = [Convolution(6, 5, padding=2, pool="average"), Convolution(16, 5, pool="average")]

# Goldfeld et al.: two convolutions, of unpublished sizes, then 1583 and 128 units.
# Noshad et al.: 5×5 to 4 maps, 3×3 to 8 and 16 with pooling, 256 units; Wickstrøm et al.: 4, 8 and 16 maps, 256 units.
_CONVOLUTIONS: dict[str, tuple[_Layers, list[int]]] = {
    "lenet5": (_LENET5, [120, 84]),
    "cnn-noshad": ([Convolution(4, 5), Convolution(8, 3, pool="max"), Convolution(16, 3, pool="max")], [256]),
    "cnn-wickstrom": ([Convolution(4, 3), Convolution(8, 3, pool="max"), Convolution(16, 3, pool="max")], [256]),
    "cnn-goldfeld": ([Convolution(16, 5, pool="max"), Convolution(32, 5, pool="max")], [1583, 128]),
    "cnn-shallow": (_pooled(16, 32), [64]),
    "cnn-deep": (_pooled(32, 64, 128, repeats=2), [128]),
    "vgg16": ([*_pooled(64, 128, repeats=2), *_pooled(256, 512, repeats=3), *_pooled(512, repeats=3)], [512]),
}
"""Name -> convolutions and the units of the dense layers after them."""

VISION = ("resnet18", "densenet121")
"""torchvision's, for color images; a variant must name the modules to record."""

NETWORKS = ("mlp", *_CONVOLUTIONS, *VISION)
"""What `Variant.network` can be."""


def takes_images(variant: Variant) -> bool:
    """Whether the network is convolutional."""
    return choice(variant.network, "network", NETWORKS) != "mlp"


def stackable(variant: Variant) -> bool:
    """Whether many seeds of it train side by side, and none depends on the others."""
    return variant.network == "mlp" and not (variant.batch_norm or variant.noise or variant.levels)


def channels(variant: Variant) -> int | None:
    """The number of channels that the network takes; None for as many as the images have."""
    return 3 if variant.network in VISION else None


def build(variant: Variant, shape: Sequence[int], classes: int, seeds: Sequence[int]) -> nn.Module:
    """Build the network for inputs of this shape: a stack with one member per seed, or that of the only seed.

    >>> build(Variant("szt"), (12,), 2, [0, 1]).members
    2
    """
    if stackable(variant):
        return stack([_one(variant, shape, classes, seed) for seed in seeds])
    (seed,) = seeds
    network = _one(variant, shape, classes, seed)
    if takes_images(variant):  # a third faster on CPUs, above all the pooling
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def _one(variant: Variant, shape: Sequence[int], classes: int, seed: int) -> nn.Module:
    if variant.network in VISION:
        found = vision_network(variant.network, classes, seed=seed)
        return _leaky(found) if variant.activation == ("leaky_relu",) else found
    network: nn.Sequential
    if variant.network == "mlp":
        activation = variant.activation[0] if len(variant.activation) == 1 else list(variant.activation)
        widths = (shape[0], *variant.widths, classes)
        network = MLP(widths, activation, initialization=variant.initialization, seed=seed)
    else:
        convolutions, dense = _CONVOLUTIONS[variant.network]
        network = ConvolutionalNet(
            (shape[0], shape[1]),
            convolutions,
            dense,
            variant.activation[0],
            classes=classes,
            initialization=variant.initialization,
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
        evaluation: Literal["sampled", "deterministic"] = (
            "sampled" if variant.noise_in == "network" else "deterministic"
        )
        network = after_activations(network, "noise", lambda _: GaussianNoise(variant.noise, evaluation=evaluation))
    if variant.batch_norm:
        network = after_activations(network, "norm", nn.BatchNorm1d)
    return network


def _leaky(network: nn.Module) -> nn.Module:
    """Put leaky ReLU in the place of every ReLU."""
    for parent in list(network.modules()):
        for name, module in parent.named_children():
            if isinstance(module, nn.ReLU):
                setattr(parent, name, nn.LeakyReLU(inplace=module.inplace))
    return network


def _quantized(variant: Variant) -> nn.Module:
    bounded = variant.activation[0] in ("tanh", "hardtanh", "softsign")
    return QuantizedActivation(variant.levels, *((-1.0, 1.0) if bounded else ()))
