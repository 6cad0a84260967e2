"""Whether a verdict depends on an estimator's setting, on planes whose answer is known."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.plane import Plane, analyse, record
from infoflow.plane.sweeps import DEPENDS, INCONCLUSIVE, NEVER, SURVIVES, UNSURE, Sweep, sensitivity

SWEEP = Sweep("binning", "width", (0.01, 0.1, 1.0))


def plane(falls: list[list[float]], *, ceiling: float = 9.0) -> Plane:
    """`falls[setting][seed]` of 4 nats are lost after the first snapshot."""
    rows = []
    for (k, width), seed in itertools.product(enumerate(SWEEP.values), range(len(falls[0]))):
        for epoch, axis, nats in (
            (0, "input", 4.0),
            (1, "input", 4.0 - falls[k][seed]),
            (0, "label", 0.0),
            (1, "label", 0.6),
        ):
            rows.append(
                dict.fromkeys(("quantity", "ceiling_name", "spans", "warnings"), "")
                | {"network": "net", "probe": "probe", "layer": "tanh1", "depth": 0, "seed": seed, "epoch": epoch}
                | {"estimator": f"Binning(width={width})", "kind": "plug-in", "n": 100, "low": np.nan, "high": np.nan}
                | {"axis": axis, "nats": nats, "ceiling": ceiling if axis == "input" else 0.7}
                | {"saturated": axis == "input" and nats >= ceiling}
            )
    return Plane(pd.DataFrame(rows))


@pytest.mark.parametrize(
    ("falls", "verdict", "compressing"),
    [
        ([[2.0, 1.0], [2.0, 1.0], [1.0, 1.0]], SURVIVES, 3),
        ([[0.0, 0.0], [0.1, 0.0], [0.0, 0.0]], NEVER, 0),
        ([[0.0, 0.0], [2.0, 1.0], [2.0, 2.0]], DEPENDS, 2),
        ([[2.0, 0.0], [2.0, 1.0], [2.0, 2.0]], UNSURE, 2),
    ],
)
def test_the_verdict_follows_from_those_of_the_settings(
    falls: list[list[float]], verdict: str, compressing: int
) -> None:
    row = sensitivity(plane(falls), [SWEEP]).iloc[0]
    assert (row["verdict"], row["compressing"], row["judged"], row["settings"]) == (verdict, compressing, 3, 3)


def test_saturated_settings_judge_nothing() -> None:
    falls = [[0.0, 0.0], [0.0, 0.0], [2.0, 2.0]]
    row = sensitivity(plane(falls, ceiling=4.0), [SWEEP]).iloc[0]
    assert (row["judged"], row["verdict"]) == (1, INCONCLUSIVE)


def test_a_real_recording_by_a_real_sweep(tmp_path: Path) -> None:
    """Activations that are scaled to a point compress at every bin width."""
    layer = torch.nn.Linear(1, 1, bias=False)
    network = torch.nn.Sequential(layer, torch.nn.Identity())
    x = torch.linspace(-1, 1, 200)[:, None]
    y = (x[:, 0] > 0).long()
    with record(network, x, y, store=tmp_path / "run", layers=["1"], name="net") as recorder:
        for epoch, scale in enumerate((0.0, 4.0, 0.04)):
            with torch.no_grad():
                layer.weight.fill_(scale)
            recorder.snapshot(epoch)
    sweep = Sweep.over("binning", "width", 0.02, 0.5, count=3)
    found = sensitivity(analyse(tmp_path / "run", sweep.estimators()), [sweep])
    assert found["verdict"].tolist() == [SURVIVES]
    with pytest.raises(InvalidArgument, match=r"^plane must"):
        sensitivity(analyse(tmp_path / "run", sweep.estimators()[:2]), [sweep])


def test_invalid_sweeps_are_rejected() -> None:
    with pytest.raises(InvalidArgument, match=r"^values must"):
        Sweep("binning", "width", (0.1,))
    with pytest.raises(InvalidArgument, match=r"^high must"):
        Sweep.over("binning", "width", 1.0, 0.1)
    with pytest.raises(UnknownName, match="Did you mean 'binning'"):
        Sweep("bining", "width", (0.1, 1.0))
    with pytest.raises(InvalidArgument):
        Sweep("binning", "wdith", (0.1, 1.0))
