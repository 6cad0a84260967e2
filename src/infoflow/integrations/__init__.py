"""infoflow inside other frameworks: scikit-learn, Lightning, Transformers, loggers, and plain training loops.

`Watch` records a model in a training loop, on a `Schedule`; the callbacks in `infoflow.integrations.lightning` and
`infoflow.integrations.transformers` contain one and require their framework. `infoflow.integrations.scikit_learn`
selects features.
"""

from __future__ import annotations

from infoflow.integrations.loggers import log_plane, writer
from infoflow.integrations.pictures import log_picture
from infoflow.integrations.watch import Schedule, Watch

__all__ = ["Schedule", "Watch", "log_picture", "log_plane", "writer"]


def __dir__() -> list[str]:
    return __all__
