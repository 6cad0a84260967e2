"""The estimates of one snapshot by every estimator: what one worker of an analysis computes."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import joblib
import pandas as pd
from tqdm import tqdm

from infoflow import __version__
from infoflow.core.errors import DidNotConverge, InfoflowError, InvalidArgument
from infoflow.core.estimate import Estimate, LayerInformation
from infoflow.plane.array_files import Array
from infoflow.plane.naming import description
from infoflow.plane.placing import by_axis, measured
from infoflow.plane.recording import Recording
from infoflow.plane.table import COLUMNS
from infoflow.plane.table_cache import TableCache

log = logging.getLogger(__name__)

# An analysis stops when all workers are lost this often in a row without finishing a snapshot.
_LOSSES = 2


@runtime_checkable
class JointEstimator(Protocol):
    """An estimator of layers whose settings can share one pass over the data."""

    @staticmethod
    def measure_many(estimators: Sequence[Any], t: Any, y: Any, x: Any = None) -> Sequence[LayerInformation]: ...


@dataclass(frozen=True)
class SnapshotTask:
    """One snapshot of one probe, with the estimators to run on it."""

    network: str
    recording: Recording
    """With this snapshot only."""
    probe: str
    epoch: int
    layers: list[str]
    seeds: list[int]
    estimators: dict[int, dict[str, Any]]
    """By seed and name: a range over the whole run differs between seeds."""
    cache: TableCache | None

    def table(self) -> pd.DataFrame:
        """The rows of this snapshot, from the cache where it holds them."""
        return pd.concat([self._cached(names) for names in self._passes()], ignore_index=True)

    def _passes(self) -> list[list[str]]:
        """Names of the estimators, those that share a pass over the data together."""
        passes: dict[Any, list[str]] = {}
        for name, estimator in next(iter(self.estimators.values())).items():
            passes.setdefault(type(estimator) if isinstance(estimator, JointEstimator) else name, []).append(name)
        return list(passes.values())

    def _cached(self, names: list[str]) -> pd.DataFrame:
        if self.cache is None:
            return pd.DataFrame(self._rows(names), columns=list(COLUMNS))
        key = self._key(names)
        table = self.cache.get(key)
        if table is None:
            table = pd.DataFrame(self._rows(names), columns=list(COLUMNS))
            self.cache.put(key, table)
        return table

    def _key(self, names: list[str]) -> Any:
        """Everything that the rows depend on."""
        recording = self.recording
        return {
            "infoflow": __version__,
            "network": self.network,
            "probe": [self.probe, recording.probe_digest(self.probe)],
            "epoch": self.epoch,
            "layers": [
                [recording.layers.index(layer), layer, recording.digest(self.epoch, layer, self.probe)]
                for layer in self.layers
            ],
            "seeds": recording.seeds,
            "estimators": {
                str(seed): [[name, description(self.estimators[seed][name])] for name in names] for seed in self.seeds
            },
        }

    def _rows(self, names: list[str]) -> Iterator[dict[str, Any]]:
        recording = self.recording
        x, y = recording.inputs(self.probe), recording.labels(self.probe)
        for layer in self.layers:
            activations = recording.activations(self.epoch, layer, self.probe)
            for seed in self.seeds:
                point = {
                    "network": self.network,
                    "probe": self.probe,
                    "layer": layer,
                    "depth": recording.layers.index(layer),
                    "seed": seed,
                    "epoch": self.epoch,
                }
                t = activations[recording.seeds.index(seed)]
                estimators = {name: self.estimators[seed][name] for name in names}
                for name, estimates in _measured(estimators, t, y, x, point).items():
                    for axis, estimate in estimates:
                        yield {**point, "estimator": name, "axis": axis, **_columns(estimate)}
            del activations, t  # before the next layer is read


def _measured(
    estimators: Mapping[str, Any], t: Array, y: Array, x: Array, point: Mapping[str, Any]
) -> dict[str, list[tuple[str, Estimate]]]:
    """The estimates of each axis by the estimator's name; an exception names the point at which it was raised."""
    where = ", ".join(f"{name} {point[name]!r}" for name in ("network", "probe", "layer", "epoch", "seed"))
    members = list(estimators.values())
    try:
        if isinstance(members[0], JointEstimator):
            found = [by_axis(each) for each in type(members[0]).measure_many(members, t, y, x)]
        else:
            found = [measured(each, t, y, x) for each in members]
    except (InfoflowError, ValueError, ArithmeticError) as error:
        kind = DidNotConverge if isinstance(error, DidNotConverge) else InvalidArgument
        raise kind(f"{', '.join(estimators)} failed on {where}: {error}") from error
    except Exception as error:
        error.add_note(f"in {', '.join(estimators)} on {where}")
        raise
    return dict(zip(estimators, found, strict=True))


def _columns(estimate: Estimate) -> dict[str, Any]:
    interval = estimate.interval
    return {
        "quantity": estimate.quantity,
        "kind": str(estimate.kind),
        "nats": float(estimate.nats),
        "ceiling": float(estimate.ceiling),
        "ceiling_name": estimate.ceiling_name,
        "saturated": estimate.saturated,
        "low": float("nan") if interval is None else interval.low,
        "high": float("nan") if interval is None else interval.high,
        "spans": "" if interval is None else interval.spans,
        "n": estimate.n,
        "warnings": "; ".join(estimate.warnings),
    }


def tables(tasks: Sequence[SnapshotTask], n_jobs: int | None, progress: bool) -> list[pd.DataFrame]:
    """The tables of all tasks in their order; tasks of lost workers are repeated."""
    done: dict[int, pd.DataFrame] = {}
    losses = 0
    with tqdm(total=len(tasks), desc="estimating", unit="snapshot", disable=not progress) as bar:
        while len(done) < len(tasks):
            before = len(done)
            left = [index for index in range(len(tasks)) if index not in done]
            try:
                for index, table in _workers(n_jobs)(joblib.delayed(_numbered)(index, tasks[index]) for index in left):
                    done[index] = table
                    bar.update()
            except BrokenProcessPool as error:
                losses = losses + 1 if len(done) == before else 1
                if losses > _LOSSES:
                    error.add_note("Pass a folder as cache=, and the next call continues from the finished snapshots.")
                    raise
                log.warning(
                    "A worker process ended after %d of %d snapshots, most likely for lack of memory, so the rest is "
                    "repeated. Pass a smaller n_jobs= if it happens again.",
                    len(done),
                    len(tasks),
                )
    return [done[index] for index in range(len(tasks))]


def _workers(n_jobs: int | None) -> Any:
    """joblib's workers; results arrive as they are done, so that they survive the loss of a worker."""
    try:
        return joblib.Parallel(n_jobs=n_jobs, return_as="generator_unordered")
    except ValueError:  # Ray returns all at the end only
        return joblib.Parallel(n_jobs=n_jobs)


def _numbered(index: int, task: SnapshotTask) -> tuple[int, pd.DataFrame]:
    return index, task.table()
