"""Losses that train with information; one file a paper. Each returns a scalar, and `.parts(...)` its terms in nats."""

from __future__ import annotations

from infoflow.objectives.adjusted_softmax import LogitAdjustment, PriorCorrectedSoftmax
from infoflow.objectives.bottleneck import (
    VAE,
    ConditionalEntropyBottleneck,
    Cyclical,
    DeterministicBottleneck,
    DisentangledBottleneck,
    Geometric,
    HSICBottleneck,
    InformationBottleneckLagrangian,
    InformationDropoutVAE,
    NonlinearBottleneck,
    VariationalBottleneck,
    WarmUp,
    normalised_hsic,
)
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
    "VAE",
    "AbsoluteCoordinates",
    "AdversarialMatching",
    "Ball",
    "ConditionalEntropyBottleneck",
    "ConfidencePenalty",
    "CoordinateTask",
    "Cyclical",
    "DeepInfoMax",
    "DeterministicBottleneck",
    "DisentangledBottleneck",
    "Encoding",
    "FlowCritic",
    "Gaussian",
    "Geometric",
    "HSICBottleneck",
    "InformationBottleneckLagrangian",
    "InformationDropoutVAE",
    "InformationFlow",
    "KernelMatching",
    "LabelCorrection",
    "LabelSmoothing",
    "LogitAdjustment",
    "MutualInformationLoss",
    "NonlinearBottleneck",
    "NormalisedConditionalInformation",
    "Occlusion",
    "Prior",
    "PriorCorrectedSoftmax",
    "PriorMatching",
    "RelativeCoordinates",
    "SlicedWassersteinMatching",
    "Sphere",
    "Uniform",
    "VariationalBottleneck",
    "WarmUp",
    "deep_infomax_for",
    "encode",
    "encoding_shapes",
    "normalised_hsic",
    "prior_by_name",
    "squared_discrepancy",
]
