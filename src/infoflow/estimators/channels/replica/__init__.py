"""Information in networks whose weights look random to one another, by the replica formula of statistical physics."""

from __future__ import annotations

from infoflow.estimators.channels.replica.information import ReplicaInformation

__all__ = ["ReplicaInformation"]
