"""Training of a classifier, or of many seeds of one side by side, with snapshots, checkpoint and resume."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from infoflow.core.capture import samples_at_once
from infoflow.core.checks import choice, integer, positive
from infoflow.core.errors import DidNotConverge, InvalidArgument
from infoflow.models import Stacked
from infoflow.training.checkpoint import SECONDS_BETWEEN, Checkpoint, digest
from infoflow.training.surroundings import mode, own_random_state, seed_layers, usable_device

log = logging.getLogger(__name__)

OPTIMIZERS = ("adam", "sgd")
"""What `Training.optimizer` can be."""

Metrics = dict[str, list[float]]
"""Name such as "test_accuracy" -> one value per member."""

_EVALUATION_BATCH = 8192


@dataclass(frozen=True)
class Training:
    """How to train. The defaults are those of Shwartz-Ziv and Tishby's released code, but for shuffling.

    `momentum` is sgd's. `weight_decay` is the L2 penalty that torch's optimizers add to the gradient. Without
    `shuffle`, every epoch sees the same batches in the same order. The last batch of an epoch may be the smallest.

    Raises InvalidArgument (a number out of range, momentum with adam) or UnknownName (optimizer).

    >>> Training(epochs=10, optimizer="sgd", learning_rate=0.1).batch_size
    512
    """

    epochs: int
    batch_size: int = 512
    optimizer: str = "adam"
    learning_rate: float = 4e-4
    momentum: float = 0.0
    weight_decay: float = 0.0
    shuffle: bool = True

    def __post_init__(self) -> None:
        integer(self.epochs, "epochs")
        integer(self.batch_size, "batch_size")
        choice(self.optimizer, "optimizer", OPTIMIZERS)
        positive(self.learning_rate, "learning_rate")
        if positive(self.momentum, "momentum", zero=True) and self.optimizer != "sgd":
            raise InvalidArgument(f"momentum is {self.momentum}, but {self.optimizer} has its own; want 0, or sgd")
        positive(self.weight_decay, "weight_decay", zero=True)


def snapshot_epochs(epochs: int, count: int) -> list[int]:
    """At most `count` epochs, spaced evenly in the logarithm, with 0 (before training) and `epochs` (after the last).

    Fewer come back where neighbors round to the same epoch. Raises InvalidArgument (epochs < 1, count < 2).

    >>> snapshot_epochs(1000, 5)
    [0, 1, 10, 100, 1000]
    """
    integer(epochs, "epochs")
    integer(count, "count", minimum=2)
    spaced = np.rint(np.geomspace(1, epochs, count - 1)).astype(int)
    return sorted({0, epochs, *spaced.tolist()})


def train(
    network: nn.Module,
    data: tuple[Any, Any],
    settings: Training,
    *,
    seeds: Sequence[int] | None = None,
    evaluate: Mapping[str, tuple[Any, Any]] | None = None,
    snapshots: Iterable[int] = (),
    on_snapshot: Callable[[int, nn.Module, Metrics], object] | None = None,
    checkpoint: str | Path | None = None,
    resume: bool = False,
    progress: bool | str = False,
    device: torch.device | str | None = None,
) -> dict[int, Metrics]:
    """Trains a classifier, or a stack of them, in place, to minimize the cross-entropy in nats.

        loss = Σ_r 1/|B| Σ_{i ∈ B_r} -log softmax(network_r(x_i))[y_i]

    so that each member r of a stack gets the gradient that it would get alone; its own seed alone makes its shuffles.

    - `network`: a module that maps (n, ...) to logits (n, C), or what `infoflow.models.stack` returns.
    - `data`: inputs (n, ...) and integer labels (n,), such as `Dataset.tensors()`.
    - `seeds`: one per member, for the shuffles; default 0, 1, ...
    - `evaluate`: name -> (inputs, labels). Each gives, at every snapshot, in evaluation mode and without gradient, the
      metrics `NAME_loss` (nats) and `NAME_accuracy`: a list with one value per member. Default {"train": data}.
    - `snapshots`: epochs to call `on_snapshot(epoch, network, metrics)` at; epoch e is the state after e passes, 0
      before training.
    - `checkpoint`: file that is replaced, whole or not at all, after each snapshot and about every 30 s. `resume` goes
      on from it (or starts, where there is none) and ends exactly as an uninterrupted run; an `on_snapshot` that was
      interrupted before its checkpoint is called again.
    - `progress`: a progress bar, named so when it is a text.
    - `device`: "auto" takes a GPU where there is one; default: where the network is.

    Returns epoch -> metrics for all snapshots, those before a resume too. Global random state is as it was afterwards:
    layers that draw from it (dropout) get a state of their own, made from the first seed and the epoch.

    Raises InvalidArgument (data, seeds, epochs, a network that doesn't fit, resume with other settings), BrokenStore
    (damaged checkpoint), DidNotConverge (the loss is no longer finite).

    >>> from infoflow.data import szt
    >>> from infoflow.models import MLP, stack
    >>> network = stack([MLP([12, 10, 7, 5, 4, 3, 2], "tanh", seed=seed) for seed in range(3)])
    >>> history = train(network, szt().tensors(), Training(epochs=2), snapshots=[0, 2])
    >>> sorted(history), len(history[2]["train_accuracy"])
    ([0, 2], 3)
    """
    if device is None:
        device = next((parameter.device for parameter in network.parameters()), torch.device("cpu"))
    device = usable_device(device)
    network.to(device)
    members = network.members if isinstance(network, Stacked) else None
    seeds = _seeds(seeds, members)
    epochs = _epochs(snapshots, settings.epochs)
    x, y = _pair(data, "data", device)
    sets = {"train": (x, y)} if evaluate is None else {
        name: _pair(pair, f"evaluate[{name!r}]", device) for name, pair in evaluate.items()
    }  # fmt: skip
    with own_random_state(device):  # a network may draw noise in evaluation too
        _check_fit(network, {"data": (x, y), **({} if evaluate is None else sets)}, members)
    optimizer = _optimizer(network, settings, device)

    file = None if checkpoint is None else Checkpoint(
        Path(checkpoint), _fingerprint(network, settings, seeds, epochs, x, y)
    )  # fmt: skip
    history: dict[int, Metrics] = {}
    done = -1
    if file is not None and (state := file.load(resume=resume, device=device)) is not None:
        network.load_state_dict(state["network"])
        optimizer.load_state_dict({**optimizer.state_dict(), "state": state["optimizer"]})
        done, history = state["epoch"], state["history"]
        log.info("resumed from %s after epoch %d", file.path, done)

    batches = _Batches(x, y, seeds, settings, stacked=members is not None)
    saved_at = time.monotonic()
    with (
        own_random_state(device),
        mode(network, training=True),
        tqdm(
            total=settings.epochs,
            initial=max(done, 0),
            disable=not progress,
            desc=progress if isinstance(progress, str) else None,
            unit="epoch",
        ) as bar,
    ):
        for epoch in range(done + 1, settings.epochs + 1):
            if epoch > 0:
                seed_layers(device, seeds[0], epoch)
                _pass(network, optimizer, batches.of(epoch), epoch, seeds)
                bar.update()
            if epoch in epochs:
                metrics = history[epoch] = _evaluate(network, sets, members)
                losses = zip(*(values for name, values in metrics.items() if name.endswith("_loss")), strict=True)
                if bad := [seed for seed, of in zip(seeds, losses, strict=False) if not all(map(math.isfinite, of))]:
                    raise _diverged(epoch, bad)
                if on_snapshot is not None:
                    on_snapshot(epoch, network, metrics)
            late = time.monotonic() - saved_at > SECONDS_BETWEEN
            if file is not None and (epoch in epochs or late or epoch == settings.epochs):
                file.save(
                    {
                        "epoch": epoch,
                        "history": history,
                        "network": network.state_dict(),
                        "optimizer": optimizer.state_dict()["state"],
                    }
                )
                saved_at = time.monotonic()
    return history


def _pass(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    batches: Iterable[tuple[Tensor, Tensor]],
    epoch: int,
    seeds: Sequence[int],
) -> None:
    """One epoch. Nothing in it waits for the device; the loss is looked at once, at the end, for NaN stays NaN."""
    for x, y in batches:
        optimizer.zero_grad()
        logits = network(x)
        # Classes on axis 1, so that (n, C) and (R, n, C) take one path; summed over members.
        loss = functional.cross_entropy(logits.movedim(-1, 1), y, reduction="sum") / y.shape[-1]
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    if not math.isfinite(loss.item()):
        finite = torch.isfinite(logits.detach()).reshape(len(seeds), -1).all(dim=1).tolist()
        raise _diverged(epoch, [seed for seed, good in zip(seeds, finite, strict=True) if not good] or seeds)


def _diverged(epoch: int, seeds: Sequence[int]) -> DidNotConverge:
    return DidNotConverge(
        f"the loss is no longer finite in epoch {epoch} for seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}; "
        "want a smaller learning rate, or inputs of a smaller scale"
    )


class _Batches:
    """The batches of each epoch. Those in fixed order are cut once."""

    def __init__(self, x: Tensor, y: Tensor, seeds: Sequence[int], settings: Training, *, stacked: bool) -> None:
        self._x, self._y, self._seeds, self._stacked = x, y, seeds, stacked
        self._size = settings.batch_size
        self._fixed = None if settings.shuffle else list(self._in_order())

    def of(self, epoch: int) -> Iterable[tuple[Tensor, Tensor]]:
        return self._shuffled(epoch) if self._fixed is None else self._fixed

    def _in_order(self) -> Iterator[tuple[Tensor, Tensor]]:
        for x, y in zip(torch.split(self._x, self._size), torch.split(self._y, self._size), strict=True):
            yield x, y.expand(len(self._seeds), -1).contiguous() if self._stacked else y

    def _shuffled(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        # A generator for each member and epoch: no state to save, and no member depends on who runs beside it.
        orders = [np.random.default_rng((seed, epoch)).permutation(len(self._x)) for seed in self._seeds]
        order = torch.from_numpy(np.stack(orders) if self._stacked else orders[0]).to(self._x.device)
        for chosen in torch.split(order, self._size, dim=-1):
            yield self._x[chosen], self._y[chosen]


@torch.no_grad()
def _evaluate(network: nn.Module, sets: Mapping[str, tuple[Tensor, Tensor]], members: int | None) -> Metrics:
    metrics: Metrics = {}
    with mode(network, training=False):
        for name, (x, y) in sets.items():
            loss = torch.zeros(members or 1, dtype=torch.float64)
            right = torch.zeros(members or 1, dtype=torch.float64)
            size = samples_at_once(x, _EVALUATION_BATCH)
            for inputs, labels in zip(torch.split(x, size), torch.split(y, size), strict=True):
                logits = network(inputs)
                classes_first = logits.movedim(-1, 1)
                labels = labels.expand(classes_first.shape[0], -1) if members else labels
                surprise = functional.cross_entropy(classes_first, labels, reduction="none")
                # Sums in float64, on the processor: not every device has it.
                loss += surprise.reshape(members or 1, -1).cpu().double().sum(dim=1)
                right += (logits.argmax(-1) == labels).reshape(members or 1, -1).sum(dim=1).cpu()
            metrics[f"{name}_loss"] = (loss / len(y)).tolist()
            metrics[f"{name}_accuracy"] = (right / len(y)).tolist()
    return metrics


def _optimizer(network: nn.Module, settings: Training, device: torch.device) -> torch.optim.Optimizer:
    parameters = [p for p in network.parameters() if p.requires_grad]
    if not parameters:
        raise InvalidArgument("network has no parameter that requires a gradient; want something to train")
    # One kernel for all parameters: on small networks the unfused step costs as much as the whole backward pass.
    fused = device.type in ("cpu", "cuda")
    if settings.optimizer == "adam":
        return torch.optim.Adam(
            parameters, lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=fused
        )  # fmt: skip
    return torch.optim.SGD(
        parameters,
        lr=settings.learning_rate,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
        fused=fused,
    )


def _fingerprint(
    network: nn.Module, settings: Training, seeds: Sequence[int], epochs: set[int], x: Tensor, y: Tensor
) -> dict[str, Any]:
    """What must be the same for a resumed run to be the run that was interrupted."""
    return {
        **asdict(settings),
        "seeds": list(seeds),
        "snapshots": sorted(epochs),
        "network": repr(network),
        "parameters": {name: [str(p.dtype), list(p.shape)] for name, p in network.state_dict().items()},
        "data": digest((x, y)),
    }


def _seeds(seeds: Sequence[int] | None, members: int | None) -> list[int]:
    if seeds is None:
        return list(range(members or 1))
    checked = [integer(seed, "seeds", minimum=0) for seed in seeds]
    if len(checked) != (members or 1):
        raise InvalidArgument(f"seeds holds {len(checked)} seeds; want {members or 1}, one for each network")
    return checked


def _epochs(snapshots: Iterable[int], last: int) -> set[int]:
    epochs = {integer(epoch, "snapshots", minimum=0) for epoch in snapshots}
    if epochs and max(epochs) > last:
        raise InvalidArgument(f"snapshots names epoch {max(epochs)}, but training ends at epoch {last}")
    return epochs


def _pair(pair: tuple[Any, Any], name: str, device: torch.device) -> tuple[Tensor, Tensor]:
    """Inputs and int64 labels on the device, or what is wrong with them."""
    try:
        x, y = (part.detach() if isinstance(part, Tensor) else torch.as_tensor(np.array(part)) for part in pair)
    except (TypeError, ValueError) as error:
        raise InvalidArgument(f"{name} is no pair of arrays (inputs, labels): {error}") from None
    if not x.is_floating_point() or x.ndim < 2 or x.numel() == 0:
        raise InvalidArgument(f"{name} has inputs of shape {tuple(x.shape)}, {x.dtype}; want floats of shape (n, ...)")
    if y.is_floating_point() or y.ndim != 1:
        raise InvalidArgument(f"{name} has labels of shape {tuple(y.shape)}, {y.dtype}; want integers of shape (n,)")
    if len(x) != len(y):
        raise InvalidArgument(f"{name} has {len(x)} inputs but {len(y)} labels; want pairs")
    if not bool(torch.isfinite(x).all()):
        raise InvalidArgument(f"{name} has NaN or infinite inputs; want finite numbers")
    return x.to(device), y.to(device, torch.int64)


def _check_fit(network: nn.Module, sets: Mapping[str, tuple[Tensor, Tensor]], members: int | None) -> None:
    """Raises InvalidArgument unless the network maps the inputs to logits that have a place for every label."""
    for name, (x, y) in sets.items():
        try:
            with torch.no_grad(), mode(network, training=False):
                shape = tuple(network(x[:2]).shape)
        except (RuntimeError, InvalidArgument) as error:
            reason = str(error).splitlines()[0]
            raise InvalidArgument(f"network doesn't take {name}'s inputs of shape {tuple(x.shape)}: {reason}") from None
        want = (len(x[:2]),) if members is None else (members, len(x[:2]))
        if len(shape) != len(want) + 1 or shape[:-1] != want:
            raise InvalidArgument(f"network returns shape {shape} for {len(x[:2])} samples; want {(*want, 'classes')}")
        if int(y.min()) < 0 or int(y.max()) >= shape[-1]:
            raise InvalidArgument(
                f"{name} has labels {int(y.min())}..{int(y.max())}, but the network {shape[-1]} outputs; "
                f"want labels in 0..{shape[-1] - 1}"
            )
