"""Fits an ensemble of critics on one part of the data and keeps what did best on a second."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from infoflow.bounds import Bound, ExponentialAverage
from infoflow.estimators.held_out import AVERAGING, PROGRESS, Schedule
from infoflow.estimators.neural.ensemble import Ensemble, Weights

logger = logging.getLogger("infoflow.estimators.neural")


@dataclass(frozen=True)
class Part:
    """Each member's own samples: x (M, n, dx) and y (M, n, dy)."""

    x: Tensor
    y: Tensor

    @property
    def size(self) -> int:
        return int(self.x.shape[1])

    def blocks(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Blocks of equal size (the remainder is left out), one smaller block if there are fewer samples than that."""
        size = min(size, self.size)
        for start in range(0, self.size - size + 1, size):
            yield self.x[:, start : start + size], self.y[:, start : start + size]


@dataclass(frozen=True)
class Fitted:
    """The weights that did best on the second part, and the way there; all per member."""

    weights: Weights
    history: list[tuple[Tensor, Tensor]]  # after each epoch: objective on the fit part and on the second, (M,) each
    best: Tensor  # the second part's objective there
    training: Tensor  # the fit part's
    stopped: Tensor  # whether patience ran out, so that more epochs would not have helped


def fit(ensemble: Ensemble, bound: Bound, train: Part, validate: Part, schedule: Schedule, seeds: list[int]) -> Fitted:
    """Maximises the bound's training objective by AdamW, early stopping each member on its own second part.

    `seeds` gives each member's order of samples, so that a member's result doesn't depend on its company.
    """
    members = train.x.shape[0]
    rows = torch.arange(members, device=train.x.device)[:, None]
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    optimiser = torch.optim.AdamW(
        ensemble.weights.values(), lr=schedule.learning_rate, weight_decay=schedule.weight_decay, fused=True
    )
    averaged = {name: w.detach().clone() for name, w in ensemble.weights.items()}
    best_weights = {name: w.clone() for name, w in averaged.items()}
    # Weights may be a good start already; but a fit that never was finite has failed, wherever it started from.
    batch = min(schedule.batch_size, train.size)
    best = evaluate(ensemble, bound, validate, averaged, batch).nan_to_num(nan=-math.inf)
    was_finite = torch.zeros(members, dtype=torch.bool, device=train.x.device)
    mark, marked = best.clone(), torch.zeros(members, dtype=torch.int64, device=train.x.device)
    training = evaluate(ensemble, bound, train, averaged, batch)
    state = ExponentialAverage() if bound.name == "mine" else None
    history: list[tuple[Tensor, Tensor]] = []
    step = 0
    for epoch in range(1, schedule.max_epochs + 1):
        order = torch.stack([torch.randperm(train.size, generator=g) for g in generators]).to(train.x.device)
        total = torch.zeros(members, device=train.x.device)
        starts = range(0, train.size - batch + 1, batch)
        for start in starts:
            chosen = order[:, start : start + batch]
            positive, negative = ensemble.scores(train.x[rows, chosen], train.y[rows, chosen])
            if state is not None:
                state = state.updated(negative)
                value = bound.function(positive, negative, state)
            else:
                value = bound.training_objective(positive, negative)
            optimiser.zero_grad()
            (-value.sum()).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            step += 1
            total += value.detach()
            # A young average must not remember the first weights.
            decay = min(AVERAGING, (1 + step) / (10 + step))
            with torch.no_grad():
                for name, weights in ensemble.weights.items():
                    averaged[name].lerp_(weights, 1 - decay)
        held_out = evaluate(ensemble, bound, validate, averaged, batch)
        history.append((total / len(starts), held_out))
        was_finite |= torch.isfinite(held_out)
        better = held_out > best  # NaN never is
        best = torch.where(better, held_out, best)
        training = torch.where(better, total / len(starts), training)
        progress = held_out > mark + PROGRESS
        mark = torch.where(progress, held_out, mark)
        marked = torch.where(progress, epoch, marked)
        for name, weights in averaged.items():
            best_weights[name] = torch.where(better.view(-1, *[1] * (weights.ndim - 1)), weights, best_weights[name])
        if bool((epoch - marked >= schedule.patience).all()):
            break
    best = torch.where(was_finite, best, -math.inf)
    logger.debug("fitted %d critics in %d epochs, %d steps", members, epoch, step)
    return Fitted(best_weights, history, best, training, epoch - marked >= schedule.patience)


@torch.no_grad()
def evaluate(ensemble: Ensemble, bound: Bound, part: Part, weights: Weights, block: int) -> Tensor:
    """The training objective of each member on its part, the mean over blocks of the batch's size."""
    values = [bound.training_objective(*ensemble.scores(x, y, weights)) for x, y in part.blocks(block)]
    return torch.stack(values).mean(0)
