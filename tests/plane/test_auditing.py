from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from infoflow.core.estimate import Estimate, Kind, LayerInformation
from infoflow.estimators.kernel.kernel_density import KernelDensity
from infoflow.plane import Plane, analyse, audit, record
from infoflow.plane.auditing import Audit


def checks(audited: Audit, check: str) -> pd.DataFrame:
    return audited.checks[audited.checks["check"] == check]


def changed(plane: Plane, rows: Any, **values: Any) -> Plane:
    frame = plane.frame.copy()
    for column, value in values.items():
        frame.loc[rows, column] = value
    return Plane(frame, plane.metrics, plane.provenance)


def test_a_consistent_plane_passes(plane: Plane) -> None:
    audited = plane.audit()
    assert audited.ok
    assert (audited.checks["checked"] > 0).all()
    assert checks(audited, "estimate ≤ ceiling")["checked"].sum() == len(plane.frame)
    assert checks(audited, "I(T;Y) ≤ H(Y)")["checked"].sum() == len(plane.frame) // 2
    assert (audited.checks["worst"] == 0).all()
    assert "all guaranteed checks hold" in str(audited)
    assert len(audited.compression) == 2 * 2 * 4
    assert isinstance(audit(plane), Audit)


def test_each_violation_is_located(plane: Plane) -> None:
    frame = plane.frame
    place = (frame["network"] == "tanh") & (frame["layer"] == "tanh2") & (frame["seed"] == 1)
    place &= (frame["epoch"] == 60) & (frame["estimator"] == "Binning(bins=30)")
    inputs, labels = place & (frame["axis"] == "input"), place & (frame["axis"] == "label")
    ceiling = frame[inputs]["ceiling"].item()
    cases = [
        ("estimate ≤ ceiling", inputs, ceiling + 0.25, 0.25),
        ("I(T;Y) ≤ I(X;T)", inputs, 0.1, frame[labels]["nats"].item() - 0.1),
        ("I(T;Y) ≤ H(Y)", labels, math.log(2) + 0.01, 0.01),
    ]
    for check, rows, value, excess in cases:
        audited = changed(plane, rows, nats=value).audit()
        assert not audited.ok
        row = checks(audited, check)
        row = row[row["violated"] > 0]
        assert row[["network", "estimator", "violated"]].values.tolist() == [["tanh", "Binning(bins=30)", 1]]
        assert row["worst"].item() == pytest.approx(excess)
        assert row["where"].item() == "probe probe, layer tanh2, epoch 60, seed 1"
        assert f"FAILED: {check}, tanh, Binning(bins=30): 1 of " in str(audited)


def test_rounding_is_no_violation(plane: Plane) -> None:
    assert changed(plane, plane.frame["saturated"], ceiling=plane.frame["nats"] - 1e-7).audit().ok


def test_a_violation_that_is_not_guaranteed_against_does_not_fail(plane: Plane) -> None:
    frame = plane.frame
    loose = changed(plane, frame["axis"] == "input", nats=0.01, kind="lower bound").audit()
    row = checks(loose, "I(T;Y) ≤ I(X;T)")
    assert not row["promised"].any()
    assert (row["violated"] > 0).all()
    assert loose.ok
    assert "not guaranteed: I(T;Y) ≤ I(X;T)" in str(loose)


def test_the_label_entropy_comes_from_the_analysis_where_no_ceiling_is_h_of_y(plane: Plane) -> None:
    frame = plane.frame.assign(ceiling=5.0, ceiling_name="log m")
    frame.loc[frame["axis"] == "input", "ceiling"] = 10.0
    recordings = {name: {"probes": {"probe": {"label_entropy": 0.3}}} for name in plane.networks}
    assert len(checks(Plane(frame).audit(), "I(T;Y) ≤ H(Y)")) == 0
    audited = Plane(frame, plane.metrics, {"recordings": recordings}).audit()
    assert (checks(audited, "I(T;Y) ≤ H(Y)")["violated"] > 0).all()


def test_lower_and_upper_bounds_of_one_estimator_are_compared(plane: Plane) -> None:
    inputs = plane.frame[plane.frame["estimator"].str.startswith("KernelDensity")]
    upper = inputs[inputs["axis"] == "input"].assign(kind="upper bound")
    lower = upper.assign(
        kind="lower bound", estimator="KernelDensity(variance=0.1, bound='lower')", nats=upper["nats"] / 2
    )
    other = lower.assign(estimator="KernelDensity(variance=0.2, bound='lower')", nats=upper["ceiling"])
    audited = Plane(pd.concat([upper, lower, other])).audit()
    bounds = checks(audited, "lower ≤ upper")
    assert bounds["network"].tolist() == ["tanh", "relu"]
    assert set(bounds["estimator"]) == {"KernelDensity(variance=0.1)"}
    assert bounds["checked"].sum() == len(upper)
    assert audited.ok
    assert not Plane(pd.concat([upper, lower.assign(nats=upper["nats"] + 0.1)])).audit().ok
    default = upper.assign(estimator="KernelDensity")
    also = lower.assign(estimator="KernelDensity(bound='lower')", nats=upper["nats"] + 0.1)
    assert not Plane(pd.concat([default, also])).audit().ok


def test_bounds_of_a_real_analysis_are_paired(tmp_path: Path) -> None:
    x = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    with record(nn.Sequential(nn.Tanh()), x, torch.arange(40) % 2, store=tmp_path) as recorder:
        recorder.snapshot(0)
    estimators = [KernelDensity(variance=v, bound=b) for v in (0.1, 1.0) for b in ("upper", "lower")]
    audited = analyse(tmp_path, estimators).audit()
    assert len(checks(audited, "lower ≤ upper")) == 2
    assert audited.ok


@dataclass(frozen=True)
class Count:
    """H(T) by counting rows; what is computed from a layer can't have more of them."""

    promises_data_processing: ClassVar[bool] = True
    add: float = 0.0

    def measure(self, t: Any, y: Any, x: Any = None) -> LayerInformation:
        _, counts = np.unique(np.asarray(t), axis=0, return_counts=True)
        p = counts / counts.sum()
        entropy = Estimate(float(-(p * np.log(p)).sum()), "H(T)", Kind.EXACT, "Count", len(y))
        return LayerInformation(entropy, Estimate(0.0, "I(T;Y)", Kind.EXACT, "Count", len(y)))


@pytest.mark.parametrize("layers", [["0", "1"], ["1", "0"]])
def test_the_order_in_depth_is_required_where_it_is_guaranteed(tmp_path: Path, layers: list[str]) -> None:
    x = torch.arange(-8.0, 8.0).reshape(-1, 1)
    with record(
        nn.Sequential(nn.Tanh(), nn.ReLU()), x, torch.arange(16) % 2, store=tmp_path, layers=layers
    ) as recorder:
        recorder.snapshot(0)
    plane = analyse(tmp_path, [Count()])
    audited = plane.audit()
    row = checks(audited, "I(X;T) falls with depth")
    in_order = layers == ["0", "1"]
    assert bool(row["promised"].item()) == in_order
    assert row["violated"].item() == (0 if in_order else 1)
    assert audited.ok  # in the wrong order nothing is guaranteed
    swapped = plane.frame.assign(depth=1 - plane.frame["depth"])
    assert Plane(swapped, plane.metrics, plane.provenance).audit().ok != in_order


def test_a_violated_order_does_not_fail_where_nothing_is_guaranteed(make_plane: Callable[..., Plane]) -> None:
    plane = make_plane()
    audited = changed(plane, plane.frame["layer"] == "tanh1", nats=0.01).audit()
    row = checks(audited, "I(X;T) falls with depth")
    assert (row[row["network"] == "tanh"]["violated"] > 0).all()
    assert not row["promised"].any()


def test_depth_of_a_layer_whose_largest_unit_is_no_decision_is_not_judged(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3))
    for parameter in model.parameters():
        nn.init.normal_(parameter, generator=generator)
    x, y = torch.randn(60, 6, generator=generator), torch.arange(60) % 3
    with record(model, x, y, store=tmp_path / "run", unit="step", layers=["0", "1", "2"]) as recorder:
        recorder.snapshot(7)
    audited = analyse(tmp_path / "run", ["decision-rule", "binning:width=0.5"]).audit()
    assert "DecisionRule" not in set(checks(audited, "I(X;T) falls with depth")["estimator"])  # one layer alone is left
    assert checks(audited, "I(X;T) falls with depth")["checked"].tolist() == [2]
    places = audited.checks.loc[audited.checks["violated"] > 0, "where"]
    assert len(places) > 0
    assert places.str.contains("step 7").all()
