"""The page and the picture of a profile through training: its numbers, escaped names, and no access to a network."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import math
import re
from pathlib import Path

import pandas as pd
import pytest

from infoflow.errors import InvalidArgument, UnknownName
from infoflow.profiles import TrainingProfile
from infoflow.profiles.token_readings import TokenReadings

HOSTILE = "</script><img src=x onerror=alert(1)>"
STEPS, LAYERS = (0, 1, 10), ("blocks.0:input", "blocks.0", HOSTILE)


def _value(step: int, depth: int) -> float:
    return 0.25 * depth + 0.01 * step


def _profile() -> TrainingProfile:
    rows = [
        (step, layer, depth, quantity, label, _value(step, depth), "nats", null, top, 0.01, "bound", 500, (HOSTILE,))
        for step in STEPS
        for depth, layer in enumerate(LAYERS)
        for quantity, label, null, top in (("H(W)", "", math.nan, 4.6), ("I(next;W)", "next", 0.002, 0.9))
    ]  # fmt: skip
    names = [
        "step",
        "layer",
        "depth",
        "quantity",
        "label",
        "value",
        "unit",
        "null",
        "ceiling",
        "se",
        "kind",
        "n",
        "warnings",
    ]
    metrics = pd.DataFrame(
        [(step, "held_out_loss", 4.0 - 0.1 * step) for step in STEPS], columns=["step", "metric", "value"]
    )
    return TrainingProfile(pd.DataFrame(rows, columns=names), metrics)


def _tokens() -> TokenReadings:
    nan = float("nan")
    return TokenReadings([HOSTILE, "b"], {step: {"surprise": [nan, float(step)]} for step in STEPS}, HOSTILE)


def test_the_page_holds_the_numbers_of_the_table_and_of_the_tokens(tmp_path: Path) -> None:
    _profile().report(tmp_path / "page.html", tokens=_tokens())
    page = (tmp_path / "page.html").read_text()
    content = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])  # type: ignore[index]
    assert content["steps"] == list(STEPS)
    assert content["layers"] == list(LAYERS)
    expected = [[pytest.approx(_value(step, depth)) for step in STEPS] for depth in range(3)]
    assert content["quantities"]["I(next;W)"]["value"] == expected
    assert content["quantities"]["H(W)"]["null"] == [[None] * 3] * 3
    assert content["metrics"]["held_out_loss"]["10"] == pytest.approx(3.0)
    assert content["tokens"]["steps"]["10"]["surprise"] == [None, 10.0]


def test_names_are_escaped_and_only_its_own_script_may_run(tmp_path: Path) -> None:
    _profile().report(tmp_path / "page.html", title=HOSTILE, tokens=_tokens())
    page = (tmp_path / "page.html").read_text()
    assert HOSTILE not in page
    assert html.escape(HOSTILE) in page
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert len(scripts) == 1
    assert base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode() in page
    assert "default-src 'none'" in page
    assert not re.findall(r"(?:src|href)=.(?:https?:)?//", page)


def test_the_picture_has_a_map_and_curves_for_each_quantity() -> None:
    figure = _profile().plot(["I(next;W)", "H(W)"])
    maps = [ax for ax in figure.axes if ax.images]
    assert len(maps) == 2
    shown = maps[0].images[0].get_array()
    assert shown is not None
    assert shown[2][2] == pytest.approx(_value(10, 2))
    assert [tick.get_text() for tick in maps[0].get_yticklabels()][:2] == ["embedding", "block 1"]
    with pytest.raises(UnknownName, match="quantity"):
        _profile().plot(["I(nxt;W)"])


def test_readings_of_tokens_come_back_from_json_and_are_one_for_each() -> None:
    tokens = _tokens()
    again = TokenReadings.from_dict(json.loads(json.dumps(tokens.to_dict())))
    assert again.names == ["surprise"]
    assert math.isnan(again.steps[10]["surprise"][0])
    assert again.steps[10]["surprise"][1] == 10.0
    with pytest.raises(InvalidArgument, match="2 numbers"):
        TokenReadings(["a", "b"], {0: {"surprise": [1.0]}})
