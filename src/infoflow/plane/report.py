"""The information plane as one self-contained HTML page that opens offline."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import math
import os
import re
import textwrap
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from infoflow.core.errors import InvalidArgument
from infoflow.core.estimate import NATS_PER_BIT
from infoflow.core.files import write_text
from infoflow.plane.auditing import audit
from infoflow.plane.caveats import caveat
from infoflow.plane.table import PlaneTable

# Files of the page's program, in their order.
_PARTS = ("data", "numbers", "style", "plane", "curves", "tables", "drawing", "controls")

DIGITS = 6  # significant digits of single numbers on the page; the table file holds all


def write(plane: PlaneTable, path: str | os.PathLike[str]) -> None:
    """Write the plane as one self-contained HTML page.

    Parameters
    ----------
    plane : Plane
        The plane.
    path
        HTML file; an earlier one is replaced atomically.

    Raises
    ------
    InvalidArgument
        If the plane is empty, or the path is a folder.

    Notes
    -----
    The page draws I(T;Y) over I(X;T) of every network with a slider over epochs; both quantities, accuracy and loss
    through training; the audit, the provenance, and what the plane of the selected estimator can and cannot show. It
    contains its data and its program, makes no network requests, and shows every name as plain text.
    """
    target = Path(path)
    if target.is_dir():
        raise InvalidArgument("path", "the name of an HTML file", got_text=f"the folder {str(target)!r}")
    if plane.frame.empty:
        raise InvalidArgument("plane", "a plane with estimates", got_text="an empty one")
    page = render(plane)
    write_text(target, page)


def render(plane: PlaneTable) -> str:
    """The whole page as text."""
    assets = files("infoflow.plane") / "assets"
    data = payload(plane)
    scripts = {"chart": _script((assets / "chart.js").read_text(encoding="utf-8")), "program": _script(_program())}
    parts = {
        "title": html.escape(data["title"]),
        "summary": html.escape(data["summary"]),
        "style": (assets / "report.css").read_text(encoding="utf-8"),
        "data": embed(data),
        # Only these two scripts may run, so an event handler in a name cannot.
        "hashes": " ".join(_hash(script) for script in scripts.values()),
        **scripts,
    }
    template = (assets / "report.html").read_text(encoding="utf-8")
    return re.sub(r"<!--\[(\w+)\]-->", lambda found: parts[found[1]], template)


def embed(data: Any) -> str:
    """JSON for a script element: nothing in it can end the element or a line of the program.

    Examples
    --------
    >>> embed({"name": "</script><b>&"})
    '{"name":"\\\\u003c/script\\\\u003e\\\\u003cb\\\\u003e\\\\u0026"}'
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return re.sub("[<>&\u2028\u2029\ud800-\udfff]", lambda found: f"\\u{ord(found[0]):04x}", text)


def _program() -> str:
    """The parts of the page's program in one function, whose names they share."""
    folder = files("infoflow.plane") / "assets" / "report"
    parts = "\n".join((folder / f"{part}.js").read_text(encoding="utf-8") for part in _PARTS)
    return f'"use strict";\n(() => {{\n{textwrap.indent(parts, "  ")}}})();\n'


def _script(source: str) -> str:
    # The browser hashes the text after normalizing line ends; a closing tag in a string would end the element.
    lines = source.replace("\r\n", "\n").replace("\r", "\n")
    return re.sub(r"</(?=script)", r"<\\/", lines, flags=re.IGNORECASE)


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def payload(plane: PlaneTable) -> dict[str, Any]:
    """The plane as the page's program reads it: packed arrays by column, names once."""
    frame = plane.frame
    probes = plane.probes
    networks = [_network(plane, name) for name in plane.networks]
    cubes = []
    for (name, probe, label, axis), group in frame.groupby(["network", "probe", "estimator", "axis"], sort=False):
        which = plane.networks.index(str(name))
        position = {"network": which, "probe": probes.index(str(probe)), "axis": str(axis)}
        position["estimator"] = plane.estimators.index(str(label))
        cubes.append(position | _cube(group, networks[which]))
    audited = audit(plane)
    return {
        "title": f"Information plane: {', '.join(plane.networks)}",
        "summary": _summary(plane),
        "estimators": [{"label": label, "caveat": caveat(label)} for label in plane.estimators],
        "probes": probes,
        "time": plane.time,
        "epochs": sorted({int(epoch) for epoch in frame["epoch"].unique()}),
        "networks": networks,
        "cubes": cubes,
        "audit": {
            "ok": bool(audited.ok),
            "checks": _table(audited.checks),
            "compression": _table(audited.compression),
        },
        "provenance": _flat(plane.provenance),
        "warnings": _warnings(frame),
    }


def _network(plane: PlaneTable, name: str) -> dict[str, Any]:
    rows = plane.frame[plane.frame["network"] == name]
    layers = rows.drop_duplicates("layer").sort_values("depth", kind="stable")
    metrics = plane.metrics[plane.metrics["network"] == name]
    metric_epochs = sorted({int(epoch) for epoch in metrics["epoch"].unique()})
    seeds = sorted({int(seed) for seed in rows["seed"].unique()})
    metric_seeds = sorted({int(seed) for seed in metrics["seed"].unique()})
    return {
        "name": name,
        "layers": [str(layer) for layer in layers["layer"]],
        "seeds": seeds,
        "epochs": sorted({int(epoch) for epoch in rows["epoch"].unique()}),
        "metricEpochs": metric_epochs,
        "metricSeeds": metric_seeds,
        "metrics": {
            str(metric): _packed(_spread(group, "value", {"seed": metric_seeds, "epoch": metric_epochs}))
            for metric, group in metrics.groupby("metric", sort=False)
        },
    }


def _spread(group: pd.DataFrame, column: str, axes: Mapping[str, Sequence[Any]]) -> np.ndarray:
    """The column as a full array over the axes, NaN where the group has no row."""
    values = np.full([len(names) for names in axes.values()], np.nan)
    place = tuple(group[axis].map({name: i for i, name in enumerate(names)}) for axis, names in axes.items())
    values[place] = group[column].astype(float)
    return values


def _numbers(values: np.ndarray) -> list[float | None]:
    """Flat and rounded; NaN and infinity are null."""
    return [float(f"{v:.{DIGITS}g}") if math.isfinite(v) else None for v in values.ravel().tolist()]


def _packed(values: np.ndarray) -> str:
    """Flat little-endian 32-bit numbers in base64; infinity becomes NaN, which the page takes for missing."""
    finite = np.where(np.isfinite(values), values, np.nan)
    return base64.b64encode(finite.astype("<f4").tobytes()).decode("ascii")


def _cube(group: pd.DataFrame, network: dict[str, Any]) -> dict[str, Any]:
    """One quantity of one network over (layer, seed, epoch)."""
    axes = {"layer": network["layers"], "seed": network["seeds"], "epoch": network["epochs"]}
    cube: dict[str, Any] = {
        "quantity": " / ".join(group["quantity"].unique()),
        "kind": " / ".join(group["kind"].unique()),
        "n": int(group["n"].max()),
        "ceilings": [
            {"name": str(name), "nats": _numbers(np.array(part["ceiling"].max()))[0]}
            for name, part in group[np.isfinite(group["ceiling"])].groupby("ceiling_name", sort=False)
        ],
        "nats": _packed(_spread(group, "nats", axes)),
        "saturated": "".join("1" if v == 1 else "0" for v in _spread(group, "saturated", axes).ravel()),
    }
    if group["low"].notna().any():
        cube["low"], cube["high"] = (_packed(_spread(group, side, axes)) for side in ("low", "high"))
        cube["spans"] = " / ".join(name for name in group["spans"].unique() if name)
    return cube


def _summary(plane: PlaneTable) -> str:
    frame = plane.frame
    seeds, epochs = frame["seed"].nunique(), sorted(frame["epoch"].unique())
    samples = " / ".join(str(n) for n in sorted(frame["n"].unique()))
    ceilings = frame[np.isfinite(frame["ceiling"])].groupby("ceiling_name", sort=False)["ceiling"].max()
    limits = [f"{name} = {nats / NATS_PER_BIT:.2f} bits" for name, nats in ceilings.items() if name]
    when = f"from {plane.time} {epochs[0]} to {epochs[-1]}" if len(epochs) > 1 else f"({plane.time} {epochs[0]})"
    about = "the input X and the label Y" if "input" in set(frame["axis"]) else "the label Y"
    return (
        f"Information of each layer T of {_counted(len(plane.networks), 'network')} about {about}, at "
        f"{_counted(len(epochs), 'snapshot')} {when}, {_counted(int(seeds), 'seed')}, estimated from N = {samples} "
        "probe inputs" + (f" ({', '.join(limits)})." if limits else ".")
    )


def _counted(count: int, what: str) -> str:
    return f"{'one' if count == 1 else count} {what}{'' if count == 1 else 's'}"


def _table(frame: pd.DataFrame) -> dict[str, list[Any]]:
    """The columns by name; the page chooses and formats them."""
    return {str(name): _cells(frame[name]) for name in frame.columns}


def _cells(column: pd.Series[Any]) -> list[Any]:
    values = column.tolist()
    return values if all(isinstance(value, bool | str) for value in values) else _numbers(column.to_numpy(dtype=float))


def _flat(value: Any, name: str = "") -> list[tuple[str, str]]:
    """A nested description as (dotted name, text) rows."""
    if isinstance(value, Mapping):
        return [row for key, item in value.items() for row in _flat(item, f"{name}.{key}" if name else str(key))]
    if isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        return [row for i, item in enumerate(value) for row in _flat(item, f"{name}[{i}]")]
    return [(name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))]


def _warnings(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Warnings with counts; those that differ in their numbers only count as equal."""
    given = frame.loc[frame["warnings"] != "", ["estimator", "quantity", "warnings"]]
    if given.empty:
        return []
    shape = given["warnings"].str.replace(r"[-+]?\d[\d.,]*(?:e[-+]?\d+)?", "#", regex=True)
    rows = []
    for (label, quantity, _), group in given.groupby(["estimator", "quantity", shape], sort=False):
        texts = group["warnings"].unique()
        row = {"estimator": str(label), "quantity": str(quantity), "count": len(group), "text": str(texts[0])}
        rows.append({**row, "varies": len(texts) > 1})
    return sorted(rows, key=lambda row: -row["count"])
