"""Information flow maximization between the layers of a network, which is left as it is."""

from __future__ import annotations

from infoflow.objectives.information_flow.critic import FlowCritic
from infoflow.objectives.information_flow.features import Locations
from infoflow.objectives.information_flow.negatives import Negatives
from infoflow.objectives.information_flow.objective import InformationFlow

__all__ = ["FlowCritic", "InformationFlow", "Locations", "Negatives"]
