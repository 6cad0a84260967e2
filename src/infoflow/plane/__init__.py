"""The information plane of a network through training: record it, analyse it, audit it, show it."""

from __future__ import annotations

from infoflow.plane.analysis import analyse
from infoflow.plane.auditing import Audit, audit
from infoflow.plane.recorder import Recorder, record
from infoflow.plane.recording import Recording
from infoflow.plane.table import Plane

__all__ = ["Audit", "Plane", "Recorder", "Recording", "analyse", "audit", "record"]
