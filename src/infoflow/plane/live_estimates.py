"""Estimates that are made as soon as a snapshot is taken, so that no activations are stored."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd

from infoflow.core.errors import InvalidArgument
from infoflow.core.files import is_incomplete
from infoflow.plane.analysis import analyse
from infoflow.plane.naming import display_names
from infoflow.plane.placing import all_placed
from infoflow.plane.plane import Plane
from infoflow.plane.recording import Recording
from infoflow.plane.store import Location, RecordingStore


class LiveEstimates:
    """The plane of a run that grows with every snapshot, saved in a folder each time."""

    def __init__(self, estimators: Any, location: Location, *, resume: bool, overwrite: bool) -> None:
        self._estimators = all_placed(estimators, "estimate_on_snapshot")
        if any(getattr(each, "scope", None) == "run" and each.low is None for each in self._estimators):
            unknown = "The range of a run is known only at its end."
            raise InvalidArgument("estimate_on_snapshot", "estimators without scope='run'", "run", remedy=unknown)
        if not isinstance(location, str | os.PathLike) or "://" in os.fspath(location):
            raise InvalidArgument("store", "a folder with estimate_on_snapshot", location)
        self.folder = Path(location)
        self._plane: Plane | None = None
        if self.folder.exists() and (self.folder.is_file() or not all(map(is_incomplete, self.folder.iterdir()))):
            complete = (self.folder / "provenance.json").is_file()
            earlier = complete or self._begun()
            if not earlier or not (resume or overwrite):
                holds = "a plane" if earlier else "other content"
                remedy = "Pass resume=True to continue it or overwrite=True to replace it." if earlier else ""
                got = f"{str(self.folder)!r}, which holds {holds}"
                raise InvalidArgument("store", "a new folder", got_text=got, remedy=remedy)
            if resume and complete:
                self._plane = Plane.load(self.folder)
                known, names = self._plane.estimators, display_names(self._estimators)
                if known != names:
                    raise InvalidArgument("estimate_on_snapshot", f"{known} as in {str(self.folder)!r}", names)
                self._plane.save(self.folder)  # a killed process may have left some of the files behind

    def _begun(self) -> bool:
        """Whether the folder holds the first files of a plane that was being saved when its process was killed."""
        names = (
            {path.name for path in self.folder.iterdir() if not is_incomplete(path)} if self.folder.is_dir() else {""}
        )
        return names <= {f"{name}.{ending}" for name in ("table", "metrics") for ending in ("parquet", "csv")}

    @property
    def epochs(self) -> list[int]:
        """Epochs that were estimated, in order."""
        return [] if self._plane is None else sorted(int(epoch) for epoch in self._plane.frame["epoch"].unique())

    @property
    def plane(self) -> Plane:
        """All estimates so far."""
        if self._plane is None:
            raise InvalidArgument("There is no plane before the first snapshot. Call snapshot first.")
        return self._plane

    def take(self, store: RecordingStore, epoch: int) -> None:
        """Estimate the snapshot that the store in memory holds, save the plane, and empty the store."""
        try:
            part = analyse(Recording(store.location), self._estimators)
        finally:
            store.truncate(-1)
        self._join(part, epoch)

    def truncate(self, epoch: int) -> list[int]:
        """Delete the estimates later than an epoch."""
        later = [each for each in self.epochs if each > epoch]
        if self._plane is not None and later:
            frame, metrics = self._plane.frame, self._plane.metrics
            self._plane = Plane(
                frame[frame["epoch"] <= epoch], metrics[metrics["epoch"] <= epoch], self._plane.provenance
            )
            self._plane.save(self.folder)
        return later

    def _join(self, part: Plane, epoch: int) -> None:
        if self._plane is not None:
            tables = []
            for before, now in ((self._plane.frame, part.frame), (self._plane.metrics, part.metrics)):
                tables.append(pd.concat([before[before["epoch"] != epoch], now], ignore_index=True))
            keys = ["probe", "estimator", "depth", "seed", "epoch", "axis"]
            orders = {"probe": part.probes, "estimator": part.estimators}
            frame = tables[0].sort_values(
                keys, key=lambda column: column.map(orders[column.name].index) if column.name in orders else column
            )
            part = Plane(frame, tables[1], part.provenance)
        self._plane = part
        self._plane.save(self.folder)
