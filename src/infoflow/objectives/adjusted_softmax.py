"""Softmax classifiers that account for the frequencies of the classes."""

from __future__ import annotations

from typing import Any, Unpack

import torch
from torch import Tensor

from infoflow.core.checks import samples
from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import NonNegativeFloat, validated
from infoflow.objectives.classification import ClassificationLoss, ClassificationOptions


def class_priors(frequencies: Any) -> Tensor:
    """Convert counts or frequencies of at least two classes (C,) to probabilities π > 0.

    Raises `InvalidArgument` for a class that never occurs, since its log is not finite.

    >>> class_priors([30, 10])
    tensor([0.7500, 0.2500], dtype=torch.float64)
    """
    values = samples(frequencies, "priors", dtype=torch.float64).reshape(-1)
    if bool((values <= 0).any()):
        raise InvalidArgument("priors", "counts or frequencies > 0", got_text="a class that never occurs")
    return values / values.sum()


class _Adjusted(ClassificationLoss):
    """Shared by both: the log frequencies, and logits shifted by a multiple of them."""

    log_priors: Tensor

    def __init__(self, priors: Any, **options: Unpack[ClassificationOptions]) -> None:
        super().__init__(**options)
        self.register_buffer("log_priors", class_priors(priors).log())

    def shifted(self, logits: Tensor, times: float = 1.0) -> Tensor:
        """Logits plus `times` the log frequencies of the classes."""
        if not isinstance(logits, Tensor):
            raise InvalidArgument("logits", "a torch.Tensor", logits)
        axis = 0 if logits.ndim < 2 else 1
        if logits.ndim == 0 or logits.shape[axis] != len(self.log_priors):
            wanted = f"of {len(self.log_priors)} classes, as many as priors"
            raise InvalidArgument("logits", wanted, logits)
        shift = times * self.log_priors
        return logits + shift.to(logits).reshape([-1] + [1] * (logits.ndim - 1 - axis))


class LogitAdjustment(_Adjusted):
    """Cross-entropy of softmax(z + τ log π): −log (π_y^τ e^{z_y} / Σ_c π_c^τ e^{z_c}).

    Parameters
    ----------
    priors : array-like of shape (C,)
        Counts or frequencies π of the classes in training.
    temperature
        Exponent τ of the frequencies; 1 is derived from Bayes' rule.
    **options
        Keyword arguments `weight`, `ignore_index`, `label_smoothing`, `reduction` and `check`, as in
        `nn.CrossEntropyLoss`; `check=False` skips the checks of the contents.

    Raises
    ------
    InvalidArgument
        If an argument is out of range.

    Notes
    -----
    For τ = 1 the plain logits classify as if classes were balanced, so that rare classes are not ignored. The term is
    `conditional_entropy`, the cross-entropy of the adjusted predictions in nats.

    References
    ----------
    Menon et al. (2021), Long-tail learning via logit adjustment, arXiv 2007.07314, eq. 10.

    Examples
    --------
    >>> LogitAdjustment([3, 1])(torch.zeros(1, 2), torch.tensor([1]))  # −log ¼
    tensor(1.3863)
    """

    @validated
    def __init__(
        self, priors: Any, temperature: NonNegativeFloat = 1.0, **options: Unpack[ClassificationOptions]
    ) -> None:
        super().__init__(priors, **options)
        self.temperature = temperature

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        batch = self.batch(self.shifted(logits, self.temperature), labels)
        self.record({"conditional_entropy": batch.conditional_entropy()})
        return batch.reduced(batch.cross_entropy(), self.reduction)


class PriorCorrectedSoftmax(_Adjusted):
    """The probability-corrected softmax: −[z_y − log Σ_c π_c e^{z_c}], the negative of a bound on I(X;Y).

    Parameters
    ----------
    priors : array-like of shape (C,)
        Counts or frequencies π of the classes.
    **options
        Keyword arguments `weight`, `ignore_index`, `reduction` and `check`, as in `nn.CrossEntropyLoss`;
        `check=False` skips the checks of the contents. Labels cannot be smoothed.

    Raises
    ------
    InvalidArgument
        If an argument is out of range.

    Notes
    -----
    E [z_Y − log Σ_c π_c e^{z_c}] ≤ I(X;Y), with equality where e^{z_c} ∝ p(x | c), so the negative loss is a lower
    bound on the mutual information. The loss is that of `LogitAdjustment` with τ = 1 less the code length −log π_y of
    the labels, and has the same gradient. The terms, in nats, are `mutual_information`, the bound, and
    `conditional_entropy`.

    References
    ----------
    Qin et al. (2019), Rethinking softmax with cross-entropy: neural network classifier as mutual information
    estimator, arXiv 1911.10688.

    Examples
    --------
    >>> loss = PriorCorrectedSoftmax([1, 1])
    >>> loss(torch.tensor([[9.0, 0.0], [0.0, 9.0]]), torch.tensor([0, 1]))  # nearly −log 2
    tensor(-0.6930)
    >>> loss.terms["mutual_information"]
    tensor(0.6930)
    """

    def __init__(self, priors: Any, **options: Unpack[ClassificationOptions]) -> None:
        if "label_smoothing" in options:
            raise InvalidArgument("PriorCorrectedSoftmax has no label_smoothing, since smoothed labels give no bound.")
        super().__init__(priors, **options)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        batch = self.batch(self.shifted(logits), labels)
        gain = (batch.labels * (batch.log_q - self.log_priors.to(batch.log_q))).sum(dim=1)
        self.record({"mutual_information": batch.mean(gain), "conditional_entropy": batch.conditional_entropy()})
        return batch.reduced(-gain, self.reduction)
