"""torchvision's classifiers for small images, with the change of strides that this takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from infoflow.core.checks import choice, integer
from infoflow.core.errors import MissingExtra
from infoflow.models.seeded import seeded

STEMS = ("small", "imagenet")


def vision_network(name: str, classes: int = 10, *, stem: str = "small", seed: int = 0) -> nn.Module:
    """One of torchvision's networks, untrained, for RGB images (n, 3, 32, 32): logits (n, `classes`).

    `name`: "resnet18", "densenet121", "googlenet", "mobilenet_v2", "efficientnet_b0" or "shufflenet_v2". They were
    made for 224×224 images, which they shrink 32 times; `stem` says what becomes of that:

    - "small" shrinks images 8 times (GoogLeNet 4), to a last map of 4×4 (8×8), by what `ADAPTATIONS` names;
    - "imagenet" leaves the network as torchvision has it: the last map is 1×1.

    Dropout, stochastic depth and initialization are torchvision's; GoogLeNet comes without its auxiliary classifiers.
    Parameters are drawn from `seed` alone, without touching torch's global random state.

    Raises UnknownName (name, stem), InvalidArgument (classes, seed), MissingExtra without torchvision.

    >>> vision_network("resnet19")
    Traceback (most recent call last):
    ...
    infoflow.core.errors.UnknownName: unknown network 'resnet19'; did you mean 'resnet18'? Known: ...
    """
    choice(name, "network", ADAPTATIONS)
    choice(stem, "stem", STEMS)
    integer(classes, "classes", minimum=2)
    try:
        from torchvision import models
    except ImportError:
        raise MissingExtra("torchvision", "vision", f"network {name!r}") from None
    build, adapt = _NETWORKS[name]
    with seeded(seed):
        network: nn.Module = build(models, classes)
        if stem == "small":
            adapt(network)
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


# How each is made from the module torchvision.models, and what makes it fit small images.
_NETWORKS: dict[str, tuple[Callable[[Any, int], nn.Module], Callable[[Any], None]]] = {
    "resnet18": (lambda models, classes: models.resnet18(num_classes=classes), _resnet18),
    "densenet121": (lambda models, classes: models.densenet121(num_classes=classes), _densenet121),
    "googlenet": (
        lambda models, classes: models.googlenet(num_classes=classes, aux_logits=False, init_weights=True),
        _googlenet,
    ),
    "mobilenet_v2": (lambda models, classes: models.mobilenet_v2(num_classes=classes), _mobilenet_v2),
    "efficientnet_b0": (lambda models, classes: models.efficientnet_b0(num_classes=classes), _efficientnet_b0),
    "shufflenet_v2": (lambda models, classes: models.shufflenet_v2_x1_0(num_classes=classes), _shufflenet_v2),
}

ADAPTATIONS = {
    "resnet18": "first convolution 3×3 of stride 1 for 7×7 of stride 2, no max-pooling after it",
    "densenet121": "first convolution 3×3 of stride 1 for 7×7 of stride 2, no max-pooling after it",
    "googlenet": "first convolution 3×3 of stride 1 for 7×7 of stride 2, without the first two max-poolings",
    "mobilenet_v2": "stride 1 for 2 in the first convolution and in the stage of 24 channels",
    "efficientnet_b0": "stride 1 for 2 in the first convolution and in the stage of 24 channels",
    "shufflenet_v2": "stride 1 for 2 in the first convolution, no max-pooling after it",
}
"""What `stem="small"` changes in each network."""
