"""Many critics of one shape as one batched computation: every weight has a leading axis of members."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

Weights = dict[str, Tensor]
Members = list[int] | Tensor


class Ensemble:
    """M networks of one architecture; `weights` and `buffers` map a name to its stack (M, ...).

    The skeleton is what the stacked weights are put into; its own weights are never read.
    """

    def __init__(self, skeleton: nn.Module, weights: Weights, buffers: Weights) -> None:
        self.skeleton, self.weights, self.buffers = skeleton, weights, buffers

    @classmethod
    def of(cls, networks: Sequence[nn.Module]) -> Ensemble:
        weights, buffers = stack_module_state(list(networks))
        return cls(copy.deepcopy(networks[0]).to("meta"), _parameters(weights), dict(buffers))

    def holding(self, weights: Weights) -> Ensemble:
        """The same networks with other weights."""
        return Ensemble(self.skeleton, weights, self.buffers)

    def subset(self, members: Members) -> Ensemble:
        """These members alone, with weights of their own."""
        return Ensemble(self.skeleton, _parameters(chosen(self.weights, members)), chosen(self.buffers, members))

    def scores(self, x: Tensor, y: Tensor, weights: Weights | None = None) -> tuple[Tensor, Tensor]:
        """Positive (M, n) and negative (M, n, m) of each member's own x (M, n, dx) and y (M, n, dy).

        `weights` replaces the ensemble's own.
        """

        def one(weights: Weights, buffers: Weights, x: Tensor, y: Tensor) -> Any:
            return functional_call(self.skeleton, (weights, buffers), (x, y))

        positive, negative = vmap(one)(self.weights if weights is None else weights, self.buffers, x, y)
        return positive, negative


def chosen(weights: Weights, members: Members) -> Weights:
    """These members' part of every stack."""
    return {name: w[members] for name, w in weights.items()}


def _parameters(weights: Weights) -> Weights:
    return {name: nn.Parameter(w.detach().clone()) for name, w in weights.items()}
