"""What the callbacks of the frameworks share: one recording that follows a training by epochs or optimizer steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from torch import nn

from infoflow.integrations.watch import Watch

Unit = Literal["epoch", "step"]


class Follower:
    """Base of the callbacks; only a process that begins the recording records."""

    def __init__(self, watch: Watch, unit: Unit) -> None:
        super().__init__()
        self._watch, self._unit = watch, unit
        self._recording, self._now = False, 0

    def _begin(self, model: nn.Module, total: Any, start: int, layers: Sequence[str] | None = None) -> None:
        """Open the recording; a `total` that is no positive integer means that the end is not known."""
        known = isinstance(total, int) and total > 0
        self._watch.on(model, epochs=total if known else None, start=start, layers=layers)
        self._recording, self._now = True, start

    def _after(self, unit: Unit, now: int, metrics: Mapping[str, Any]) -> None:
        """Record the end of an epoch or step, once each."""
        if self._recording and unit == self._unit and now != self._now:
            self._now = now
            self._watch.after(now, scalars(metrics))

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
        if name != "epoch":
            found[str(name).replace("/", "_")] = number
    return found
