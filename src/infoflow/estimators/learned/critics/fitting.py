"""Fits an ensemble of critics on one part of the data and keeps what did best on a second."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from infoflow.bounds import Bound, ExponentialAverage
from infoflow.estimators.learned.critics.ensemble import Ensemble, Weights, chosen
from infoflow.estimators.learned.held_out import AVERAGING, PROGRESS, Schedule

logger = logging.getLogger("infoflow.estimators.learned.critics")


@dataclass(frozen=True)
class Part:
    """Each member's own samples: x (M, n, dx) and y (M, n, dy)."""

    x: Tensor
    y: Tensor

    @property
    def size(self) -> int:
        return int(self.x.shape[1])

    def subset(self, members: Tensor) -> Part:
        return Part(self.x[members], self.y[members])

    def blocks(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Blocks of equal size (the remainder is left out), one smaller block if there are fewer samples than that."""
        size = min(size, self.size)
        for start in range(0, self.size - size + 1, size):
            yield self.x[:, start : start + size], self.y[:, start : start + size]


@dataclass(frozen=True)
class Fitted:
    """The members as they did best on the second part, and the way there; all per member."""

    ensemble: Ensemble
    best: Tensor
    """The second part's objective there; −∞ where it never was finite."""
    training: Tensor
    """The fit part's objective there."""
    stopped: Tensor
    """Whether patience ran out, so that more epochs would not have helped."""
    history: list[list[tuple[float, float]]]
    """Of each member, after each of its epochs: the objective on the fit part and on the second."""


@dataclass(frozen=True)
class _Best:
    """What each member has come to so far; every tensor has a leading axis of members."""

    weights: Weights
    value: Tensor
    training: Tensor
    was_finite: Tensor
    mark: Tensor
    """What the second part's objective must exceed for patience to start anew, ..."""
    marked: Tensor
    """... and the epoch in which it last did."""

    def after(self, epoch: int, weights: Weights, training: Tensor, held_out: Tensor) -> _Best:
        better = held_out > self.value  # NaN never is
        progress = held_out > self.mark + PROGRESS
        return _Best(
            {name: _where(better, w, self.weights[name]) for name, w in weights.items()},
            torch.where(better, held_out, self.value),
            torch.where(better, training, self.training),
            self.was_finite | torch.isfinite(held_out),
            torch.where(progress, held_out, self.mark),
            torch.where(progress, epoch, self.marked),
        )

    def subset(self, members: Tensor) -> _Best:
        return _Best(chosen(self.weights, members), *(v[members] for v in self._vectors()))

    def put(self, members: Tensor, other: _Best) -> None:
        """Writes over these members."""
        for name, w in self.weights.items():
            w[members] = other.weights[name]
        for own, new in zip(self._vectors(), other._vectors(), strict=True):
            own[members] = new

    def _vectors(self) -> tuple[Tensor, ...]:
        return self.value, self.training, self.was_finite, self.mark, self.marked


def _where(condition: Tensor, one: Tensor, other: Tensor) -> Tensor:
    return torch.where(condition.view(-1, *[1] * (one.ndim - 1)), one, other)


class _Run:
    """Members in training: the ensemble, its optimizer, the running average of its weights, and its samples."""

    def __init__(self, ensemble: Ensemble, bound: Bound, train: Part, schedule: Schedule, seeds: list[int]) -> None:
        self.ensemble, self.bound, self.train, self.schedule = ensemble, bound, train, schedule
        self.batch = min(schedule.batch_size, train.size)
        self.averaged = {name: w.detach().clone() for name, w in ensemble.weights.items()}
        self.generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.average = ExponentialAverage() if bound.averaged else None
        self.optimizer = self._optimizer()
        self.step = 0

    def _optimizer(self) -> torch.optim.AdamW:
        schedule, weights = self.schedule, self.ensemble.weights.values()
        return torch.optim.AdamW(weights, lr=schedule.learning_rate, weight_decay=schedule.weight_decay, fused=True)

    def epoch(self) -> Tensor:
        """Every sample of each member's once, but for a remainder; the objective's mean over the batches, (M,)."""
        x, y = self.train.x, self.train.y
        order = torch.stack([torch.randperm(self.train.size, generator=g) for g in self.generators]).to(x.device)
        rows = torch.arange(len(order), device=x.device)[:, None]
        total = x.new_zeros(len(order))
        starts = range(0, self.train.size - self.batch + 1, self.batch)
        for start in starts:
            batch = order[:, start : start + self.batch]
            positive, negative = self.ensemble.scores(x[rows, batch], y[rows, batch])
            if self.average is not None:
                self.average = self.average.updated(negative)
                value = self.bound.function(positive, negative, self.average)
            else:
                value = self.bound.training_objective(positive, negative)
            self.optimizer.zero_grad()
            (-value.sum()).backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            self.step += 1
            total += value.detach()
            # A young average must not remember the first weights.
            decay = min(AVERAGING, (1 + self.step) / (10 + self.step))
            with torch.no_grad():
                for name, weights in self.ensemble.weights.items():
                    self.averaged[name].lerp_(weights, 1 - decay)
        return total / len(starts)

    def keep(self, members: Tensor) -> None:
        """Goes on with these members alone, as they are."""
        moments = [self.optimizer.state[w] for w in self.ensemble.weights.values()]
        self.ensemble, self.train = self.ensemble.subset(members), self.train.subset(members)
        self.averaged = chosen(self.averaged, members)
        self.generators = [self.generators[k] for k in members.tolist()]
        if self.average is not None and self.average.log_mean is not None:
            self.average = replace(self.average, log_mean=self.average.log_mean[members])
        self.optimizer = self._optimizer()
        for weights, former in zip(self.ensemble.weights.values(), moments, strict=True):
            self.optimizer.state[weights] = {k: m[members] if m.ndim else m for k, m in former.items()}


def fit(
    ensemble: Ensemble,
    bound: Bound,
    train: Part,
    validate: Part,
    schedule: Schedule,
    seeds: list[int],
    groups: int = 1,
) -> Fitted:
    """Maximizes the bound's training objective by AdamW, early stopping on each member's own second part.

    `seeds` gives each member's order of samples. The members are `groups` groups of one size, one after another: each
    ends when the patience of all of its members has run out, and no member of another group has a say in that.
    """
    run = _Run(ensemble, bound, train, schedule, seeds)
    # Weights may be a good start already; but a fit that never was finite has failed, wherever it started from.
    value, training = (evaluate(ensemble, bound, part, run.averaged, run.batch) for part in (validate, train))
    value = value.nan_to_num(nan=-math.inf)
    no_epoch = torch.zeros_like(value, dtype=torch.int64)
    start = {name: w.clone() for name, w in run.averaged.items()}  # which go on changing
    best = _Best(start, value, training, no_epoch.bool(), value, no_epoch)
    members = torch.arange(len(value), device=value.device)
    result, stopped = best.subset(members), no_epoch.bool()
    history: list[list[tuple[float, float]]] = [[] for _ in members]
    for epoch in range(1, schedule.max_epochs + 1):
        training = run.epoch()
        held_out = evaluate(run.ensemble, bound, validate, run.averaged, run.batch)
        best = best.after(epoch, run.averaged, training, held_out)
        for member, *values in zip(members.tolist(), training.tolist(), held_out.tolist(), strict=True):
            history[member].append((values[0], values[1]))
        idle = epoch - best.marked >= schedule.patience
        size = len(history) // groups
        ended = idle.view(-1, size).all(1).repeat_interleave(size) | (epoch == schedule.max_epochs)
        if bool(ended.any()):
            result.put(members[ended], best.subset(ended))
            stopped[members[ended]] = idle[ended]
            left = (~ended).nonzero()[:, 0]
            if len(left) == 0:
                break
            run.keep(left)
            members, best, validate = members[left], best.subset(left), validate.subset(left)
    logger.debug("fitted %d critics in %d epochs, %d steps", len(history), epoch, run.step)
    best_value = torch.where(result.was_finite, result.value, -math.inf)
    return Fitted(ensemble.holding(result.weights), best_value, result.training, stopped, history)


@torch.no_grad()
def evaluate(ensemble: Ensemble, bound: Bound, part: Part, weights: Weights, block: int) -> Tensor:
    """The training objective of each member on its part, the mean over blocks of the batch's size."""
    values = [bound.training_objective(*ensemble.scores(x, y, weights)) for x, y in part.blocks(block)]
    return torch.stack(values).mean(0)
