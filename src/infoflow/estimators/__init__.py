"""One file a method; every estimator is a frozen dataclass with `estimate(x, y) -> Estimate`."""

from __future__ import annotations

from infoflow.estimators.automatic.blocks import Blocks
from infoflow.estimators.automatic.elliptical import Elliptical
from infoflow.estimators.automatic.policy import Auto
from infoflow.estimators.automatic.recommendation import Recommendation, recommend
from infoflow.estimators.automatic.ties import SpreadTies
from infoflow.estimators.channels.linear_gaussian import LinearGaussianChannel
from infoflow.estimators.channels.noisy_layers import GaussianDropoutInformation, SamplePropagation
from infoflow.estimators.conditioning import conditional_mutual_information
from infoflow.estimators.gaussian.canonical_correlation import CCA
from infoflow.estimators.gaussian.gaussian import Gaussian
from infoflow.estimators.histogram.adaptive_binning import AdaptiveBinning
from infoflow.estimators.histogram.binning import Binning
from infoflow.estimators.histogram.decision_rule import DecisionRule
from infoflow.estimators.histogram.dependence_graph import DependenceGraph
from infoflow.estimators.histogram.discrete import Discrete
from infoflow.estimators.histogram.quantized import QuantizedInformation
from infoflow.estimators.kernel.kernel_density import KernelDensity
from infoflow.estimators.kernel.matrix_renyi import MatrixRenyi
from infoflow.estimators.learned.classifier_bound import ClassifierBound
from infoflow.estimators.learned.critics.dependency import neural_dependency
from infoflow.estimators.learned.critics.neural import Neural
from infoflow.estimators.learned.densities.difference_of_entropies import DifferenceOfEntropies
from infoflow.estimators.learned.densities.flow_matching import FlowMatching
from infoflow.estimators.learned.densities.gaussian_mixture import GaussianMixtureInformation
from infoflow.estimators.learned.densities.normalizing_flow import NormalizingFlow
from infoflow.estimators.mutual_information import mutual_information
from infoflow.estimators.neighbors.class_neighbors import ClassNeighbors
from infoflow.estimators.neighbors.kozachenko_leonenko import KozachenkoLeonenko
from infoflow.estimators.neighbors.ksg import KSG
from infoflow.estimators.neighbors.mixed import MixedKSG
from infoflow.estimators.registry import ESTIMATORS, Ability, create, parse
from infoflow.estimators.streaming.covariance import CovarianceSpectrum
from infoflow.estimators.streaming.gaussian_information import GaussianInformation
from infoflow.estimators.streaming.label_information import LabelInformation
from infoflow.estimators.streaming.logit_lens import LogitLens
from infoflow.estimators.streaming.probe_information import ProbeInformation
from infoflow.estimators.streaming.reading import Reading, ReadingKind
from infoflow.estimators.streaming.sequences import Curvature, PromptEntropy
from infoflow.estimators.streaming.soft_entropy import SoftEntropy
from infoflow.estimators.streaming.views import ViewMeasures
from infoflow.estimators.wrappers.added_noise import AddedNoise
from infoflow.estimators.wrappers.compressed import Compressed
from infoflow.estimators.wrappers.extrapolation import Extrapolation, extrapolate
from infoflow.estimators.wrappers.shuffle_corrected import ShuffleCorrected
from infoflow.estimators.wrappers.significance import ShuffledNull, interval, shuffled_null
from infoflow.estimators.wrappers.sliced import Sliced
from infoflow.estimators.wrappers.total_correlation import total_correlation

__all__ = [
    "CCA",
    "ESTIMATORS",
    "KSG",
    "Ability",
    "AdaptiveBinning",
    "AddedNoise",
    "Auto",
    "Binning",
    "Blocks",
    "ClassNeighbors",
    "ClassifierBound",
    "Compressed",
    "CovarianceSpectrum",
    "Curvature",
    "DecisionRule",
    "DependenceGraph",
    "DifferenceOfEntropies",
    "Discrete",
    "Elliptical",
    "Extrapolation",
    "FlowMatching",
    "Gaussian",
    "GaussianDropoutInformation",
    "GaussianInformation",
    "GaussianMixtureInformation",
    "KernelDensity",
    "KozachenkoLeonenko",
    "LabelInformation",
    "LinearGaussianChannel",
    "LogitLens",
    "MatrixRenyi",
    "MixedKSG",
    "Neural",
    "NormalizingFlow",
    "ProbeInformation",
    "PromptEntropy",
    "QuantizedInformation",
    "Reading",
    "ReadingKind",
    "Recommendation",
    "SamplePropagation",
    "ShuffleCorrected",
    "ShuffledNull",
    "Sliced",
    "SoftEntropy",
    "SpreadTies",
    "ViewMeasures",
    "conditional_mutual_information",
    "create",
    "extrapolate",
    "interval",
    "mutual_information",
    "neural_dependency",
    "parse",
    "recommend",
    "shuffled_null",
    "total_correlation",
]


def __dir__() -> list[str]:
    return list(__all__)
