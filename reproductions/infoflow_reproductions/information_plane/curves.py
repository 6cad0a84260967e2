"""A plane as few numbers, to be kept with a trial's result, and the plane again from those of several trials."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from infoflow.core.estimate import SATURATION
from infoflow.plane import Plane
from infoflow.plane.activation_geometry import COLUMNS as GEOMETRY

_CURVE = ["probe", "layer", "depth", "estimator", "axis"]
_DIGITS = 6

NOT_ESTIMATED = "not estimated"
"""The quantity of an axis that a row has no estimator for; its zeros are no figures."""

SIDES = ("train", "test")
"""Probes that are training or test inputs by themselves."""


def packed(plane: Plane) -> list[dict[str, Any]]:
    """One curve for each probe, layer, estimator and axis: nats and ceilings, epochs by seeds.

    What holds for single estimates only (intervals, warnings) is left out but for the warnings' texts.
    """
    curves = []
    for key, rows in plane.frame.groupby(_CURVE, sort=False):
        nats = rows.pivot(index="epoch", columns="seed", values="nats")
        ceilings = rows.pivot(index="epoch", columns="seed", values="ceiling")
        top = np.unique(ceilings)
        first = rows.iloc[0]
        curves.append(
            {
                **dict(zip(_CURVE, key, strict=True)),
                "quantity": first["quantity"],
                "kind": first["kind"],
                "ceiling_name": " or ".join(sorted(rows["ceiling_name"].unique())),
                "n": int(first["n"]),
                "epochs": [int(epoch) for epoch in nats.index],
                "seeds": [int(seed) for seed in nats.columns],
                "nats": _rounded(nats.to_numpy()),
                "ceiling": _rounded(top[0]) if len(top) == 1 else _rounded(ceilings.to_numpy()),
                "warnings": sorted({text.partition(";")[0] for text in rows["warnings"] if text})[:3],
            }
        )
    return curves


def packed_metrics(plane: Plane) -> dict[str, Any]:
    """Metric -> epochs, seeds and values (epochs by seeds)."""
    found = {}
    for metric, rows in plane.metrics.groupby("metric", sort=False):
        values = rows.pivot(index="epoch", columns="seed", values="value")
        found[str(metric)] = {
            "epochs": [int(epoch) for epoch in values.index],
            "seeds": [int(seed) for seed in values.columns],
            "values": _rounded(values.to_numpy()),
        }
    return found


def packed_geometry(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """One curve for each layer and measure, the means over seeds."""
    curves = []
    for (layer, depth, measure), rows in frame.groupby(["layer", "depth", "measure"], sort=False):
        mean = rows.groupby("epoch")["value"].mean()
        curves.append(
            {
                "layer": layer,
                "depth": int(str(depth)),
                "measure": measure,
                "epochs": [int(epoch) for epoch in mean.index],
                "values": _rounded(mean.to_numpy()),
            }
        )
    return curves


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
    """The mean geometry over the trials of one network, in the columns of `infoflow.plane.geometry_of`."""
    rows = [
        [network, "probe", curve["layer"], curve["depth"], number, epoch, curve["measure"], value]
        for number, result in enumerate(results)
        for curve in result.get("geometry", [])
        for epoch, value in zip(curve["epochs"], curve["values"], strict=True)
    ]
    return pd.DataFrame(rows, columns=GEOMETRY)


def _rows(network: str, curve: Mapping[str, Any]) -> list[dict[str, Any]]:
    shape = np.shape(curve["nats"])
    ceilings = np.broadcast_to(np.asarray(curve["ceiling"], float), shape)
    rows = []
    for i, epoch in enumerate(curve["epochs"]):
        for j, seed in enumerate(curve["seeds"]):
            nats, ceiling = float(curve["nats"][i][j]), float(ceilings[i, j])
            rows.append(
                {
                    "network": network,
                    **{name: curve[name] for name in (*_CURVE, "quantity", "kind", "ceiling_name", "n")},
                    # One name for all others: which estimator sees how many inputs differs from network to network.
                    "probe": curve["probe"] if curve["probe"] in SIDES else "probe",
                    "seed": seed,
                    "epoch": epoch,
                    "nats": nats,
                    "ceiling": ceiling,
                    "saturated": math.isfinite(ceiling) and nats >= ceiling * (1 - SATURATION),
                    "low": math.nan,
                    "high": math.nan,
                    "spans": "",
                    "warnings": "; ".join(curve["warnings"]),
                }
            )
    return rows


def _rounded(values: Any) -> Any:
    return np.round(values, _DIGITS).tolist()
