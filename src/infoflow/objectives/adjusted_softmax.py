"""Softmax classifiers that know how frequent the classes are."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from infoflow.core.checks import positive, samples
from infoflow.core.errors import InvalidArgument
from infoflow.objectives.classification import ClassificationLoss


def class_priors(frequencies: Any) -> Tensor:
    """Counts or frequencies of the classes (C,) as probabilities π > 0 that add up to 1.

    Raises InvalidArgument for fewer than two classes, or one that never occurs (its log is no number).

    >>> class_priors([30, 10])
    tensor([0.7500, 0.2500], dtype=torch.float64)
    """
    values = samples(frequencies, "priors", dtype=torch.float64).reshape(-1)
    if bool((values <= 0).any()):
        raise InvalidArgument("priors hold a class that never occurs; want counts or frequencies > 0")
    return values / values.sum()


class LogitAdjustment(ClassificationLoss):
    """Cross-entropy of softmax(z + τ log π): −log (π_y^τ e^{z_y} / Σ_c π_c^τ e^{z_c}), τ = `temperature`.

    `priors` (C,) are the classes' counts or frequencies π in training. The classifier that the *plain* logits then make
    is that of balanced classes (for τ = 1): rare classes aren't drowned. Settings and errors are those of
    `ClassificationLoss`; InvalidArgument also for priors that are none. (Menon et al. 2021, arXiv 2007.07314, eq. 10.)

    >>> LogitAdjustment([3, 1])(torch.zeros(1, 2), torch.tensor([1]))  # −log ¼
    tensor(1.3863)
    """

    log_priors: Tensor

    def __init__(self, priors: Any, temperature: float = 1.0, **settings: Any) -> None:
        super().__init__(**settings)
        self.register_buffer("log_priors", class_priors(priors).log())
        self.temperature = positive(temperature, "temperature", zero=True)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The loss, and the term `conditional_entropy` in nats: of the adjusted predictions.

        >>> loss = LogitAdjustment([1, 1])
        >>> _ = loss(torch.zeros(1, 2), torch.tensor([1]))
        >>> loss.terms["conditional_entropy"]
        tensor(0.6931)
        """
        batch = self.batch(_shifted(logits, self.temperature * self.log_priors), labels)
        observed = batch.mean(-(batch.labels * batch.log_q).sum(dim=1))
        self.record({"conditional_entropy": observed})
        return batch.reduced(batch.cross_entropy(), self.reduction)


class PriorCorrectedSoftmax(ClassificationLoss):
    """The probability-corrected softmax (PC-softmax): −[z_y − log Σ_c π_c e^{z_c}], the negative of a bound on I(X;Y).

    E [z_Y − log Σ_c π_c e^{z_c}] <= I(X;Y), with equality where e^{z_c} ∝ p(x | c): the classifier's loss *is* an
    estimate of mutual information, and bounded by it below. It has the gradient of `LogitAdjustment` at τ = 1, for it
    is that loss less the labels' code length −log π_y. `priors` (C,) are counts or frequencies π of the classes.
    Settings and errors are those of `LogitAdjustment`, but for label smoothing. (Qin et al. 2019, arXiv 1911.10688.)

    >>> PriorCorrectedSoftmax([1, 1])(torch.zeros(4, 2), torch.tensor([0, 1, 0, 1])).abs()  # logits that know nothing
    tensor(0.)
    """

    log_priors: Tensor

    def __init__(
        self,
        priors: Any,
        *,
        class_weights: Any = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        check: bool = True,
    ) -> None:
        super().__init__(class_weights=class_weights, ignore_index=ignore_index, reduction=reduction, check=check)
        self.register_buffer("log_priors", class_priors(priors).log())

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The loss, and the terms `mutual_information` (a lower bound) and `conditional_entropy` in nats.

        >>> logits, labels = torch.tensor([[9.0, 0.0], [0.0, 9.0]]), torch.tensor([0, 1])
        >>> loss = PriorCorrectedSoftmax([1, 1])
        >>> _ = loss(logits, labels)
        >>> loss.terms["mutual_information"]  # nearly log 2
        tensor(0.6930)
        """
        batch = self.batch(_shifted(logits, self.log_priors), labels)
        gain = (batch.labels * (batch.log_q - self.log_priors.to(batch.log_q))).sum(dim=1)
        terms = {
            "mutual_information": batch.mean(gain),
            "conditional_entropy": batch.mean(batch.cross_entropy()),
        }
        self.record(terms)
        return batch.reduced(-gain, self.reduction)


def _shifted(logits: Tensor, shift: Tensor) -> Tensor:
    if not isinstance(logits, Tensor):
        raise InvalidArgument(f"logits are {type(logits).__name__}; want a torch.Tensor")
    axis = 0 if logits.ndim < 2 else 1
    if logits.ndim == 0 or logits.shape[axis] != len(shift):
        raise InvalidArgument(f"logits of shape {tuple(logits.shape)} don't fit the priors of {len(shift)} classes")
    return logits + shift.to(logits).reshape([-1] + [1] * (logits.ndim - 1 - axis))
