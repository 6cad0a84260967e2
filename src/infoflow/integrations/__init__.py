"""infoflow inside other frameworks: scikit-learn, Lightning, Transformers, loggers, and plain training loops.

`Watch` records a model in a training loop, and `ProfileWatch` measures its information profile, on a `Schedule`. The
callbacks in `infoflow.integrations.lightning` and `infoflow.integrations.transformers` contain one and require their
framework. `infoflow.integrations.scikit_learn` selects features.
"""

from __future__ import annotations

from infoflow.integrations.loggers import log_plane, writer
from infoflow.integrations.pictures import log_picture
from infoflow.integrations.profile_watch import ProfileWatch
from infoflow.integrations.schedule import Schedule
from infoflow.integrations.watch import Watch

__all__ = ["ProfileWatch", "Schedule", "Watch", "log_picture", "log_plane", "writer"]


def __dir__() -> list[str]:
    return __all__
