"""Fits an ensemble of density models on one part of the data and keeps what did best on a second."""

from __future__ import annotations

import copy
import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from infoflow.estimators.learned.held_out import AVERAGING, PROGRESS, Schedule

logger = logging.getLogger("infoflow.estimators.learned.densities")

Weights = dict[str, Tensor]

# Rows that the second part is evaluated on at a time.
_BLOCK = 2048

# A gradient longer than this is cut: one far sample must not throw a density off.
_LONGEST = 5.0


@dataclass(frozen=True)
class Fitted:
    """The weights that did best on the second part, and the way there; all per member."""

    skeleton: nn.Module
    weights: Weights
    buffers: Weights
    history: list[tuple[Tensor, Tensor]]  # after each epoch: objective on the fit part and on the second, (M,) each
    training: Tensor  # the fit part's objective at the best weights' epoch
    best: Tensor  # the second part's; −inf for a member that never had a finite one after its start
    stopped: Tensor  # whether patience ran out, so that more epochs would not have helped

    def member(self, index: int) -> nn.Module:
        """One member as a network of its own."""
        state = {name: w[index] for name, w in (self.weights | self.buffers).items()}
        network = copy.deepcopy(self.skeleton).to_empty(device=next(iter(state.values())).device)
        network.load_state_dict(state, assign=True)
        return network.requires_grad_(False)


# Extra random inputs (n, k) of a model's objective.
Draw = Callable[[int, torch.Generator], Tensor]


def fit(
    networks: Sequence[nn.Module],
    train: tuple[Tensor, Tensor],
    held_out: tuple[Tensor, Tensor],
    schedule: Schedule,
    seeds: Sequence[int],
    draw: Draw | None = None,
) -> Fitted:
    """Maximizes the mean of network(x, y) by AdamW, early stopping each member on its own second part.

    `train` and `held_out` are x (M, n, p) and y (M, n, d), each member's own. With `draw`, networks take a third
    argument of random numbers; the second part always meets the same ones. `seeds` gives each member's order of samples
    and its draws, so that its result doesn't depend on its company.
    """
    stacked, buffers = stack_module_state(list(networks))
    weights = {name: w.detach().clone().requires_grad_() for name, w in stacked.items()}
    skeleton = copy.deepcopy(networks[0]).to("meta")
    device, members, n = train[0].device, *train[0].shape[:2]
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]

    def draws(count: int) -> tuple[Tensor, ...]:
        return () if draw is None else (torch.stack([draw(count, g) for g in generators]).to(device),)

    def values(weights: Weights, *inputs: Tensor) -> Tensor:
        def one(weights: Weights, buffers: Weights, *inputs: Tensor) -> Any:
            return functional_call(skeleton, (weights, buffers), inputs)

        return vmap(one)(weights, buffers, *inputs)  # type: ignore[no-any-return]

    fixed = (*held_out, *draws(held_out[0].shape[1]))

    @torch.no_grad()
    def evaluate(weights: Weights) -> Tensor:
        blocks = zip(*(torch.split(inputs, _BLOCK, 1) for inputs in fixed), strict=True)
        return torch.cat([values(weights, *block) for block in blocks], 1).mean(1)

    optimizer = torch.optim.AdamW(
        weights.values(), lr=schedule.learning_rate, weight_decay=schedule.weight_decay, fused=True
    )
    averaged = {name: w.detach().clone() for name, w in weights.items()}
    best_weights = {name: w.clone() for name, w in averaged.items()}
    best = evaluate(averaged).nan_to_num(nan=-math.inf)
    training = best.clone()
    was_finite = torch.zeros(members, dtype=torch.bool, device=device)
    mark, marked = best.clone(), torch.zeros(members, dtype=torch.int64, device=device)
    history: list[tuple[Tensor, Tensor]] = []
    batch, step = min(schedule.batch_size, n), 0
    rows = torch.arange(members, device=device)[:, None]
    for epoch in range(1, schedule.max_epochs + 1):
        order = torch.stack([torch.randperm(n, generator=g) for g in generators]).to(device)
        total = torch.zeros(members, device=device)
        starts = range(0, n - batch + 1, batch)
        for start in starts:
            chosen = order[:, start : start + batch]
            value = values(weights, train[0][rows, chosen], train[1][rows, chosen], *draws(batch)).mean(1)
            optimizer.zero_grad()
            (-value.sum()).backward()  # type: ignore[no-untyped-call]
            _shorten(weights)
            optimizer.step()
            step += 1
            total += value.detach()
            decay = min(AVERAGING, (1 + step) / (10 + step))
            with torch.no_grad():
                for name, w in weights.items():
                    averaged[name].lerp_(w, 1 - decay)
        now = evaluate(averaged)
        history.append((total / len(starts), now))
        was_finite |= torch.isfinite(now)
        better = now > best  # NaN never is
        best, training = torch.where(better, now, best), torch.where(better, total / len(starts), training)
        progress = now > mark + PROGRESS
        mark, marked = torch.where(progress, now, mark), torch.where(progress, epoch, marked)
        for name, w in averaged.items():
            best_weights[name] = torch.where(better.view(-1, *[1] * (w.ndim - 1)), w, best_weights[name])
        if bool((epoch - marked >= schedule.patience).all()):
            break
    best = torch.where(was_finite, best, -math.inf)
    logger.debug("fitted %d densities in %d epochs, %d steps", members, epoch, step)
    stopped = epoch - marked >= schedule.patience
    return Fitted(skeleton, best_weights, dict(buffers), history, training, best, stopped)


def _shorten(weights: Weights) -> None:
    """Cuts each member's own gradient to a length; a common cut would make members depend on their company."""
    gradients = [w.grad for w in weights.values() if w.grad is not None]
    length = torch.stack([g.flatten(1).square().sum(1) for g in gradients]).sum(0).sqrt()
    factor = (_LONGEST / length).clamp(max=1.0)
    for g in gradients:
        g.mul_(factor.view(-1, *[1] * (g.ndim - 1)))
