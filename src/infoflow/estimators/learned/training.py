"""The one training loop of learned estimators: many networks at once, each stopped early on held-out samples."""

from __future__ import annotations

import abc
import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from infoflow.core.denormals import denormals_as_zero
from infoflow.estimators.learned.adamw import AdamW
from infoflow.estimators.learned.stack import Stack, Weights, chosen, over_members

logger = logging.getLogger("infoflow.estimators.learned")

# Weights are averaged over about 1/(1 − decay) steps: the average generalizes better than the last weights.
_AVERAGING = 0.98

# Nats by which the held-out objective must rise for patience to start again: less is not worth the time.
_PROGRESS = 0.002

# A member further behind its best rival, after so many times the patience, is given up.
_BEHIND, _TRIAL = 0.02, 2


@dataclass(frozen=True)
class Schedule:
    """Length and speed of a fit."""

    batch_size: int
    max_epochs: int
    patience: int
    learning_rate: float
    weight_decay: float


class Part:
    """Samples of every member: one tensor (M, n, ...) for each input of the networks."""

    def __init__(self, *inputs: Tensor) -> None:
        self.inputs = inputs

    @property
    def size(self) -> int:
        """Samples of one member."""
        return int(self.inputs[0].shape[1])

    def subset(self, members: Tensor | list[int]) -> Part:
        """The samples of these members."""
        return Part(*(values[members] for values in self.inputs))

    def rows(self, rows: Tensor | slice) -> Part:
        """These samples: the same for every member, or, as a tensor (M, k), each member's own."""
        if isinstance(rows, slice):
            return Part(*(values[:, rows] for values in self.inputs))
        members = torch.arange(len(rows), device=rows.device)[:, None]
        return Part(*(values[members, rows] for values in self.inputs))

    def blocks(self, size: int) -> Iterator[Part]:
        """Blocks of one size, the last one smaller if the samples do not divide."""
        for start in range(0, self.size, size):
            yield self.rows(slice(start, start + size))


class Objective(abc.ABC):
    """What the trainer maximizes, in nats; it may carry a state per member."""

    longest_gradient = math.inf
    """A longer gradient of a member is scaled down to this length."""

    @abc.abstractmethod
    def on_batch(self, stack: Stack, batch: Part) -> Tensor:
        """Objective of each member on a batch, (M,), with gradients."""

    @abc.abstractmethod
    def held_out(self, stack: Stack, part: Part, weights: Weights, batch: int) -> Tensor:
        """Objective of each member with these weights on all samples of a part, (M,)."""

    def at_start(self, stack: Stack, train: Part, value: Tensor, weights: Weights, batch: int) -> Tensor:
        """Objective on the training part before the first step, (M,); by default the held-out `value`."""
        return value

    def draw(self, count: int, generator: torch.Generator) -> tuple[Tensor, ...]:
        """Random inputs (count, ...) that the networks take after the samples."""
        return ()

    def keep(self, members: Tensor) -> None:  # noqa: B027 (most objectives have no state)
        """Drop the state of all members but these."""


@dataclass(frozen=True)
class Fitted:
    """The members with the weights that did best on held-out samples, and how they came to them; all per member."""

    stack: Stack
    best: Tensor
    """Held-out objective of these weights, (M,); −∞ where no objective after the start was finite."""
    training: Tensor
    """Training objective of the same epoch, (M,)."""
    stopped: Tensor
    """Whether patience ran out, (M,), so that further epochs would not have helped."""
    history: list[list[tuple[float, float]]]
    """Of each member and epoch, the training objective and the held-out objective."""

    @property
    def gap(self) -> Tensor:
        """Nats by which the objective is higher on the training samples than on held-out ones, (M,)."""
        return self.training - self.best


@dataclass(frozen=True)
class _Best:
    """The best of each member so far; every tensor has a leading axis of members."""

    weights: Weights
    value: Tensor
    training: Tensor
    was_finite: Tensor
    mark: Tensor
    """Held-out objective that must be exceeded for patience to start again."""
    marked: Tensor
    """Epoch in which it last was."""

    def after(self, epoch: int, weights: Weights, training: Tensor, held_out: Tensor) -> _Best:
        better = held_out > self.value  # false for NaN
        progress = held_out > self.mark + _PROGRESS
        return _Best(
            {name: torch.where(over_members(better, w), w, self.weights[name]) for name, w in weights.items()},
            torch.where(better, held_out, self.value),
            torch.where(better, training, self.training),
            self.was_finite | torch.isfinite(held_out),
            torch.where(progress, held_out, self.mark),
            torch.where(progress, epoch, self.marked),
        )

    def subset(self, members: Tensor) -> _Best:
        return _Best(chosen(self.weights, members), *(values[members] for values in self._vectors()))

    def put(self, members: Tensor, other: _Best) -> None:
        """Overwrite these members."""
        for name, values in self.weights.items():
            values[members] = other.weights[name]
        for own, new in zip(self._vectors(), other._vectors(), strict=True):
            own[members] = new

    def _vectors(self) -> tuple[Tensor, ...]:
        return self.value, self.training, self.was_finite, self.mark, self.marked


class _Run:
    """Members in training: the stack, its optimizer, the running average of its weights, and its samples."""

    def __init__(self, stack: Stack, objective: Objective, train: Part, schedule: Schedule, seeds: list[int]) -> None:
        self.stack, self.objective, self.train, self.schedule = stack, objective, train, schedule
        self.batch = min(schedule.batch_size, train.size)
        self.averaged = {name: w.detach().clone() for name, w in stack.weights.items()}
        self.generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.optimizer = AdamW(
            stack.weights.values(), learning_rate=schedule.learning_rate, weight_decay=schedule.weight_decay
        )
        self.step = 0

    def with_draws(self, part: Part) -> Part:
        """The part with each member's random inputs, if the objective takes any."""
        draws = zip(*(self.objective.draw(part.size, generator) for generator in self.generators), strict=True)
        return Part(*part.inputs, *(torch.stack(values).to(part.inputs[0].device) for values in draws))

    def epoch(self) -> Tensor:
        """Pass over the samples once, up to a remainder, and return the mean objective of the batches, (M,)."""
        like = self.train.inputs[0]
        order = torch.stack([torch.randperm(self.train.size, generator=g) for g in self.generators]).to(like.device)
        total = like.new_zeros(len(order))
        starts = range(0, self.train.size - self.batch + 1, self.batch)
        for start in starts:
            batch = self.with_draws(self.train.rows(order[:, start : start + self.batch]))
            value = self.objective.on_batch(self.stack, batch)
            self.optimizer.zero_grad()
            (-value.sum()).backward()  # type: ignore[no-untyped-call]
            _shorten(self.stack.weights, self.objective.longest_gradient)
            with denormals_as_zero():
                self.optimizer.step()
            self.step += 1
            total += value.detach()
            # A short decay at first, so that the average forgets the initial weights.
            decay = min(_AVERAGING, (1 + self.step) / (10 + self.step))
            with torch.no_grad():
                for name, weights in self.stack.weights.items():
                    self.averaged[name].lerp_(weights, 1 - decay)
        return total / len(starts)

    def held_out(self, part: Part) -> Tensor:
        with torch.no_grad():
            return self.objective.held_out(self.stack, part, self.averaged, self.batch)

    def keep(self, members: Tensor) -> None:
        """Continue with these members alone, from where they are."""
        self.stack, self.train = self.stack.subset(members), self.train.subset(members)
        self.averaged = chosen(self.averaged, members)
        self.generators = [self.generators[k] for k in members.tolist()]
        self.objective.keep(members)
        self.optimizer = self.optimizer.continued(self.stack.weights.values(), members)


def fit(
    stack: Stack,
    objective: Objective,
    train: Part,
    validate: Part,
    schedule: Schedule,
    seeds: list[int],
    groups: int = 1,
    rivals: Tensor | None = None,
) -> Fitted:
    """Maximize the objective by AdamW and return each member at its best on its own held-out samples.

    `seeds` holds one seed per member for its order of samples and its random inputs, so that no member depends on the
    others. The members form `groups` consecutive groups of one size; a group ends when the patience of all of its
    members has run out. `rivals` holds a number per member, equal for those of which only the best is used; members
    that are clearly behind are then given up.
    """
    run = _Run(stack, objective, train, schedule, seeds)
    validate = run.with_draws(validate)
    value = run.held_out(validate).nan_to_num(nan=-math.inf)
    with torch.no_grad():
        training = objective.at_start(stack, train, value, run.averaged, run.batch)
    no_epoch = torch.zeros_like(value, dtype=torch.int64)
    start = {name: w.clone() for name, w in run.averaged.items()}
    # The initial weights may be the best ones, but a fit whose objective never was finite has failed.
    best = _Best(start, value, training, no_epoch.bool(), value, no_epoch)
    members = torch.arange(len(value), device=value.device)
    result, stopped = best.subset(members), no_epoch.bool()
    history: list[list[tuple[float, float]]] = [[] for _ in members]
    for epoch in range(1, schedule.max_epochs + 1):
        training = run.epoch()
        held_out = run.held_out(validate)
        best = best.after(epoch, run.averaged, training, held_out)
        for member, *values in zip(members.tolist(), training.tolist(), held_out.tolist(), strict=True):
            history[member].append((values[0], values[1]))
        idle = epoch - best.marked >= schedule.patience
        size = len(history) // groups
        if rivals is not None and epoch >= _TRIAL * schedule.patience:
            result.put(members, best)
            idle |= _behind(result.value, rivals)[members]
        ended = idle.view(-1, size).all(1).repeat_interleave(size) | (epoch == schedule.max_epochs)
        if bool(ended.any()):
            result.put(members[ended], best.subset(ended))
            stopped[members[ended]] = idle[ended]
            left = (~ended).nonzero()[:, 0]
            if len(left) == 0:
                break
            run.keep(left)
            members, best, validate = members[left], best.subset(left), validate.subset(left)
    logger.debug("fitted %d networks in %d epochs, %d steps", len(history), epoch, run.step)
    best_value = torch.where(result.was_finite, result.value, -math.inf)
    return Fitted(stack.holding(result.weights), best_value, result.training, stopped, history)


def _behind(value: Tensor, rivals: Tensor) -> Tensor:
    """Whether each member's value is clearly below the best of its rivals, (M,).

    >>> _behind(torch.tensor([0.5, 0.6, 0.7]), torch.tensor([0, 0, 1]))
    tensor([ True, False, False])
    """
    best = value.new_full((int(rivals.max()) + 1,), -math.inf).scatter_reduce(0, rivals, value, "amax")
    return value < best[rivals] - _BEHIND


def _shorten(weights: Weights, longest: float) -> None:
    """Scale down the gradient of each member on its own, so that members do not depend on one another."""
    if longest == math.inf:
        return
    gradients = [w.grad for w in weights.values() if w.grad is not None]
    length = torch.stack([g.flatten(1).square().sum(1) for g in gradients]).sum(0).sqrt()
    factor = (longest / length).clamp(max=1.0)
    for gradient in gradients:
        gradient.mul_(over_members(factor, gradient))
