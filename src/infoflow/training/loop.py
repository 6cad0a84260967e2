"""One plain loop for any objective: alone, or several that play against each other."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from tqdm import tqdm

from infoflow.core.checks import integer
from infoflow.core.distributed import Group, world_size
from infoflow.core.errors import DidNotConverge, InvalidArgument
from infoflow.objectives import Objective
from infoflow.training.checkpoint import SECONDS_BETWEEN, Checkpoint, digest
from infoflow.training.settings import Fit, Optimizer
from infoflow.training.surroundings import mode, own_random_state, seed_layers, usable_device

log = logging.getLogger(__name__)

Prepare = Callable[..., Sequence[Tensor]]
"""`prepare(*tensors, generator=...)`: a batch as it is stored -> as the losses take it."""

History = list[dict[str, float]]
"""One row for each epoch: "epoch", the mean losses and terms, and what `evaluate` gave."""


class Player(NamedTuple):
    """Whose parameters are trained, and the loss that they minimize.

    `loss(*batch)` returns a 0-d tensor. Where it is an `Objective`, or a method of one such as `opponent_loss`, the
    history holds its terms too. Gradients reach the parameters of `module` alone: what passes through other players'
    modules is dropped.

    >>> head = nn.Linear(2, 1)
    >>> Player(head, lambda x: head(x).square().mean()).optimizer is None
    True
    """

    module: nn.Module
    loss: Callable[..., Tensor]
    optimizer: Optimizer | None = None
    """The default is that of the `Fit`."""


def fit(
    players: Player | Mapping[str, Player],
    data: Sequence[Tensor],
    settings: Fit,
    *,
    seed: int = 0,
    prepare: Prepare | None = None,
    evaluate: Callable[[int], Mapping[str, float]] | None = None,
    every: int = 1,
    checkpoint: str | Path | None = None,
    resume: bool = False,
    fingerprint: Mapping[str, Any] | None = None,
    progress: bool | str = False,
    device: torch.device | str | None = None,
    group: Group = None,
) -> History:
    """Trains each player's module, in place, to minimize its own loss; adversaries take turns on the same batch.

        θ_p ← θ_p − step(∇_{θ_p} loss_p(batch))    for each player p in turn

    - `players`: one, or name -> player in the order of their turns.
    - `data`: tensors (n, ...) of any type that belong together row by row; batches of them are shuffled, put on the
      device, passed through `prepare(*tensors, generator=...)` (normalize, augment; draw only from that generator or
      from torch's global one) and then to every loss.
    - `evaluate(epoch)`: numbers for the history, asked for before training, after each `every` epochs and at the end;
      modules are in evaluation mode then and nothing is differentiated.
    - `checkpoint`: file replaced, whole or not at all, about every 30 s and at the end. `resume` goes on from it (or
      starts, where there is none) and ends exactly as an uninterrupted run. `fingerprint`: further plain values that
      must be the same for that.
    - `group`: a process group; each process takes its part of every epoch's rows, and gradients are averaged, as
      `DistributedDataParallel` does. `batch_size` is that of one process.

    Returns a row for each epoch: "epoch", "loss" and the terms ("player/loss" where players have names), and what
    `evaluate` gave. Global random state is as it was afterwards; layers that draw from it get a state made from seed
    and epoch.

    Raises InvalidArgument (data that don't fit together, more in a batch than there are, resume with other
    settings), BrokenStore (damaged checkpoint), DidNotConverge (a loss that is no longer finite).

    >>> mean = nn.Linear(1, 1, bias=False)
    >>> x = torch.ones(8, 1)
    >>> player = Player(mean, lambda x: (mean(x) - 3 * x).square().mean())
    >>> history = fit(player, [x], Fit(epochs=200, batch_size=4, optimizer=Optimizer("sgd", 0.1)))
    >>> round(mean.weight.item(), 3), history[-1]["epoch"]
    (3.0, 200)
    """
    named = {"": players} if isinstance(players, Player) else dict(players)
    if not named:
        raise InvalidArgument("players is empty; want at least one")
    device = _device(named) if device is None else usable_device(device)
    tensors = _aligned(data, settings, world_size(group))
    integer(seed, "seed", minimum=0)
    integer(every, "every")
    for player in named.values():
        player.module.to(device)
        if settings.channels_last:
            player.module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    trainers = {name: _Trainer(name, player, settings, group) for name, player in named.items()}
    file = None
    if checkpoint is not None:
        told = {
            **asdict(settings),
            "seed": seed,
            "every": every,
            "players": {name: trainer.description for name, trainer in trainers.items()},
            "data": digest(tensors),
            **(fingerprint or {}),
        }
        file = Checkpoint(Path(checkpoint), told)
    history: History = []
    done = 0
    if file is not None and (state := file.load(resume=resume, device=device)) is not None:
        done, history = state["epoch"], state["history"]
        for name, trainer in trainers.items():
            trainer.load(state["players"][name])
        log.info("resumed from %s after epoch %d", file.path, done)

    with ExitStack() as stack:
        stack.enter_context(own_random_state(device))
        for player in named.values():
            stack.enter_context(mode(player.module, training=True))
        bar = stack.enter_context(
            tqdm(
                total=settings.epochs,
                initial=done,
                disable=not progress,
                desc=progress if isinstance(progress, str) else None,
                unit="epoch",
            )
        )
        if not history and evaluate is not None:
            seed_layers(device, seed, 0)
            history.append({"epoch": 0, **_evaluated(evaluate, 0, named)})
        saved_at = time.monotonic()
        for epoch in range(done + 1, settings.epochs + 1):
            seed_layers(device, seed, epoch)
            row = _epoch(trainers, tensors, settings, seed, epoch, prepare, device, group)
            if evaluate is not None and (epoch % every == 0 or epoch == settings.epochs):
                row |= _evaluated(evaluate, epoch, named)
            history.append({"epoch": epoch, **row})
            bar.update()
            if file is None or (group is not None and dist.get_rank(group) != 0):
                continue
            if epoch == settings.epochs or time.monotonic() - saved_at > SECONDS_BETWEEN:
                players_now = {name: trainer.state() for name, trainer in trainers.items()}
                file.save({"epoch": epoch, "history": history, "players": players_now})
                saved_at = time.monotonic()
    return history


class _Trainer:
    """A player with its optimizer, and the sums of what its losses were."""

    def __init__(self, name: str, player: Player, settings: Fit, group: Group) -> None:
        self._prefix = f"{name}/" if name else ""
        self._module = player.module
        self._parameters = [p for p in player.module.parameters() if p.requires_grad]
        if not self._parameters:
            raise InvalidArgument(f"player {name!r} has no parameter that requires a gradient; want something to train")
        self._settings = player.optimizer or settings.optimizer
        self._optimizer = self._settings.over(self._parameters)
        self._loss: Callable[..., Tensor] = torch.compile(player.loss) if settings.compile else player.loss
        owner = getattr(player.loss, "__self__", player.loss)
        self._objective = owner if isinstance(owner, Objective) else None
        self._dtype = settings.dtype
        self._group = group
        self._sums: dict[str, Tensor] = {}
        self.description = {
            "module": repr(player.module),
            "parameters": {key: [str(p.dtype), list(p.shape)] for key, p in player.module.state_dict().items()},
            "optimizer": asdict(self._settings),
        }
        if group is not None:
            self._same_everywhere()

    def begin(self, epoch: int) -> None:
        self._sums = {}
        for options in self._optimizer.param_groups:
            options["lr"] = self._settings.rate(after=epoch - 1)

    def step(self, batch: Sequence[Tensor]) -> None:
        self._optimizer.zero_grad()
        device = self._parameters[0].device.type
        with torch.autocast(device, dtype=self._dtype, enabled=self._dtype != torch.float32):
            total = self._loss(*batch)
        if not isinstance(total, Tensor) or total.numel() != 1:
            found = f"shape {tuple(total.shape)}" if isinstance(total, Tensor) else type(total).__name__
            raise InvalidArgument(f"{self._prefix}loss must return a tensor of one number, got {found}.")
        total.backward()  # type: ignore[no-untyped-call]
        if self._group is not None:
            self._average_gradients()
        self._optimizer.step()
        # Summed where they are: nothing here waits for the device.
        terms = self._objective.terms if self._objective is not None else {}
        for name, value in {"loss": total, **terms}.items():
            summed = torch.as_tensor(value).detach().float().mean()
            self._sums[name] = self._sums[name] + summed if name in self._sums else summed

    def means(self, steps: int, epoch: int) -> dict[str, float]:
        found = {f"{self._prefix}{name}": value.item() / steps for name, value in self._sums.items()}
        if not math.isfinite(found[f"{self._prefix}loss"]):
            raise DidNotConverge(
                f"{self._prefix}loss is no longer finite in epoch {epoch}; want a smaller learning rate, or inputs of "
                "a smaller scale"
            )
        if self._group is not None:
            self._same_everywhere(parameters=False)
        return found

    def state(self) -> dict[str, Any]:
        return {"module": self._module.state_dict(), "optimizer": self._optimizer.state_dict()["state"]}

    def load(self, state: dict[str, Any]) -> None:
        self._module.load_state_dict(state["module"])
        self._optimizer.load_state_dict({**self._optimizer.state_dict(), "state": state["optimizer"]})

    def _average_gradients(self) -> None:
        gradients = [p.grad if p.grad is not None else torch.zeros_like(p) for p in self._parameters]
        flat = torch.cat([gradient.reshape(-1).float() for gradient in gradients])
        dist.all_reduce(flat, group=self._group)
        flat /= world_size(self._group)
        for p, part in zip(self._parameters, torch.split(flat, [p.numel() for p in self._parameters]), strict=True):
            p.grad = part.reshape(p.shape).to(p.dtype)

    def _same_everywhere(self, *, parameters: bool = True) -> None:
        """The first process's values; running statistics drift apart on different rows."""
        source = dist.get_global_rank(self._group, 0)
        with torch.no_grad():
            for tensor in [*(self._module.parameters() if parameters else ()), *self._module.buffers()]:
                dist.broadcast(tensor, source, group=self._group)


def _epoch(
    trainers: Mapping[str, _Trainer],
    tensors: Sequence[Tensor],
    settings: Fit,
    seed: int,
    epoch: int,
    prepare: Prepare | None,
    device: torch.device,
    group: Group,
) -> dict[str, float]:
    for trainer in trainers.values():
        trainer.begin(epoch)
    generator = torch.Generator(device)
    rank = 0 if group is None else dist.get_rank(group)
    generator.manual_seed(int(np.random.SeedSequence((seed, epoch, rank)).generate_state(1)[0]))
    steps = 0
    for rows in _batches(len(tensors[0]), settings, seed, epoch, rank, world_size(group)):
        # Seven times as fast as tensor[rows] for images of bytes.
        batch: Sequence[Tensor] = [tensor.index_select(0, rows.to(tensor.device)).to(device) for tensor in tensors]
        if prepare is not None:
            batch = prepare(*batch, generator=generator)
        if settings.channels_last:
            batch = [b.to(memory_format=torch.channels_last) if b.ndim == 4 else b for b in batch]
        for trainer in trainers.values():
            trainer.step(batch)
        steps += 1
    means: dict[str, float] = {}
    for trainer in trainers.values():
        means |= trainer.means(steps, epoch)
    return means


def _batches(n: int, settings: Fit, seed: int, epoch: int, rank: int, processes: int) -> Iterator[Tensor]:
    order = torch.from_numpy(np.random.default_rng((seed, epoch)).permutation(n))
    share = order[: n - n % processes][rank::processes]  # the same number everywhere, or a collective would wait
    for rows in torch.split(share, settings.batch_size):
        if len(rows) == settings.batch_size or not settings.drop_last:
            yield rows


def _evaluated(
    evaluate: Callable[[int], Mapping[str, float]], epoch: int, players: Mapping[str, Player]
) -> dict[str, float]:
    with ExitStack() as stack:
        stack.enter_context(torch.no_grad())
        for player in players.values():
            stack.enter_context(mode(player.module, training=False))
        return {name: float(value) for name, value in evaluate(epoch).items()}


def _device(players: Mapping[str, Player]) -> torch.device:
    every = (parameter.device for player in players.values() for parameter in player.module.parameters())
    return next(every, torch.device("cpu"))


def _aligned(data: Any, settings: Fit, processes: int) -> list[Tensor]:
    """The tensors, checked."""
    if isinstance(data, Tensor) or not data or not all(isinstance(part, Tensor) and part.ndim for part in data):
        raise InvalidArgument("data is no sequence of tensors; want tensors of shape (n, ...)")
    lengths = [len(part) for part in data]
    if len(set(lengths)) != 1 or not lengths[0]:
        raise InvalidArgument(f"data holds tensors of {', '.join(map(str, lengths))} rows; want as many in each")
    for part in data:
        if part.is_floating_point() and not bool(torch.isfinite(part).all()):
            raise InvalidArgument("data holds NaN or infinite values; want finite numbers")
    share = lengths[0] // processes
    if share < (settings.batch_size if settings.drop_last else 1):
        raise InvalidArgument(
            f"batch_size is {settings.batch_size}, but a process has {share} rows; want a smaller batch_size"
        )
    return list(data)
