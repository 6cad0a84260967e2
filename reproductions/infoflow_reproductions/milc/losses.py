"""The losses of the comparison, by the paper's names where it has one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from infoflow.core.checks import choice
from infoflow.objectives import (
    ConfidencePenalty,
    LabelCorrection,
    LabelSmoothing,
    LogitAdjustment,
    MutualInformationLoss,
    NormalizedConditionalInformation,
    PriorCorrectedSoftmax,
)

# ε of label smoothing, confidence penalty and label correction.
STRENGTH = 0.1
# Weight of the past in the averaged marginal.
DECAY = 0.9

# Labels are correct, and one experiment has batches of few samples on purpose: no checks, no warnings.
_OPTIONS: dict[str, Any] = {"check": False}

# Name -> name in tables and figures, and the loss for λ and the classes' counts in the training set.
_LOSSES: dict[str, tuple[str, Callable[[float, Tensor], nn.Module]]] = {
    "ce": ("cross-entropy", lambda weight, counts: nn.CrossEntropyLoss()),
    "lsr": ("label smoothing", lambda weight, counts: LabelSmoothing(STRENGTH, **_OPTIONS)),
    "cp": ("confidence penalty", lambda weight, counts: ConfidencePenalty(STRENGTH, **_OPTIONS)),
    "cp-weighted": (
        "confidence penalty, weighted",
        lambda weight, counts: ConfidencePenalty(STRENGTH, form="weighted", **_OPTIONS),
    ),
    "lc": ("label correction, soft", lambda weight, counts: LabelCorrection(STRENGTH, **_OPTIONS)),
    "lc-hard": ("label correction, hard", lambda weight, counts: LabelCorrection(STRENGTH, form="hard", **_OPTIONS)),
    "mil": ("mutual information", lambda weight, counts: MutualInformationLoss(weight, **_OPTIONS)),
    "mil-ema": (
        "mutual information, averaged marginal",
        lambda weight, counts: MutualInformationLoss(weight, decay=DECAY, classes=len(counts), **_OPTIONS),
    ),
    "la": ("logit adjustment", lambda weight, counts: LogitAdjustment(counts, **_OPTIONS)),
    "pc": ("PC-softmax", lambda weight, counts: PriorCorrectedSoftmax(counts, **_OPTIONS)),
    "ncmi": ("NCMI", lambda weight, counts: NormalizedConditionalInformation(**_OPTIONS)),
}
LOSSES = tuple(_LOSSES)
"""Names for `loss_of`."""


def loss_of(name: str, weight: float, counts: Tensor) -> nn.Module:
    """Return a loss.

    Parameters
    ----------
    name
        One of `LOSSES`.
    weight
        Weight λ of "mil" and "mil-ema".
    counts : Tensor of shape (C,)
        Number of training images of each class.

    Returns
    -------
    Module
        Function of logits and labels.

    Raises
    ------
    UnknownName
        If there is no such loss.

    Examples
    --------
    >>> import torch
    >>> loss_of("lsr", 0.0, torch.tensor([5, 5]))
    LabelSmoothing(reduction='mean')
    """
    return _LOSSES[choice(name, "loss", LOSSES)][1](weight, counts)


def title(name: str, weight: float = 0.0) -> str:
    """Return the name of a loss in tables and figures.

    Parameters
    ----------
    name
        One of `LOSSES`.
    weight
        Weight λ.

    Returns
    -------
    str
        The name.

    Examples
    --------
    >>> title("ce"), title("mil", 50.0)
    ('cross-entropy', 'mutual information, λ = 50')
    """
    plain = _LOSSES[choice(name, "loss", LOSSES)][0]
    return f"{plain}, λ = {weight:g}" if name.startswith("mil") else plain
