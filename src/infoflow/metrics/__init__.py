"""Metrics in nats that add up over the batches of an epoch: information of predictions, calibration, InfoNCE."""

from __future__ import annotations

from infoflow.metrics.calibration import CalibrationLoss
from infoflow.metrics.classifier_information import ClassifierInformation
from infoflow.metrics.contrastive_information import ContrastiveInformation
from infoflow.metrics.metric import Metric
from infoflow.metrics.prediction_information import PredictionInformation

__all__ = ["CalibrationLoss", "ClassifierInformation", "ContrastiveInformation", "Metric", "PredictionInformation"]


def __dir__() -> list[str]:
    return __all__
