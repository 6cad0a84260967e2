"""`infoflow rank`: the ranking of the library, as CSV and PNG; bad input is one line, and nothing is written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import infoflow
from infoflow.cli import main


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    y = rng.normal(size=300)
    frame = pd.DataFrame({"size": y + rng.normal(size=300), "noise": rng.normal(size=300), "y": y})
    frame["city"] = np.where(y + rng.normal(size=300) > 0, "Rome", "Oslo")
    frame.loc[::20, "size"] = np.nan
    frame.to_csv("d.csv", index=False)
    frame.to_parquet("d.parquet")
    return frame


@pytest.mark.parametrize("file", ["d.csv", "d.parquet"])
def test_the_files_hold_the_ranking_of_the_library(
    file: str, table: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rank", file, "--y", "y", "--permutations", "19"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert "written: ranking.csv, ranking.png" in captured.out
    expected = infoflow.rank(table, "y", permutations=19).frame
    written = pd.read_csv("ranking.csv")
    assert written["column"].tolist() == expected["column"].tolist()
    assert written["nats"].tolist() == pytest.approx(expected["nats"].tolist())
    assert Path("ranking.png").read_bytes().startswith(b"\x89PNG")


def test_a_csv_of_another_country(table: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    table.rename(columns={"size": "Größe"}).to_csv("e.csv", index=False, sep=";", decimal=",", encoding="cp1252")
    form = ["--sep", ";", "--decimal", ",", "--encoding", "cp1252"]
    assert main(["rank", "e.csv", "--y", "y", *form]) == 0
    expected = infoflow.rank(table, "y").frame
    assert pd.read_csv("ranking.csv")["nats"].tolist() == pytest.approx(expected["nats"].tolist())
    capsys.readouterr()
    assert main(["estimate", "e.csv", "--x", "Größe", "--y", "y", "--missing", "drop", *form]) == 0
    found = infoflow.mutual_information(table["size"], table["y"], missing="drop")
    assert capsys.readouterr().out == f"{found}\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["d.csv", "--y", "yy"], "Did you mean 'y'"),
        (["none.csv", "--y", "y"], "no file none.csv"),
        (["none.parquet", "--y", "y"], "no file none.parquet"),
        (["d.csv", "--y", "y", "--method", "mrrm"], "--method"),
        (["d.csv", "--y", "y", "--missing", "raise"], "1"),
        (["d.csv", "--y", "y", "--sep", ";"], "set sep=','"),
        (["d.parquet", "--y", "y", "--sep", ";"], "csv must be omitted"),
        (["d.csv", "--y", "y", "--encoding", "latinum"], "encoding must be an encoding"),
        (["d.csv", "--y", "y", "--jobs", "0"], "jobs"),
        (["d.csv", "--y", "names"], "target must be symbols of which one occurs at least twice"),
        (["d.csv", "--y", "constant"], "target must be a variable with at least two"),
        (["d.csv", "--y", "empty"], "target must be a variable with at least two"),
        (["d.csv", "--y", "size", "--missing", "raise"], "column 'size' must be finite, got 15 NaN"),
        (["twice.csv", "--y", "y"], "its header repeats 'a'"),
        (["long.csv", "--y", "y"], "rows have more fields than its header"),
        (["header.csv", "--y", "y"], "table must be a table with rows"),
        (["nothing.csv", "--y", "y"], "nothing.csv cannot be read as .csv"),
        (["parquet.csv", "--y", "y"], "parquet.csv cannot be read as .csv: it is a Parquet file"),
        (["text.parquet", "--y", "y"], "table must be a Parquet file"),
        (["text.npy", "--y", "0"], "text.npy cannot be read as .npy"),
        (["text.npz", "--y", "y"], "text.npz cannot be read as .npz"),
        (["d.txt", "--y", "y"], "path must be a file that ends in"),
        (["d.csv", "--y", "y", "--output", "none/ranking"], "output must be a path in an existing folder"),
        (["d.csv", "--y", "y", "--output", "d"], "output must be a path whose .csv and .png are new"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(
    arguments: list[str], words: str, table: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    further = {"names": [f"name {i}" for i in range(300)], "constant": 1.0, "empty": None}
    table.assign(**further).to_csv("d.csv", index=False)
    table.to_parquet("parquet.csv")
    texts = {"twice.csv": "a,a,y\n1,2,3\n", "long.csv": "a,y\n1,2,3\n", "header.csv": "a,y\n", "nothing.csv": ""}
    for name, text in (texts | dict.fromkeys(["text.parquet", "text.npy", "text.npz", "d.txt"], "a,y\n1,2\n")).items():
        Path(name).write_text(text)
    before = sorted(Path().iterdir())
    assert main(["rank", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert words in captured.err
    assert captured.err.count("\n") == 1
    assert sorted(Path().iterdir()) == before


def test_help_loads_neither_statistics_nor_drawing() -> None:
    code = "import sys, infoflow.cli.rank, infoflow.cli.estimate; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "infoflow.tables.ranking" in loaded
    assert not {"scipy.stats", "sklearn", "matplotlib", "numba"} & set(loaded)
