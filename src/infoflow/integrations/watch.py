"""Recording in a loop of one's own, and what the callbacks of the frameworks share."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self

import numpy as np
from torch import nn

from infoflow.core.checks import choice, integer
from infoflow.core.errors import InfoflowError, InvalidArgument
from infoflow.integrations.loggers import plane_numbers, writer
from infoflow.plane import Recorder, Recording, analyse, record
from infoflow.training import snapshot_epochs

log = logging.getLogger(__name__)

ON_ERROR = ("warn", "raise")

# Snapshots by default, and how few are never too many.
_COUNT, _FEW = 40, 5


class Schedule:
    """When to take a snapshot: always at 0 and at the end, in between evenly in the logarithm, or `at` certain times.

    `count` is how many, at most; the default is 40, but no more than one for every two epochs where training is longer
    than ten (so that recording costs little of it). `total` is how many epochs (or steps) there will be, None where
    nobody knows: then at 1, 2, 3, 4, 6, 8, 11, 16, ...

    >>> [epoch for epoch in range(101) if Schedule(count=5).wants(epoch, 100)]
    [0, 1, 5, 22, 100]
    >>> [epoch for epoch in range(21) if Schedule().wants(epoch, 20)]
    [0, 1, 2, 3, 4, 7, 9, 14, 20]
    >>> [epoch for epoch in range(20) if Schedule().wants(epoch, None)]
    [0, 1, 2, 3, 4, 6, 8, 11, 16]
    >>> [epoch for epoch in range(6) if Schedule([2, 3]).wants(epoch, 5)]
    [2, 3]
    """

    def __init__(self, at: Iterable[int] | None = None, *, count: int | None = None) -> None:
        self._at = None if at is None else {integer(value, "at", minimum=0) for value in at}
        self._count = None if count is None else integer(count, "count", minimum=2)
        self._spaced: dict[int, set[int]] = {}

    def wants(self, now: int, total: int | None) -> bool:
        """Whether there is to be a snapshot now."""
        if self._at is not None:
            return now in self._at
        if total is not None and total >= 1:
            if total not in self._spaced:
                count = min(_COUNT, max(_FEW, total // 2)) if self._count is None else self._count
                self._spaced[total] = set(snapshot_epochs(total, count))
            return now in self._spaced[total]
        if now == 0:
            return True
        nearest = round(2 * np.log2(now))
        return any(round(2 ** (half / 2)) == now for half in (nearest - 1, nearest, nearest + 1))


class Watch:
    """Records a model through training, on a schedule: for loops of one's own, and inside the frameworks' callbacks.

    `probe_x`, `probe_y`, `store` and further `settings` are those of `infoflow.plane.record`. `at` and
    `count` say when, as in `Schedule`. With `estimators`
    (as in `infoflow.plane.analyse`) every snapshot is analyzed at once, and with a `logger` (see `writer`) the numbers
    go there, epoch by epoch.

    Training doesn't die of its recording: with `on_error` "warn" a snapshot that fails (a full disk, activations that
    are NaN) is logged as an error and left out, what was recorded before is kept, and the next one is tried as usual;
    "raise" raises.

    >>> import tempfile, torch
    >>> model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 2))
    >>> x, y = torch.randn(40, 2, generator=torch.Generator().manual_seed(0)), torch.arange(40) % 2
    >>> optimizer = torch.optim.SGD(model.parameters(), 0.1)
    >>> folder = tempfile.TemporaryDirectory()
    >>> with Watch(x, y, store=folder.name, at=[0, 2, 4]).on(model, epochs=4) as watch:
    ...     for epoch in watch:  # 1, 2, 3, 4
    ...         optimizer.zero_grad()
    ...         loss = nn.functional.cross_entropy(model(x), y)
    ...         loss.backward()
    ...         optimizer.step()
    ...         watch.report(train_loss=loss.item())
    >>> Recording(folder.name).epochs
    [0, 2, 4]
    >>> folder.cleanup()
    """

    def __init__(
        self,
        probe_x: Any,
        probe_y: Any,
        *,
        store: Any,
        at: Iterable[int] | None = None,
        count: int | None = None,
        estimators: Iterable[Any] = (),
        logger: Any = None,
        on_error: str = "warn",
        **settings: Any,
    ) -> None:
        self._probes, self._store, self._settings = (probe_x, probe_y), store, settings
        self._schedule = Schedule(at, count=count)
        self._estimators = list(estimators)
        self._write = None if logger is None else writer(logger)
        self._raise = choice(on_error, "on_error", ON_ERROR) == "raise"
        self._recorder: Recorder | None = None
        self._epochs: int | None = None
        self._metrics: dict[str, float] = {}
        if self._write is not None and not self._estimators:
            raise InvalidArgument("logger is given, but no estimators; want some, whose numbers are logged")

    @property
    def recorder(self) -> Recorder:
        """The recorder, once watching has begun."""
        if self._recorder is None:
            raise InvalidArgument("the watch has not begun; call .on(model, epochs=...)")
        return self._recorder

    def on(self, model: nn.Module, *, epochs: int | None = None, start: int = 0) -> Self:
        """Begins: opens the recording (raises what `record` raises) and takes the snapshot of `start`, if it is due.

        Training that goes on from an earlier epoch says so by `start`, with `resume=True` among the settings; snapshots
        later than that are deleted, for they are made again.
        """
        self._epochs = None if epochs is None else integer(epochs, "epochs")
        integer(start, "start", minimum=0)
        self._start = start
        self._recorder = record(model, *self._probes, store=self._store, **self._settings)
        self._recorder.truncate(start)
        if start not in self._recorder.epochs:
            self.after(start)
        return self

    def after(self, epoch: int, metrics: Mapping[str, Any] | None = None) -> bool:
        """Takes the snapshot of this epoch if it is due, with metrics; whether one was stored."""
        recorder, self._metrics = self.recorder, {**self._metrics, **(metrics or {})}
        if not self._schedule.wants(epoch, self._epochs):
            return False
        metrics, self._metrics = self._metrics, {}
        try:
            recorder.snapshot(epoch, **metrics)
            self._tell(epoch)
        except (InfoflowError, OSError) as error:
            if self._raise:
                raise
            log.error("no snapshot of epoch %d: %s", epoch, error)
            return False
        return True

    def report(self, **metrics: float) -> None:
        """Numbers to be stored with the next snapshot; of equal names the latest counts."""
        self._metrics.update(metrics)

    def close(self) -> None:
        """Ends the recording."""
        if self._recorder is not None:
            self._recorder.close()

    def __iter__(self) -> Iterator[int]:
        """The epochs still to train, 1 to `epochs`; after each the snapshot is taken, if it is due."""
        if self._epochs is None:
            raise InvalidArgument("how many epochs there are is not known; want .on(model, epochs=...)")
        for epoch in range(self._start + 1, self._epochs + 1):
            yield epoch
            self.after(epoch)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _tell(self, epoch: int) -> None:
        if not self._estimators:
            return
        frame = analyse(Recording(self._store).only(epoch), self._estimators).frame
        if self._write is not None:
            for step, numbers in plane_numbers(frame):
                self._write(numbers, step)


def scalars(values: Mapping[str, Any]) -> dict[str, float]:
    """The finite or infinite single numbers among metrics, by names that keyword arguments can have.

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


Call = Callable[[nn.Module, Any], Any]
