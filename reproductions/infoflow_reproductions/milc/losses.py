"""The losses that are compared, by the paper's names where it has one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

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
# Share of the past that the averaged marginal keeps at each batch.
DECAY = 0.9


class _Entry(NamedTuple):
    title: str
    make: Callable[[float, Tensor], nn.Module]  # of λ and the classes' counts in the training set


# Labels are known to be right, and a batch of few samples is the point of one experiment: no checks, no warnings.
_OPTIONS: dict[str, Any] = {"check": False}
_ENTRIES = {
    "ce": _Entry("cross-entropy", lambda weight, counts: nn.CrossEntropyLoss()),
    "lsr": _Entry("label smoothing", lambda weight, counts: LabelSmoothing(STRENGTH, **_OPTIONS)),
    "cp": _Entry("confidence penalty", lambda weight, counts: ConfidencePenalty(STRENGTH, **_OPTIONS)),
    "cp-weighted": _Entry(
        "confidence penalty, weighted",
        lambda weight, counts: ConfidencePenalty(STRENGTH, form="weighted", **_OPTIONS),
    ),
    "lc": _Entry("label correction, soft", lambda weight, counts: LabelCorrection(STRENGTH, **_OPTIONS)),
    "lc-hard": _Entry(
        "label correction, hard", lambda weight, counts: LabelCorrection(STRENGTH, form="hard", **_OPTIONS)
    ),
    "mil": _Entry("mutual information", lambda weight, counts: MutualInformationLoss(weight, **_OPTIONS)),
    "mil-ema": _Entry(
        "mutual information, averaged marginal",
        lambda weight, counts: MutualInformationLoss(weight, decay=DECAY, classes=len(counts), **_OPTIONS),
    ),
    "la": _Entry("logit adjustment", lambda weight, counts: LogitAdjustment(counts, **_OPTIONS)),
    "pc": _Entry("PC-softmax", lambda weight, counts: PriorCorrectedSoftmax(counts, **_OPTIONS)),
    "ncmi": _Entry("NCMI", lambda weight, counts: NormalizedConditionalInformation(**_OPTIONS)),
}

LOSSES = tuple(_ENTRIES)
"""Names that `loss_of` knows."""


def loss_of(name: str, weight: float, counts: Tensor) -> nn.Module:
    """A loss by name: `weight` is λ of the "mil" ones, `counts` (C,) how often each class occurs in training.

    Raises UnknownName.

    >>> import torch
    >>> loss_of("lsr", 0.0, torch.tensor([5, 5]))
    LabelSmoothing(reduction='mean')
    """
    return _ENTRIES[choice(name, "loss", LOSSES)].make(weight, counts)


def title(name: str, weight: float = 0.0) -> str:
    """How a loss is called in tables and figures.

    >>> title("ce"), title("mil", 50.0)
    ('cross-entropy', 'mutual information, λ = 50')
    """
    plain = _ENTRIES[choice(name, "loss", LOSSES)].title
    return f"{plain}, λ = {weight:g}" if name.startswith("mil") else plain
