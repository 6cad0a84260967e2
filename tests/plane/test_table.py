from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from infoflow.core.errors import BrokenStore, InvalidArgument, MissingData
from infoflow.core.schema import sealed, unsealed
from infoflow.plane import Plane
from infoflow.plane.table import COLUMNS


def test_load_returns_what_save_wrote(plane: Plane, tmp_path: Path) -> None:
    folder = plane.save(tmp_path / "run")
    loaded = Plane.load(folder)
    pd.testing.assert_frame_equal(loaded.frame, plane.frame)
    pd.testing.assert_frame_equal(loaded.metrics, plane.metrics)
    assert loaded.provenance == plane.provenance
    files = {f"{name}.{ending}" for name in ("table", "metrics") for ending in ("csv", "parquet")}
    assert {path.name for path in folder.iterdir()} == {*files, "provenance.json"}


def test_the_csv_file_holds_the_same_numbers(plane: Plane, tmp_path: Path) -> None:
    plane.save(tmp_path)
    table = pd.read_csv(tmp_path / "table.csv", keep_default_na=False, dtype={"nats": "str"})
    assert list(table.columns) == list(COLUMNS)
    assert [float(text) for text in table["nats"]] == plane.frame["nats"].tolist()
    assert table["layer"].tolist() == plane.frame["layer"].tolist()


def test_odd_names_and_infinite_ceilings_survive(make_plane: Callable[..., Plane], tmp_path: Path) -> None:
    plane = make_plane(tanh='<b>"a", b\n</b>')
    frame = plane.frame.assign(ceiling=math.inf)
    again = Plane.load(Plane(frame).save(tmp_path))
    assert again.networks == ['<b>"a", b\n</b>', "relu"]
    assert (again.frame["ceiling"] == math.inf).all()


def test_the_repr_is_short_and_notebooks_show_the_last_epoch(plane: Plane) -> None:
    assert repr(plane).startswith("Plane(1152 estimates: 2 networks, 8 layers, 3 seeds, 12 epochs; Binning(bins=30)")
    shown = plane._repr_html_()
    assert "tanh3" in shown
    assert ">1000<" in shown
    assert ">500<" not in shown
    assert "<b>" not in Plane(plane.frame.assign(layer="<b>" + plane.frame["layer"]))._repr_html_()


def test_without_metrics_there_is_an_empty_table(plane: Plane, tmp_path: Path) -> None:
    again = Plane.load(Plane(plane.frame).save(tmp_path))
    assert len(again.metrics) == 0
    assert list(again.metrics.columns) == ["network", "seed", "epoch", "metric", "value"]


@pytest.mark.parametrize(
    ("change", "mentioned"),
    [
        (lambda frame: frame.drop(columns=["nats", "ceiling"]), "nats, ceiling"),
        (lambda frame: frame.assign(nats=math.nan), "tanh1"),
        (lambda frame: pd.concat([frame, frame.head(1)]), "tanh1"),
        (lambda frame: frame.assign(epoch="first"), "wrong type"),
    ],
)
def test_an_invalid_frame_is_rejected(
    plane: Plane, change: Callable[[pd.DataFrame], pd.DataFrame], mentioned: str
) -> None:
    with pytest.raises(InvalidArgument, match=rf"^frame .*{mentioned}"):
        Plane(change(plane.frame))


def test_saving_over_a_file_is_rejected(plane: Plane, tmp_path: Path) -> None:
    path = tmp_path / "plane"
    path.write_text("mine")
    with pytest.raises(InvalidArgument, match=r"^folder must"):
        plane.save(path)
    assert path.read_text() == "mine"


def test_a_failed_write_leaves_the_old_file_and_no_temporary_file(
    plane: Plane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plane.save(tmp_path)

    def fail(self: pd.DataFrame, path: Path, **options: object) -> None:
        Path(path).write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", fail)
    with pytest.raises(OSError, match="disk full"):
        plane.save(tmp_path)
    monkeypatch.undo()
    pd.testing.assert_frame_equal(Plane.load(tmp_path).frame, plane.frame)
    assert not list(tmp_path.glob("*.part")) + list(tmp_path.glob(".*"))


def test_a_missing_damaged_or_foreign_folder_is_reported(plane: Plane, tmp_path: Path) -> None:
    with pytest.raises(MissingData, match="No saved plane"):
        Plane.load(tmp_path / "nothing")
    plane.save(tmp_path)
    head = unsealed(json.loads((tmp_path / "provenance.json").read_text()))
    (tmp_path / "provenance.json").write_text(json.dumps(sealed(head | {"version": 99})))
    with pytest.raises(BrokenStore, match="version 1, got infoflow-plane version 99"):
        Plane.load(tmp_path)
    (tmp_path / "provenance.json").write_text("{")
    with pytest.raises(BrokenStore, match="damaged"):
        Plane.load(tmp_path)
    plane.save(tmp_path)
    (tmp_path / "table.parquet").write_bytes((tmp_path / "table.parquet").read_bytes()[:-50])
    with pytest.raises(BrokenStore, match=r"table\.parquet.*cannot be read"):
        Plane.load(tmp_path)
    (tmp_path / "table.parquet").unlink()
    with pytest.raises(BrokenStore, match=r"table\.parquet"):
        Plane.load(tmp_path)
