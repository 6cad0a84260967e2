"""A module after each activation of a network: noise, quantization, batch normalization."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from torch import nn

from infoflow.core.errors import InvalidArgument
from infoflow.models.mlp import ACTIVATIONS
from infoflow.models.stack import Stacked, StackedLinear


def after_activations(network: nn.Sequential, name: str, make: Callable[[int], nn.Module]) -> nn.Sequential:
    """The network with `make(width)` after each activation, named `name1`, `name2`, ...; its own modules are shared.

    `width` is that of the layer (of maps: how many) that the activation follows. A stack stays a stack; what `make`
    returns must then take (R, n, width) too. Raises InvalidArgument unless it is an `nn.Sequential` with activations
    of `ACTIVATIONS`, each after a linear or convolutional layer.

    The networks of Goldfeld et al. (2019) have noise there, those of Wickstrøm et al. (2019) batch normalization.

    >>> from infoflow.models import MLP
    >>> network = after_activations(MLP([4, 3, 2]), "norm", nn.BatchNorm1d)
    >>> [child for child, _ in network.named_children()]
    ['linear1', 'tanh1', 'norm1', 'linear2']
    """
    if not isinstance(network, nn.Sequential):
        raise InvalidArgument(f"network is a {type(network).__name__}; want an nn.Sequential such as MLP")
    modules: OrderedDict[str, nn.Module] = OrderedDict()
    width, count = 0, 0
    for child, module in network.named_children():
        modules[child] = module
        if isinstance(module, nn.Linear):
            width = module.out_features
        elif isinstance(module, nn.Conv2d):
            width = module.out_channels
        elif isinstance(module, StackedLinear):
            width = module.weight.shape[1]
        elif isinstance(module, tuple(ACTIVATIONS.values())) and width:
            count += 1
            modules[f"{name}{count}"] = make(width)
    if not count:
        raise InvalidArgument("network has no activation after a linear or convolutional layer; want at least one")
    if isinstance(network, Stacked):
        return Stacked(modules, network.members, network.description)
    return nn.Sequential(modules)
