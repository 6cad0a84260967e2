"""One file a method; every estimator is a frozen dataclass with `estimate(x, y) -> Estimate`."""

from __future__ import annotations

from infoflow.estimators.adaptive_binning import AdaptiveBinning
from infoflow.estimators.added_noise import AddedNoise
from infoflow.estimators.binning import Binning
from infoflow.estimators.canonical_correlation import CCA
from infoflow.estimators.class_neighbours import ClassNeighbours
from infoflow.estimators.classifier_bound import ClassifierBound
from infoflow.estimators.compressed import Compressed
from infoflow.estimators.conditional import conditional_mutual_information
from infoflow.estimators.decision_rule import DecisionRule
from infoflow.estimators.density import (
    DifferenceOfEntropies,
    FlowMatching,
    GaussianMixtureInformation,
    NormalisingFlow,
)
from infoflow.estimators.dependence_graph import DependenceGraph
from infoflow.estimators.discrete import Discrete
from infoflow.estimators.gaussian import Gaussian
from infoflow.estimators.gaussian_dropout import GaussianDropoutInformation
from infoflow.estimators.kernel_density import KernelDensity
from infoflow.estimators.kozachenko_leonenko import KozachenkoLeonenko
from infoflow.estimators.ksg import KSG
from infoflow.estimators.linear_gaussian_channel import LinearGaussianChannel
from infoflow.estimators.matrix_renyi import MatrixRenyi
from infoflow.estimators.mixed import MixedKSG
from infoflow.estimators.neural import (
    DIME,
    MINE,
    NWJ,
    SMILE,
    AnchoredInfoNCE,
    DonskerVaradhan,
    InfoNCE,
    JensenShannon,
    Neural,
    information_between,
    neural_dependency,
)
from infoflow.estimators.quantised import QuantisedInformation
from infoflow.estimators.recommend import Auto, Recommendation, recommend
from infoflow.estimators.registry import ESTIMATORS, create, mutual_information, parse
from infoflow.estimators.replica import ReplicaInformation
from infoflow.estimators.sample_propagation import SamplePropagation
from infoflow.estimators.significance import ShuffledNull, interval, shuffled_null
from infoflow.estimators.sliced import Sliced
from infoflow.estimators.total_correlation import total_correlation

__all__ = [
    "CCA",
    "DIME",
    "ESTIMATORS",
    "KSG",
    "MINE",
    "NWJ",
    "SMILE",
    "AdaptiveBinning",
    "AddedNoise",
    "AnchoredInfoNCE",
    "Auto",
    "Binning",
    "ClassNeighbours",
    "ClassifierBound",
    "Compressed",
    "DecisionRule",
    "DependenceGraph",
    "DifferenceOfEntropies",
    "Discrete",
    "DonskerVaradhan",
    "FlowMatching",
    "Gaussian",
    "GaussianDropoutInformation",
    "GaussianMixtureInformation",
    "InfoNCE",
    "JensenShannon",
    "KernelDensity",
    "KozachenkoLeonenko",
    "LinearGaussianChannel",
    "MatrixRenyi",
    "MixedKSG",
    "Neural",
    "NormalisingFlow",
    "QuantisedInformation",
    "Recommendation",
    "ReplicaInformation",
    "SamplePropagation",
    "ShuffledNull",
    "Sliced",
    "conditional_mutual_information",
    "create",
    "information_between",
    "interval",
    "mutual_information",
    "neural_dependency",
    "parse",
    "recommend",
    "shuffled_null",
    "total_correlation",
]
