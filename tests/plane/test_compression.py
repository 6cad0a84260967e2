from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from infoflow.estimators.histogram.decision_rule import DecisionRule
from infoflow.plane import compression as verdicts
from infoflow.plane.compression import compression

H_Y = math.log(2)


def frame(
    information: list[list[float]], label: list[float] | None = None, ceiling: float = 10.0, saturated: float = 0.99
) -> pd.DataFrame:
    """One layer; information[seed][snapshot] at epochs 0, 10, 20, ..."""
    rows = []
    for seed, values in enumerate(information):
        learnt = label if label is not None else np.linspace(0.0, 0.6, len(values)).tolist()
        for step, value in enumerate(values):
            common = {"network": "net", "probe": "probe", "estimator": "Exact", "layer": "tanh1", "depth": 0}
            common |= {"seed": seed, "epoch": 10 * step}
            at = {"axis": "input", "nats": value, "ceiling": ceiling, "saturated": value >= saturated * ceiling}
            rows.append(common | at)
            rows.append(common | {"axis": "label", "nats": learnt[step], "ceiling": H_Y, "saturated": False})
    return pd.DataFrame(rows)


def verdict(*arguments: object, **options: object) -> str:
    return str(compression(frame(*arguments, **options))["verdict"].item())  # type: ignore[arg-type]


def test_numbers_of_one_layer() -> None:
    table = compression(frame([[1.0, 4.0, 3.0], [2.0, 5.0, 2.0], [3.0, 8.0, 7.0]]))
    row = table.iloc[0]
    assert row[["first", "peak", "final", "rise"]].tolist() == [2.0, 5.0, 3.0, 3.0]
    assert (row["peak_epoch"], row["seeds"]) == (10, 3)
    # falls 1, 3, 1 and shares 1/4, 3/5, 1/8; quantiles by linear interpolation at 0.2 and 1.8
    assert row[["fall", "fall_low", "fall_high"]].tolist() == pytest.approx([1.0, 1.0, 1.0 + 0.8 * 2.0])
    assert row["fall_bits"] == pytest.approx(1.0 / math.log(2))
    assert row["share"] == pytest.approx(1 / 4)
    assert row["share_low"] == pytest.approx(1 / 8 + 0.2 * 1 / 8)
    assert row["share_high"] == pytest.approx(1 / 4 + 0.8 * (3 / 5 - 1 / 4))
    assert row[["fit", "fit_low", "fit_high"]].tolist() == pytest.approx([0.6] * 3)
    assert row["verdict"] == "compresses"


@pytest.mark.parametrize(
    ("information", "expected"),
    [
        ([[2.0, 5.0, 3.0], [2.0, 5.0, 2.0], [2.0, 5.0, 4.0]], verdicts.COMPRESSES),
        ([[2.0, 5.0, 4.9], [2.0, 5.0, 5.0], [2.0, 4.0, 3.9]], verdicts.DOES_NOT),
        ([[2.0, 5.0, 3.0], [2.0, 5.0, 5.0], [2.0, 5.0, 4.9]], verdicts.VARIES),
        ([[2.0, 5.0, 3.0]], verdicts.COMPRESSES),
        ([[2.0, 5.0, 4.76]], verdicts.DOES_NOT),
        ([[2.0, 5.0, 4.74]], verdicts.COMPRESSES),
        ([[10.0, 10.0, 10.0], [10.0, 10.0, 9.95]], verdicts.SATURATED),
        ([[10.0, 10.0, 8.0], [10.0, 10.0, 7.0]], verdicts.COMPRESSES),
        ([[0.0, 0.0, 0.0]], verdicts.EMPTY),
        ([[5.0], [3.0]], verdicts.TOO_FEW),
    ],
)
def test_the_band_over_seeds_decides(information: list[list[float]], expected: str) -> None:
    assert verdict(information) == expected


def test_a_network_that_has_not_fitted_gets_no_verdict() -> None:
    falling = [[5.0, 4.0, 3.0], [5.0, 4.0, 3.0]]
    assert verdict(falling, label=[0.0, 0.01, 0.01]) == verdicts.NO_FIT
    assert verdict(falling, label=[0.0, 0.1, 0.2]) == verdicts.COMPRESSES
    # Early layers hold the label from the beginning, which is no lack of fit.
    assert verdict(falling, label=[0.69, 0.69, 0.69]) == verdicts.COMPRESSES


def test_layers_estimators_and_networks_are_judged_separately() -> None:
    one = frame([[2.0, 5.0, 3.0]])
    parts = [
        one.assign(layer=layer, depth=depth, estimator=estimator, network=network)
        for depth, layer in enumerate(["a", "b"])
        for estimator in ("E", "F")
        for network in ("m", "n")
    ]
    parts[0] = parts[0].assign(nats=2.0)
    table = compression(pd.concat(parts))
    assert len(table) == 8
    assert (table["verdict"] == verdicts.COMPRESSES).sum() == 7
    assert table[["network", "estimator", "layer"]].drop_duplicates().shape[0] == 8


def test_seeds_may_be_recorded_at_different_epochs() -> None:
    table = frame([[2.0, 5.0, 3.0], [2.0, 6.0, 4.0]])
    table = table[~((table["seed"] == 1) & (table["epoch"] == 20))]
    row = compression(table).iloc[0]
    assert row["final"] == pytest.approx((3.0 + 6.0) / 2)


def test_the_epoch_of_the_peak_is_a_recorded_snapshot() -> None:
    """Peaks at 10 and 30: their mean, 20, is the peak of no seed."""
    assert compression(frame([[1.0, 4.0, 3.0, 2.0], [1.0, 2.0, 3.0, 4.0]]))["peak_epoch"].tolist() == [10]
    assert compression(frame([[1.0, 4.0], [5.0, 2.0], [1.0, 2.0]]))["peak_epoch"].tolist() == [10]


def test_a_layer_that_makes_no_decision_gets_no_verdict() -> None:
    table = frame([[1.0, 4.0, 1.0]])
    y, hidden = np.arange(12) % 3, np.random.default_rng(0).normal(size=(12, 5))
    warned = table.assign(warnings="; ".join(DecisionRule().measure(hidden, y).label.warnings))
    assert compression(table.assign(warnings=""))["verdict"].item() == verdicts.COMPRESSES
    assert compression(warned)["verdict"].item() == verdicts.NO_RULE
