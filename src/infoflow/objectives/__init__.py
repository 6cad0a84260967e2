"""Losses that train with information. Each returns a scalar to minimize and has its named parts in `terms`, in nats."""

from __future__ import annotations

from infoflow.objectives.adjusted_softmax import LogitAdjustment, PriorCorrectedSoftmax
from infoflow.objectives.bottleneck.deterministic import DeterministicBottleneck
from infoflow.objectives.bottleneck.disentangled import DisentangledBottleneck
from infoflow.objectives.bottleneck.hsic import HSICBottleneck, normalized_hsic
from infoflow.objectives.bottleneck.lagrangian import InformationBottleneckLagrangian, InformationDropoutVAE
from infoflow.objectives.bottleneck.nonlinear import NonlinearBottleneck
from infoflow.objectives.bottleneck.schedules import Cyclical, Geometric, WarmUp
from infoflow.objectives.bottleneck.variational import VAE, ConditionalEntropyBottleneck, VariationalBottleneck
from infoflow.objectives.deep_infomax.build import Coordinates, Matching, deep_infomax_for, encoding_shapes
from infoflow.objectives.deep_infomax.coordinates import AbsoluteCoordinates, CoordinateTask, RelativeCoordinates
from infoflow.objectives.deep_infomax.encoding import Encoding, encode
from infoflow.objectives.deep_infomax.objective import DeepInfoMax
from infoflow.objectives.deep_infomax.occlusion import Occlusion
from infoflow.objectives.information_flow.critic import FlowCritic
from infoflow.objectives.information_flow.features import Locations
from infoflow.objectives.information_flow.negatives import Negatives
from infoflow.objectives.information_flow.objective import InformationFlow
from infoflow.objectives.label_regularizers import ConfidencePenalty, LabelCorrection, LabelSmoothing
from infoflow.objectives.mutual_information_loss import MutualInformationLoss
from infoflow.objectives.normalized_conditional import NormalizedConditionalInformation
from infoflow.objectives.objective import ModelObjective, Objective
from infoflow.objectives.prior_matching import (
    AdversarialMatching,
    KernelMatching,
    PriorMatching,
    SlicedWassersteinMatching,
    squared_discrepancy,
)
from infoflow.objectives.priors import PRIORS, Ball, Gaussian, Prior, Sphere, Uniform, prior_by_name
from infoflow.objectives.statistics_exchange import StatisticsExchange

__all__ = [
    "PRIORS",
    "VAE",
    "AbsoluteCoordinates",
    "AdversarialMatching",
    "Ball",
    "ConditionalEntropyBottleneck",
    "ConfidencePenalty",
    "CoordinateTask",
    "Coordinates",
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
    "Locations",
    "LogitAdjustment",
    "Matching",
    "ModelObjective",
    "MutualInformationLoss",
    "Negatives",
    "NonlinearBottleneck",
    "NormalizedConditionalInformation",
    "Objective",
    "Occlusion",
    "Prior",
    "PriorCorrectedSoftmax",
    "PriorMatching",
    "RelativeCoordinates",
    "SlicedWassersteinMatching",
    "Sphere",
    "StatisticsExchange",
    "Uniform",
    "VariationalBottleneck",
    "WarmUp",
    "deep_infomax_for",
    "encode",
    "encoding_shapes",
    "normalized_hsic",
    "prior_by_name",
    "squared_discrepancy",
]


def __dir__() -> list[str]:
    return list(__all__)
