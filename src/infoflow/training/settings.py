"""How an objective is trained: the optimizer and its schedule, the batches, the precision."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn

from infoflow.core.checks import choice, flag, integer, positive
from infoflow.core.errors import InvalidArgument

_OPTIMIZERS = ("adam", "adamw", "sgd")
_PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class Optimizer:
    """An optimizer by name, and its learning rate: after each epoch in `milestones` it is multiplied by `factor`.

    `momentum` and `nesterov` are sgd's, `betas` Adam's. `weight_decay` is the L2 penalty that torch's optimizers add
    to the gradient (adamw: decoupled).

    Raises InvalidArgument (a number out of range, momentum with adam) or UnknownName.

    >>> Optimizer("sgd", 0.1, momentum=0.9, milestones=(30, 60)).rate(after=30)
    0.01
    """

    name: str = "adam"
    learning_rate: float = 1e-4
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0
    betas: tuple[float, float] = (0.9, 0.999)
    milestones: tuple[int, ...] = ()
    factor: float = 0.1

    def __post_init__(self) -> None:
        choice(self.name, "optimizer", _OPTIMIZERS)
        positive(self.learning_rate, "learning_rate")
        if positive(self.momentum, "momentum", zero=True) and self.name != "sgd":
            raise InvalidArgument(f"momentum is {self.momentum}, but {self.name} has its own; want 0, or sgd")
        if flag(self.nesterov, "nesterov") and not self.momentum:
            raise InvalidArgument("nesterov is True but momentum is 0; want a momentum")
        positive(self.weight_decay, "weight_decay", zero=True)
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise InvalidArgument(f"betas is {self.betas}; want two numbers in [0, 1)")
        if list(self.milestones) != sorted({integer(epoch, "milestones") for epoch in self.milestones}):
            raise InvalidArgument(f"milestones is {self.milestones}; want different epochs, in order")
        positive(self.factor, "factor")

    def rate(self, *, after: int) -> float:
        """The learning rate when `after` epochs are done."""
        return self.learning_rate * self.factor ** bisect_right(self.milestones, after)

    def over(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """torch's optimizer of these parameters."""
        if self.name == "sgd":
            return torch.optim.SGD(
                parameters,
                lr=self.learning_rate,
                momentum=self.momentum,
                nesterov=self.nesterov,
                weight_decay=self.weight_decay,
            )
        kind = torch.optim.Adam if self.name == "adam" else torch.optim.AdamW
        return kind(parameters, lr=self.learning_rate, betas=self.betas, weight_decay=self.weight_decay)


@dataclass(frozen=True)
class Fit:
    """How `fit` trains: epochs of shuffled batches, the optimizer, the precision, the layout in memory.

    `drop_last` leaves out the smaller batch at the end of an epoch (batch normalization and in-batch negatives
    differ there). `precision` "bfloat16" runs the losses under autocast. `compile` passes them through torch.compile.

    Raises InvalidArgument (a number out of range) or UnknownName (precision).

    >>> Fit(epochs=20, batch_size=128, optimizer=Optimizer("sgd", 0.1)).precision
    'float32'
    """

    epochs: int
    batch_size: int = 64
    optimizer: Optimizer = Optimizer()
    drop_last: bool = True
    precision: str = "float32"
    channels_last: bool = False
    compile: bool = False

    def __post_init__(self) -> None:
        integer(self.epochs, "epochs")
        integer(self.batch_size, "batch_size")
        choice(self.precision, "precision", _PRECISIONS)
        for name in ("drop_last", "channels_last", "compile"):
            flag(getattr(self, name), name)

    @property
    def dtype(self) -> torch.dtype:
        """That of `precision`."""
        return _PRECISIONS[self.precision]
