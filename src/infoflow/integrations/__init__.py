"""infoflow inside other people's frameworks: scikit-learn, Lightning, Transformers, loggers, and plain loops.

The callbacks live in `infoflow.integrations.lightning` and `infoflow.integrations.transformers`, which need their
framework; the names below need nothing more.
"""

from __future__ import annotations

from infoflow.integrations.loggers import log_plane, writer
from infoflow.integrations.watch import Schedule, Watch

__all__ = ["Schedule", "Watch", "log_plane", "writer"]
