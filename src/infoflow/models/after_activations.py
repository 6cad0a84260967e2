"""A module after each activation of a network: noise, quantization, batch normalization."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from torch import nn

from infoflow.core.errors import InvalidArgument
from infoflow.models.mlp import ACTIVATIONS
from infoflow.models.stack import Stacked, StackedLinear


def after_activations(network: nn.Sequential, name: str, make: Callable[[int], nn.Module]) -> nn.Sequential:
    """Insert a module after each activation of a sequential network.

    Parameters
    ----------
    network
        Network whose activations are among `ACTIVATIONS`, each after a linear or convolutional layer. Its modules are
        shared with the result, not copied.
    name
        Name of the new modules, which become `name1`, `name2`, ...
    make
        Function that builds a module for the width (units or maps) of the layer before the activation. For a stacked
        network the module must accept inputs of shape (R, n, width).

    Returns
    -------
    nn.Sequential
        The extended network; a `Stacked` one if `network` is stacked.

    Raises
    ------
    InvalidArgument
        If the network is not sequential or has no such activation.

    Notes
    -----
    The networks of [1]_ add noise after each activation, those of [2]_ batch normalization.

    References
    ----------
    .. [1] Z. Goldfeld et al., "Estimating information flow in deep neural networks", ICML 2019.
    .. [2] K. Wickstrøm et al., "Information plane analysis of deep neural networks via matrix-based Rényi's entropy
       and tensor kernels", 2019.

    Examples
    --------
    >>> from infoflow.models import MLP
    >>> network = after_activations(MLP([4, 3, 2]), "norm", nn.BatchNorm1d)
    >>> [child for child, _ in network.named_children()]
    ['linear1', 'tanh1', 'norm1', 'linear2']
    """
    if not isinstance(network, nn.Sequential):
        raise InvalidArgument("network", "an nn.Sequential such as MLP", network)
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
        raise InvalidArgument("network", "one with an activation after a linear or convolutional layer")
    if isinstance(network, Stacked):
        return Stacked(modules, network.members, network.description)
    return nn.Sequential(modules)
