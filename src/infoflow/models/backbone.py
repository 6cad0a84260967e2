"""Any network as an encoder: the output of one of its modules is the map, its own output the vector."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from infoflow.core.errors import InvalidArgument, MissingExtra, UnknownName
from infoflow.core.settings import OneOf, PositiveInt, Seed, check, validated
from infoflow.models.seeded import seeded

# A layer of each family of torchvision whose map has about a sixteenth of the input's side.
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


class Backbone(nn.Module):
    """Wrapper of a network that returns (map, vector), the form that Deep InfoMax and the probes use.

    Parameters
    ----------
    network
        Network whose output is the vector; it is not changed.
    local
        Name of the module whose output (n, channels, ...) is the map.

    Raises
    ------
    UnknownName
        If the network has no module of this name.

    Notes
    -----
    The attribute `layers` names the map and the vector for `infoflow.probes`; more entries can be added.

    Examples
    --------
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
        """Encode a batch.

        Parameters
        ----------
        inputs
            Batch as the network takes it.

        Returns
        -------
        tuple of Tensor
            Map (n, channels, ...) and vector (n, features); the vector is flattened.

        Raises
        ------
        InvalidArgument
            If the module returns no map, or the network no tensor.
        """
        seen: list[Any] = []
        handle = self.network.get_submodule(self.local).register_forward_hook(lambda *event: seen.append(event[2]))
        try:
            vector = self.network(inputs)
        finally:
            handle.remove()
        if not seen or not isinstance(seen[-1], Tensor) or seen[-1].ndim < 3:
            got = "nothing" if not seen else getattr(seen[-1], "shape", type(seen[-1]).__name__)
            wanted = f"a module that returns a map (n, channels, ...); {self.local!r} returned {got}"
            raise InvalidArgument("local", wanted)
        if not isinstance(vector, Tensor):
            raise InvalidArgument("network", f"one that returns a tensor; it returned a {type(vector).__name__}")
        return seen[-1], vector.flatten(1)


def torchvision_models(name: str) -> Any:
    """Module `torchvision.models`; raises `MissingExtra`, which names the network, if it is not installed."""
    try:
        from torchvision import models
    except ImportError:
        raise MissingExtra("torchvision", "vision", f"network {name!r}") from None
    return models


def untrained(name: str, outputs: int) -> nn.Module:
    """Network of torchvision with so many outputs, without auxiliary classifiers; drawn from torch's global state."""
    options = {"aux_logits": False, "init_weights": True} if name in ("googlenet", "inception_v3") else {}
    network: nn.Module = torchvision_models(name).get_model(name, weights=None, num_classes=outputs, **options)
    return network


@validated
def torchvision_encoder(name: str, *, features: PositiveInt = 64, local: str | None = None, seed: Seed = 0) -> Backbone:
    """Build an untrained classifier of torchvision as an encoder.

    Parameters
    ----------
    name
        Name of the network as in `torchvision.models.list_models()`.
    features
        Length of the vector, which is the output of the network's last layer.
    local
        Name of the module whose output is the map. None selects a layer at about a sixteenth of the input's side,
        which is known for the common families.
    seed
        Seed of the initial parameters; torch's global random state is restored afterwards.

    Returns
    -------
    Backbone
        The encoder.

    Raises
    ------
    MissingExtra
        If torchvision is not installed.
    UnknownName
        If torchvision has no network, or the network no module, of this name.
    InvalidArgument
        If a number is out of range, or `local` is None for a family without a known layer.

    Notes
    -----
    No weights are downloaded. Load your own into the attribute `network`.

    Examples
    --------
    >>> torchvision_encoder("resnet18", features=0)
    Traceback (most recent call last):
    ...
    infoflow.core.errors.InvalidArgument: features must be an integer >= 1, got 0.
    """
    names = [model for model in torchvision_models(name).list_models() if "." not in model and "_bb" not in model]
    check(name, "torchvision network", OneOf(tuple(names)))
    if local is None:
        local = next((layer for family, layer in _MAPS.items() if name.startswith(family)), None)
    if local is None:
        raise InvalidArgument("local", f"the name of a module, since no layer with a map is known for {name!r}", None)
    with seeded(seed):
        network = untrained(name, features)
    return Backbone(network, local)
