"""Classifiers of torchvision for small images, with fewer strides than the originals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from torch import nn

from infoflow.core.settings import Integer, OneOf, Seed, validated
from infoflow.models import seeded
from infoflow.models.backbone import untrained


@validated
def vision_network(
    name: Annotated[str, OneOf(lambda: ADAPTATIONS)],
    classes: Annotated[int, Integer(2)] = 10,
    *,
    stem: Literal["small", "imagenet"] = "small",
    seed: Seed = 0,
) -> nn.Module:
    """Build an untrained classifier of torchvision for RGB images (n, 3, 32, 32): logits (n, classes).

    Parameters
    ----------
    name
        Name in `ADAPTATIONS`: "resnet18", "densenet121", "googlenet", "mobilenet_v2", "efficientnet_b0" or
        "shufflenet_v2".
    classes
        Number of logits, at least 2.
    stem
        The networks were designed for 224×224 images, whose sides they divide by 32. "small" divides them by 8
        (GoogLeNet by 4), with a last map of 4×4 (8×8), with the changes of `ADAPTATIONS`. "imagenet" is
        torchvision's network, with a last map of 1×1.
    seed
        Seed of the initial parameters; torch's global random state is restored afterwards.

    Returns
    -------
    nn.Module
        The network. GoogLeNet has no auxiliary classifiers.

    Raises
    ------
    UnknownName
        If the network or the stem does not exist.
    InvalidArgument
        If a number is out of range.
    MissingExtra
        If torchvision is not installed.

    Notes
    -----
    Dropout, stochastic depth and the distributions of the initial parameters are torchvision's.

    Examples
    --------
    >>> vision_network("resnet19")
    Traceback (most recent call last):
    ...
    infoflow.core.errors.UnknownName: unknown name 'resnet19'. Did you mean 'resnet18'? Known: ...
    """
    with seeded(seed):
        network = untrained("shufflenet_v2_x1_0" if name == "shufflenet_v2" else name, classes)
        if stem == "small":
            ADAPTATIONS[name](network)
    return network


def _resnet18(network: Any) -> None:
    network.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")  # as torchvision draws it
    network.maxpool = nn.Identity()


def _densenet121(network: Any) -> None:
    network.features.conv0 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    nn.init.kaiming_normal_(network.features.conv0.weight)  # as torchvision draws it
    network.features.pool0 = nn.Identity()


def _googlenet(network: Any) -> None:
    network.conv1.conv = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    nn.init.trunc_normal_(network.conv1.conv.weight, std=0.01, a=-2, b=2)  # as torchvision draws it
    network.maxpool1 = network.maxpool2 = nn.Identity()


def _mobilenet_v2(network: Any) -> None:
    _unstrided(network.features[0])
    _unstrided(network.features[2])


def _efficientnet_b0(network: Any) -> None:
    _unstrided(network.features[0])
    _unstrided(network.features[2][0])


def _shufflenet_v2(network: Any) -> None:
    _unstrided(network.conv1)
    network.maxpool = nn.Identity()


def _unstrided(block: nn.Module) -> None:
    for module in block.modules():
        if isinstance(module, nn.Conv2d):
            module.stride = (1, 1)


ADAPTATIONS: dict[str, Callable[[Any], None]] = {
    "resnet18": _resnet18,
    "densenet121": _densenet121,
    "googlenet": _googlenet,
    "mobilenet_v2": _mobilenet_v2,
    "efficientnet_b0": _efficientnet_b0,
    "shufflenet_v2": _shufflenet_v2,
}
"""What `stem="small"` changes in each network: the first convolution is 3×3 or of stride 1, and strides are fewer."""
