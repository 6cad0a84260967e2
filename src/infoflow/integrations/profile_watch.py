"""Profiles of a model in a training loop, on a schedule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torch import nn

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import validated
from infoflow.integrations.loggers import profile_numbers
from infoflow.integrations.pictures import log_picture
from infoflow.integrations.snapshots import OnError, ScheduledSnapshots
from infoflow.plane import Stream, stream
from infoflow.profiles import TrainingProfile


class ProfileWatch(ScheduledSnapshots):
    """Information profiles of a model through its training, for plain loops and inside the callbacks of the frameworks.

    Parameters
    ----------
    batches
        Held-out batches that can be run through repeatedly, as `infoflow.profile` takes them;
        `infoflow.profiles.windows` makes them of text.
    store
        Folder to which each snapshot is written; None keeps them in memory.
    at, count
        When to take snapshots, as in `Schedule`.
    logger
        Logger that receives value and null of every layer and quantity after each snapshot, as in `writer`, and at the
        end the picture, as in `log_picture`.
    on_error
        "warn": whatever fails is logged as an error and left out, and the training continues. "raise": the exception
        is raised.
    **settings
        Further arguments of `infoflow.plane.stream`.

    Raises
    ------
    InvalidArgument
        If a setting is out of range.

    Examples
    --------
    >>> import torch
    >>> model = nn.Sequential(nn.Embedding(50, 80), nn.Linear(80, 80), nn.ReLU(), nn.Linear(80, 50))
    >>> held_out = [torch.randint(50, (8, 32)) for _ in range(4)]
    >>> optimizer = torch.optim.Adam(model.parameters())
    >>> with ProfileWatch(held_out, count=4).on(model, epochs=20) as watch:
    ...     for step in watch:  # 1, 2, ..., 20
    ...         ids = torch.randint(50, (8, 33))
    ...         optimizer.zero_grad()
    ...         nn.functional.cross_entropy(model(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten()).backward()
    ...         optimizer.step()
    >>> watch.profile.steps
    [0, 1, 4, 20]
    """

    @validated
    def __init__(
        self,
        batches: Iterable[Any],
        *,
        store: Any = None,
        at: Iterable[int] | None = None,
        count: int | None = None,
        logger: Any = None,
        on_error: OnError = "warn",
        **settings: Any,
    ) -> None:
        self._batches, self._settings = batches, {"store": store, **settings}
        self._stream: Stream | None = None
        super().__init__(at, count, logger, on_error)

    @property
    def profile(self) -> TrainingProfile:
        """All snapshots so far."""
        return self._begun().profile

    def _begun(self) -> Stream:
        if self._stream is None:
            raise InvalidArgument("The watch has not begun. Call .on(model, epochs=...) first.")
        return self._stream

    def _open(self, model: nn.Module, start: int, layers: Sequence[str] | None, unit: str | None) -> Sequence[int]:
        given = {} if layers is None else {"layers": layers}
        self._stream = stream(model, self._batches, **{**self._settings, **given})
        self._stream.truncate(start)
        return self._stream.steps

    def _take(self, epoch: int, metrics: Mapping[str, Any], step: int | None) -> None:
        self._send(epoch, step, profile_numbers(self._begun().snapshot(epoch, **metrics)))

    def _end(self) -> None:
        if self._stream is not None:
            self._stream.close()

    def _send_picture(self) -> None:
        if self._stream is not None and self._stream.steps:
            log_picture(self._stream.profile, self._logger, step=self._last_step)
