"""Quality of a frozen representation: probes, neighbors, information, independence, reconstruction.

Every probe is a frozen dataclass of settings with a method `score`, which goes through the same steps: check the
inputs, prepare them, fit, and return a `Score`. `evaluate` runs many probes on one encoder.
"""

from __future__ import annotations

from infoflow.probes.evaluation import Evaluation, evaluate, table3
from infoflow.probes.features import features
from infoflow.probes.fine_tuning import FineTuning
from infoflow.probes.information import InputInformation, NeuralDependency, TotalCorrelation
from infoflow.probes.linear import LinearSVM, Logistic
from infoflow.probes.monitor import Monitor
from infoflow.probes.neighbors import NearestNeighbors, nearest
from infoflow.probes.perceptron import MultilayerPerceptron
from infoflow.probes.probe import Probe
from infoflow.probes.reconstruction import Reconstruction, ms_ssim
from infoflow.probes.score import Score
from infoflow.probes.shortcut import FactorScore, ShortcutReport, shortcut

__all__ = [
    "Evaluation",
    "FactorScore",
    "FineTuning",
    "InputInformation",
    "LinearSVM",
    "Logistic",
    "Monitor",
    "MultilayerPerceptron",
    "NearestNeighbors",
    "NeuralDependency",
    "Probe",
    "Reconstruction",
    "Score",
    "ShortcutReport",
    "TotalCorrelation",
    "evaluate",
    "features",
    "ms_ssim",
    "nearest",
    "shortcut",
    "table3",
]


def __dir__() -> list[str]:
    return __all__
