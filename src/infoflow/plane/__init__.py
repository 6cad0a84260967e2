"""The information plane of a network through training: record it, analyze it, audit it, draw it."""

from __future__ import annotations

from infoflow.plane.activation_geometry import Geometry, geometry, geometry_of
from infoflow.plane.analysis import analyse
from infoflow.plane.auditing import Audit, audit
from infoflow.plane.placed_profiles import plane_of
from infoflow.plane.plane import Plane
from infoflow.plane.readout import Readout
from infoflow.plane.recorder import Recorder, record
from infoflow.plane.recording import Recording
from infoflow.plane.streaming import Stream, stream
from infoflow.plane.sweeps import Sweep, sensitivity

__all__ = [
    "Audit",
    "Geometry",
    "Plane",
    "Readout",
    "Recorder",
    "Recording",
    "Stream",
    "Sweep",
    "analyse",
    "audit",
    "geometry",
    "geometry_of",
    "plane_of",
    "record",
    "sensitivity",
    "stream",
]


def __dir__() -> list[str]:
    return __all__
