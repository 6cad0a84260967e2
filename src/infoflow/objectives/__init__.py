"""Losses that train with information; one file a paper. Each returns a scalar, and `.parts(...)` its terms in nats."""

from __future__ import annotations

from infoflow.objectives.adjusted_softmax import LogitAdjustment, PriorCorrectedSoftmax
from infoflow.objectives.baselines import (
    AdversarialAutoencoder,
    BetaAutoencoder,
    BiGAN,
    DotCritic,
    Generative,
    MeanOfGaussian,
    MultiViewDeepInfoMax,
    NoiseAsTargets,
    NonSaturatingGAN,
    NTXent,
    PriorMatchingGenerator,
    VICReg,
    WassersteinGAN,
)
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
from infoflow.objectives.decorrelation import Decorrelation
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
from infoflow.objectives.gradient_orthogonality import GradientOrthogonality
from infoflow.objectives.independence_cross_entropy import IndependenceCrossEntropy
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
from infoflow.objectives.spectral_decoupling import SpectralDecoupling
from infoflow.objectives.statistics_exchange import StatisticsExchange

__all__ = [
    "PRIORS",
    "VAE",
    "AbsoluteCoordinates",
    "AdversarialAutoencoder",
    "AdversarialMatching",
    "Ball",
    "BetaAutoencoder",
    "BiGAN",
    "ConditionalEntropyBottleneck",
    "ConfidencePenalty",
    "CoordinateTask",
    "Cyclical",
    "Decorrelation",
    "DeepInfoMax",
    "DeterministicBottleneck",
    "DisentangledBottleneck",
    "DotCritic",
    "Encoding",
    "FlowCritic",
    "Gaussian",
    "Generative",
    "Geometric",
    "GradientOrthogonality",
    "HSICBottleneck",
    "IndependenceCrossEntropy",
    "InformationBottleneckLagrangian",
    "InformationDropoutVAE",
    "InformationFlow",
    "KernelMatching",
    "LabelCorrection",
    "LabelSmoothing",
    "LogitAdjustment",
    "MeanOfGaussian",
    "MultiViewDeepInfoMax",
    "MutualInformationLoss",
    "NTXent",
    "NoiseAsTargets",
    "NonSaturatingGAN",
    "NonlinearBottleneck",
    "NormalisedConditionalInformation",
    "Occlusion",
    "Prior",
    "PriorCorrectedSoftmax",
    "PriorMatching",
    "PriorMatchingGenerator",
    "RelativeCoordinates",
    "SlicedWassersteinMatching",
    "SpectralDecoupling",
    "Sphere",
    "StatisticsExchange",
    "Uniform",
    "VICReg",
    "VariationalBottleneck",
    "WarmUp",
    "WassersteinGAN",
    "deep_infomax_for",
    "encode",
    "encoding_shapes",
    "normalised_hsic",
    "prior_by_name",
    "squared_discrepancy",
]
