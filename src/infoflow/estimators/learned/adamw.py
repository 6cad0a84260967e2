"""AdamW with the fused kernel of torch, without the machinery of `torch.optim.Optimizer`."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.optim.adamw import adamw

_BETAS, _EPS = (0.9, 0.999), 1e-8


class AdamW:
    """AdamW (Loshchilov and Hutter 2019) as `torch.optim.AdamW(..., fused=True)`, whose construction imports
    `torch._dynamo`, which takes longer than many a fit.

    >>> weight = torch.tensor([1.0], requires_grad=True)
    >>> optimizer = AdamW([weight], learning_rate=0.1, weight_decay=0.0)
    >>> weight.square().sum().backward()
    >>> optimizer.step()
    >>> weight.tolist()
    [0.9]
    """

    def __init__(self, weights: Iterable[Tensor], *, learning_rate: float, weight_decay: float) -> None:
        self.weights = list(weights)
        self.learning_rate, self.weight_decay = learning_rate, weight_decay
        self.means = [torch.zeros_like(weight) for weight in self.weights]
        self.squares = [torch.zeros_like(weight) for weight in self.weights]
        self.steps = [torch.zeros((), device=weight.device) for weight in self.weights]

    def zero_grad(self) -> None:
        """Remove the gradients."""
        for weight in self.weights:
            weight.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Update the weights that have a gradient."""
        at = [i for i, weight in enumerate(self.weights) if weight.grad is not None]
        if not at:
            return
        adamw(
            [self.weights[i] for i in at],
            [gradient for i in at if (gradient := self.weights[i].grad) is not None],
            [self.means[i] for i in at],
            [self.squares[i] for i in at],
            [],
            [self.steps[i] for i in at],
            fused=True,
            amsgrad=False,
            beta1=_BETAS[0],
            beta2=_BETAS[1],
            lr=self.learning_rate,
            weight_decay=self.weight_decay,
            eps=_EPS,
            maximize=False,
        )

    def continued(self, weights: Iterable[Tensor], members: Tensor) -> AdamW:
        """The optimizer of these members alone, the first axis of each weight, from where they are."""
        made = AdamW(weights, learning_rate=self.learning_rate, weight_decay=self.weight_decay)
        made.means = [mean[members] for mean in self.means]
        made.squares = [square[members] for square in self.squares]
        made.steps = self.steps
        return made
