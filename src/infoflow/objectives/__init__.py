"""Losses that train with information; one file a paper. Each returns a scalar, and `.parts(...)` its terms in nats."""

from __future__ import annotations

from infoflow.objectives.adjusted_softmax import LogitAdjustment, PriorCorrectedSoftmax
from infoflow.objectives.label_regularisers import ConfidencePenalty, LabelCorrection, LabelSmoothing
from infoflow.objectives.mutual_information_loss import MutualInformationLoss
from infoflow.objectives.normalised_conditional import NormalisedConditionalInformation

__all__ = [
    "ConfidencePenalty",
    "LabelCorrection",
    "LabelSmoothing",
    "LogitAdjustment",
    "MutualInformationLoss",
    "NormalisedConditionalInformation",
    "PriorCorrectedSoftmax",
]
