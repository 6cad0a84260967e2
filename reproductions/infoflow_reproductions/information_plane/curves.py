"""A plane as few numbers, stored with a trial's result, and the plane again from those of several trials."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from infoflow.core.estimate import SATURATION
from infoflow.plane import Plane
from infoflow.plane.activation_geometry import COLUMNS as GEOMETRY

_KEY = ["probe", "layer", "depth", "estimator", "axis"]
_DIGITS = 6

NOT_ESTIMATED = "not estimated"
"""The quantity of an axis that has no estimator in a row; its zeros are not results."""

SIDES = ("train", "test")
"""Probes that hold training inputs alone or test inputs alone."""


@dataclass(frozen=True)
class Curve:
    """What one estimator gives for one layer on one axis: nats and ceilings, epochs by seeds."""

    layer: str
    depth: int
    estimator: str
    axis: str
    quantity: str
    kind: str
    epochs: Sequence[int]
    seeds: Sequence[int]
    nats: Any
    ceiling: Any = math.inf
    ceiling_name: str = ""
    n: int = 0
    probe: str = "probe"
    warnings: Sequence[str] = ()


def packed(plane: Plane) -> list[dict[str, Any]]:
    """One curve for each probe, layer, estimator and axis.

    What holds for single estimates only (intervals, warnings) is left out, except for the warnings' causes.
    """
    curves = []
    for _, rows in plane.frame.groupby(_KEY, sort=False):
        nats = rows.pivot(index="epoch", columns="seed", values="nats")
        ceilings = rows.pivot(index="epoch", columns="seed", values="ceiling")
        top, first = np.unique(ceilings), rows.iloc[0]
        place: dict[str, Any] = {name: first[name] for name in (*_KEY, "quantity", "kind")}
        place["depth"] = int(place["depth"])
        curve = Curve(
            **place,
            ceiling_name=" or ".join(sorted(rows["ceiling_name"].unique())),
            n=int(first["n"]),
            epochs=[int(epoch) for epoch in nats.index],
            seeds=[int(seed) for seed in nats.columns],
            nats=_rounded(nats.to_numpy()),
            ceiling=_rounded(top[0]) if len(top) == 1 else _rounded(ceilings.to_numpy()),
            warnings=sorted({text.partition(";")[0] for text in rows["warnings"] if text})[:3],
        )
        curves.append(asdict(curve))
    return curves


def packed_metrics(plane: Plane) -> dict[str, Any]:
    """Metric -> epochs, seeds and values (epochs by seeds)."""
    found = {}
    for metric, rows in plane.metrics.groupby("metric", sort=False):
        values = rows.pivot(index="epoch", columns="seed", values="value")
        epochs, seeds = ([int(number) for number in axis] for axis in (values.index, values.columns))
        found[str(metric)] = {"epochs": epochs, "seeds": seeds, "values": _rounded(values.to_numpy())}
    return found


def packed_geometry(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """One curve for each layer and measure: epochs by seeds."""
    curves = []
    for (layer, depth, measure), rows in frame.groupby(["layer", "depth", "measure"], sort=False):
        values = rows.pivot(index="epoch", columns="seed", values="value")
        curves.append(
            {
                "layer": layer,
                "depth": int(str(depth)),
                "measure": measure,
                "epochs": [int(epoch) for epoch in values.index],
                "seeds": [int(seed) for seed in values.columns],
                "values": _rounded(values.to_numpy()),
            }
        )
    return curves


def result_of(
    curves: Iterable[Curve], metrics: Mapping[str, Sequence[float]], epochs: Sequence[int], seed: int, truth: str
) -> dict[str, Any]:
    """The result of a trial with one seed, from its curves and its metrics by name, epoch by epoch."""
    return {
        "curves": [asdict(curve) for curve in curves],
        "metrics": {
            metric: {"epochs": list(epochs), "seeds": [seed], "values": one_seed(values)}
            for metric, values in metrics.items()
        },
        "truth": truth,
    }


def one_seed(values: Iterable[float]) -> list[list[float]]:
    """Epochs by one seed."""
    return [[value] for value in values]


def plane_of(found: Mapping[str, Iterable[Mapping[str, Any]]]) -> Plane:
    """The plane of several networks from their trials' results, network -> results with "curves" and "metrics"."""
    rows: list[dict[str, Any]] = []
    metrics: list[dict[str, Any]] = []
    truths = {}
    for network, results in found.items():
        for result in results:
            truths[network] = {"truth": result.get("truth", "")}
            for curve in result["curves"]:
                rows += _rows(network, curve)
            for metric, table in result.get("metrics", {}).items():
                metrics += [
                    {"network": network, "seed": seed, "epoch": epoch, "metric": metric, "value": value}
                    for epoch, values in zip(table["epochs"], table["values"], strict=True)
                    for seed, value in zip(table["seeds"], values, strict=True)
                ]
    frame = pd.DataFrame(rows)
    return Plane(frame, pd.DataFrame(metrics), {"recordings": truths}) if metrics else Plane(frame)


def geometry_of(network: str, results: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """The geometry of one network by its trials, in the columns of `infoflow.plane.geometry_of`."""
    rows = [
        [network, "probe", curve["layer"], curve["depth"], seed, epoch, curve["measure"], value]
        for result in results
        for curve in result.get("geometry", [])
        for epoch, values in zip(curve["epochs"], curve["values"], strict=True)
        for seed, value in zip(curve["seeds"], values, strict=True)
    ]
    return pd.DataFrame(rows, columns=GEOMETRY)


def _rows(network: str, curve: Mapping[str, Any]) -> list[dict[str, Any]]:
    ceilings = np.broadcast_to(np.asarray(curve["ceiling"], float), np.shape(curve["nats"]))
    shared = {
        "network": network,
        **{name: curve[name] for name in (*_KEY, "quantity", "kind", "ceiling_name", "n")},
        # One name for all others: the number of inputs that an estimator gets depends on the network.
        "probe": curve["probe"] if curve["probe"] in SIDES else "probe",
        "low": math.nan,
        "high": math.nan,
        "spans": "",
        "warnings": "; ".join(curve["warnings"]),
    }
    # The entropy of a decision among c classes is exact, also where it reaches log c.
    limited = curve["ceiling_name"] != "log c"
    rows = []
    for i, epoch in enumerate(curve["epochs"]):
        for j, seed in enumerate(curve["seeds"]):
            nats, ceiling = float(curve["nats"][i][j]), float(ceilings[i, j])
            saturated = limited and math.isfinite(ceiling) and nats >= ceiling * (1 - SATURATION)
            rows.append(
                {**shared, "seed": seed, "epoch": epoch, "nats": nats, "ceiling": ceiling, "saturated": saturated}
            )
    return rows


def _rounded(values: Any) -> Any:
    return np.round(values, _DIGITS).tolist()
