"""Many critics of one shape as one batched computation: every weight has a leading axis of members."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

Weights = dict[str, Tensor]


class Ensemble:
    """M networks of one architecture; `weights` maps a parameter's name to its stack (M, ...)."""

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        weights, buffers = stack_module_state(list(networks))
        self.weights: Weights = {name: nn.Parameter(w.detach().clone()) for name, w in weights.items()}
        self.buffers: Weights = dict(buffers)
        # The skeleton that the stacked weights are put into; its own weights are never read.
        self.skeleton = copy.deepcopy(networks[0]).to("meta")

    def scores(
        self, x: Tensor, y: Tensor, weights: Weights | None = None, members: list[int] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Positive (M, n) and negative (M, n, m) of each member's own x (M, n, dx) and y (M, n, dy).

        `weights` replaces the ensemble's own; with `members`, all arguments are of these members alone.
        """
        buffers = self.buffers if members is None else {name: b[members] for name, b in self.buffers.items()}

        def one(weights: Weights, buffers: Weights, x: Tensor, y: Tensor) -> Any:
            return functional_call(self.skeleton, (weights, buffers), (x, y))

        positive, negative = vmap(one)(self.weights if weights is None else weights, buffers, x, y)
        return positive, negative
