"""The table of an information plane, its columns and its files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Self

import pandas as pd

from infoflow.core.errors import BrokenStore, InvalidArgument, MissingData
from infoflow.core.files import write_atomically, write_json
from infoflow.core.provenance import plain
from infoflow.core.schema import decoded, parse_json, sealed, unsealed

FORMAT = "infoflow-plane"
VERSION = 1


@dataclass(frozen=True)
class _Head:
    format: str
    version: int
    provenance: dict[str, Any] = field(default_factory=dict)


COLUMNS: dict[str, str] = {
    "network": "str",
    "probe": "str",
    "layer": "str",
    "depth": "int64",
    "seed": "int64",
    "epoch": "int64",
    "estimator": "str",
    "axis": "str",
    "quantity": "str",
    "kind": "str",
    "nats": "float64",
    "ceiling": "float64",
    "ceiling_name": "str",
    "saturated": "bool",
    "low": "float64",
    "high": "float64",
    "spans": "str",
    "n": "int64",
    "warnings": "str",
}
KEY = ["network", "probe", "layer", "seed", "epoch", "estimator", "axis"]
METRIC_COLUMNS: dict[str, str] = {
    "network": "str",
    "seed": "int64",
    "epoch": "int64",
    "metric": "str",
    "value": "float64",
}


def _typed(frame: pd.DataFrame, columns: Mapping[str, str], name: str) -> pd.DataFrame:
    """The frame with these columns only, in this order and of these types, numbered from 0."""
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise InvalidArgument(
            name,
            f"a table with the columns {', '.join(columns)}",
            got_text=f"one without {', '.join(missing)}",
        )
    try:
        return frame.loc[:, list(columns)].astype(dict(columns)).reset_index(drop=True)
    except (ValueError, TypeError) as error:
        raise InvalidArgument(f"{name} holds values of a wrong type: {error}") from None


@dataclass(frozen=True, eq=False)
class PlaneTable:
    """The numbers of an information plane, without its figure, report and audit: see `infoflow.plane.Plane`."""

    frame: pd.DataFrame
    metrics: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(METRIC_COLUMNS)))
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        frame = _typed(self.frame, COLUMNS, "frame")
        metrics = _typed(self.metrics, METRIC_COLUMNS, "metrics")
        if frame["nats"].isna().any():
            row = frame[frame["nats"].isna()].iloc[0]
            raise InvalidArgument("frame", "free of NaN in nats", got_text=f"NaN at {dict(row[KEY])}")
        repeated = frame.duplicated(KEY)
        if repeated.any():
            row = frame[repeated].iloc[0]
            raise InvalidArgument("frame", "a table with one row per point", got_text=f"two rows for {dict(row[KEY])}")
        object.__setattr__(self, "frame", frame)
        object.__setattr__(self, "metrics", metrics)
        object.__setattr__(self, "provenance", plain(self.provenance))

    @property
    def networks(self) -> list[str]:
        """Names of the networks, in the order in which they were passed."""
        return self._values("network")

    @property
    def probes(self) -> list[str]:
        """Names of the probe sets, in the order in which they were recorded."""
        return self._values("probe")

    @property
    def estimators(self) -> list[str]:
        """Names of the estimators with their settings, in the order in which they were passed."""
        return self._values("estimator")

    @property
    def time(self) -> str:
        """What the numbers in the column "epoch" count: "step" where every recording counted steps, else "epoch"."""
        found = {str(part.get("unit", "epoch")) for network in self.networks for part in self.recordings(network)}
        return "step" if found == {"step"} else "epoch"

    def recordings(self, network: str) -> list[Mapping[str, Any]]:
        """Descriptions of the recordings of one network, as far as the provenance holds them."""
        found = self.provenance.get("recordings", {}).get(network, {})
        parts: list[Mapping[str, Any]] = found.get("parts", [found])
        return parts

    def _values(self, column: str) -> list[str]:
        return [str(name) for name in self.frame[column].unique()]

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write table and metrics (Parquet and CSV, nats) and provenance.json into a folder.

        Parameters
        ----------
        folder
            Folder, created when missing; each file is replaced atomically.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        InvalidArgument
            If `folder` is a file.
        """
        target = Path(folder)
        if target.exists() and not target.is_dir():
            raise InvalidArgument("folder", "a folder", got_text=f"the file {str(target)!r}")
        # Metrics first: of an epoch without estimates they are replaced when a killed run continues.
        for name, data in (("metrics", self.metrics), ("table", self.frame)):
            write_atomically(
                target / f"{name}.parquet", partial(data.to_parquet, index=False, write_page_checksum=True)
            )
            write_atomically(target / f"{name}.csv", partial(data.to_csv, index=False))
        head = {"format": FORMAT, "version": VERSION, "provenance": self.provenance}
        write_json(target / "provenance.json", sealed(head))
        return target

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Self:
        """Read what `save` wrote.

        Parameters
        ----------
        folder
            Folder that `save` returned.

        Returns
        -------
        Plane
            The same numbers and provenance.

        Raises
        ------
        MissingData
            If the folder holds no saved plane.
        BrokenStore
            If a file is damaged, or of another version.
        """
        source = Path(folder)
        head_file = source / "provenance.json"
        if not head_file.is_file():
            raise MissingData(f"No saved plane in {str(source)!r}: provenance.json is missing. Plane.save writes one.")
        try:
            content = parse_json(head_file.read_bytes())
            head = decoded(_Head, unsealed(content) if "sealed" in content else content)
        except (OSError, ValueError) as error:
            raise BrokenStore(f"{str(head_file)!r} is damaged: {error}") from None
        if (head.format, head.version) != (FORMAT, VERSION):
            raise BrokenStore(
                f"{str(source)!r} must be {FORMAT} version {VERSION}, got {head.format} version {head.version}."
            )
        tables = {}
        for name in ("table", "metrics"):
            path = source / f"{name}.parquet"
            try:
                tables[name] = pd.read_parquet(path, page_checksum_verification=True)
            except Exception as error:  # damaged metadata make pandas and pyarrow raise almost anything
                raise BrokenStore(f"{str(path)!r} cannot be read: {error}") from None
        return cls(tables["table"], tables["metrics"], head.provenance)
