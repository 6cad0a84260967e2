"""Information in networks of independent random weights, by the replica formula of statistical physics."""

from __future__ import annotations

from infoflow_reproductions.information_plane.replica.information import ReplicaInformation

__all__ = ["ReplicaInformation"]
