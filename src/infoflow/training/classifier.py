"""Training of a classifier, or of many seeds of it at once, with snapshots, checkpoint and resume."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from infoflow.core.capture import mode, samples_at_once
from infoflow.core.checks import finite
from infoflow.core.denormals import denormals_as_zero
from infoflow.core.errors import DidNotConverge, InvalidArgument
from infoflow.core.settings import (
    Each,
    Integer,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    Settings,
    check,
    validated,
)
from infoflow.models import Stacked
from infoflow.training.checkpoint import Checkpoint, digest
from infoflow.training.settings import Optimizer
from infoflow.training.surroundings import (
    description,
    device_of,
    diverged,
    epoch_bar,
    own_random_state,
    seed_layers,
    trainable,
    usable_device,
)

log = logging.getLogger(__name__)

OPTIMIZERS = ("adam", "sgd")
"""Names of the optimizers of `Training`."""

Metrics = dict[str, list[float]]
"""Name such as "test_accuracy" to one value for each member."""

_EVALUATION_BATCH = 8192


@dataclass(frozen=True)
class Training(Settings):
    """Settings of `train`; the defaults, except for `shuffle`, are those of Shwartz-Ziv and Tishby's released code.

    Parameters
    ----------
    epochs
        Number of epochs.
    batch_size
        Number of samples in a batch; the last batch of an epoch may be smaller.
    optimizer
        Name of the optimizer.
    learning_rate
        Learning rate.
    momentum
        Momentum of sgd.
    weight_decay
        L2 penalty that torch's optimizers add to the gradient.
    shuffle
        Whether each epoch has its own order. Otherwise all epochs have the same batches in the same order.

    Raises
    ------
    InvalidArgument
        If a number is out of range, or momentum is used with adam; `UnknownName` for an unknown optimizer.

    Examples
    --------
    >>> Training(epochs=10, optimizer="sgd", learning_rate=0.1).batch_size
    512
    """

    epochs: PositiveInt
    batch_size: PositiveInt = 512
    optimizer: Literal["adam", "sgd"] = "adam"
    learning_rate: PositiveFloat = 4e-4
    momentum: NonNegativeFloat = 0.0
    weight_decay: NonNegativeFloat = 0.0
    shuffle: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.momentum and self.optimizer != "sgd":
            raise InvalidArgument("momentum", f"0 for {self.optimizer}, which has its own", self.momentum)


@validated
def snapshot_epochs(epochs: PositiveInt, count: Annotated[int, Integer(2)]) -> list[int]:
    """Return epochs that are spaced evenly in the logarithm.

    Parameters
    ----------
    epochs
        Last epoch.
    count
        Largest number of epochs; fewer are returned if neighbors round to the same one.

    Returns
    -------
    list of int
        Epochs from 0 (before training) to `epochs` (after the last).

    Examples
    --------
    >>> snapshot_epochs(1000, 5)
    [0, 1, 10, 100, 1000]
    """
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
    """Train a classifier, or a stack of them, in place to minimize the cross-entropy in nats.

    Parameters
    ----------
    network
        Module that maps (n, ...) to logits (n, C), or what `infoflow.models.stack` returns.
    data : pair of array-like of shapes (n, ...) and (n,)
        Inputs and integer labels, such as `Dataset.tensors()`.
    settings
        Epochs, batches, optimizer.
    seeds
        Seed of the shuffles of each member, by default 0, 1, ...
    evaluate
        Name to pair of inputs and labels. Each gives, at every snapshot, in evaluation mode and without gradients, the
        metrics `NAME_loss` (nats) and `NAME_accuracy`: a list with one value for each member. By default
        {"train": data}.
    snapshots
        Epochs at which `on_snapshot` is called; epoch e is the state after e passes, 0 before training.
    on_snapshot
        Function of epoch, network and metrics.
    checkpoint
        File that is replaced atomically after each snapshot and about every 30 s.
    resume
        Whether to continue from the checkpoint, if it exists; the run ends exactly as an uninterrupted one. A snapshot
        that was interrupted before its checkpoint is taken again.
    progress
        Whether to show a progress bar; text is its title.
    device
        Where to train; "auto" is a GPU if there is one. By default where the network is.

    Returns
    -------
    dict
        Epoch to metrics for all snapshots, including those before a resume.

    Raises
    ------
    InvalidArgument
        If data, seeds, epochs and network do not fit together, or a run is resumed with other settings.
    BrokenStore
        If the checkpoint is damaged.
    DidNotConverge
        If the loss is no longer finite.

    Notes
    -----
    The loss of a stack is the sum over its members r,

        loss = Σ_r 1/|B| Σ_{i ∈ B_r} -log softmax(network_r(x_i))[y_i],

    so that each member has the gradient that it would have alone; its shuffles depend on its own seed alone. The global
    random state is restored afterwards; layers that draw from it (dropout) get a state made from the first seed and
    the epoch.

    Examples
    --------
    >>> from infoflow.data import szt
    >>> from infoflow.models import MLP, stack
    >>> network = stack([MLP([12, 10, 7, 5, 4, 3, 2], "tanh", seed=seed) for seed in range(3)])
    >>> history = train(network, szt().tensors(), Training(epochs=2), snapshots=[0, 2])
    >>> sorted(history), len(history[2]["train_accuracy"])
    ([0, 2], 3)
    """
    if device is None:
        device = device_of(network)
    device = usable_device(device)
    network.to(device)
    members = network.members if isinstance(network, Stacked) else None
    seeds = _seeds(seeds, members)
    epochs = _epochs(snapshots, settings.epochs)
    x, y = _pair(data, "data", device)
    given = evaluate or {}
    sets = {name: _pair(pair, f"evaluate[{name!r}]", device) for name, pair in given.items()}
    with own_random_state(device):  # a network may draw noise in evaluation too
        _check_fit(network, {"data": (x, y), **sets}, members)
    if evaluate is None:
        sets = {"train": (x, y)}
    optimizer = _optimizer(network, settings)

    file = None
    if checkpoint is not None:
        file = Checkpoint(Path(checkpoint), _fingerprint(network, settings, seeds, epochs, digest((x, y))))
    history: dict[int, Metrics] = {}
    done = -1
    if file is not None and (state := file.load(resume=resume, device=device)) is not None:
        network.load_state_dict(state["network"])
        optimizer.load_state_dict({**optimizer.state_dict(), "state": state["optimizer"]})
        done, history = state["epoch"], state["history"]
        log.info("resumed from %s after epoch %d", file.path, done)

    batches = _Batches(x, y, seeds, settings, stacked=members is not None)
    with (
        own_random_state(device),
        mode(network, training=True),
        epoch_bar(settings.epochs, max(done, 0), progress) as bar,
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
            if file is not None and (epoch in epochs or file.due or epoch == settings.epochs):
                file.save(
                    {
                        "epoch": epoch,
                        "history": history,
                        "network": network.state_dict(),
                        "optimizer": optimizer.state_dict()["state"],
                    }
                )
    return history


def _pass(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    batches: Iterable[tuple[Tensor, Tensor]],
    epoch: int,
    seeds: Sequence[int],
) -> None:
    """Train for one epoch. The loss is read once, at the end, since NaN stays NaN and reading waits for the device."""
    for x, y in batches:
        optimizer.zero_grad()
        logits = network(x)
        # Classes on axis 1, so that (n, C) and (R, n, C) take one path; summed over members.
        loss = functional.cross_entropy(logits.movedim(-1, 1), y, reduction="sum") / y.shape[-1]
        loss.backward()  # type: ignore[no-untyped-call]
        with denormals_as_zero():
            optimizer.step()
    if not math.isfinite(loss.item()):
        good = torch.isfinite(logits.detach()).reshape(len(seeds), -1).all(dim=1).tolist()
        raise _diverged(epoch, [seed for seed, well in zip(seeds, good, strict=True) if not well] or seeds)


def _diverged(epoch: int, seeds: Sequence[int]) -> DidNotConverge:
    names = f"seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}"
    return diverged(f"the loss is no longer finite in epoch {epoch} for {names}")


class _Batches:
    """The batches of each epoch; those in fixed order are cut once."""

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
        # A generator for each member and epoch: there is no state to save, and members are independent of each other.
        orders = [np.random.default_rng((seed, epoch)).permutation(len(self._x)) for seed in self._seeds]
        order = torch.from_numpy(np.stack(orders) if self._stacked else orders[0]).to(self._x.device)
        for chosen in torch.split(order, self._size, dim=-1):
            # Up to three times as fast as tensor[chosen].
            x, y = (tensor.index_select(0, chosen.flatten()) for tensor in (self._x, self._y))
            yield x.reshape(*chosen.shape, *x.shape[1:]), y.reshape(chosen.shape)


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
                # Sums in float64 on the CPU, since not every device has float64.
                loss += surprise.reshape(members or 1, -1).cpu().double().sum(dim=1)
                right += (logits.argmax(-1) == labels).reshape(members or 1, -1).sum(dim=1).cpu()
            metrics[f"{name}_loss"] = (loss / len(y)).tolist()
            metrics[f"{name}_accuracy"] = (right / len(y)).tolist()
    return metrics


def _optimizer(network: nn.Module, settings: Training) -> torch.optim.Optimizer:
    chosen = Optimizer(
        settings.optimizer,
        settings.learning_rate,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
    )
    return chosen.over(trainable(network, "network"))


def _fingerprint(
    network: nn.Module, settings: Training, seeds: Sequence[int], epochs: set[int], data: str
) -> dict[str, Any]:
    """Return what must be the same for a resumed run to be the one that was interrupted."""
    run = {"seeds": list(seeds), "snapshots": sorted(epochs), "data": data}
    parts = description(network)
    return {**asdict(settings), **run, "network": parts["module"], "parameters": parts["parameters"]}


def _seeds(seeds: Sequence[int] | None, members: int | None) -> list[int]:
    if seeds is None:
        return list(range(members or 1))
    checked = check(seeds, "seeds", Each(Integer(0)))
    if len(checked) != (members or 1):
        raise InvalidArgument("seeds", f"one for each network ({members or 1})", len(checked))
    return list(checked)


def _epochs(snapshots: Iterable[int], last: int) -> set[int]:
    return set(check(snapshots, "snapshots", Each(Integer(0, last))))


def _pair(pair: tuple[Any, Any], name: str, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return inputs and int64 labels on the device, checked."""
    try:
        x, y = (part.detach() if isinstance(part, Tensor) else torch.as_tensor(np.array(part)) for part in pair)
    except (TypeError, ValueError) as error:
        raise InvalidArgument(
            name, "a pair of arrays (inputs, labels)", got_text=f"a {type(pair).__name__}: {error}"
        ) from None
    if not x.is_floating_point() or x.ndim < 2 or x.numel() == 0:
        raise InvalidArgument(f"inputs of {name}", "floats of shape (n, ...)", x)
    if y.is_floating_point() or y.ndim != 1:
        raise InvalidArgument(f"labels of {name}", "integers of shape (n,)", y)
    if len(x) != len(y):
        raise InvalidArgument(f"inputs and labels of {name} must be equally many, got {len(x)} and {len(y)}.")
    finite(x, f"inputs of {name}")
    return x.to(device), y.to(device, torch.int64)


def _check_fit(network: nn.Module, sets: Mapping[str, tuple[Tensor, Tensor]], members: int | None) -> None:
    """Raise an error unless the network maps the inputs to logits with a class for every label."""
    for name, (x, y) in sets.items():
        try:
            with torch.no_grad(), mode(network, training=False):
                shape = tuple(network(x[:2]).shape)
        except (RuntimeError, InvalidArgument) as error:
            reason = str(error).splitlines()[0]
            raise InvalidArgument(
                f"network must accept inputs of {name}, of shape {tuple(x.shape)}. {reason}"
            ) from None
        rows = (len(x[:2]),) if members is None else (members, len(x[:2]))
        if len(shape) != len(rows) + 1 or shape[:-1] != rows:
            raise InvalidArgument("output of network", f"of shape {(*rows, 'classes')}", got_text=f"shape {shape}")
        if int(y.min()) < 0 or int(y.max()) >= shape[-1]:
            found = f"{int(y.min())}..{int(y.max())}"
            raise InvalidArgument(f"labels of {name}", f"in 0..{shape[-1] - 1}, the classes of network", got_text=found)
