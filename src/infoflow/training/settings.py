"""Settings of a training: the optimizer and its schedule, the batches, the precision."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from torch import nn

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import Each, Integer, NonNegativeFloat, Number, PositiveFloat, PositiveInt, Settings

_PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class Optimizer(Settings):
    """An optimizer by name, with a learning rate that drops after some epochs.

    Parameters
    ----------
    name
        Name of the optimizer.
    learning_rate
        Learning rate of the first epochs.
    momentum, nesterov
        Momentum of sgd, and whether it is Nesterov's.
    weight_decay
        L2 penalty that torch's optimizers add to the gradient; decoupled for adamw.
    betas
        Decay rates of Adam's averages.
    milestones
        Epochs after which the learning rate is multiplied by `factor`, in order.
    factor
        Factor of the learning rate at each milestone.

    Raises
    ------
    InvalidArgument
        If a number is out of range, or momentum is used without sgd; `UnknownName` for an unknown optimizer.

    Examples
    --------
    >>> Optimizer("sgd", 0.1, momentum=0.9, milestones=(30, 60)).rate(after=30)
    0.01
    """

    name: Literal["adam", "adamw", "sgd"] = "adam"
    learning_rate: PositiveFloat = 1e-4
    momentum: NonNegativeFloat = 0.0
    nesterov: bool = False
    weight_decay: NonNegativeFloat = 0.0
    betas: Annotated[tuple[float, float], Each(Number(0, 1, open_high=True), length=2)] = (0.9, 0.999)
    milestones: Annotated[tuple[int, ...], Each(Integer())] = ()
    factor: PositiveFloat = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.momentum and self.name != "sgd":
            raise InvalidArgument("momentum", f"0 for {self.name}, which has its own", self.momentum)
        if self.nesterov and not self.momentum:
            raise InvalidArgument("nesterov", "False without momentum", self.nesterov)
        if len(self.betas) != 2:
            raise InvalidArgument("betas", "two numbers", self.betas)
        if list(self.milestones) != sorted(set(self.milestones)):
            raise InvalidArgument("milestones", "different epochs, in order", self.milestones)

    def rate(self, *, after: int) -> float:
        """Return the learning rate after so many epochs.

        Parameters
        ----------
        after
            Number of epochs that are done.

        Returns
        -------
        float
            The learning rate of the next epoch.
        """
        return self.learning_rate * self.factor ** bisect_right(self.milestones, after)

    def over(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Create torch's optimizer, fused where torch has a kernel for all parameters at once.

        Parameters
        ----------
        parameters
            What is optimized, with dense gradients.

        Returns
        -------
        torch.optim.Optimizer
            The optimizer.
        """
        parameters = list(parameters)
        # Unfused, the step of a small network costs as much as its backward pass.
        fused = all(each.is_floating_point() and each.device.type in ("cpu", "cuda") for each in parameters)
        if self.name == "sgd":
            return torch.optim.SGD(
                parameters,
                lr=self.learning_rate,
                momentum=self.momentum,
                nesterov=self.nesterov,
                weight_decay=self.weight_decay,
                fused=fused,
            )
        kind = torch.optim.Adam if self.name == "adam" else torch.optim.AdamW
        return kind(parameters, lr=self.learning_rate, betas=self.betas, weight_decay=self.weight_decay, fused=fused)


@dataclass(frozen=True)
class Fit(Settings):
    """Settings of `fit`: epochs of shuffled batches, the optimizer, the precision, the layout in memory.

    Parameters
    ----------
    epochs
        Number of epochs.
    batch_size
        Number of samples in a batch.
    optimizer
        Optimizer of players that have none of their own.
    drop_last
        Whether to leave out a smaller batch at the end of an epoch, in which batch normalization and in-batch
        negatives would differ.
    precision
        "bfloat16" evaluates the losses under autocast.
    channels_last
        Whether to use torch's channels-last layout for modules and batches of images.
    compile
        Whether to pass the losses through torch.compile.

    Raises
    ------
    InvalidArgument
        If a number is out of range; `UnknownName` for an unknown precision.

    Examples
    --------
    >>> Fit(epochs=20, batch_size=128, optimizer=Optimizer("sgd", 0.1)).precision
    'float32'
    """

    epochs: PositiveInt
    batch_size: PositiveInt = 64
    optimizer: Optimizer = Optimizer()
    drop_last: bool = True
    precision: Literal["float32", "bfloat16"] = "float32"
    channels_last: bool = False
    compile: bool = False

    @property
    def dtype(self) -> torch.dtype:
        """The torch dtype of `precision`."""
        return _PRECISIONS[self.precision]
