"""The report's file: self-contained, safely written, and its data those of the plane."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from infoflow import estimators
from infoflow.core.errors import InvalidArgument
from infoflow.plane import Plane
from infoflow.plane.caveats import caveat
from infoflow.plane.report import embed, payload, write

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)> & \u2028 \"'"


def numbers(packed: str) -> np.ndarray:
    """What the page's program reads."""
    return np.frombuffer(base64.b64decode(packed), dtype="<f4")


class Page(HTMLParser):
    """The elements of a page with their attributes, and the text inside the scripts."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.title = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.lasttag == "script" and self.cdata_elem == "script":
            self.scripts[-1] += data
        elif self.lasttag == "title":
            self.title += data

    @property
    def data(self) -> Any:
        return json.loads(self.scripts[0])


@pytest.fixture(scope="module")
def page(make_plane: Callable[..., Plane], tmp_path_factory: pytest.TempPathFactory) -> Page:
    path = tmp_path_factory.mktemp("report") / "new" / "plane.html"
    return Page(make_plane().report(path).read_text(encoding="utf-8"))


def test_one_file_that_refers_to_nothing_outside(page: Page) -> None:
    links = [attrs.get(name) for _, attrs in page.elements for name in ("src", "href") if name in attrs]
    assert links == ["data:,"]
    assert len(page.scripts) == 3
    assert "InfoflowChart" in page.scripts[1]


def test_only_its_own_scripts_may_run(page: Page) -> None:
    policy = next(attrs["content"] or "" for _, attrs in page.elements if "http-equiv" in attrs)
    assert policy.startswith("default-src 'none'")
    rule = next(part for part in policy.split(";") if "script-src" in part)
    assert "unsafe" not in rule
    for script in page.scripts[1:]:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in rule


def test_the_data_are_those_of_the_plane(plane: Plane, page: Page) -> None:
    data = page.data
    frame = plane.frame
    assert [network["name"] for network in data["networks"]] == ["tanh", "relu"]
    assert data["epochs"] == sorted(frame["epoch"].unique())
    seen = 0
    for cube in data["cubes"]:
        network = data["networks"][cube["network"]]
        rows = frame[
            (frame["network"] == network["name"])
            & (frame["estimator"] == data["estimators"][cube["estimator"]]["label"])
            & (frame["axis"] == cube["axis"])
        ].sort_values(["depth", "seed", "epoch"])
        np.testing.assert_allclose(numbers(cube["nats"]), rows["nats"], rtol=1e-5)
        assert [flag == "1" for flag in cube["saturated"]] == rows["saturated"].tolist()
        assert rows["quantity"].unique().tolist() == [cube["quantity"]]
        assert cube["ceilings"][0]["nats"] == pytest.approx(rows["ceiling"].iloc[0], rel=1e-5)
        seen += len(rows)
    assert seen == len(frame)
    accuracy = plane.metrics.query("network == 'relu' and metric == 'test_accuracy'").sort_values(["seed", "epoch"])
    np.testing.assert_allclose(numbers(data["networks"][1]["metrics"]["test_accuracy"]), accuracy["value"], rtol=1e-5)


def test_missing_and_infinite_numbers_are_missing_on_the_page(plane: Plane, tmp_path: Path) -> None:
    frame = plane.frame.copy()
    gone = (frame["network"] == "tanh") & (frame["seed"] == 1) & (frame["epoch"] == 8)
    frame = frame[~gone]
    frame.loc[frame["axis"] == "input", "ceiling"] = math.inf
    metrics = plane.metrics.copy()
    metrics.loc[0, "value"] = math.nan
    write(Plane(frame, metrics), tmp_path / "plane.html")
    data = Page((tmp_path / "plane.html").read_text(encoding="utf-8")).data
    tanh = [cube for cube in data["cubes"] if cube["network"] == 0]
    assert all(np.isnan(numbers(cube["nats"])).sum() == 4 for cube in tanh)
    assert all(cube["ceilings"] == [] for cube in tanh if cube["axis"] == "input")
    assert np.isnan(numbers(data["networks"][0]["metrics"]["train_loss"])).sum() == 1


def test_the_estimators_own_interval_is_kept(plane: Plane) -> None:
    frame = plane.frame.query("seed == 0").copy()
    frame["low"], frame["high"], frame["spans"] = frame["nats"] - 0.1, frame["nats"] + 0.1, "bootstrap"
    cube = payload(Plane(frame))["cubes"][0]
    assert cube["spans"] == "bootstrap"
    np.testing.assert_allclose(numbers(cube["high"]) - numbers(cube["low"]), 0.2, atol=1e-4)


def test_hostile_names_end_no_element(make_plane: Callable[..., Plane], tmp_path: Path) -> None:
    plane = make_plane(tanh=HOSTILE)
    frame = plane.frame.copy()
    frame["layer"] = frame["layer"] + HOSTILE
    frame["estimator"] = HOSTILE
    frame = frame.drop_duplicates(["network", "probe", "layer", "seed", "epoch", "estimator", "axis"])
    frame["warnings"] = HOSTILE
    odd = Plane(frame, plane.metrics, {HOSTILE: {HOSTILE: HOSTILE}})
    write(odd, tmp_path / "plane.html")
    page = Page((tmp_path / "plane.html").read_text(encoding="utf-8"))
    assert "img" not in {tag for tag, _ in page.elements}
    assert len(page.scripts) == 3
    assert HOSTILE in page.title
    assert page.data["networks"][0]["name"] == HOSTILE
    assert page.data["provenance"][0] == [f"{HOSTILE}.{HOSTILE}", HOSTILE]
    assert not re.search("[<>&\u2028]", page.scripts[0])


@pytest.mark.parametrize("text", [HOSTILE, "<!--", "]]>", "\u2029", "\ud800", "日本語 ε 🙂", '\\" \\u003c'])
def test_embedding_is_undone_by_any_json_reader(text: str) -> None:
    assert json.loads(embed({text: [text]})) == {text: [text]}
    embed({text: 1}).encode("utf-8")


def test_each_estimator_has_its_paragraph(page: Page) -> None:
    found = {entry["label"]: entry["caveat"] for entry in page.data["estimators"]}
    assert found == {label: caveat(label) for label in ("Binning(bins=30)", "KernelDensity(variance=0.1)")}
    assert len(set(found.values()) | {caveat("Else()")}) == 3


@pytest.mark.parametrize("name", sorted(n for n, c in vars(estimators).items() if hasattr(c, "measure")))
def test_every_estimator_of_a_plane_has_a_caveat(name: str) -> None:
    assert len(caveat(f"{name}(of=1)")) > 200
    assert caveat(f"{name}(of=1)") != caveat("SomebodysOwn()")


def test_warnings_that_differ_in_numbers_only_are_counted_together(plane: Plane) -> None:
    frame = plane.frame.query("estimator == 'Binning(bins=30)'").copy()
    frame["warnings"] = [f"{i} of 1000 values lie outside; widen the range" for i in range(len(frame))]
    rows = payload(Plane(frame))["warnings"]
    assert sorted((row["quantity"], row["count"], row["varies"]) for row in rows) == [
        ("H(Q(T))", len(frame) // 2, True),
        ("I(Q(T);Y)", len(frame) // 2, True),
    ]
    assert payload(Plane(frame.assign(warnings="")))["warnings"] == []


def test_audit_and_verdicts_are_on_the_page(plane: Plane, page: Page) -> None:
    audit = plane.audit()
    assert page.data["audit"]["ok"] == audit.ok
    assert page.data["audit"]["compression"]["verdict"] == audit.compression["verdict"].tolist()
    checks = page.data["audit"]["checks"]
    assert checks["check"] == audit.checks["check"].tolist()
    assert {len(column) for column in checks.values()} == {len(audit.checks)}
    # The page's program names the columns that it shows.
    for name in re.findall(r'\["(\w+)", "[^"]+", "(?:text|yes|number|share|information)"\]', page.scripts[2]):
        assert name in {*checks, *page.data["audit"]["compression"]}


def test_a_broken_write_leaves_the_old_page(plane: Plane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "plane.html"
    path.write_text("old")

    def fail(self: Path, *_: Any, **__: Any) -> int:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "write_text", fail)
    with pytest.raises(OSError, match="disk full"):
        write(plane, path)
    monkeypatch.undo()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_paths_and_planes_that_cannot_be_reported(plane: Plane, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match=r"^path must"):
        write(plane, tmp_path)
    with pytest.raises(InvalidArgument, match=r"^plane must"):
        write(Plane(plane.frame.iloc[:0]), tmp_path / "plane.html")
    assert list(tmp_path.iterdir()) == []


def test_two_probes_keep_their_own_numbers(plane: Plane) -> None:
    other = plane.frame.assign(probe="other", nats=plane.frame["nats"] / 2)
    data = payload(Plane(pd.concat([plane.frame, other])))
    assert data["probes"] == ["probe", "other"]
    first, second = (next(cube for cube in data["cubes"] if cube["probe"] == i) for i in (0, 1))
    np.testing.assert_allclose(numbers(second["nats"]) * 2, numbers(first["nats"]), rtol=1e-4)


def test_a_large_page_is_small(plane: Plane, tmp_path: Path) -> None:
    """60 layers × 200 snapshots: two 32-bit numbers a point and a flag each, and the program."""
    rows = plane.frame.query("network == 'relu' and seed == 0 and epoch == 1000 and estimator == 'Binning(bins=30)'")
    rows = rows[rows["layer"] == "output"]
    grid = pd.MultiIndex.from_product([range(60), range(200), rows.index]).to_frame(index=False)
    frame = rows.loc[grid[2]].reset_index(drop=True).assign(depth=grid[0], epoch=grid[1])
    frame["layer"] = "blocks." + frame["depth"].astype(str)
    write(Plane(frame), tmp_path / "plane.html")
    assert (tmp_path / "plane.html").stat().st_size < 300_000
