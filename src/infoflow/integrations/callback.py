"""What the callbacks of the frameworks share: one watch that follows a training by epochs or optimizer steps."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from torch import nn

from infoflow.integrations.snapshots import ScheduledSnapshots

log = logging.getLogger(__name__)

Unit = Literal["epoch", "step"]


class Follower:
    """Base of the callbacks; only a process that begins the recording or profile takes snapshots."""

    def __init__(self, watch: ScheduledSnapshots, unit: Unit) -> None:
        super().__init__()
        self._watch, self._unit = watch, unit
        self._recording, self._now = False, 0

    def _begin(self, find: Callable[[], tuple[nn.Module, Sequence[str] | None]], total: Any, start: int) -> None:
        """Open the recording of the model and layers found; a `total` that is no positive integer is an unknown end."""
        known = isinstance(total, int) and total > 0
        try:
            model, layers = find()
            self._watch.on(model, epochs=total if known else None, start=start, layers=layers, unit=self._unit)
        except Exception as error:
            if self._watch.raises:
                raise
            log.error("nothing is measured (on_error='raise' makes this an error): %s", error)
            return
        self._recording, self._now = True, start

    def _log_to(self, loggers: Sequence[Any]) -> None:
        """Log to the framework's own loggers, where there is something to log and the user named none."""
        if self._watch.estimates and not self._watch.logs and loggers:
            self._watch.log_to(list(loggers))

    def _after(self, unit: Unit, now: int, metrics: Mapping[str, Any], step: int) -> None:
        """Record the end of an epoch or step, once each; numbers are logged under the optimizer's step."""
        if self._recording and unit == self._unit and now != self._now:
            self._now = now
            self._watch.after(now, scalars(metrics), step=step if unit == "epoch" else None)

    def _end(self) -> None:
        self._watch.close()


def scalars(values: Mapping[str, Any]) -> dict[str, float]:
    """Single numbers among metrics, under names that keyword arguments can have.

    >>> import numpy as np
    >>> scalars({"loss": 0.5, "eval/acc": np.float32(1.0), "name": "run", "epoch": 3})
    {'loss': 0.5, 'eval_acc': 1.0}
    """
    found = {}
    for name, value in values.items():
        try:
            number = float(value)
        except (TypeError, ValueError):
            continue
        if name not in ("epoch", "step"):  # arguments of their own of a snapshot
            found[str(name).replace("/", "_")] = number
    return found
