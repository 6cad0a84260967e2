"""The base of metrics: sums over batches, from which one number in nats follows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Self

import torch
from torch import Tensor, nn

from infoflow.core.distributed import Group, sum_over
from infoflow.core.errors import InvalidArgument
from infoflow.core.module_inputs import ExplainedInputs


class Metric(ExplainedInputs, nn.Module, ABC):
    """Base of metrics with `update`, `compute` and `reset`, as in torchmetrics.

    Parameters
    ----------
    shapes
        Name and shape of each sum.
    group
        Process group over whose processes `compute` adds the sums; `torch.distributed.group.WORLD` for all of them.

    Notes
    -----
    Sums are float64 buffers: they move with the module, are part of its `state_dict`, and remain float64 where the
    module is converted to another type. `compute` changes nothing, so it may be called at any time, by every process
    of the group. A call of the metric itself adds a batch and returns the value of this batch.

    Examples
    --------
    >>> class MeanSurprise(Metric):
    ...     def __init__(self):
    ...         super().__init__({"samples": (), "nats": ()})
    ...     def batch_sums(self, probabilities):
    ...         return {"samples": torch.tensor(len(probabilities)), "nats": -probabilities.log().sum()}
    ...     def value(self, sums):
    ...         return sums["nats"] / sums["samples"]
    >>> metric = MeanSurprise()
    >>> metric.update(torch.tensor([0.5, 0.5]))
    >>> metric.compute()  # log 2
    tensor(0.6931)
    """

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], group: Group = None) -> None:
        super().__init__()
        self.group = group
        for name, shape in shapes.items():
            self.register_buffer(name, torch.zeros(shape, dtype=torch.float64))

    @abstractmethod
    def batch_sums(self, *batch: Tensor) -> dict[str, Tensor]:
        """Return what a batch adds to each sum, without adding it.

        Parameters
        ----------
        *batch
            What `update` takes.
        """

    @abstractmethod
    def value(self, sums: Mapping[str, Tensor]) -> Tensor:
        """Return the metric in nats, a 0-d float64 tensor, that follows from sums.

        Parameters
        ----------
        sums
            Sums by name, of at least one sample.
        """

    def update(self, *batch: Tensor) -> None:
        """Add a batch.

        Parameters
        ----------
        *batch
            The tensors that the metric is computed from.

        Raises
        ------
        InvalidArgument
            If they do not fit.
        """
        self._add(self.batch_sums(*batch))

    def forward(self, *batch: Tensor) -> Tensor:
        """Add a batch and return the value of this batch alone."""
        sums = self.batch_sums(*batch)
        self._add(sums)
        return self.value(sums).float()

    def compute(self) -> Tensor:
        """Return the metric of all batches since the last `reset`, over all processes of the group.

        Returns
        -------
        Tensor
            Nats, 0-d, float32.

        Raises
        ------
        InvalidArgument
            If no sample was added.
        """
        return self.value_of_added({name: sum_over(buffer, self.group) for name, buffer in self.named_buffers()})

    def value_of_added(self, sums: Mapping[str, Tensor]) -> Tensor:
        """Return the metric of sums over batches.

        Parameters
        ----------
        sums
            Sums by name, as `batch_sums` returns them.

        Returns
        -------
        Tensor
            Nats, 0-d, float32.

        Raises
        ------
        InvalidArgument
            If no sample was added.
        """
        if not any(bool(each.any()) for each in sums.values()):
            raise InvalidArgument("No sample was added. Call update(...) with a batch before compute().")
        return self.value(sums).float()

    def reset(self) -> None:
        """Set all sums to zero."""
        for buffer in self.buffers():
            buffer.zero_()

    def merge(self, other: Metric) -> Self:
        """Add what another metric of the same class and settings saw, and return this one.

        Parameters
        ----------
        other
            The other metric; it remains as it is.

        Raises
        ------
        InvalidArgument
            If class or settings differ.
        """
        if repr(self) != repr(other):
            raise InvalidArgument("other", f"a metric equal to {self!r}", got_text=repr(other))
        self._add(dict(other.named_buffers()))
        return self

    def _add(self, sums: Mapping[str, Tensor]) -> None:
        for name, value in sums.items():
            buffer = self.get_buffer(name)
            buffer.add_(value.detach().to(buffer))

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        # Counts in half precision would stop at 2048, so that only the device follows the module.
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = buffer.to(fn(buffer).device)
        return self


def flat_classes(value: Any, name: str, classes: int) -> Tensor:
    """Classes of any shape as integers (n,); raises `InvalidArgument` for others than 0, ..., classes − 1."""
    if not isinstance(value, Tensor) or value.is_floating_point() or value.is_complex() or value.dtype == torch.bool:
        raise InvalidArgument(name, "a tensor of integer classes", value)
    flat = value.detach().reshape(-1).to(torch.int64)
    if len(flat) and not bool(((flat >= 0) & (flat < classes)).all()):
        outside = flat[(flat < 0) | (flat >= classes)]
        raise InvalidArgument(name, f"from 0 to {classes - 1}", int(outside[0]))
    return flat


def log_probabilities(logits: Any, labels: Tensor, classes: int) -> Tensor:
    """Logits (n, C) as float64 log probabilities; raises `InvalidArgument` where they do not fit the labels (n,)."""
    if not isinstance(logits, Tensor) or not logits.is_floating_point() or logits.ndim != 2:
        raise InvalidArgument("logits", f"floating-point numbers of shape (n, {classes})", logits)
    if logits.shape != (len(labels), classes):
        raise InvalidArgument("logits", f"of shape ({len(labels)}, {classes})", got_text=f"shape {tuple(logits.shape)}")
    if not bool(torch.isfinite(logits).all()):
        remedy = "To exclude a class, set its logit to -1e4."
        raise InvalidArgument("logits", "finite", got_text="NaN or infinite values", remedy=remedy)
    return logits.detach().double().log_softmax(dim=1)
