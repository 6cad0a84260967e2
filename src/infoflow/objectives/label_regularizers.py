"""Losses that change the label or the confidence of a classifier, baselines of the mutual-information loss.

H(y, q) = −log q[y] is the cross-entropy of the label, H(q) = −Σ_c q_c log q_c the entropy of the prediction, u the
uniform distribution.
"""

from __future__ import annotations

from typing import Any, Literal, Unpack

from torch import Tensor

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import NonNegativeFloat, Probability, validated
from infoflow.objectives.classification import ClassificationLoss, ClassificationOptions, LabeledBatch


class _Regularized(ClassificationLoss):
    """Shared by the regularizers: the terms `conditional_entropy` and `prediction_entropy`, and the reduction."""

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        batch = self.batch(logits, labels)
        self.record(
            {"conditional_entropy": batch.conditional_entropy(), "prediction_entropy": batch.mean(batch.entropy())}
        )
        return batch.reduced(self.values(batch), self.reduction)

    def values(self, batch: LabeledBatch) -> Tensor:
        """Compute the loss of every sample, (N,)."""
        return batch.cross_entropy()


class LabelSmoothing(_Regularized):
    """Cross-entropy with smoothed labels: (1 − ε) H(y, q) + ε H(u, q), with ε = `strength`.

    Parameters
    ----------
    strength
        Share ε of the uniform distribution in the targets.
    **options
        Keyword arguments `weight`, `ignore_index`, `reduction` and `check`, as in `nn.CrossEntropyLoss`;
        `check=False` skips the checks of the contents.

    Raises
    ------
    InvalidArgument
        If an argument is out of range.

    Notes
    -----
    The value is that of `nn.CrossEntropyLoss(label_smoothing=ε)`. The terms, in nats, are `conditional_entropy` and
    `prediction_entropy`, the means of H(y, q) and H(q).

    References
    ----------
    Szegedy et al. (2016), Rethinking the Inception architecture for computer vision, arXiv 1512.00567, section 7.

    Examples
    --------
    >>> import torch
    >>> loss = LabelSmoothing(0.1)
    >>> loss(torch.tensor([[2.0, 0.0]]), torch.tensor([0]))  # 0.1269 + 0.05 · 2
    tensor(0.2269)
    >>> loss.terms["conditional_entropy"]
    tensor(0.1269)
    """

    @validated
    def __init__(self, strength: Probability = 0.1, **options: Any) -> None:
        super().__init__(label_smoothing=strength, **options)


class ConfidencePenalty(_Regularized):
    """Cross-entropy with a penalty on confident predictions.

    Parameters
    ----------
    strength
        Weight ε of the penalty; at most 1 for the form "weighted".
    form
        "plain" for H(y, q) − ε H(q), "weighted" for (1 − ε) H(y, q) − ε H(q).
    **options
        Keyword arguments `weight`, `ignore_index`, `label_smoothing`, `reduction` and `check`, as in
        `nn.CrossEntropyLoss`; `check=False` skips the checks of the contents.

    Raises
    ------
    InvalidArgument
        If an argument is out of range; `UnknownName` for another form.

    Notes
    -----
    The terms, in nats, are `conditional_entropy` and `prediction_entropy`, the means of H(y, q) and H(q).

    References
    ----------
    Pereyra et al. (2017), Regularizing neural networks by penalizing confident output distributions, arXiv 1701.06548.
    The weighted form: Wang et al. (2021), arXiv 2005.03788.

    Examples
    --------
    >>> import torch
    >>> ConfidencePenalty(0.1)(torch.zeros(1, 2), torch.tensor([0]))  # 0.9 log 2
    tensor(0.6238)
    >>> ConfidencePenalty(0.1, form="weighted")(torch.zeros(1, 2), torch.tensor([0]))  # 0.8 log 2
    tensor(0.5545)
    """

    @validated
    def __init__(
        self,
        strength: NonNegativeFloat = 0.1,
        *,
        form: Literal["plain", "weighted"] = "plain",
        **options: Unpack[ClassificationOptions],
    ) -> None:
        super().__init__(**options)
        if form == "weighted" and strength > 1:
            raise InvalidArgument("strength", "at most 1 for the form 'weighted'", strength)
        self.form, self.strength = form, strength

    def values(self, batch: LabeledBatch) -> Tensor:
        """Compute the loss of every sample, (N,).

        Parameters
        ----------
        batch
            Predictions and labels.
        """
        share = 1.0 if self.form == "plain" else 1 - self.strength
        return share * batch.cross_entropy() - self.strength * batch.entropy()


class LabelCorrection(_Regularized):
    """Cross-entropy in which the prediction replaces a share ε = `strength` of the label.

    Parameters
    ----------
    strength
        Share ε of the prediction.
    form
        "soft" for (1 − ε) H(y, q) + ε H(q), differentiated through both q; "hard" for
        (1 − ε) H(y, q) − ε log max_c q_c, which takes the predicted class.
    **options
        Keyword arguments `weight`, `ignore_index`, `label_smoothing`, `reduction` and `check`, as in
        `nn.CrossEntropyLoss`; `check=False` skips the checks of the contents.

    Raises
    ------
    InvalidArgument
        If an argument is out of range; `UnknownName` for another form.

    Notes
    -----
    The terms, in nats, are `conditional_entropy` and `prediction_entropy`, the means of H(y, q) and H(q).

    References
    ----------
    Reed et al. (2015), Training deep neural networks on noisy labels with bootstrapping, arXiv 1412.6596, with
    β = 1 − ε.

    Examples
    --------
    >>> import torch
    >>> logits, labels = torch.tensor([[2.0, 0.0]]), torch.tensor([1])
    >>> LabelCorrection(0.1)(logits, labels)  # 0.9 · 2.1269 + 0.1 · 0.3653
    tensor(1.9508)
    >>> LabelCorrection(0.1, form="hard")(logits, labels)  # 0.9 · 2.1269 + 0.1 · 0.1269
    tensor(1.9269)
    """

    @validated
    def __init__(
        self,
        strength: Probability = 0.1,
        *,
        form: Literal["soft", "hard"] = "soft",
        **options: Unpack[ClassificationOptions],
    ) -> None:
        super().__init__(**options)
        self.form, self.strength = form, strength

    def values(self, batch: LabeledBatch) -> Tensor:
        """Compute the loss of every sample, (N,).

        Parameters
        ----------
        batch
            Predictions and labels.
        """
        own = batch.entropy() if self.form == "soft" else -batch.weights * batch.log_q.amax(dim=1)
        return (1 - self.strength) * batch.cross_entropy() + self.strength * own
