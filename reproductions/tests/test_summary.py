"""The committed pages agree with the committed results."""

from __future__ import annotations

import json
import math
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from infoflow_reproductions.harness import summary
from infoflow_reproductions.harness.findings import FAILED
from infoflow_reproductions.harness.inference import range_of
from infoflow_reproductions.harness.records import claim_of
from scipy import stats

from infoflow.core.errors import BrokenStore, MissingData

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "reproductions" / "results"


def test_committed_pages_are_generated_from_the_committed_results() -> None:
    for name, text in summary.pages(RESULTS).items():
        assert (RESULTS / name).read_text() == text, name
    readme = (RESULTS.parent / "README.md").read_text()
    assert summary.between_marks(readme, summary.overview(RESULTS, RESULTS.parent)) == readme


def test_every_picture_of_a_page_exists() -> None:
    for one in summary.read(RESULTS):
        for figure in one["figures"]:
            assert (RESULTS / one["folder"] / f"{figure['name']}.png").exists()


def test_pages_count_one_thing_in_the_singular() -> None:
    for name, text in summary.pages(RESULTS).items():
        wrong = r"(?<![\w.,])1 (further figures|figures|pictures|claims|seeds|trials)\b"
        assert re.findall(wrong, text) == [], name


def test_every_published_claim_has_the_place_of_its_sentence() -> None:
    for one in summary.read(RESULTS):
        for claim in one["claims"]:
            assert bool(claim["place"]) == claim["published"], (one["folder"], claim["claim"])


def test_committed_verdicts_follow_from_todays_rules() -> None:
    for one in summary.read(RESULTS):
        stored = json.loads((RESULTS / one["folder"] / "results.json").read_text())
        assert [claim["verdict"] for claim in stored["claims"]] == [claim["verdict"] for claim in one["claims"]]


def test_decided_differences_are_significant_by_the_usual_t_test() -> None:
    for one in summary.read(RESULTS):
        for claim in map(claim_of, one["claims"]):
            if claim.holds is None or claim.steps or not claim.evidence.startswith("difference "):
                continue
            mean, deviation, n = claim.sample.mean, claim.sample.deviation, claim.sample.n  # type: ignore[union-attr]
            low, high = stats.t.interval(0.95, n - 1, mean, deviation / math.sqrt(n))
            assert not low <= claim.sample.threshold <= high, claim.text  # type: ignore[union-attr]


def test_every_claim_of_an_experiment_is_listed_once() -> None:
    for one in summary.read(RESULTS):
        texts = [claim["claim"] for claim in one["claims"]]
        assert len(set(texts)) == len(texts), one["folder"]


def test_few_seeds_never_differ_and_intervals_stay_within_their_range() -> None:
    for one in summary.read(RESULTS):
        for claim in map(claim_of, one["claims"]):
            if claim.sample is None:
                continue
            low, high = claim.sample.interval
            assert claim.sample.low is None or claim.sample.low <= low
            assert claim.sample.high is None or high <= claim.sample.high
            if (claim.seeds or claim.sample.n) < 4:
                assert claim.verdict not in FAILED, claim.text


def test_intervals_of_figures_stay_within_their_range() -> None:
    for one in summary.read(RESULTS):
        for row in one["rows"]:
            values = [float(value) for value in row.get("values", [])]
            span = range_of(row["unit"], values)
            if span is not None and len(values) > 1:
                assert span[0] <= float(row["low"]), (one["folder"], row["what"])
                assert float(row["high"]) <= min(span[1], float(row.get("ceiling", math.inf)) + 1e-9), row["what"]


def test_no_claim_rests_on_estimates_that_contradict_each_other() -> None:
    """Rows [12] and [16], in which I(T;Y) exceeds I(X;T) in every hidden layer at the end of training."""
    for one in summary.read(RESULTS):
        if one["folder"] in ("information-plane/elad", "information-plane/noshad"):
            for claim in one["claims"]:
                if claim["published"]:
                    assert claim["verdict"] == "inconclusive"
                    assert "the estimates contradict each other; left out: " in claim["evidence"]


def test_pages_credit_the_paper_only_with_settings_that_an_experiment_states(tmp_path: Path) -> None:
    for name in ("weight", "cifar"):
        shutil.copytree(RESULTS / "milc" / name, tmp_path / "milc" / name)
    path = tmp_path / "milc" / "weight" / "results.json"
    stored = json.loads(path.read_text())
    stored["provenance"]["reduced_from"] = "full"
    path.write_text(json.dumps(stored))
    page = summary.pages(tmp_path)["milc/README.md"]
    assert "Smaller than in the paper</summary>\n\n10,000 of 50,000 training images" in page
    assert "Differences from the recipe full</summary>\n\nepochs 32 for 77" in page
    assert page.count("Smaller than in the paper</summary>") == 1


def test_results_of_an_earlier_recipe_name_what_has_changed_since(tmp_path: Path) -> None:
    shutil.copytree(RESULTS / "dim" / "table1", tmp_path / "dim" / "table1")
    path = tmp_path / "dim" / "table1" / "results.json"
    assert "Changed since: " not in summary.pages(tmp_path)["dim/README.md"]
    stored = json.loads(path.read_text())
    stored["settings"]["learning"]["revision"] = 1
    path.write_text(json.dumps(stored))
    assert "Changed since: critics are those of Tables 7 and 8" in summary.pages(tmp_path)["dim/README.md"]


def test_claims_that_todays_rules_no_longer_make_are_dropped(tmp_path: Path) -> None:
    shutil.copytree(RESULTS / "dim" / "choices", tmp_path / "dim" / "choices")
    path = tmp_path / "dim" / "choices" / "results.json"
    stored = json.loads(path.read_text())
    earlier = {**stored["claims"][0], "claim": "both layers differ by less than 2 points"}
    stored["claims"] = [*(claim for claim in stored["claims"] if "2 points" not in claim["claim"]), earlier]
    path.write_text(json.dumps(stored))
    (found,) = summary.read(tmp_path)
    assert found["claims"]
    assert earlier["claim"] not in [claim["claim"] for claim in found["claims"]]


def test_pages_list_experiments_without_results(tmp_path: Path) -> None:
    shutil.copytree(RESULTS / "milc" / "weight", tmp_path / "milc" / "weight")
    found = summary.pages(tmp_path)
    listed = found["milc/README.md"].partition("## Without results")[2]
    assert "`infoflow reproduce milc mnist-cnn`" in listed
    assert "milc weight`" not in listed
    assert "| 1 of 8 | " in found["README.md"]


def test_pages_list_failing_claims_first_and_claims_of_the_paper_apart() -> None:
    page = summary.pages(RESULTS)["milc/README.md"]
    stated = page.partition("## What the paper states")[2].partition("<details")[0]
    verdicts = [line.split(" | ")[0].strip("| *") for line in stated.splitlines() if line.startswith("| ")][1:]
    ranks = [0 if "differs" in verdict else 1 if "inconclusive" in verdict else 2 for verdict in verdicts]
    assert ranks == sorted(ranks)
    assert ranks[0] == 0
    assert "not published" not in page


def test_every_row_that_differs_gives_a_measured_reason() -> None:
    for one in summary.read(RESULTS):
        if one["folder"].startswith("information-plane/"):
            for claim in one["claims"]:
                if claim["published"] and claim["verdict"] in FAILED:
                    assert ". Why: " in claim["evidence"], claim["claim"]


def test_command_states_every_setting_that_differs_from_the_recipe(tmp_path: Path) -> None:
    shutil.copytree(RESULTS / "information-plane" / "yu", tmp_path / "information-plane" / "yu")
    file = tmp_path / "information-plane" / "yu" / "results.json"
    found = json.loads(file.read_text())
    # A field that is younger than the results has its default in them.
    assert found["settings"]["variants"][0].pop("label_noise", 0.0) == 0.0
    file.write_text(json.dumps(found))
    assert "yu --scale cpu`" in summary.overview(tmp_path)
    found["settings"]["seeds"] = 4
    found["settings"]["variants"][0]["epochs"] = 77
    file.write_text(json.dumps(found))
    page = summary.overview(tmp_path)
    assert "yu --scale cpu --recipe.seeds 4 # earlier recipe with other variants`" in page
    assert "4 seeds, " in summary.pages(tmp_path)["information-plane/README.md"]


def test_collecting_writes_the_page_and_the_overview_above_it(tmp_path: Path) -> None:
    folder = tmp_path / "reproductions" / "results"
    shutil.copytree(RESULTS / "information-plane" / "yu", folder / "information-plane" / "yu")
    (tmp_path / "README.md").write_text(f"# Title\n{summary.BEGIN}\n{summary.END}\n")
    found = summary.collect(folder)
    assert "(reproductions/results/information-plane/README.md#information-plane-yu)" in found
    assert found in (tmp_path / "README.md").read_text()
    for name, text in summary.pages(folder).items():
        assert (folder / name).read_text() == text


def test_an_experiment_may_have_results_of_several_scales(tmp_path: Path) -> None:
    for name in ("weight", "weight-full"):
        shutil.copytree(RESULTS / "milc" / "weight", tmp_path / "milc" / name)
    file = tmp_path / "milc" / "weight-full" / "results.json"
    found = json.loads(file.read_text())
    found["settings"].update(scale="full", seeds=2, planned_seeds=5)
    file.write_text(json.dumps(found))
    page = summary.pages(tmp_path)["milc/README.md"]
    assert page.index('<a id="milc-weight">') < page.index('<a id="milc-weight-full">')
    assert "weight of the label entropy, at the published size\n" in page
    assert "](weight-full/weight.png)" in page
    assert "](weight/weight.png)" in page
    assert "](#milc-weight-full): " in page
    assert "2 seeds of 5 planned (those that ran first; intervals hold at any number of seeds), " in page
    assert "milc/README.md#milc-weight-full)" in summary.overview(tmp_path)


def test_folders_without_results_raise(tmp_path: Path) -> None:
    with pytest.raises(MissingData, match="infoflow reproduce"):
        summary.pages(tmp_path)
    (tmp_path / "milc" / "theory").mkdir(parents=True)
    (tmp_path / "milc" / "theory" / "results.json").write_text("[]")
    with pytest.raises(BrokenStore, match="run the experiment again"):
        summary.pages(tmp_path)
    with pytest.raises(BrokenStore, match="lacks"):
        summary.between_marks("no marks here", "x")


HOSTILE = (
    "`</code></details><script>alert(1)</script><img src=x onerror=alert(1)>|![a](javascript:alert(1))\n\n<script>"
)

# What names a registered thing or is a number.
FIXED = {"paper", "experiment", "scale", "verdict", "sample", "place", "published", "tolerance", "time"}


def spoiled(value: Any, name: str = "") -> Any:
    """The same content with a hostile text at the end of every text and of every key of a free form."""
    if isinstance(value, dict):
        return {key: each if key in FIXED else spoiled(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [spoiled(each, name) for each in value]
    number = isinstance(value, str) and value in ("nan", "inf", "-inf", "Infinity", "-Infinity", "NaN")
    return value + HOSTILE if isinstance(value, str) and not number else value


def test_texts_of_results_cannot_begin_tags_or_links(tmp_path: Path) -> None:
    for results in RESULTS.glob("*/*/results.json"):
        stored = json.loads(results.read_text(encoding="utf-8"))
        content = spoiled(stored)
        content["rows"] += stored["rows"]  # claims that follow from figures find them by their whole name
        content["notes"] = [*content["notes"], "1 < 2", HOSTILE]
        content["reduced"] = HOSTILE
        target = tmp_path / results.relative_to(RESULTS)
        target.parent.mkdir(parents=True)
        target.write_text(json.dumps(content), encoding="utf-8")
    pages = summary.pages(tmp_path)
    for page in (*pages.values(), summary.overview(tmp_path)):
        # Tags of the page itself, and no others.
        assert set(re.findall(r"<[A-Za-z/!?]\w*", page)) <= {
            "<a",
            "</a",
            "<details",
            "</details",
            "<summary",
            "</summary",
        }
        assert not re.search(r"(?<!\\)\]\(\s*javascript", page)
    assert "- 1 < 2" in pages["milc/README.md"]
    assert any("&lt;script>alert(1)" in page for page in pages.values())
    assert summary.HELP_PAGE in pages


@pytest.mark.parametrize("backslashes", range(5))
def test_a_bracket_after_any_number_of_backslashes_begins_no_link(backslashes: int) -> None:
    found = summary._escaped("[x" + "\\" * backslashes + "](javascript:alert(1))")
    before = found[: found.index("](")]
    assert (len(before) - len(before.rstrip("\\"))) % 2 == 1
    assert summary._escaped(found) == found
