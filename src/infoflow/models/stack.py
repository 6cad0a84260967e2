"""Many networks of one shape as one, so that a step of all costs little more than a step of one."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from infoflow.core.errors import InvalidArgument

# Modules without parameters, buffers or randomness that work on each element alone, so they serve (R, n, d) as (n, d).
_ELEMENTWISE = (
    nn.Tanh, nn.ReLU, nn.Softsign, nn.Softplus, nn.Sigmoid, nn.Hardtanh, nn.LeakyReLU, nn.ELU, nn.SELU, nn.CELU,
    nn.GELU, nn.SiLU, nn.Mish, nn.ReLU6, nn.LogSigmoid, nn.Hardsigmoid, nn.Hardswish, nn.Tanhshrink, nn.Softshrink,
    nn.Hardshrink, nn.Identity,
)  # fmt: skip


class StackedLinear(nn.Module):
    """R linear layers side by side: y_r = x_r W_rᵀ + b_r, with weight (R, out, in) and bias (R, out, 1).

    Takes (n, in), which all members share, or (R, n, in), one batch each; returns (R, n, out).

    The result is laid out in memory as (R, out, n). Layers are narrow and batches long, so this keeps the long axis
    innermost in every product, and elementwise activations keep the layout for the next layer.

    >>> layer = StackedLinear(torch.ones(3, 2, 4), torch.zeros(3, 2, 1))
    >>> layer(torch.ones(5, 4)).shape, layer(torch.ones(3, 5, 4)).shape
    (torch.Size([3, 5, 2]), torch.Size([3, 5, 2]))
    """

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)
        self.bias = None if bias is None else nn.Parameter(bias)

    def forward(self, x: Tensor) -> Tensor:
        members, _, fan_in = self.weight.shape
        if x.shape[-1] != fan_in or x.ndim not in (2, 3) or (x.ndim == 3 and x.shape[0] != members):
            raise InvalidArgument(
                f"input has shape {tuple(x.shape)}; want (n, {fan_in}) for all members, or ({members}, n, {fan_in})"
            )
        if x.ndim == 2:
            x = x.expand(members, -1, -1)
        if self.bias is None:
            return torch.bmm(self.weight, x.mT).mT
        return torch.baddbmm(self.bias, self.weight, x.mT).mT

    def extra_repr(self) -> str:
        members, features, fan_in = self.weight.shape
        return f"members={members}, in_features={fan_in}, out_features={features}, bias={self.bias is not None}"


class Stacked(nn.Sequential):
    """R networks of one shape as one; `stack` makes it. Takes (n, d) or (R, n, d), returns (R, n, C).

    >>> from infoflow.models import MLP
    >>> stack([MLP([4, 3, 2], "tanh", seed=seed) for seed in range(5)]).members
    5
    """

    def __init__(self, modules: OrderedDict[str, nn.Module], members: int, description: str = "") -> None:
        super().__init__(modules)
        self.members = members
        self.description = description

    def extra_repr(self) -> str:
        return ", ".join(filter(None, [f"members={self.members}", self.description]))


def stack(networks: Sequence[nn.Module]) -> Stacked:
    """Many networks of one shape as one network whose members don't influence each other.

    Each must be an `nn.Sequential` of `nn.Linear` and elementwise activations. Parameters are copied; module names are
    kept, so hooks by name find the same layers, with activations of shape (R, n, features) in place of (n, features).
    A loss summed over members gives each member the gradient that it would get alone.

    Raises InvalidArgument: no members, another kind of module (BatchNorm, Dropout, convolutions), shapes that differ.

    >>> from infoflow.models import MLP
    >>> networks = [MLP([4, 3, 2], "tanh", seed=seed) for seed in range(5)]
    >>> together = stack(networks)(torch.ones(6, 4))
    >>> together.shape, torch.allclose(together[3], networks[3](torch.ones(6, 4)), atol=1e-6)
    (torch.Size([5, 6, 2]), True)
    """
    networks = list(networks)
    if not networks:
        raise InvalidArgument("networks is empty; want at least one to stack")
    for i, network in enumerate(networks):
        if not isinstance(network, nn.Sequential) or isinstance(network, Stacked):
            raise InvalidArgument(f"networks[{i}] is a {type(network).__name__}; want an nn.Sequential such as MLP")
    children = [dict(network.named_children()) for network in networks]
    for i, other in enumerate(children):
        if list(other) != list(children[0]):
            raise InvalidArgument(
                f"networks[{i}] has the layers {list(other)}, but networks[0] {list(children[0])}; want the same in all"
            )
    modules = OrderedDict((name, _together(name, [child[name] for child in children])) for name in children[0])
    kinds = sorted({network.extra_repr() for network in networks})
    stacked = Stacked(modules, len(networks), "; ".join(filter(None, kinds)))
    return stacked.train(networks[0].training)


def _together(name: str, modules: list[nn.Module]) -> nn.Module:
    """One module that does for (R, n, d) what each of `modules` does for its (n, d)."""
    first = modules[0]
    if type(first) not in (nn.Linear, *_ELEMENTWISE):
        raise InvalidArgument(
            f"layer {name!r} is a {type(first).__name__}; want only nn.Linear and elementwise activations"
        )
    for i, module in enumerate(modules):
        if _description(module) != _description(first):
            raise InvalidArgument(
                f"layer {name!r} is {_description(module)} in networks[{i}], but {_description(first)} in networks[0]"
            )
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
    """One member as a plain network of its own: an `nn.Sequential` of `nn.Linear` and activations, parameters copied.

    Raises InvalidArgument for a network that `stack` didn't make, or a member that it doesn't have.

    >>> from infoflow.models import MLP
    >>> network = unstack(stack([MLP([4, 3, 2], "relu", seed=seed) for seed in range(5)]), 2)
    >>> torch.equal(network.linear1.weight, MLP([4, 3, 2], "relu", seed=2).linear1.weight)
    True
    """
    if not isinstance(stacked, Stacked):
        raise InvalidArgument(f"stacked is a {type(stacked).__name__}; want what stack(...) returns")
    if isinstance(member, bool) or not isinstance(member, int) or not 0 <= member < stacked.members:
        raise InvalidArgument(f"member is {member!r}; want an integer in 0..{stacked.members - 1}")
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
