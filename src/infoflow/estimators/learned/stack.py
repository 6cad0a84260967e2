"""Many networks of one architecture as one batched computation: every weight has a leading axis of members."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

Weights = dict[str, Tensor]
Members = list[int] | Tensor


class Stack:
    """M networks of one architecture; `weights` and `buffers` map a name to its stacked values (M, ...).

    `skeleton` is the network that the stacked weights are put into; its own weights are on the meta device.
    """

    def __init__(self, skeleton: nn.Module, weights: Weights, buffers: Weights) -> None:
        self.skeleton, self.weights, self.buffers = skeleton, weights, buffers

    @classmethod
    def of(cls, networks: Sequence[nn.Module]) -> Stack:
        """Stack these networks."""
        weights, buffers = stack_module_state(list(networks))
        return cls(copy.deepcopy(networks[0]).to("meta"), _parameters(weights), dict(buffers))

    def __call__(self, *inputs: Tensor, weights: Weights | None = None) -> Any:
        """Apply each member to its own inputs (M, n, ...); `weights` replaces the stack's own."""

        def one(weights: Weights, buffers: Weights, *inputs: Tensor) -> Any:
            return functional_call(self.skeleton, (weights, buffers), inputs)

        return vmap(one)(self.weights if weights is None else weights, self.buffers, *inputs)

    def holding(self, weights: Weights) -> Stack:
        """The same networks with other weights."""
        return Stack(self.skeleton, weights, self.buffers)

    def subset(self, members: Members) -> Stack:
        """These members alone, with weights of their own."""
        return Stack(self.skeleton, _parameters(chosen(self.weights, members)), chosen(self.buffers, members))

    def member(self, index: int) -> nn.Module:
        """One member as a network of its own, without gradients."""
        state = {name: values[index] for name, values in (self.weights | self.buffers).items()}
        network = copy.deepcopy(self.skeleton).to_empty(device=next(iter(state.values())).device)
        network.load_state_dict(state, assign=True)
        return network.requires_grad_(False)


def chosen(weights: Weights, members: Members) -> Weights:
    """These members' part of every stacked value."""
    return {name: values[members] for name, values in weights.items()}


def over_members(vector: Tensor, like: Tensor) -> Tensor:
    """One value per member (M,) in a shape that broadcasts over `like` (M, ...)."""
    return vector.view(-1, *[1] * (like.ndim - 1))


def _parameters(weights: Weights) -> Weights:
    return {name: nn.Parameter(values.detach().clone()) for name, values in weights.items()}
