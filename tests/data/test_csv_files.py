"""CSV of other countries and programs: the same table, or one error that names the setting."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from infoflow.core.errors import BrokenStore, InvalidArgument
from infoflow.data.csv_files import CsvFormat
from infoflow.data.files import ArrayFile

TABLE = pd.DataFrame({"Größe": np.random.default_rng(0).normal(size=30), "Stadt": ["Köln", "Århus", "Rom"] * 10})


@pytest.mark.parametrize(
    ("sep", "decimal", "encoding"),
    [(";", ",", "cp1252"), ("\t", ".", "latin-1"), ("|", ",", "utf-16"), (",", ".", "utf-8-sig"), (" ", ",", "utf8")],
)
def test_every_form_gives_the_same_table(sep: str, decimal: str, encoding: str, tmp_path: Path) -> None:
    TABLE.to_csv(tmp_path / "d.csv", index=False, sep=sep, decimal=decimal, encoding=encoding)
    stated = r"\t" if sep == "\t" else sep
    found = ArrayFile(tmp_path / "d.csv", CsvFormat(stated, decimal, encoding)).table  # type: ignore[arg-type]
    pd.testing.assert_frame_equal(found, TABLE)


def test_a_form_that_does_not_fit_names_the_setting(tmp_path: Path) -> None:
    TABLE.to_csv(tmp_path / "d.csv", index=False, sep=";", decimal=",", encoding="cp1252")
    with pytest.raises(BrokenStore, match="set its encoding, such as encoding='cp1252'"):
        ArrayFile(tmp_path / "d.csv")
    with pytest.raises(BrokenStore, match="set sep=';'"):
        ArrayFile(tmp_path / "d.csv", CsvFormat(encoding="cp1252"))
    with pytest.raises(BrokenStore, match="column 'Größe' has numbers with the decimal mark ','; set decimal=','"):
        ArrayFile(tmp_path / "d.csv", CsvFormat(";", encoding="cp1252"))
    TABLE.to_csv(tmp_path / "point.csv", index=False, sep=";")
    with pytest.raises(BrokenStore, match=r"set decimal='\.'"):
        ArrayFile(tmp_path / "point.csv", CsvFormat(";", ","))


def test_lists_of_numbers_that_repeat_are_symbols(tmp_path: Path) -> None:
    pd.DataFrame({"answers": ["1,2", "2", "1,3"] * 10}).to_csv(tmp_path / "d.csv", index=False)
    assert ArrayFile(tmp_path / "d.csv")["answers"].tolist()[:2] == ["1,2", "2"]


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"sep": ";;"}, "sep must be one character"),
        ({"sep": ""}, "sep must be one character"),
        ({"sep": ",", "decimal": ","}, "sep must be one character other than the decimal mark"),
        ({"decimal": "'"}, "decimal"),
        ({"encoding": "latinum"}, "encoding must be an encoding such as"),
    ],
)
def test_bad_settings(settings: dict[str, str], match: str) -> None:
    with pytest.raises(InvalidArgument, match=match):
        CsvFormat(**settings)  # type: ignore[arg-type]


def test_a_form_belongs_to_csv_alone(tmp_path: Path) -> None:
    TABLE.to_parquet(tmp_path / "d.parquet")
    with pytest.raises(InvalidArgument, match="csv must be omitted"):
        ArrayFile(tmp_path / "d.parquet", CsvFormat(";"))
