"""What the callbacks of the frameworks share: one watch that follows a training by epochs or optimizer steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from torch import nn

from infoflow.integrations.snapshots import ScheduledSnapshots

Unit = Literal["epoch", "step"]


class Follower:
    """Base of the callbacks; only a process that begins the recording or profile takes snapshots."""

    def __init__(self, watch: ScheduledSnapshots, unit: Unit) -> None:
        super().__init__()
        self._watch, self._unit = watch, unit
        self._recording, self._now = False, 0
        self._loggers: list[Any] = []

    def _begin(
        self, find: Callable[[], tuple[nn.Module, Sequence[str] | None]], total: Any, start: int, step: int
    ) -> None:
        """Open the recording of the model and layers found; a `total` that is no positive integer is an unknown end."""
        known = isinstance(total, int) and total > 0
        with self._watch.survived("nothing is measured"):
            model, layers = find()
            self._watch.on(
                model,
                epochs=total if known else None,
                start=start,
                layers=layers,
                unit=self._unit,
                step=step if self._unit == "epoch" else None,
            )
            self._recording, self._now = True, start

    def _log_to(self, find: Callable[[], Sequence[Any]]) -> None:
        """Log to the framework's own loggers, where there is something to log and the user named none."""
        if not self._watch.estimates or self._watch.logs:
            return
        with self._watch.survived("no numbers are logged"):
            if loggers := list(find()):
                self._watch.log_to(loggers)
                self._loggers = loggers

    def _after(self, unit: Unit, now: int, metrics: Mapping[str, Any], step: int) -> None:
        """Record the end of an epoch or step, once each; numbers are logged under the optimizer's step."""
        if self._recording and unit == self._unit and now != self._now:
            self._now = now
            self._watch.after(now, scalars(metrics), step=step if unit == "epoch" else None)

    def _end(self) -> None:
        self._watch.close()
        # A writer of TensorBoard holds events back for up to two minutes.
        for flush in (getattr(logger, "flush", None) for logger in self._loggers):
            if callable(flush):
                with self._watch.survived("a logger was not flushed"):
                    flush()


def scalars(values: Mapping[str, Any]) -> dict[str, float]:
    """Single numbers among metrics, under names that keyword arguments can have.

    >>> import numpy as np, torch
    >>> scalars({"loss": 0.5, "eval/acc": np.float32(1.0), "name": "run", "epoch": 3, "per_class": torch.zeros(2)})
    {'loss': 0.5, 'eval_acc': 1.0}
    """
    found = {}
    for name, value in values.items():
        try:
            number = float(value)
        except (TypeError, ValueError, RuntimeError):  # the last from a tensor of several numbers
            continue
        if name not in ("epoch", "step"):  # arguments of their own of a snapshot
            found[str(name).replace("/", "_")] = number
    return found
