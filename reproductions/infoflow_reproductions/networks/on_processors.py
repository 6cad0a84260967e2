"""Layers of convolutional networks in forms that are faster on processors where the maps are small."""

from __future__ import annotations

from torch import nn

from infoflow_reproductions.networks.depthwise import Depthwise
from infoflow_reproductions.networks.pointwise import Pointwise
from infoflow_reproductions.networks.shuffle_unit import ShuffleUnit


def for_processors(network: nn.Module) -> nn.Module:
    """Replace convolutions of 1×1, depthwise convolutions and units of ShuffleNetV2 within a network.

    Results differ by rounding. They are faster in channels-last layout.

    Parameters
    ----------
    network
        The network, which is changed in place; names and values of its parameters stay.

    Returns
    -------
    nn.Module
        The same network, with `Pointwise` for convolutions of 1×1, stride 1 and one group, `Depthwise` for those of
        one filter per channel, odd sides, padded by half of them and without bias, and `ShuffleUnit`.

    Examples
    --------
    >>> for_processors(nn.Sequential(nn.Conv2d(3, 5, 1), nn.Conv2d(5, 5, 3)))
    Sequential(
      (0): Pointwise()
      (1): Conv2d(5, 5, kernel_size=(3, 3), stride=(1, 1))
    )
    """
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.Conv2d) and _is_pointwise(child):
                setattr(module, name, Pointwise(child))
            elif isinstance(child, nn.Conv2d) and _is_depthwise(child):
                setattr(module, name, Depthwise(child))
            elif _is_shuffle_unit(child):
                setattr(module, name, ShuffleUnit(child))
    return network


def _is_pointwise(convolution: nn.Conv2d) -> bool:
    whole = convolution.kernel_size == convolution.stride == (1, 1) and convolution.groups == 1
    return whole and convolution.padding in ((0, 0), "valid", "same")


def _is_depthwise(convolution: nn.Conv2d) -> bool:
    one_each = convolution.groups == convolution.in_channels == convolution.out_channels and convolution.bias is None
    sides = convolution.kernel_size
    centered = all(side % 2 for side in sides) and convolution.padding == tuple(side // 2 for side in sides)
    return one_each and centered and convolution.dilation == (1, 1) and convolution.padding_mode == "zeros"


def _is_shuffle_unit(module: nn.Module) -> bool:
    # By name, since torchvision is an extra.
    kind = type(module)
    return (kind.__module__, kind.__name__) == ("torchvision.models.shufflenetv2", "InvertedResidual")
