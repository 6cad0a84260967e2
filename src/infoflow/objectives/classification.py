"""Shared by losses of a classifier: logits and labels as `nn.CrossEntropyLoss` takes them, and their reduction."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Literal, NamedTuple, TypedDict

import numpy as np
import torch
from torch import Tensor

from infoflow.core.checks import samples
from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import Probability, validated
from infoflow.objectives.objective import Objective

Reduction = Literal["mean", "sum", "none"]

# Probabilities of half precision that were meant to add up to 1 are off by up to this much.
_SUM = 1e-2


class ClassificationOptions(TypedDict, total=False):
    """Keyword arguments of `ClassificationLoss`, for subclasses that pass them on."""

    weight: Any
    ignore_index: int
    label_smoothing: float
    reduction: Reduction
    check: bool


class LabeledBatch(NamedTuple):
    """Predictions of N samples over C classes with their labels; axes beyond the batch are flattened into N."""

    log_q: Tensor
    """Log probabilities (N, C) in nats."""
    labels: Tensor
    """Share of class c in the label of sample i times the weight of the class, (N, C); 0 for ignored samples."""
    targets: Tensor
    """The same after label smoothing: what the loss compares with, where `labels` is what was observed."""
    norm: Tensor
    """Divisor of "mean", as in torch: the sum of the labels' class weights, or the number of probability vectors."""
    shape: torch.Size
    """Shape of a loss without reduction."""

    @property
    def weights(self) -> Tensor:
        """Weights of the samples, (N,): that of the label's class, 0 where ignored."""
        return self.labels.sum(dim=1)

    def cross_entropy(self) -> Tensor:
        """−Σ_c t_ic log q_ic of every sample, (N,)."""
        return -(self.targets * self.log_q).sum(dim=1)

    def conditional_entropy(self) -> Tensor:
        """−Σ_c y_ic log q_ic of the observed labels, averaged over samples."""
        return self.mean(-(self.labels * self.log_q).sum(dim=1))

    def entropy(self) -> Tensor:
        """The entropy H(q_i) of every prediction times the sample's weight, (N,)."""
        return -self.weights * (self.log_q.exp() * self.log_q).sum(dim=1)

    def mean(self, values: Tensor) -> Tensor:
        """The mean of the samples' weighted values (N,); 0 where no sample counts."""
        return values.sum() / nonzero(self.norm)

    def reduced(self, values: Tensor, reduction: str) -> Tensor:
        """The samples' weighted values (N,) as their mean, their sum, or in the labels' shape."""
        if reduction == "none":
            return values.reshape(self.shape)
        return values.sum() if reduction == "sum" else self.mean(values)


def nonzero(total: Tensor) -> Tensor:
    """The tensor with 1 in place of 0, so that a sum of nothing stays 0 when divided by this."""
    return torch.where(total == 0, torch.ones_like(total), total)


class ClassificationLoss(Objective):
    """Base class of losses that replace `nn.CrossEntropyLoss`.

    Parameters
    ----------
    weight : array-like of shape (C,), optional
        Weights of the classes.
    ignore_index
        Label of samples that do not count.
    label_smoothing
        Share of the uniform distribution in the targets.
    reduction
        "mean", "sum", or "none" for a loss of each sample.
    check
        Whether the contents are checked (NaN, labels out of range), which costs a GPU one synchronization.

    Notes
    -----
    Logits have shape (n, C), (n, C, ...) or (C,); labels are integer classes of that shape without the C, or
    probabilities of the same shape. The arguments mean what they mean in torch, but a batch in which no label counts
    gives 0 instead of NaN.
    """

    weight: Tensor | None

    @validated
    def __init__(
        self,
        *,
        weight: Any = None,
        ignore_index: Any = -100,
        label_smoothing: Probability = 0.0,
        reduction: Reduction = "mean",
        check: bool = True,
    ) -> None:
        super().__init__()
        self.register_buffer("weight", None if weight is None else _class_weights(weight))
        if isinstance(ignore_index, bool) or not isinstance(ignore_index, int):
            raise InvalidArgument("ignore_index", "an integer", ignore_index)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing
        self.reduction = reduction
        self.check = check

    @abstractmethod
    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Compute the loss in nats.

        Parameters
        ----------
        logits : Tensor of shape (n, C), (n, C, ...) or (C,)
            Unnormalized log probabilities of C classes.
        labels : Tensor
            Integer classes of the logits' shape without the C, or probabilities of the logits' shape.

        Returns
        -------
        Tensor
            A scalar, or with `reduction="none"` a tensor of the labels' shape.

        Raises
        ------
        InvalidArgument
            If shapes or types do not fit, logits are not finite, or labels are out of range.
        """

    def batch(self, logits: Tensor, labels: Tensor) -> LabeledBatch:
        """Combine logits and labels; raises `InvalidArgument` for invalid ones."""
        batch, fault = self.examined(logits, labels)
        if fault is not None:
            raise fault
        return batch

    def examined(self, logits: Tensor, labels: Tensor) -> tuple[LabeledBatch, InvalidArgument | None]:
        """Combine logits and labels, and find what is wrong with their contents, if anything.

        Parameters
        ----------
        logits
            Logits of shape (n, C, ...).
        labels
            Classes of shape (n, ...), or probabilities of shape (n, C, ...).

        Returns
        -------
        tuple
            The batch, and the error that its contents deserve or None.

        Raises
        ------
        InvalidArgument
            If shapes or types do not fit, which does not depend on the contents.
        """
        self._fit(logits, labels)
        if logits.dtype in (torch.float16, torch.bfloat16):
            logits = logits.float()  # as autocast does for losses
        rows, soft = _rows(logits), labels.is_floating_point()
        if soft:
            shape = labels.shape[:1] + labels.shape[2:] if labels.ndim > 1 else torch.Size()
            given = _rows(labels).to(rows)
            fault = _fault_of_probabilities(rows, given) if self.check else None
        else:
            shape = labels.shape
            codes = labels.reshape(-1).to(rows.device, torch.int64)
            kept = codes != self.ignore_index
            fault = _fault_of_classes(rows, codes, kept, self.ignore_index) if self.check else None
            if fault is not None:
                kept = torch.zeros_like(kept)
            codes = torch.where(kept, codes, 0)
            given = torch.zeros_like(rows).scatter_(1, codes[:, None], kept[:, None].to(rows))
        return self._weighted(rows.log_softmax(dim=1), given, shape, soft=soft), fault

    def _weighted(self, log_q: Tensor, given: Tensor, shape: torch.Size, *, soft: bool) -> LabeledBatch:
        targets = given
        if self.label_smoothing:
            uniform = given.sum(dim=1, keepdim=True) / given.shape[1]
            targets = (1 - self.label_smoothing) * given + self.label_smoothing * uniform
        if self.weight is not None:
            weights = self.weight.to(given)
            smoothed = targets is not given
            given = given * weights
            targets = targets * weights if smoothed else given
        norm = given.new_tensor(float(len(given))) if soft else given.sum()
        return LabeledBatch(log_q, given, targets, norm, shape)

    def _fit(self, logits: Tensor, labels: Tensor) -> None:
        for value, name in ((logits, "logits"), (labels, "labels")):
            if not isinstance(value, Tensor):
                raise InvalidArgument(name, "a torch.Tensor", value)
        if not logits.is_floating_point():
            raise InvalidArgument("logits", "floating-point numbers", logits)
        axis = 0 if logits.ndim == 1 else 1
        if logits.ndim == 0 or logits.shape[axis] < 2:
            wanted = "of shape (n, classes) with at least 2 classes"
            raise InvalidArgument("logits", wanted, logits)
        size = logits.shape[axis]
        if self.weight is not None and len(self.weight) != size:
            raise InvalidArgument("weight", f"{size} numbers, one for each class", len(self.weight))
        whole, per_sample = tuple(logits.shape), tuple(logits.shape[:axis] + logits.shape[axis + 1 :])
        soft = labels.is_floating_point()
        if labels.is_complex() or tuple(labels.shape) != (whole if soft else per_sample):
            raise InvalidArgument(
                "labels", f"integer classes of shape {per_sample} or probabilities of shape {whole}", labels
            )
        if soft and self.ignore_index >= 0:
            raise InvalidArgument(
                "ignore_index", "negative where labels are probabilities", self.ignore_index, remedy="Pass classes."
            )

    def extra_repr(self) -> str:
        """Return the reduction."""
        return f"reduction={self.reduction!r}"


def _class_weights(value: Any) -> Tensor:
    if (value.ndim if isinstance(value, Tensor) else np.ndim(value)) == 0:
        remedy = "The weight of a term has a name of its own, such as entropy_weight."
        raise InvalidArgument("weight", "one number for each class", value, remedy=remedy)
    weights = samples(value, "weight", dtype=torch.get_default_dtype()).reshape(-1)
    if bool((weights < 0).any()) or not bool((weights > 0).any()):
        raise InvalidArgument("weight", "numbers >= 0 that are not all 0", value)
    return weights.clone()


def _rows(values: Tensor) -> Tensor:
    """(n, C, ...) or (C,) as (N, C)."""
    if values.ndim == 1:
        return values[None, :]
    return values.movedim(1, -1).reshape(-1, values.shape[1])


def _fault_of_logits(rows: Tensor) -> InvalidArgument | None:
    bad = int((~torch.isfinite(rows)).sum())
    if bad == 0:  # it was the sum that overflowed
        return None
    remedy = "To exclude a class, set its logit to -1e4."
    return InvalidArgument("logits", "finite", got_text=f"{bad} NaN or infinite values", remedy=remedy)


def _fault_of_classes(rows: Tensor, codes: Tensor, kept: Tensor, ignore_index: int) -> InvalidArgument | None:
    size = rows.shape[1]
    outside = kept & ((codes < 0) | (codes >= size))
    finite, inside = torch.stack([torch.isfinite(rows.sum()), ~outside.any()]).tolist()
    if not finite and (fault := _fault_of_logits(rows)) is not None:
        return fault
    if not inside:
        return InvalidArgument(
            "labels", f"from 0 to {size - 1} or ignore_index ({ignore_index})", int(codes[outside][0])
        )
    return None


def _fault_of_probabilities(rows: Tensor, given: Tensor) -> InvalidArgument | None:
    off = (given.sum(dim=1) - 1).abs().amax() if len(given) else given.new_zeros(())
    proper = (given >= 0).all() & (off <= _SUM)
    finite, distributions = torch.stack([torch.isfinite(rows.sum()), proper]).tolist()
    if not finite and (fault := _fault_of_logits(rows)) is not None:
        return fault
    if not distributions:
        return InvalidArgument(
            "labels",
            "probabilities",
            got_text="values that are negative or NaN, or do not add up to 1 over the classes",
        )
    return None
