"""What `Watch` and `ProfileWatch` have in common: snapshots on a schedule, numbers to a logger, errors that do not end
the training."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self

from torch import nn

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import NonNegativeInt, PositiveInt, validated
from infoflow.integrations.loggers import writer
from infoflow.integrations.schedule import Schedule

log = logging.getLogger(__name__)

OnError = Literal["warn", "raise"]


class Survived:
    """Context in which a failure is logged as an error and the training continues, unless it is to be raised."""

    def __init__(self, consequence: str, raises: bool, failures: list[str]) -> None:
        self._consequence, self._raises, self._failures = consequence, raises, failures

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if self._raises or not isinstance(error, Exception):
            return False
        message = f"{str(error).rstrip('.') or type(error).__name__}, so {self._consequence}"
        self._failures.append(message)
        log.error("%s. The training continues; pass on_error='raise' to stop it there.", message)
        return True


class ScheduledSnapshots:
    """Base of what measures a model in training on a schedule; a context manager.

    Parameters
    ----------
    at, count
        When to take snapshots, as in `Schedule`.
    logger
        Logger that receives numbers, as in `writer`, and at the end a picture, as in `log_picture`.
    on_error
        "warn" logs what fails as an error and lets the training continue; "raise" raises it.
    """

    def __init__(self, at: Iterable[int] | None, count: int | None, logger: Any, on_error: OnError) -> None:
        self._schedule = Schedule(at, count=count)
        self._raise = on_error == "raise"
        self._failures: list[str] = []
        self._epochs: int | None = None
        self._start = 0
        self._metrics: dict[str, float] = {}
        self._last_step = 0
        self.log_to(logger)

    @property
    def failures(self) -> list[str]:
        """What failed so far and was logged as an error, with its consequence, in the order of time."""
        return list(self._failures)

    @property
    def logs(self) -> bool:
        """Whether there is a logger."""
        return self._write is not None

    @property
    def estimates(self) -> bool:
        """Whether there are numbers for a logger after every snapshot."""
        return True

    def log_to(self, logger: Any) -> None:
        """Set the logger that receives the numbers, as a trainer has one of its own.

        Parameters
        ----------
        logger
            Logger, as in `writer`; None for none.
        """
        self._logger = logger
        self._write = None if logger is None else writer(logger)

    @validated
    def on(
        self,
        model: nn.Module,
        *,
        epochs: PositiveInt | None = None,
        start: NonNegativeInt = 0,
        layers: Sequence[str] | None = None,
        unit: Literal["epoch", "step"] | None = None,
        step: NonNegativeInt | None = None,
    ) -> Self:
        """Begin, and take the snapshot of `start` if it is due.

        Parameters
        ----------
        model
            Model to measure.
        epochs
            Number of epochs, or steps, in all; None if it is not known.
        start
            Epoch from which the training continues, with `resume=True` among the settings. Later snapshots are
            deleted, since they are taken again.
        layers
            Layers to measure, where they are known only with the model; None leaves those of the settings.
        unit
            What is counted, where a callback knows it; None leaves that of the settings.
        step
            Step under which a logger gets the numbers of `start`, as in `after`.

        Returns
        -------
        ScheduledSnapshots
            The object itself.

        Raises
        ------
        InvalidArgument
            If a number is out of range, or what measures the model raises it.
        """
        self._epochs, self._start = epochs, start
        if start not in self._open(model, start, layers, unit):
            self.after(start, step=step)
        return self

    def after(self, epoch: int, metrics: Mapping[str, Any] | None = None, *, step: int | None = None) -> bool:
        """Take the snapshot of an epoch if it is due.

        Parameters
        ----------
        epoch
            Number of the epoch, or step, that has ended.
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
            If it has not begun.
        """
        self._begun()
        self._metrics = {**self._metrics, **(metrics or {})}
        if not self._schedule.due(epoch, self._epochs):
            return False
        taken, self._metrics = self._metrics, {}
        with self.survived(f"no snapshot of epoch {epoch}"):
            self._take(epoch, taken, step)
            return True
        return False

    def report(self, **metrics: float) -> None:
        """Collect numbers for the next snapshot.

        Parameters
        ----------
        **metrics
            Numbers by name; a later number replaces an earlier one of the same name.
        """
        self._metrics.update(metrics)

    def close(self) -> None:
        """End, and send the picture to the logger."""
        with self.survived("the measurement was not closed"):
            self._end()
        if self._write is not None:
            with self.survived("no picture was logged"):
                self._send_picture()

    def survived(self, consequence: str) -> Survived:
        """Make the context that logs what fails inside as an error, or raises it where `on_error` is "raise".

        Parameters
        ----------
        consequence
            Clause that follows "so" in the message.

        Returns
        -------
        Survived
            Context manager.
        """
        return Survived(consequence, self._raise, self._failures)

    def _send(self, epoch: int, step: int | None, numbers: Mapping[str, float]) -> None:
        """Numbers to the logger, under the optimizer's step where there is one."""
        self._last_step = epoch if step is None else step
        if self._write is not None:
            self._write(numbers if step is None else {**numbers, "epoch": float(epoch)}, self._last_step)

    @abstractmethod
    def _begun(self) -> object:
        """Raise InvalidArgument where there is nothing that takes snapshots."""

    @abstractmethod
    def _open(self, model: nn.Module, start: int, layers: Sequence[str] | None, unit: str | None) -> Sequence[int]:
        """Begin to measure a model, delete snapshots later than `start`, and return the epochs that remain."""

    @abstractmethod
    def _take(self, epoch: int, metrics: Mapping[str, Any], step: int | None) -> None:
        """Take a snapshot, and send its numbers."""

    @abstractmethod
    def _end(self) -> None:
        """End what takes snapshots."""

    @abstractmethod
    def _send_picture(self) -> None:
        """Send the picture of all snapshots to the logger, where there is one."""

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
