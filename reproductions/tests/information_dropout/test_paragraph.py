"""The paragraph on information dropout names widths, and counts the claims of the paper's own setting."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from infoflow_reproductions.harness.found import Found
from infoflow_reproductions.harness.paragraphs import PARAGRAPHS
from infoflow_reproductions.harness.summary import read
from infoflow_reproductions.information_dropout.cluttered import BOX

RESULTS = Path(__file__).parents[2] / "results"


@pytest.fixture(scope="module")
def committed() -> list[dict[str, Any]]:
    return [one for one in read(RESULTS) if one["settings"]["paper"] == "information-dropout"]


def test_both_widths_of_the_convolutional_network_are_named(committed: list[dict[str, Any]]) -> None:
    found = Found(committed)
    text = PARAGRAPHS["information-dropout"](found)
    none = "information dropout has a lower error than no dropout"
    for width in found.setting("cifar", "widths"):
        assert f"{found.outcome('cifar', f'Width {width:g}: {none}')} at width {width:g}" in text
    assert f"on MNIST, {min(found.setting('mlp', 'widths'))}, it is" in text


def test_claims_on_the_second_layer_are_those_with_softplus(committed: list[dict[str, Any]]) -> None:
    of_sizes = [
        claim["verdict"]
        for one in committed
        if one["settings"]["experiment"] == "sizes"
        for claim in one["claims"]
        if "second layer transmits less" in claim["claim"]
    ]
    text = PARAGRAPHS["information-dropout"](Found(committed))
    counted = ", ".join(f"{of_sizes.count(one)} {one}" for one in dict.fromkeys(of_sizes))
    assert f"with Softplus as in the paper: {counted}." in text


def test_the_area_of_the_box_is_named_where_it_is_in_the_table(committed: list[dict[str, Any]]) -> None:
    changed = json.loads(json.dumps(committed))
    for one in changed:
        if one["settings"]["experiment"] == "cluttered":
            others = [row for row in one["rows"] if row["what"] != BOX]
            one["rows"] = [*others, {"what": BOX, "found": 12.34}]
    assert "lie inside the digit's box, which covers 12.3 % of the image." in PARAGRAPHS["information-dropout"](
        Found(changed)
    )
