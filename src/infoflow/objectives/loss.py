"""What an objective returns today."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Loss(NamedTuple):
    """A value to minimize, and named detached terms in nats."""

    total: Any
    terms: Mapping[str, Any]
