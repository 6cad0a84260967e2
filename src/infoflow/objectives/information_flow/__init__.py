"""Information flow between a network's layers, kept up while it trains: nothing of it stays in the network."""

from __future__ import annotations

from infoflow.objectives.information_flow.critic import FlowCritic
from infoflow.objectives.information_flow.negatives import NEGATIVES
from infoflow.objectives.information_flow.objective import InformationFlow

__all__ = ["NEGATIVES", "FlowCritic", "InformationFlow"]
