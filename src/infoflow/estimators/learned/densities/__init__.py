"""Estimates by densities, for large information: they do not have the ceiling of lower bounds near log n."""

from __future__ import annotations

from infoflow.estimators.learned.densities.difference_of_entropies import DifferenceOfEntropies
from infoflow.estimators.learned.densities.flow_matching import FlowMatching
from infoflow.estimators.learned.densities.gaussian_mixture import GaussianMixtureInformation
from infoflow.estimators.learned.densities.normalizing_flow import NormalizingFlow

__all__ = ["DifferenceOfEntropies", "FlowMatching", "GaussianMixtureInformation", "NormalizingFlow"]
