"""The information bottleneck and its relatives: keep what the task needs, at a price in nats for all that passes."""

from __future__ import annotations

from infoflow.objectives.bottleneck.deterministic import DeterministicBottleneck
from infoflow.objectives.bottleneck.disentangled import DisentangledBottleneck
from infoflow.objectives.bottleneck.hsic import HSICBottleneck, normalized_hsic
from infoflow.objectives.bottleneck.lagrangian import InformationBottleneckLagrangian, InformationDropoutVAE
from infoflow.objectives.bottleneck.nonlinear import NonlinearBottleneck
from infoflow.objectives.bottleneck.schedules import Cyclical, Geometric, WarmUp
from infoflow.objectives.bottleneck.variational import VAE, ConditionalEntropyBottleneck, VariationalBottleneck

__all__ = [
    "VAE",
    "ConditionalEntropyBottleneck",
    "Cyclical",
    "DeterministicBottleneck",
    "DisentangledBottleneck",
    "Geometric",
    "HSICBottleneck",
    "InformationBottleneckLagrangian",
    "InformationDropoutVAE",
    "NonlinearBottleneck",
    "VariationalBottleneck",
    "WarmUp",
    "normalized_hsic",
]
