"""How good is a frozen representation: probes, neighbors, information, independence, reconstruction."""

from __future__ import annotations

from infoflow.probes.evaluation import Evaluation, Probe, evaluate, table3
from infoflow.probes.features import features
from infoflow.probes.fine_tuning import FineTuning
from infoflow.probes.information import InputInformation, NeuralDependency, TotalCorrelation
from infoflow.probes.linear import LinearSVM, Logistic
from infoflow.probes.monitor import Monitor
from infoflow.probes.neighbors import NearestNeighbors, draw_neighbors, nearest
from infoflow.probes.perceptron import MultilayerPerceptron
from infoflow.probes.reconstruction import Reconstruction, ms_ssim, scales
from infoflow.probes.score import Score
from infoflow.probes.shortcut import ShortcutReport, shortcut

__all__ = [
    "Evaluation",
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
    "draw_neighbors",
    "evaluate",
    "features",
    "ms_ssim",
    "nearest",
    "scales",
    "shortcut",
    "table3",
]
