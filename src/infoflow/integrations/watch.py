"""Recording in a plain training loop, on a schedule."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Annotated, Any, Literal, Self

import numpy as np
import pandas as pd
from torch import nn

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import Each, Integer, NonNegativeInt, PositiveInt, validated
from infoflow.integrations.loggers import plane_numbers, writer
from infoflow.integrations.pictures import log_picture
from infoflow.plane import Plane, Recorder, Recording, analyse, record
from infoflow.training import snapshot_epochs

log = logging.getLogger(__name__)

# Default number of snapshots, and the number up to which there is no limit by the length of the training.
_COUNT, _FEW = 40, 5


class Schedule:
    """When to take snapshots: at 0, at the end, and in between evenly in the logarithm; or at given times.

    Parameters
    ----------
    at
        Epochs or steps; None spaces them in the logarithm.
    count
        Largest number of snapshots. None is 40, but in more than ten epochs at most one for every two, so that
        recording costs little of the training.

    Raises
    ------
    InvalidArgument
        If a number is out of range.

    Examples
    --------
    >>> [epoch for epoch in range(101) if Schedule(count=5).due(epoch, 100)]
    [0, 1, 5, 22, 100]
    >>> [epoch for epoch in range(21) if Schedule().due(epoch, 20)]
    [0, 1, 2, 3, 4, 7, 9, 14, 20]
    >>> [epoch for epoch in range(20) if Schedule().due(epoch, None)]
    [0, 1, 2, 3, 4, 6, 8, 11, 16]
    >>> [epoch for epoch in range(6) if Schedule([2, 3]).due(epoch, 5)]
    [2, 3]
    """

    @validated
    def __init__(
        self,
        at: Annotated[Iterable[int], Each(Integer(0))] | None = None,
        *,
        count: Annotated[int, Integer(2)] | None = None,
    ) -> None:
        self._at, self._count = None if at is None else set(at), count
        self._spaced: dict[int, set[int]] = {}

    def due(self, now: int, total: int | None) -> bool:
        """Decide whether to take a snapshot.

        Parameters
        ----------
        now
            Number of epochs or steps so far.
        total
            Number of epochs or steps in all. None if it is not known; snapshots are then due at 1, 2, 3, 4, 6, 8, 11,
            16, ...

        Returns
        -------
        bool
            Whether a snapshot is due.
        """
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
    """Recording of a model through its training, for plain loops and inside the callbacks of the frameworks.

    Parameters
    ----------
    probe_x, probe_y
        Probe set, as in `infoflow.plane.record`.
    store
        Folder or fsspec URL to write to.
    at, count
        When to take snapshots, as in `Schedule`.
    estimators
        Estimators, as in `infoflow.plane.analyse`, by which every snapshot is analyzed at once.
    logger
        Logger that receives the numbers of the estimators, as in `writer`, and at the end their picture, as in
        `log_picture`.
    on_error
        "warn": whatever fails (a recording that cannot begin, a full disk, activations that are NaN, a logger) is
        logged as an error and left out, and the training continues. "raise": the exception is raised.
    **settings
        Further arguments of `infoflow.plane.record`.

    Raises
    ------
    InvalidArgument
        If a setting is out of range, or there is a logger without estimators.

    Examples
    --------
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

    @validated
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
        on_error: Literal["warn", "raise"] = "warn",
        **settings: Any,
    ) -> None:
        self._probes, self._store, self._settings = (probe_x, probe_y), store, settings
        self._schedule = Schedule(at, count=count)
        self._estimators = list(estimators)
        self._planes: list[Plane] = []
        self.log_to(logger)
        self._raise = on_error == "raise"
        self._recorder: Recorder | None = None
        self._epochs: int | None = None
        self._start = 0
        self._metrics: dict[str, float] = {}
        self._last_step = 0
        if self._write is not None and not self._estimators:
            raise InvalidArgument("estimators", "given where a logger is, since it receives their numbers", estimators)

    @property
    def logs(self) -> bool:
        """Whether there is a logger."""
        return self._write is not None

    @property
    def estimates(self) -> bool:
        """Whether snapshots are analyzed at once."""
        return bool(self._estimators)

    @property
    def raises(self) -> bool:
        """Whether an error ends the training."""
        return self._raise

    def log_to(self, logger: Any) -> None:
        """Set the logger that receives the numbers of the estimators, as a trainer has one of its own.

        Parameters
        ----------
        logger
            Logger, as in `writer`; None for none.
        """
        self._logger = logger
        self._write = None if logger is None else writer(logger)

    @property
    def recorder(self) -> Recorder:
        """The recorder, after `on` was called."""
        if self._recorder is None:
            raise InvalidArgument("The watch has not begun. Call .on(model, epochs=...) first.")
        return self._recorder

    @validated
    def on(
        self,
        model: nn.Module,
        *,
        epochs: PositiveInt | None = None,
        start: NonNegativeInt = 0,
        layers: Sequence[str] | None = None,
        unit: Literal["epoch", "step"] | None = None,
    ) -> Self:
        """Begin the recording, and take the snapshot of `start` if it is due.

        Parameters
        ----------
        model
            Model to record.
        epochs
            Number of epochs in all; None if it is not known.
        start
            Epoch from which the training continues, with `resume=True` among the settings. Later snapshots are
            deleted, since they are taken again.
        layers
            Layers to record, where they are known only with the model; None leaves those of the settings.
        unit
            What is counted, where a callback knows it; None leaves that of the settings.

        Returns
        -------
        Watch
            The watch itself.

        Raises
        ------
        InvalidArgument
            If a number is out of range, or `infoflow.plane.record` raises it.
        """
        self._epochs, self._start = epochs, start
        given = {"layers": layers, "unit": unit}
        settings = {**self._settings, **{name: value for name, value in given.items() if value is not None}}
        self._recorder = record(model, *self._probes, store=self._store, **settings)
        self._recorder.truncate(start)
        if start not in self._recorder.epochs:
            self.after(start)
        return self

    def after(self, epoch: int, metrics: Mapping[str, Any] | None = None, *, step: int | None = None) -> bool:
        """Take the snapshot of an epoch if it is due.

        Parameters
        ----------
        epoch
            Number of the epoch that has ended.
        metrics
            Numbers to store with the snapshot, in addition to those of `report`.
        step
            Step under which a logger gets the numbers, which then include the epoch; None for the epoch.

        Returns
        -------
        bool
            Whether a snapshot was stored.

        Raises
        ------
        InvalidArgument
            If the watch has not begun.
        """
        recorder, self._metrics = self.recorder, {**self._metrics, **(metrics or {})}
        if not self._schedule.due(epoch, self._epochs):
            return False
        metrics, self._metrics = self._metrics, {}
        try:
            recorder.snapshot(epoch, **metrics)
            self._log(epoch, step)
        except Exception as error:
            if self._raise:
                raise
            log.error("no snapshot of epoch %d: %s", epoch, error)
            return False
        return True

    def report(self, **metrics: float) -> None:
        """Collect numbers for the next snapshot.

        Parameters
        ----------
        **metrics
            Numbers by name; a later number replaces an earlier one of the same name.
        """
        self._metrics.update(metrics)

    def close(self) -> None:
        """End the recording, and send the picture of the plane to the logger."""
        if self._recorder is not None:
            self._recorder.close()
        planes, self._planes = self._planes, []
        if self._write is None or not planes:
            return
        try:
            frame = pd.concat([plane.frame for plane in planes])
            metrics = pd.concat([plane.metrics for plane in planes])
            log_picture(Plane(frame, metrics, planes[-1].provenance), self._logger, step=self._last_step)
        except Exception as error:
            if self._raise:
                raise
            log.error("no picture was logged: %s", error)

    def __iter__(self) -> Iterator[int]:
        """Epochs still to train, up to `epochs`; after each, its snapshot is taken if it is due."""
        if self._epochs is None:
            raise InvalidArgument("epochs", "given in .on(model, epochs=...) to iterate over them", None)
        for epoch in range(self._start + 1, self._epochs + 1):
            yield epoch
            self.after(epoch)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _log(self, epoch: int, step: int | None) -> None:
        if not self._estimators:
            return
        plane = analyse(Recording(self._store).only(epoch), self._estimators)
        if self._write is None:
            return
        self._planes.append(plane)
        self._last_step = epoch if step is None else step
        for _, numbers in plane_numbers(plane.frame):
            self._write(numbers if step is None else {**numbers, "epoch": float(epoch)}, self._last_step)
