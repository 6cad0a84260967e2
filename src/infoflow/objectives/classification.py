"""What losses of a classifier share: logits and labels as `nn.CrossEntropyLoss` takes them, and their reduction."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, NamedTuple

import torch
from torch import Tensor

from infoflow.core.checks import choice, samples
from infoflow.core.errors import InvalidArgument
from infoflow.objectives.objective import Objective

REDUCTIONS = ("mean", "sum", "none")

# Probabilities of half precision that were meant to add up to 1 are off by up to this much.
_SUM = 1e-2


class LabeledBatch(NamedTuple):
    """N predictions over C classes beside their labels; axes beyond the batch are flattened into N."""

    log_q: Tensor
    """Log probabilities (N, C) in nats."""
    labels: Tensor
    """How much of sample i is class c, times the weight of the class, (N, C); rows of 0 are ignored samples."""
    targets: Tensor
    """The same with label smoothing: what the loss asks for, where `labels` are what was observed."""
    norm: Tensor
    """What "mean" divides by, as in torch: the weights of the classes, but the number of samples of probabilities."""
    shape: torch.Size
    """Of a loss without reduction."""

    @property
    def weights(self) -> Tensor:
        """Of the samples, (N,): that of the label's class, 0 where ignored."""
        return self.labels.sum(dim=1)

    def cross_entropy(self) -> Tensor:
        """−Σ_c t_ic log q_ic for every sample, (N,)."""
        return -(self.targets * self.log_q).sum(dim=1)

    def entropy(self) -> Tensor:
        """The entropy H(q_i) of every prediction, times the sample's weight, (N,)."""
        return -self.weights * (self.log_q.exp() * self.log_q).sum(dim=1)

    def mean(self, values: Tensor) -> Tensor:
        """Of the samples' (N,) weighted values; 0 where no sample counts."""
        return values.sum() / nonzero(self.norm)

    def reduced(self, values: Tensor, reduction: str) -> Tensor:
        """The samples' (N,) weighted values as their mean, their sum, or in the labels' shape."""
        if reduction == "none":
            return values.reshape(self.shape)
        return values.sum() if reduction == "sum" else self.mean(values)


def nonzero(total: Tensor) -> Tensor:
    """The tensor itself, with 1 for 0: a sum of nothing stays 0 when it is divided by this."""
    return torch.where(total == 0, torch.ones_like(total), total)


class ClassificationLoss(Objective):
    """The base of losses that stand in for `nn.CrossEntropyLoss`: `forward` is the scalar, `parts` has the terms too.

    `logits` (n, C), (n, C, ...) or (C,); `labels` integer classes of that shape less the C, or probabilities of that
    very shape. `class_weights` (C,), `ignore_index`, `label_smoothing` and `reduction` ("mean", "sum", "none") mean
    what they mean in torch, but a batch without any label that counts gives 0, not NaN. `check=False` leaves out the
    look at the contents (NaN, labels out of range), which costs a GPU one synchronization.
    """

    class_weights: Tensor | None

    def __init__(
        self,
        *,
        class_weights: Any = None,
        ignore_index: int = -100,
        label_smoothing: float = 0.0,
        reduction: str = "mean",
        check: bool = True,
    ) -> None:
        super().__init__()
        weights = None if class_weights is None else _class_weights(class_weights)
        self.register_buffer("class_weights", weights)
        if isinstance(ignore_index, bool) or not isinstance(ignore_index, int):
            raise InvalidArgument(f"ignore_index is {ignore_index!r}; want an integer")
        self.ignore_index = ignore_index
        self.label_smoothing = fraction(label_smoothing, "label_smoothing")
        self.reduction = choice(reduction, "reduction", REDUCTIONS)
        self.check = bool(check)

    @abstractmethod
    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The loss in nats: a 0-d tensor, or of the labels' shape with reduction "none"."""

    def batch(self, logits: Tensor, labels: Tensor) -> LabeledBatch:
        """The two as a `LabeledBatch`, or the InvalidArgument that says what is wrong with them."""
        batch, fault = self.examined(logits, labels)
        if fault:
            raise InvalidArgument(fault)
        return batch

    def examined(self, logits: Tensor, labels: Tensor) -> tuple[LabeledBatch, str]:
        """The two as a `LabeledBatch`, and what is wrong with their contents ("" for nothing).

        Raises InvalidArgument where shapes or types don't fit, which shows without looking at the contents.
        """
        self._fit(logits, labels)
        if logits.dtype in (torch.float16, torch.bfloat16):
            logits = logits.float()  # as autocast does for losses
        shape = labels.shape[:1] + labels.shape[2:] if _soft(labels) and labels.ndim > 1 else labels.shape
        if _soft(labels) and labels.ndim == 1:
            shape = torch.Size()
        rows = _rows(logits)
        fault = ""
        if _soft(labels):
            given = _rows(labels).to(rows)
            if self.check:
                fault = _fault_of_probabilities(rows, given)
        else:
            codes = labels.reshape(-1).to(rows.device, torch.int64)
            kept = codes != self.ignore_index
            if self.check:
                fault = _fault_of_classes(rows, codes, kept, self.ignore_index)
                if fault:
                    kept = torch.zeros_like(kept)
            codes = torch.where(kept, codes, 0)
            given = torch.zeros_like(rows).scatter_(1, codes[:, None], kept[:, None].to(rows))
        return self._weighted(rows.log_softmax(dim=1), given, shape, soft=_soft(labels)), fault

    def _weighted(self, log_q: Tensor, given: Tensor, shape: torch.Size, *, soft: bool) -> LabeledBatch:
        targets = given
        if self.label_smoothing:
            uniform = given.sum(dim=1, keepdim=True) / given.shape[1]
            targets = (1 - self.label_smoothing) * given + self.label_smoothing * uniform
        if self.class_weights is not None:
            weights = self.class_weights.to(given)
            smoothed = targets is not given
            given = given * weights
            targets = targets * weights if smoothed else given
        norm = given.new_tensor(float(len(given))) if soft else given.sum()
        return LabeledBatch(log_q, given, targets, norm, shape)

    def _fit(self, logits: Tensor, labels: Tensor) -> None:
        for value, name in ((logits, "logits"), (labels, "labels")):
            if not isinstance(value, Tensor):
                raise InvalidArgument(f"{name} are {type(value).__name__}; want a torch.Tensor")
        if not logits.is_floating_point():
            raise InvalidArgument(f"logits have dtype {logits.dtype}; want floating numbers")
        if logits.ndim == 0:
            raise InvalidArgument("logits are a single number; want shape (n, classes)")
        axis = 0 if logits.ndim == 1 else 1
        size = logits.shape[axis]
        if size < 2:
            raise InvalidArgument(f"logits of shape {tuple(logits.shape)} have {size} class; want at least 2")
        if self.class_weights is not None and len(self.class_weights) != size:
            raise InvalidArgument(f"class_weights hold {len(self.class_weights)} numbers for {size} classes")
        whole, per_sample = tuple(logits.shape), tuple(logits.shape[:axis] + logits.shape[axis + 1 :])
        wanted = f"want integer classes of shape {per_sample} or probabilities of shape {whole}"
        if labels.is_complex() or tuple(labels.shape) != (whole if _soft(labels) else per_sample):
            raise InvalidArgument(f"labels have dtype {labels.dtype} and shape {tuple(labels.shape)}; {wanted}")
        if _soft(labels) and self.ignore_index >= 0:
            raise InvalidArgument(f"ignore_index is {self.ignore_index}, but labels are probabilities; want classes")

    def extra_repr(self) -> str:
        return f"reduction={self.reduction!r}"


def fraction(value: Any, name: str, *, below: float = 1.0) -> float:
    """A number in [0, 1] (or up to `below`), else InvalidArgument.

    >>> fraction(0.1, "strength")
    0.1
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InvalidArgument(f"{name} is {value!r}; want a number from 0 to {below:g}") from None
    if not 0 <= number <= below:
        raise InvalidArgument(f"{name} is {value!r}; want a number from 0 to {below:g}")
    return number


def _class_weights(value: Any) -> Tensor:
    weights = samples(value, "class_weights", dtype=torch.get_default_dtype()).reshape(-1)
    if bool((weights < 0).any()) or not bool((weights > 0).any()):
        raise InvalidArgument(f"class_weights are {value!r}; want numbers >= 0, not all of them 0")
    return weights.clone()


def _soft(labels: Tensor) -> bool:
    return labels.is_floating_point()


def _rows(values: Tensor) -> Tensor:
    """(n, C, ...) or (C,) as (N, C)."""
    if values.ndim == 1:
        return values[None, :]
    return values.movedim(1, -1).reshape(-1, values.shape[1])


def _fault_of_logits(rows: Tensor) -> str:
    bad = int((~torch.isfinite(rows)).sum())
    if bad == 0:  # it was the sum that overflowed
        return ""
    return f"logits have {bad} NaN or infinite values; want finite numbers (mask a class with -1e4, say)"


def _fault_of_classes(rows: Tensor, codes: Tensor, kept: Tensor, ignore_index: int) -> str:
    size = rows.shape[1]
    outside = kept & ((codes < 0) | (codes >= size))
    finite, inside = torch.stack([torch.isfinite(rows.sum()), ~outside.any()]).tolist()
    if not finite and (fault := _fault_of_logits(rows)):
        return fault
    if not inside:
        found = int(codes[outside][0])
        return f"labels hold {found}; want 0 to {size - 1} for {size} classes, or ignore_index {ignore_index}"
    return ""


def _fault_of_probabilities(rows: Tensor, given: Tensor) -> str:
    off = (given.sum(dim=1) - 1).abs().amax() if len(given) else given.new_zeros(())
    proper = (given >= 0).all() & (off <= _SUM)
    finite, distributions = torch.stack([torch.isfinite(rows.sum()), proper]).tolist()
    if not finite and (fault := _fault_of_logits(rows)):
        return fault
    if not distributions:
        return "labels are no probabilities: some are negative or NaN, or don't add up to 1 over the classes"
    return ""
