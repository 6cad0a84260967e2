"""The information plane as a table: a row for each network, probe, layer, seed, epoch, estimator and axis."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from infoflow.core.errors import BrokenStore, InvalidArgument, MissingData
from infoflow.core.files import write_atomically
from infoflow.plane.provenance import plain

if TYPE_CHECKING:
    from infoflow.plane.auditing import Audit

FORMAT = "infoflow-plane"
VERSION = 1

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


def typed(frame: pd.DataFrame, columns: Mapping[str, str], name: str) -> pd.DataFrame:
    """The frame with just these columns, in this order and of these types, numbered from 0."""
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise InvalidArgument(f"{name} lacks the columns {', '.join(missing)}; want {', '.join(columns)}")
    try:
        return frame.loc[:, list(columns)].astype(dict(columns)).reset_index(drop=True)
    except (ValueError, TypeError) as error:
        raise InvalidArgument(f"{name} holds values of a wrong type: {error}") from None


@dataclass(frozen=True, eq=False)
class Plane:
    """The information plane of networks through training: I(X;T) and I(T;Y) of every layer, in nats.

    `frame` is tidy, with one row for each (network, probe, layer, seed, epoch, estimator, axis): `axis` is
    "input" for I(X;T) or what stands for it, "label" for I(T;Y); `nats` is never NaN; `low` and `high` (nats) are
    NaN where the estimator gave no interval. `metrics` is tidy too (network, seed, epoch, metric, value). Tishby
    & Zaslavsky, "Deep learning and the information bottleneck principle" (2015), section III, draw the plane.
    `infoflow.plane.analyse` makes one.

    Raises InvalidArgument for missing columns, wrong types, NaN estimates or two rows with the same key.

    >>> import pandas as pd
    >>> row = dict(network="net", probe="probe", layer="tanh1", depth=0, seed=0, epoch=0,
    ...            estimator="Binning(bins=30)", axis="label", quantity="I(Q(T);Y)", kind="plug-in", nats=0.5,
    ...            ceiling=0.69, ceiling_name="H(Y)", saturated=False, low=float("nan"), high=float("nan"),
    ...            spans="", n=100, warnings="")
    >>> plane = Plane(pd.DataFrame([row]))
    >>> plane.networks, plane.estimators, len(plane.frame)
    (['net'], ['Binning(bins=30)'], 1)
    """

    frame: pd.DataFrame
    metrics: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(METRIC_COLUMNS)))
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        frame = typed(self.frame, COLUMNS, "the plane's frame")
        metrics = typed(self.metrics, METRIC_COLUMNS, "the plane's metrics")
        if frame["nats"].isna().any():
            row = frame[frame["nats"].isna()].iloc[0]
            raise InvalidArgument(f"the plane's frame has a NaN estimate: {dict(row[KEY])}")
        repeated = frame.duplicated(KEY)
        if repeated.any():
            raise InvalidArgument(f"the plane's frame has two rows for {dict(frame[repeated].iloc[0][KEY])}")
        object.__setattr__(self, "frame", frame)
        object.__setattr__(self, "metrics", metrics)
        object.__setattr__(self, "provenance", plain(self.provenance))

    @property
    def networks(self) -> list[str]:
        """The networks' names, in the order in which they were given."""
        return [str(name) for name in self.frame["network"].unique()]

    @property
    def estimators(self) -> list[str]:
        """The estimators' labels, in the order in which they were given."""
        return [str(label) for label in self.frame["estimator"].unique()]

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Writes table.parquet, table.csv, metrics.parquet, metrics.csv and provenance.json into `folder`.

        Each file is replaced atomically. Returns the folder. Units: nats.

        Raises InvalidArgument when `folder` is a file.
        """
        target = Path(folder)
        if target.exists() and not target.is_dir():
            raise InvalidArgument(f"folder is {str(target)!r}, which is a file; want a folder")
        target.mkdir(parents=True, exist_ok=True)
        head = {"format": FORMAT, "version": VERSION, "provenance": self.provenance}
        for name, data in (("table", self.frame), ("metrics", self.metrics)):
            write_atomically(target / f"{name}.parquet", partial(data.to_parquet, index=False))
            write_atomically(target / f"{name}.csv", partial(data.to_csv, index=False))
        text = json.dumps(head, indent=2, ensure_ascii=False) + "\n"
        write_atomically(target / "provenance.json", lambda path: path.write_text(text, encoding="utf-8"))
        return target

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Plane:
        """Reads what `save` wrote.

        Raises MissingData when there is no saved plane, BrokenStore when it is damaged or of another version.
        """
        source = Path(folder)
        if not (source / "provenance.json").is_file():
            raise MissingData(
                f"no saved plane in {str(source)!r} (provenance.json is not there); Plane.save writes one"
            )
        try:
            head = json.loads((source / "provenance.json").read_text(encoding="utf-8"))
            found = (head.get("format"), head.get("version"))
        except (ValueError, AttributeError) as error:
            raise BrokenStore(f"{str(source / 'provenance.json')!r} is damaged: {error}") from None
        if found != (FORMAT, VERSION):
            raise BrokenStore(f"{str(source)!r} is {found[0]} version {found[1]}; want {FORMAT} version {VERSION}")
        tables = {}
        for name in ("table", "metrics"):
            path = source / f"{name}.parquet"
            try:
                tables[name] = pd.read_parquet(path)
            except (OSError, ValueError) as error:  # pyarrow's errors are of these two kinds
                raise BrokenStore(f"{str(path)!r} can't be read: {error}") from None
        return cls(tables["table"], tables["metrics"], head.get("provenance", {}))

    def figure(self, path: str | os.PathLike[str], **options: Any) -> Path:
        """Draws the plane into an image file, whose ending says the format, and returns its path."""
        from infoflow.plane.figure import draw

        draw(self, path, **options)
        return Path(path)

    def report(self, path: str | os.PathLike[str]) -> Path:
        """Writes the plane as one HTML file that opens offline, and returns its path."""
        from infoflow.plane.report import write

        write(self, path)
        return Path(path)

    def audit(self) -> Audit:
        """Whether the numbers can be true, and what each layer did: see `infoflow.plane.audit`."""
        from infoflow.plane.auditing import audit

        return audit(self)
