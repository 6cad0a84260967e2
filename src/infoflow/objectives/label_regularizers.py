"""Losses that change the label or the confidence of a classifier: what the mutual-information loss is compared with.

H(y, q) = −log q[y] is the cross-entropy of the label, H(q) = −Σ_c q_c log q_c the entropy of the prediction, u the
uniform distribution.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from infoflow.core.checks import choice, positive
from infoflow.objectives.classification import ClassificationLoss, LabeledBatch, fraction

PENALTIES = ("plain", "weighted")
CORRECTIONS = ("soft", "hard")


class _Regularized(ClassificationLoss):
    """Shared by the regularizers: the terms and the reduction."""

    def reduced(self, batch: LabeledBatch, values: Tensor) -> Tensor:
        """Record the terms and reduce the samples' values."""
        observed = -(batch.labels * batch.log_q).sum(dim=1)
        self.record({"conditional_entropy": batch.mean(observed), "prediction_entropy": batch.mean(batch.entropy())})
        return batch.reduced(values, self.reduction)


class LabelSmoothing(_Regularized):
    """Label-smoothing regularization: (1 − ε) H(y, q) + ε H(u, q), ε = `strength`.

    The same as `nn.CrossEntropyLoss(label_smoothing=ε)`, with terms. Settings and errors are those of
    `ClassificationLoss`. (Szegedy et al. 2016, arXiv 1512.00567, section 7.)

    >>> import torch
    >>> LabelSmoothing(0.1)(torch.tensor([[2.0, 0.0]]), torch.tensor([0]))  # 0.1269 + 0.05 · 2
    tensor(0.2269)
    """

    def __init__(
        self,
        strength: float = 0.1,
        *,
        class_weights: Any = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        check: bool = True,
    ) -> None:
        super().__init__(
            class_weights=class_weights,
            ignore_index=ignore_index,
            label_smoothing=fraction(strength, "strength"),
            reduction=reduction,
            check=check,
        )

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The loss, and the terms `conditional_entropy` and `prediction_entropy` in nats.

        >>> import torch
        >>> loss = LabelSmoothing()
        >>> _ = loss(torch.zeros(1, 2), torch.tensor([0]))
        >>> loss.terms["prediction_entropy"]  # log 2
        tensor(0.6931)
        """
        batch = self.batch(logits, labels)
        return self.reduced(batch, batch.cross_entropy())


class ConfidencePenalty(_Regularized):
    """Confidence penalty: H(y, q) − ε H(q) ("plain"), or (1 − ε) H(y, q) − ε H(q) ("weighted"); ε = `strength`.

    Settings and errors are those of `ClassificationLoss`. (Pereyra et al. 2017, arXiv 1701.06548; the weighted form:
    Wang et al. 2021, arXiv 2005.03788.)

    >>> import torch
    >>> ConfidencePenalty(0.1)(torch.zeros(1, 2), torch.tensor([0]))  # 0.9 log 2
    tensor(0.6238)
    >>> ConfidencePenalty(0.1, form="weighted")(torch.zeros(1, 2), torch.tensor([0]))  # 0.8 log 2
    tensor(0.5545)
    """

    def __init__(self, strength: float = 0.1, *, form: str = "plain", **settings: Any) -> None:
        super().__init__(**settings)
        self.form = choice(form, "form", PENALTIES)
        self.strength = positive(strength, "strength", zero=True)
        if form == "weighted":
            fraction(strength, "strength")

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The loss, and the terms `conditional_entropy` and `prediction_entropy` in nats.

        >>> import torch
        >>> loss = ConfidencePenalty()
        >>> _ = loss(torch.zeros(1, 2), torch.tensor([0]))
        >>> loss.terms["conditional_entropy"]
        tensor(0.6931)
        """
        batch = self.batch(logits, labels)
        share = 1.0 if self.form == "plain" else 1 - self.strength
        return self.reduced(batch, share * batch.cross_entropy() - self.strength * batch.entropy())


class LabelCorrection(_Regularized):
    """Label correction: the prediction takes a share ε = `strength` of the label's place.

    "soft": (1 − ε) H(y, q) + ε H(q), differentiated through both q; "hard": (1 − ε) H(y, q) − ε log max_c q_c, for the
    prediction's own favorite. Settings and errors are those of `ClassificationLoss`. (Reed et al. 2015, arXiv
    1412.6596, with β = 1 − ε.)

    >>> import torch
    >>> logits, labels = torch.tensor([[2.0, 0.0]]), torch.tensor([1])
    >>> LabelCorrection(0.1)(logits, labels)  # 0.9 · 2.1269 + 0.1 · 0.3653
    tensor(1.9508)
    >>> LabelCorrection(0.1, form="hard")(logits, labels)  # 0.9 · 2.1269 + 0.1 · 0.1269
    tensor(1.9269)
    """

    def __init__(self, strength: float = 0.1, *, form: str = "soft", **settings: Any) -> None:
        super().__init__(**settings)
        self.form = choice(form, "form", CORRECTIONS)
        self.strength = fraction(strength, "strength")

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The loss, and the terms `conditional_entropy` and `prediction_entropy` in nats.

        >>> import torch
        >>> loss = LabelCorrection()
        >>> _ = loss(torch.zeros(1, 2), torch.tensor([0]))
        >>> loss.terms["prediction_entropy"]
        tensor(0.6931)
        """
        batch = self.batch(logits, labels)
        own = batch.entropy() if self.form == "soft" else -batch.weights * batch.log_q.amax(dim=1)
        values = (1 - self.strength) * batch.cross_entropy() + self.strength * own
        return self.reduced(batch, values)
