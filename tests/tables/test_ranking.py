"""Rankings: the right columns on top, synergy and redundancy, missing values, series, rows that state what is wrong."""

from __future__ import annotations

import contextlib
import math
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet
import pytest

import infoflow
from infoflow.cli import main
from infoflow.errors import InvalidArgument, MissingData, UnknownName
from infoflow.tables import rank


def everyday(n: int = 2000, seed: int = 1) -> tuple[pd.DataFrame, set[str]]:
    """Thirty columns, ten of which depend on the target: numbers, categories, and numbers with 5 % missing."""
    rng = np.random.default_rng(seed)
    y = rng.normal(size=n)
    columns = {}
    for i in range(10):
        columns[f"number{i}"] = (y * (0.5 + 0.05 * i) if i < 4 else 0.0) + rng.normal(size=n)
        hidden = (y if i < 3 else rng.normal(size=n)) + rng.normal(size=n)
        columns[f"category{i}"] = np.array(list("abcd"))[np.digitize(hidden, [-1, 0, 1])]
        hole = (1.5 * np.abs(y) if i < 3 else 0.0) + rng.normal(size=n)
        columns[f"hole{i}"] = np.where(rng.random(n) < 0.05, np.nan, hole)
    related = {f"number{i}" for i in range(4)} | {f"{kind}{i}" for kind in ("category", "hole") for i in range(3)}
    return pd.DataFrame({**columns, "target": y}), related


def test_the_related_columns_are_on_top_with_small_q_values_in_library_and_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table, related = everyday()
    start = time.process_time()
    ranking = infoflow.rank(table, "target", permutations=200)
    assert time.process_time() - start < 20
    top, rest = ranking.frame[:10], ranking.frame[10:]
    assert set(top["column"]) == related
    assert (top["q_value"] < 0.05).all()
    assert (rest["q_value"] > 0.05).all()
    holes = ranking.frame.set_index("column").filter(like="hole", axis=0)
    assert holes["n"].tolist() == [int(table[name].notna().sum()) for name in holes.index]
    # The linear ones have known information: ½ log(1 + a²).
    number = ranking.frame.set_index("column").loc["number3", "nats"]
    assert number == pytest.approx(0.5 * math.log(1 + 0.65**2), abs=0.03)
    monkeypatch.chdir(tmp_path)
    table.to_csv("table.csv", index=False)
    assert main(["rank", "table.csv", "--y", "target", "--permutations", "200"]) == 0
    capsys.readouterr()
    written = pd.read_csv("ranking.csv", keep_default_na=False, na_values=[""])
    assert written["column"].tolist() == ranking.names
    np.testing.assert_allclose(written["q_value"], ranking.frame["q_value"])
    np.testing.assert_allclose(written["nats"], ranking.frame["nats"])


@pytest.mark.slow
def test_false_discoveries_are_as_rare_as_q_values_state() -> None:
    shares = []
    for seed in range(10):
        table, related = everyday(seed=seed)
        ranking = infoflow.rank(table, "target", permutations=200)
        assert set(ranking.names[:10]) == related
        found = ranking.frame.loc[ranking.frame["q_value"] < 0.05, "column"]
        assert related <= set(found)
        shares.append(1 - len(related) / len(found))
    # Benjamini and Hochberg: at most 5 % · 20/30 in the mean, which one false discovery in every third table is.
    assert np.mean(shares) < 0.05


def test_pairs_find_xor_whose_single_columns_carry_nothing() -> None:
    rng = np.random.default_rng(1)
    table = {f"noise{i}": rng.integers(2, size=600) for i in range(8)}
    table |= {"a": rng.integers(2, size=600), "b": rng.integers(2, size=600)}
    y = table["a"] ^ table["b"]
    ranking = rank(table, y, method="pairs", permutations=99)
    assert set(ranking.names[:2]) == {"a", "b"}
    assert ranking.frame["partner"][:2].tolist() == ranking.names[1::-1]
    assert ranking.frame["nats"][0] == pytest.approx(math.log(2), abs=0.02)
    assert ranking.frame["p_value"][:2].tolist() == [0.01, 0.01]
    assert (ranking.frame["p_value"][2:] > 0.01).sum() >= 7
    single = rank(table, y).frame.set_index("column")
    assert abs(single.loc["a", "nats"]) < 0.01


@pytest.mark.parametrize("method", ["mrmr", "cmim", "jmi"])
@pytest.mark.parametrize("kind", ["symbols", "numbers"])
def test_a_redundant_copy_comes_after_a_weaker_independent_column(method: str, kind: str) -> None:
    rng = np.random.default_rng(2)
    strong, weak = rng.normal(size=(2, 800))
    y = strong + 0.6 * weak + 0.3 * rng.normal(size=800)
    table = {"copy": strong + 1e-3 * rng.normal(size=800), "weak": weak, "strong": strong}
    if kind == "symbols":
        table = {name: np.digitize(values, [-0.7, 0, 0.7]) for name, values in table.items()}
        y = np.digitize(y, [-0.7, 0, 0.7])
    names = rank(table, y, method=method).names
    assert set(names) == set(table)
    assert names[1] == "weak"
    assert rank(table, y).names[2] == "weak"


def autoregressive(seed: int, n: int = 500) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=(2, n))
    series = np.zeros((2, n))
    for t in range(1, n):
        series[:, t] = 0.98 * series[:, t - 1] + noise[:, t]
    return series


def test_series_are_rotated_by_default_with_a_warning() -> None:
    small, shuffled = 0, 0
    for seed in range(20):
        x, y = autoregressive(seed)
        frame = rank({"x": x}, y, permutations=99, estimator="gaussian").frame
        small += frame["p_value"][0] < 0.05
        assert any("autocorrelated" in text for text in frame["warnings"][0])
        asked = rank({"x": x}, y, permutations=99, estimator="gaussian", surrogates="shuffle").frame
        shuffled += asked["p_value"][0] < 0.05
    assert small <= 2
    assert shuffled > 10


def test_columns_that_cannot_be_used_state_why_and_the_rest_is_ranked() -> None:
    y = np.random.default_rng(0).normal(size=100)
    table = pd.DataFrame(
        {"good": y + 1, "constant": 3.0, "empty": [None] * 100, "when": pd.date_range("2020", periods=100)}
    )
    table["infinite"] = np.where(np.arange(100) == 3, np.inf, y)
    table["names"] = [f"name {i}" for i in range(100)]
    frame = rank(table, y, permutations=19).frame.set_index("column")
    assert frame.index[0] == "good"
    assert "constant" in frame.loc["constant", "warnings"][0]
    assert frame.loc["constant", "nats"] == 0.0
    assert "missing values in all 100 rows" in frame.loc["empty", "warnings"][0]
    assert "dates or times" in frame.loc["when", "warnings"][0]
    assert "finite" in frame.loc["infinite", "warnings"][0]
    assert frame.loc["names", "warnings"]
    assert np.isnan(frame.loc["when", "nats"])


def test_bad_input_is_one_clear_error(tmp_path: Path) -> None:
    table = pd.DataFrame({"age": [1.0, 2.0, 3.0], "label": [0, 1, 0]})
    with pytest.raises(UnknownName, match="Did you mean 'label'"):
        rank(table, "lable")
    with pytest.raises(InvalidArgument, match="unique column names"):
        rank(pd.concat([table, table], axis=1), "label")
    with pytest.raises(InvalidArgument, match="target must be a variable with at least two"):
        rank(table.assign(label=1), "label")
    with pytest.raises(InvalidArgument, match="target must be symbols of which one occurs at least twice, got 3"):
        rank(table.assign(label=["a", "b", "c"]), "label")
    with pytest.raises(InvalidArgument, match="n_jobs must be"):
        rank(table, "label", n_jobs=0)
    with pytest.raises(InvalidArgument, match="missing values"):
        rank(table.assign(label=["a", None, "b"]), "label", missing="raise")
    with pytest.raises(InvalidArgument, match="target must be finite|age"):
        rank(table.assign(age=[1.0, None, 2.0]), "label", missing="raise", estimator="gaussian")
    with pytest.raises(MissingData, match="no file"):
        rank(tmp_path / "none.parquet", "y")
    (tmp_path / "not.parquet").write_text("a,b\n1,2\n")
    with pytest.raises(InvalidArgument, match="a Parquet file"):
        rank(tmp_path / "not.parquet", "y")
    plain = pyarrow.table({"a": [1.0, 2.0, 3.0], "y": [0, 1, 0]})
    for notes in ("[" * 100_000, "{", "[]", "3", '{"index_columns": 3}', '{"index_columns": "a"}'):
        pyarrow.parquet.write_table(plain.replace_schema_metadata({"pandas": notes}), tmp_path / "notes.parquet")
        with contextlib.suppress(InvalidArgument):
            assert list(rank(tmp_path / "notes.parquet", "y", estimator="binning").frame["column"]) == ["a"]
    with pytest.raises(UnknownName, match="unknown method"):
        rank(table, "label", method="univariat")
    with pytest.raises(InvalidArgument, match="columns must be different names, got 'age' twice"):
        rank(table, "label", columns=["age", "age"])
    with pytest.raises(InvalidArgument, match="columns must be without the target"):
        rank(table, "label", columns=["age", "label"])
    with pytest.raises(
        InvalidArgument, match="column 'age' and target must hold the same number of samples, got 3 and"
    ):
        rank(table, [0, 1])
    with pytest.raises(InvalidArgument, match="table must be a table with rows"):
        rank(pd.DataFrame({"age": [], "label": []}), "label")


def test_every_kind_of_table_gives_the_same_ranking(tmp_path: Path) -> None:
    table, _ = everyday(200)
    table = table[["number3", "category0", "hole0", "target"]]
    table.to_parquet(tmp_path / "table.parquet")
    pyarrow = pytest.importorskip("pyarrow")
    indexed = table.set_index(np.arange(200)[::-1])
    indexed.to_parquet(tmp_path / "indexed.parquet")
    kinds = [
        indexed,
        dict(table),
        pyarrow.Table.from_pandas(table),
        pyarrow.Table.from_pandas(indexed),
        tmp_path / "table.parquet",
        tmp_path / "indexed.parquet",
    ]
    expected = rank(table, "target").frame.drop(columns="warnings")
    for kind in kinds:
        pd.testing.assert_frame_equal(rank(kind, "target").frame.drop(columns="warnings"), expected)
    array = rank(table[["number3", "hole0"]].to_numpy(), table["target"].to_numpy())
    assert set(array.names) == {0, 1}


def test_plot_and_csv(tmp_path: Path) -> None:
    table, _ = everyday(200)
    ranking = rank(table[["number3", "category0", "target"]], "target", permutations=19)
    axes = ranking.plot()
    assert ("gray: q > 0.05" in axes.get_xlabel()) == bool((ranking.frame["q_value"] > 0.05).any())
    assert "gray" not in rank(table[["number3", "target"]], "target").plot().get_xlabel()
    assert [text.get_text() for text in axes.get_yticklabels()] == [str(name) for name in ranking.names]
    assert ranking.plot(axes) is axes
    ranking.to_csv(tmp_path / "ranking.csv")
    written = pd.read_csv(tmp_path / "ranking.csv")
    assert written["column"].tolist() == ranking.names
    assert written["nats"].tolist() == pytest.approx(ranking.frame["nats"].tolist())


def test_processes_and_progress_change_nothing() -> None:
    table, _ = everyday(100)
    table = table[["number3", "category0", "target"]]
    seen: list[object] = []
    found = rank(table, "target", progress=lambda work, total: [seen.append((each, total)) or each for each in work])
    assert seen == [("number3", 2), ("category0", 2)]
    pd.testing.assert_frame_equal(found.frame, rank(table, "target", n_jobs=2).frame)


def test_a_bar_shows_the_progress_where_it_is_asked_for(capfd: pytest.CaptureFixture[str]) -> None:
    table = {"a": [0, 1] * 20, "b": [0, 0, 1, 1] * 10, "y": [0, 1] * 20}
    quiet = rank(table, "y")
    assert capfd.readouterr().err == ""
    shown = rank(table, "y", progress=True)
    assert "2/2" in capfd.readouterr().err
    pd.testing.assert_frame_equal(shown.frame, quiet.frame)


def test_memory_does_not_grow_with_the_columns_of_a_parquet_file(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    n, peaks = 20_000, {}
    rng = np.random.default_rng(0)
    for count in (4, 16):
        path = tmp_path / f"{count}.parquet"
        columns = {f"column{i}": rng.normal(size=n) for i in range(count)}
        parquet.write_table(pyarrow.table({**columns, "y": rng.integers(2, size=n)}), path)
        del columns
        held: list[int] = []

        def watched(names, total, held=held):
            for name in names:
                yield name
                held.append(pyarrow.total_allocated_bytes())

        tracemalloc.start()
        assert len(rank(path, "y", estimator="binning", permutations=9, progress=watched)) == count
        peaks[count] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert max(held) - min(held) <= 2 * 8 * n
    assert peaks[16] < peaks[4] + 2 * 8 * n
