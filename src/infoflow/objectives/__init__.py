"""Losses that train with information; one file a paper. Each returns a scalar, and `.parts(...)` its terms in nats."""

from __future__ import annotations

from infoflow.objectives.adjusted_softmax import LogitAdjustment, PriorCorrectedSoftmax
from infoflow.objectives.deep_infomax import (
    AbsoluteCoordinates,
    CoordinateTask,
    DeepInfoMax,
    Encoding,
    Occlusion,
    RelativeCoordinates,
    deep_infomax_for,
    encode,
    encoding_shapes,
)
from infoflow.objectives.information_flow import FlowCritic, InformationFlow
from infoflow.objectives.label_regularisers import ConfidencePenalty, LabelCorrection, LabelSmoothing
from infoflow.objectives.mutual_information_loss import MutualInformationLoss
from infoflow.objectives.normalised_conditional import NormalisedConditionalInformation
from infoflow.objectives.prior_matching import (
    AdversarialMatching,
    KernelMatching,
    PriorMatching,
    SlicedWassersteinMatching,
    squared_discrepancy,
)
from infoflow.objectives.priors import PRIORS, Ball, Gaussian, Prior, Sphere, Uniform, prior_by_name

__all__ = [
    "PRIORS",
    "AbsoluteCoordinates",
    "AdversarialMatching",
    "Ball",
    "ConfidencePenalty",
    "CoordinateTask",
    "DeepInfoMax",
    "Encoding",
    "FlowCritic",
    "Gaussian",
    "InformationFlow",
    "KernelMatching",
    "LabelCorrection",
    "LabelSmoothing",
    "LogitAdjustment",
    "MutualInformationLoss",
    "NormalisedConditionalInformation",
    "Occlusion",
    "Prior",
    "PriorCorrectedSoftmax",
    "PriorMatching",
    "RelativeCoordinates",
    "SlicedWassersteinMatching",
    "Sphere",
    "Uniform",
    "deep_infomax_for",
    "encode",
    "encoding_shapes",
    "prior_by_name",
    "squared_discrepancy",
]
