"""Any network as an encoder: the output of one of its modules is the map, its own output the vector."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from infoflow.core.checks import choice, integer
from infoflow.core.errors import InvalidArgument, MissingExtra, UnknownName
from infoflow.models.seeded import seeded


class Backbone(nn.Module):
    """Wraps a network so that it returns (map, vector), as Deep InfoMax and the probes take it.

    `local` is the name of the module whose output (n, channels, ...) is the map; the vector is the network's output,
    flattened. The network itself isn't changed. `layers` adds more names for the probes.

    Raises UnknownName for a module that isn't there, InvalidArgument where it gives no map.

    >>> import torch
    >>> network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(6))
    >>> local, vector = Backbone(network, local="1")(torch.zeros(2, 3, 8, 8)); local.shape, vector.shape
    (torch.Size([2, 8, 6, 6]), torch.Size([2, 6]))
    """

    def __init__(self, network: nn.Module, local: str) -> None:
        super().__init__()
        names = [name for name, _ in network.named_modules() if name]
        if local not in names:
            raise UnknownName("module of the network", local, names)
        self.network = network
        self.local = local
        self.layers = {"conv": f"network.{local}", "Y": "output"}

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Map and vector of a batch."""
        seen: list[Any] = []
        handle = self.network.get_submodule(self.local).register_forward_hook(lambda *event: seen.append(event[2]))
        try:
            vector = self.network(inputs)
        finally:
            handle.remove()
        if not seen or not isinstance(seen[-1], Tensor) or seen[-1].ndim < 3:
            got = "nothing" if not seen else getattr(seen[-1], "shape", type(seen[-1]).__name__)
            raise InvalidArgument(f"module {self.local!r} gave {got}; want a map (n, channels, ...)")
        if not isinstance(vector, Tensor):
            raise InvalidArgument(f"the network returned {type(vector).__name__}; want a tensor, the vector")
        return seen[-1], vector.flatten(1)


# Where torchvision's families have a map of moderate size: a sixteenth of the input's side, or near it.
_MAPS = {
    "resnet": "layer3",
    "resnext": "layer3",
    "wide_resnet": "layer3",
    "mobilenet_v2": "features.13",
    "mobilenet_v3": "features.8",
    "efficientnet": "features.5",
    "shufflenet": "stage3",
    "densenet": "features.denseblock3",
    "googlenet": "inception4e",
    "vgg": "features.23",
    "alexnet": "features.7",
    "convnext": "features.5",
    "regnet": "trunk_output.block3",
    "squeezenet": "features.9",
}


def torchvision_encoder(name: str, *, features: int = 64, local: str | None = None, seed: int = 0) -> Backbone:
    """One of torchvision's classifiers, untrained, as an encoder: its last layer gives the vector's `features`.

    `name` as in `torchvision.models.list_models()`; `local` the module that gives the map (None: a layer at about a
    sixteenth of the input's side, for the families that we know). Parameters are drawn from `seed` alone; weights are
    never fetched (load them into `.network` yourself).

    Raises MissingExtra without torchvision, UnknownName (network), InvalidArgument where `local` must be given.

    >>> torchvision_encoder("resnet18", features=0)
    Traceback (most recent call last):
    ...
    infoflow.core.errors.InvalidArgument: features is 0; want an integer >= 1
    """
    integer(features, "features")
    try:
        from torchvision import models
    except ImportError:
        raise MissingExtra("torchvision", "vision", f"network {name!r}") from None
    known = [model for model in models.list_models() if "." not in model and "_bb" not in model]
    choice(name, "torchvision network", known)
    if local is None:
        local = next((layer for family, layer in _MAPS.items() if name.startswith(family)), None)
        if local is None:
            raise InvalidArgument(f"network {name!r} has no map that we know of; want local=, the name of a module")
    options = {"aux_logits": False, "init_weights": True} if name in ("googlenet", "inception_v3") else {}
    with seeded(seed):
        network: nn.Module = models.get_model(name, weights=None, num_classes=features, **options)
    return Backbone(network, local)
