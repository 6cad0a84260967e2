"""The pages that say what is reproduced are what the committed results make of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from infoflow_reproductions.harness import summary

from infoflow.core.errors import BrokenStore, MissingData

ROOT = Path(__file__).parents[2]


def test_the_committed_pages_are_those_of_the_committed_results() -> None:
    results = ROOT / "results"
    assert (results / "README.md").read_text() == summary.whole(results)
    readme = (ROOT / "README.md").read_text()
    assert summary.between_marks(readme, summary.overview(results)) == readme


def test_every_picture_that_a_page_shows_is_there() -> None:
    for one in summary.read(ROOT / "results"):
        for figure in one["figures"]:
            assert (ROOT / "results" / one["folder"] / f"{figure['name']}.png").exists()


def test_every_row_that_differs_says_by_an_experiment_why() -> None:
    for one in summary.read(ROOT / "results"):
        if one["folder"].startswith("information-plane/"):
            for claim in one["claims"]:
                if claim["published"] and claim["verdict"] == "differs":
                    assert ". Why: " in claim["evidence"], claim["claim"]


def test_the_command_tells_every_setting_that_is_not_the_recipe_s(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "results" / "information-plane" / "yu", tmp_path / "information-plane" / "yu")
    file = tmp_path / "information-plane" / "yu" / "results.json"
    found = json.loads(file.read_text())
    found["settings"]["seeds"] = 4
    found["settings"]["variants"][0]["epochs"] = 77
    file.write_text(json.dumps(found))
    page = summary.overview(tmp_path)
    assert "yu --scale cpu --recipe.seeds 4 # an earlier recipe, of other variants`" in page
    assert "4 seeds, " in summary.whole(tmp_path)


def test_folders_without_results_are_told(tmp_path: Path) -> None:
    with pytest.raises(MissingData, match="infoflow reproduce"):
        summary.whole(tmp_path)
    (tmp_path / "milc" / "theory").mkdir(parents=True)
    (tmp_path / "milc" / "theory" / "results.json").write_text("[]")
    with pytest.raises(BrokenStore, match="run the experiment again"):
        summary.whole(tmp_path)
    with pytest.raises(BrokenStore, match="lacks"):
        summary.between_marks("no marks here", "x")
