"""Mutual information by densities: no lower bound's ceiling near log n, so these are for large information."""

from __future__ import annotations

from infoflow.estimators.density.difference_of_entropies import DifferenceOfEntropies
from infoflow.estimators.density.flow_matching import FlowMatching
from infoflow.estimators.density.gaussian_mixture import GaussianMixtureInformation
from infoflow.estimators.density.normalising_flow import NormalisingFlow

__all__ = ["DifferenceOfEntropies", "FlowMatching", "GaussianMixtureInformation", "NormalisingFlow"]
