"""Many networks of one shape as one network, so that a step of all costs little more than a step of one."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import Integer, check

# Modules without parameters, buffers or randomness that act on each element alone, so that they accept (R, n, d).
_SIGMOIDS = (nn.Tanh, nn.Softsign, nn.Sigmoid, nn.LogSigmoid, nn.Hardtanh, nn.Hardsigmoid)
_RECTIFIERS = (nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish, nn.Hardswish)
_OTHERS = (nn.Softplus, nn.Tanhshrink, nn.Softshrink, nn.Hardshrink, nn.Identity)
_ELEMENTWISE = (*_SIGMOIDS, *_RECTIFIERS, *_OTHERS)


class StackedLinear(nn.Module):
    """R linear layers as one: y_r = x_r W_rᵀ + b_r.

    Parameters
    ----------
    weight
        Weights of shape (R, out, in).
    bias
        Offsets of shape (R, out, 1), or None.

    Notes
    -----
    The result is laid out in memory as (R, out, n). Layers are narrow and batches long, so the long axis is innermost
    in every product, and elementwise activations preserve the layout for the next layer.

    Examples
    --------
    >>> layer = StackedLinear(torch.ones(3, 2, 4), torch.zeros(3, 2, 1))
    >>> layer(torch.ones(5, 4)).shape, layer(torch.ones(3, 5, 4)).shape
    (torch.Size([3, 5, 2]), torch.Size([3, 5, 2]))
    """

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)
        self.bias = None if bias is None else nn.Parameter(bias)

    def forward(self, x: Tensor) -> Tensor:
        """Apply each layer to its samples.

        Parameters
        ----------
        x
            Samples (n, in) for all members, or (R, n, in) with one batch per member.

        Returns
        -------
        Tensor
            Outputs of shape (R, n, out).

        Raises
        ------
        InvalidArgument
            If the samples have another shape.
        """
        members, _, fan_in = self.weight.shape
        if x.shape[-1] != fan_in or x.ndim not in (2, 3) or (x.ndim == 3 and x.shape[0] != members):
            wanted = f"of shape (n, {fan_in}) for all members, or ({members}, n, {fan_in})"
            raise InvalidArgument("x", wanted, x)
        if x.ndim == 2:
            x = x.expand(members, -1, -1)
        if self.bias is None:
            return torch.bmm(self.weight, x.mT).mT
        return torch.baddbmm(self.bias, self.weight, x.mT).mT

    def extra_repr(self) -> str:
        """Describe the shape of the layers, for the representation of the module.

        Returns
        -------
        str
            Text between the parentheses.
        """
        members, features, fan_in = self.weight.shape
        return f"members={members}, in_features={fan_in}, out_features={features}, bias={self.bias is not None}"


class Stacked(nn.Sequential):
    """R networks of one shape as one, as `stack` returns them: (n, d) or (R, n, d) to (R, n, C).

    Parameters
    ----------
    modules
        Layers in order, each of which accepts a leading axis of members.
    members
        Number R of networks.
    description
        Text for the representation of the module.

    Examples
    --------
    >>> from infoflow.models import MLP
    >>> stack([MLP([4, 3, 2], "tanh", seed=seed) for seed in range(5)]).members
    5
    """

    def __init__(self, modules: OrderedDict[str, nn.Module], members: int, description: str = "") -> None:
        super().__init__(modules)
        self.members = members
        self.description = description

    def extra_repr(self) -> str:
        """Describe the members, for the representation of the module.

        Returns
        -------
        str
            Text between the parentheses.
        """
        return ", ".join(filter(None, [f"members={self.members}", self.description]))


def stack(networks: Sequence[nn.Module]) -> Stacked:
    """Combine networks of one shape into one network whose members do not influence each other.

    Parameters
    ----------
    networks
        Networks, each an `nn.Sequential` of `nn.Linear` and elementwise activations. Parameters are copied.

    Returns
    -------
    Stacked
        One network. Module names stay the same, so hooks by name find the same layers, with activations of shape
        (R, n, features) instead of (n, features).

    Raises
    ------
    InvalidArgument
        If there is no network, one has another kind of module (BatchNorm, Dropout, a convolution), or shapes differ.

    Notes
    -----
    The gradient of a loss that is summed over members equals, for each member, the gradient of its own loss.

    Examples
    --------
    >>> from infoflow.models import MLP
    >>> networks = [MLP([4, 3, 2], "tanh", seed=seed) for seed in range(5)]
    >>> together = stack(networks)(torch.ones(6, 4))
    >>> together.shape, torch.allclose(together[3], networks[3](torch.ones(6, 4)), atol=1e-6)
    (torch.Size([5, 6, 2]), True)
    """
    networks = list(networks)
    if not networks:
        raise InvalidArgument("networks", "a sequence of at least one network", networks)
    for i, network in enumerate(networks):
        if not isinstance(network, nn.Sequential) or isinstance(network, Stacked):
            raise InvalidArgument(f"networks[{i}]", "an nn.Sequential such as MLP", network)
    children = [dict(network.named_children()) for network in networks]
    for i, other in enumerate(children):
        if list(other) != list(children[0]):
            wanted = f"a network with the layers of networks[0], {list(children[0])}"
            raise InvalidArgument(f"networks[{i}]", wanted, list(other))
    modules = OrderedDict((name, _together(name, [child[name] for child in children])) for name in children[0])
    kinds = sorted({network.extra_repr() for network in networks})
    stacked = Stacked(modules, len(networks), "; ".join(filter(None, kinds)))
    return stacked.train(networks[0].training)


def _together(name: str, modules: list[nn.Module]) -> nn.Module:
    """One module that does for (R, n, d) what each of `modules` does for its (n, d)."""
    first = modules[0]
    if type(first) not in (nn.Linear, *_ELEMENTWISE):
        got = f"{name!r} of type {type(first).__name__}"
        raise InvalidArgument("layers", "nn.Linear or elementwise activations", got_text=got)
    for i, module in enumerate(modules):
        if _description(module) != _description(first):
            wanted = f"{_description(first)} in layer {name!r} as in networks[0]"
            raise InvalidArgument(f"networks[{i}]", wanted, got_text=_description(module))
    if not isinstance(first, nn.Linear):
        return copy.deepcopy(first)
    linears = cast("list[nn.Linear]", modules)
    weight = torch.stack([linear.weight.detach() for linear in linears])
    bias = None if first.bias is None else torch.stack([linear.bias.detach()[:, None] for linear in linears])
    return StackedLinear(weight, bias)


def _description(module: nn.Module) -> str:
    weight = getattr(module, "weight", None)
    return repr(module) if weight is None else f"{module!r} of {weight.dtype} on {weight.device}"


def unstack(stacked: Stacked, member: int) -> nn.Sequential:
    """Copy one member out of a stacked network.

    Parameters
    ----------
    stacked
        Network as `stack` returns it.
    member
        Index of the member, from 0.

    Returns
    -------
    nn.Sequential
        Network of `nn.Linear` and activations, with parameters of its own.

    Raises
    ------
    InvalidArgument
        If the network is not stacked or has no such member.

    Examples
    --------
    >>> from infoflow.models import MLP
    >>> network = unstack(stack([MLP([4, 3, 2], "relu", seed=seed) for seed in range(5)]), 2)
    >>> torch.equal(network.linear1.weight, MLP([4, 3, 2], "relu", seed=2).linear1.weight)
    True
    """
    if not isinstance(stacked, Stacked):
        raise InvalidArgument("stacked", "a network that stack(...) returned", stacked)
    check(member, "member", Integer(0, stacked.members - 1))
    modules: OrderedDict[str, nn.Module] = OrderedDict()
    for name, module in stacked.named_children():
        modules[name] = _alone(module, member) if isinstance(module, StackedLinear) else copy.deepcopy(module)
    return nn.Sequential(modules).train(stacked.training)


def _alone(layer: StackedLinear, member: int) -> nn.Linear:
    _, features, fan_in = layer.weight.shape
    linear: nn.Linear = nn.utils.skip_init(  # type: ignore[no-untyped-call]
        nn.Linear, fan_in, features, bias=layer.bias is not None, device=layer.weight.device, dtype=layer.weight.dtype
    )
    with torch.no_grad():
        linear.weight.copy_(layer.weight[member])
        if layer.bias is not None:
            linear.bias.copy_(layer.bias[member, :, 0])
    return linear
