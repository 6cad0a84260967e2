"""The committed pages agree with the committed results."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from infoflow_reproductions.harness import summary

from infoflow.core.errors import BrokenStore, MissingData

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "reproductions" / "results"


def test_committed_pages_are_generated_from_the_committed_results() -> None:
    assert (RESULTS / "README.md").read_text() == summary.whole(RESULTS)
    readme = (RESULTS.parent / "README.md").read_text()
    assert summary.between_marks(readme, summary.overview(RESULTS, RESULTS.parent)) == readme


def test_every_picture_of_a_page_exists() -> None:
    for one in summary.read(RESULTS):
        for figure in one["figures"]:
            assert (RESULTS / one["folder"] / f"{figure['name']}.png").exists()


def test_every_row_that_differs_gives_a_measured_reason() -> None:
    for one in summary.read(RESULTS):
        if one["folder"].startswith("information-plane/"):
            for claim in one["claims"]:
                if claim["published"] and claim["verdict"] == "differs":
                    assert ". Why: " in claim["evidence"], claim["claim"]


def test_command_states_every_setting_that_differs_from_the_recipe(tmp_path: Path) -> None:
    shutil.copytree(RESULTS / "information-plane" / "yu", tmp_path / "information-plane" / "yu")
    file = tmp_path / "information-plane" / "yu" / "results.json"
    found = json.loads(file.read_text())
    found["settings"]["seeds"] = 4
    found["settings"]["variants"][0]["epochs"] = 77
    file.write_text(json.dumps(found))
    page = summary.overview(tmp_path)
    assert "yu --scale cpu --recipe.seeds 4 # earlier recipe with other variants`" in page
    assert "4 seeds, " in summary.whole(tmp_path)


def test_collecting_writes_the_page_and_the_overview_above_it(tmp_path: Path) -> None:
    folder = tmp_path / "reproductions" / "results"
    shutil.copytree(RESULTS / "information-plane" / "yu", folder / "information-plane" / "yu")
    (tmp_path / "README.md").write_text(f"# Title\n{summary.BEGIN}\n{summary.END}\n")
    found = summary.collect(folder)
    assert "(reproductions/results/README.md#information-plane-yu)" in found
    assert found in (tmp_path / "README.md").read_text()
    assert (folder / "README.md").read_text() == summary.whole(folder)


def test_folders_without_results_raise(tmp_path: Path) -> None:
    with pytest.raises(MissingData, match="infoflow reproduce"):
        summary.whole(tmp_path)
    (tmp_path / "milc" / "theory").mkdir(parents=True)
    (tmp_path / "milc" / "theory" / "results.json").write_text("[]")
    with pytest.raises(BrokenStore, match="run the experiment again"):
        summary.whole(tmp_path)
    with pytest.raises(BrokenStore, match="lacks"):
        summary.between_marks("no marks here", "x")


def test_texts_of_results_cannot_begin_tags(tmp_path: Path) -> None:
    for results in RESULTS.glob("*/*/results.json"):
        content = json.loads(results.read_text(encoding="utf-8"))
        content["notes"] = ["<script>alert(1)</script>", "1 < 2"]
        content["title"] = "<img src=x onerror=alert(1)>"
        target = tmp_path / results.relative_to(RESULTS)
        target.parent.mkdir(parents=True)
        target.write_text(json.dumps(content), encoding="utf-8")
    for page in (summary.whole(tmp_path), summary.overview(tmp_path)):
        assert "<script" not in page
        assert "<img" not in page
    assert "- 1 < 2" in summary.whole(tmp_path)
