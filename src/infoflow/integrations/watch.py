"""Recording in a plain training loop, on a schedule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
from torch import nn

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import validated
from infoflow.integrations.loggers import plane_numbers
from infoflow.integrations.pictures import log_picture
from infoflow.integrations.snapshots import OnError, ScheduledSnapshots
from infoflow.plane import Plane, Recorder, Recording, analyse, record
from infoflow.plane.placing import listed


class Watch(ScheduledSnapshots):
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
        estimators: Any = (),
        logger: Any = None,
        on_error: OnError = "warn",
        **settings: Any,
    ) -> None:
        self._probes, self._store, self._settings = (probe_x, probe_y), store, settings
        self._estimators = listed(estimators)
        self._planes: list[Plane] = []
        self._recorder: Recorder | None = None
        super().__init__(at, count, logger, on_error)
        if self.logs and not self._estimators:
            raise InvalidArgument("estimators", "given where a logger is, since it receives their numbers", estimators)

    @property
    def estimates(self) -> bool:
        """Whether snapshots are analyzed at once."""
        return bool(self._estimators)

    @property
    def recorder(self) -> Recorder:
        """The recorder, after `on` was called."""
        return self._begun()

    def _begun(self) -> Recorder:
        if self._recorder is None:
            raise InvalidArgument("The watch has not begun. Call .on(model, epochs=...) first.")
        return self._recorder

    def _open(self, model: nn.Module, start: int, layers: Sequence[str] | None, unit: str | None) -> Sequence[int]:
        given = {"layers": layers, "unit": unit}
        settings = {**self._settings, **{name: value for name, value in given.items() if value is not None}}
        self._recorder = record(model, *self._probes, store=self._store, **settings)
        self._recorder.truncate(start)
        return self._recorder.epochs

    def _take(self, epoch: int, metrics: Mapping[str, Any], step: int | None) -> None:
        self.recorder.snapshot(epoch, **metrics)
        if not self._estimators:
            return
        plane = analyse(Recording(self._store).only(epoch), self._estimators)
        if self.logs:
            self._planes.append(plane)
            for _, numbers in plane_numbers(plane.frame):
                self._send(epoch, step, numbers)

    def _end(self) -> None:
        if self._recorder is not None:
            self._recorder.close()

    def _send_picture(self) -> None:
        planes, self._planes = self._planes, []
        if planes:
            frame = pd.concat([plane.frame for plane in planes])
            metrics = pd.concat([plane.metrics for plane in planes])
            log_picture(Plane(frame, metrics, planes[-1].provenance), self._logger, step=self._last_step)
