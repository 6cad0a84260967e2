"""Matrices of information: symmetric, lagged, windowed, with q-values, and drawn."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import infoflow
from infoflow.errors import InvalidArgument, UnknownName
from infoflow.tables import information_matrix

RNG = np.random.default_rng(0)
X = RNG.normal(size=600)
TABLE = pd.DataFrame({"x": X, "y": X + RNG.normal(size=600), "noise": RNG.normal(size=600)})
TABLE["sign"] = np.where(X > 0, "plus", "minus")
TABLE.loc[::30, "y"] = np.nan


def test_every_entry_is_that_of_its_pair() -> None:
    found = infoflow.information_matrix(TABLE, permutations=99)
    values = found.frame.to_numpy()
    assert np.array_equal(values, values.T, equal_nan=True)
    assert np.isnan(np.diag(values)).all()
    assert found.frame.loc["x", "y"] == infoflow.mutual_information(TABLE["x"], TABLE["y"], missing="drop").nats
    assert found.frame.loc["sign", "x"] == pytest.approx(math.log(2), abs=0.03)
    assert found.q_values is not None
    assert found.q_values.loc["y", "x"] < 0.05 < found.q_values.loc["noise", "x"]


def test_a_lag_has_a_direction() -> None:
    y = np.r_[0.0, X[:-1]] + RNG.normal(size=600)
    found = information_matrix({"x": X, "y": y}, lag=1, estimator="gaussian")
    assert found.frame.loc["x", "y"] == pytest.approx(0.5 * math.log(2), abs=0.06)
    assert found.frame.loc["y", "x"] == pytest.approx(0.0, abs=0.01)


def test_windows_show_a_change() -> None:
    y = np.r_[X[:300], RNG.normal(size=300)] + RNG.normal(size=600)
    found = information_matrix({"x": X, "y": y}, window=300, step=300, estimator="gaussian").frame
    assert found.loc[(0, "x"), "y"] == pytest.approx(0.5 * math.log(2), abs=0.1)
    assert found.loc[(300, "x"), "y"] == pytest.approx(0.0, abs=0.02)


def test_plot_and_csv(tmp_path: Path) -> None:
    found = information_matrix(TABLE, estimator="mixed")
    axes = found.plot()
    labels = [text.get_text() for text in axes.get_xticklabels()]
    assert sorted(labels) == sorted(TABLE.columns)
    assert abs(labels.index("x") - labels.index("sign")) == 1
    found.to_csv(tmp_path / "matrix.csv")
    written = pd.read_csv(tmp_path / "matrix.csv", index_col=0)
    np.testing.assert_allclose(written.to_numpy(), found.frame.to_numpy())


def test_bad_input() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'noise'"):
        information_matrix(TABLE, columns=["x", "nose"])
    with pytest.raises(InvalidArgument, match="window must be at most"):
        information_matrix(TABLE, window=601)
    with pytest.raises(InvalidArgument, match="lag must be at most"):
        information_matrix(TABLE, lag=600)
    constant = information_matrix({"x": X, "empty": [None] * 600}, estimator="gaussian")
    assert np.isnan(constant.frame.loc["x", "empty"])
    assert constant.warnings["x", "empty"]


def test_columns_that_cannot_be_used_state_why_and_lengths_and_times_must_fit() -> None:
    times = pd.date_range("2020", periods=600)
    found = information_matrix({"x": X, "when": times, "constant": np.ones(600)}, estimator="gaussian")
    assert np.isnan(found.frame.loc["x", "when"])
    assert "dates or times" in found.warnings["x", "when"][0]
    assert found.frame.loc["x", "constant"] == 0.0
    with pytest.raises(InvalidArgument, match="column 'y' and column 'x' must hold the same number"):
        information_matrix({"x": X, "y": X[:100]})
    with pytest.raises(InvalidArgument, match="columns must be different names, got 'x' twice"):
        information_matrix(TABLE, columns=["x", "x"])
    with pytest.raises(InvalidArgument, match="dates or times"):
        information_matrix({"when": times})
    shuffled = pd.DataFrame({"x": X, "y": X}, index=times[RNG.permutation(600)])
    with pytest.raises(InvalidArgument, match="unsorted"):
        information_matrix(shuffled, lag=1)
    assert information_matrix(shuffled, estimator="gaussian").frame.shape == (2, 2)


def test_a_matrix_prints_its_numbers_and_counts_its_warnings() -> None:
    found = information_matrix({"x": X, "constant": np.ones(600)}, estimator="gaussian")
    assert "constant" in repr(found)
    assert len(repr(found)) < 300
    assert all(warning not in repr(found) for warnings in found.warnings.values() for warning in warnings)


def test_a_bar_counts_the_pairs_where_it_is_asked_for(capfd: pytest.CaptureFixture[str]) -> None:
    table = {"a": [0, 1] * 20, "b": [0, 0, 1, 1] * 10, "c": [0, 1] * 20}
    quiet = information_matrix(table)
    assert capfd.readouterr().err == ""
    shown = information_matrix(table, progress=True)
    assert "3/3" in capfd.readouterr().err
    pd.testing.assert_frame_equal(shown.frame, quiet.frame)
