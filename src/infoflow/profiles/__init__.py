"""Profiles of networks: what each layer holds about tokens or classes, streamed in constant memory."""

from __future__ import annotations

from infoflow.profiles.batches import Batch, read
from infoflow.profiles.labels import Codes
from infoflow.profiles.points import Point, points
from infoflow.profiles.profiler import Profiler
from infoflow.profiles.profiling import profile
from infoflow.profiles.result import Profile
from infoflow.profiles.texts import documents, windows
from infoflow.profiles.training import TrainingProfile

__all__ = [
    "Batch",
    "Codes",
    "Point",
    "Profile",
    "Profiler",
    "TrainingProfile",
    "documents",
    "points",
    "profile",
    "read",
    "windows",
]


def __dir__() -> list[str]:
    return list(__all__)
