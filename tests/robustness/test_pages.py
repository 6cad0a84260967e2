"""Random hostile names in every HTML representation and page: none becomes an element, an attribute or a script.

Classes are found by their `_repr_html_`, pages by the public methods `report` and `page`; one without a case fails.
"""

from __future__ import annotations

import importlib
import inspect
import math
import pkgutil
import random
from collections import Counter, OrderedDict
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import infoflow
from infoflow.data import Dataset, Split
from infoflow.plane import Plane, analyse, record
from infoflow.probes.evaluation import Evaluation
from infoflow.profiles import Profile, TrainingProfile
from infoflow.profiles.training import STEP_COLUMNS

PARTS = (
    *("<zz9>", "</script><zz9>", "<script>zz9</script>", '"><zz9 ', "' zz9='1", '" zz9="1', "-->", "<!--", "]]>"),
    *(
        "&lt;zz9&gt;",
        "<img src=x onzz9=1>",
        "</td>",
        "</title><zz9>",
        "</style><zz9>",
        "\\u003czz9\\u003e",
        "${zz9}",
        "ψ",
    ),
)


def hostile(generator: random.Random) -> str:
    """A name that would break out of an element, an attribute, a comment or a script."""
    return "".join(generator.choice(PARTS) for _ in range(generator.randint(1, 4)))


class Watched(HTMLParser):
    """Notes elements, attributes and scripts that hold the marker of the hostile names as code."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.script = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.script += tag == "script"
        self.found += [f"<{tag}>"] * ("zz9" in tag)
        self.found += [f"attribute {name}" for name, _ in attributes if "zz9" in name]

    def handle_endtag(self, tag: str) -> None:
        self.script -= tag == "script"

    def handle_data(self, data: str) -> None:
        if self.script and data.strip() == "zz9":
            self.found.append("a script")

    def handle_comment(self, data: str) -> None:
        self.found += ["a comment"] * ("zz9" in data)


def profile_of(text: str) -> Profile:
    row = {"layer": text, "depth": 0, "quantity": "H(W)", "label": text, "value": 0.5, "unit": "nats", "null": 0.1}
    row |= {"ceiling": 1.0, "se": 0.01, "kind": "bound", "n": 500, "warnings": (text,)}
    return Profile(pd.DataFrame([row]))


def training_of(text: str) -> TrainingProfile:
    frame = pd.concat([profile_of(text).frame.assign(step=step) for step in (0, 1)], ignore_index=True)
    metrics = pd.DataFrame([(step, text, 1.0) for step in (0, 1)], columns=["step", "metric", "value"])
    return TrainingProfile(frame[list(STEP_COLUMNS)], metrics)


def evaluation_of(text: str) -> Evaluation:
    row = {"measure": text, "layer": text, "column": text, "value": 0.5, "low": 0.4, "high": 0.6, "kind": text}
    row |= {"n": 10, "settings": text, "warnings": text, "unit": "nats", "spans": text, "seconds": 1.0}
    return Evaluation(text, pd.DataFrame([row]), {})


def dataset_of(text: str) -> Dataset:
    return Dataset(text, np.zeros((2, 3)), np.array([0, 1]), classes=2, source=text, factors={text: np.zeros(2)})


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Plane:
    """A plane of one layer, whose names the cases replace."""
    store = tmp_path_factory.mktemp("run") / "recording"
    network = nn.Sequential(OrderedDict(first=nn.Linear(4, 3), second=nn.Tanh()))
    with record(network, torch.eye(4).repeat(5, 1), np.arange(20) % 2, store=store, layers=["second"]) as recorder:
        for epoch in range(2):
            recorder.snapshot(epoch, loss=1.0)
    return analyse(store, ["binning:width=0.5"])


def plane_of(plane: Plane, text: str) -> Plane:
    frame = plane.frame.assign(network=text, layer=text, probe=text, warnings=text)
    return Plane(frame, plane.metrics.assign(network=text, metric=text), {text: text})


CASES: dict[str, Callable[[str], Any]] = {
    "Profile": profile_of,
    "TrainingProfile": training_of,
    "Evaluation": evaluation_of,
    "Dataset": dataset_of,
    "Split": lambda text: Split(text, dataset_of(text), dataset_of(text)),
}


def discovered() -> dict[str, list[str]]:
    """The public classes of the package with an HTML representation or page, and the names of these methods."""
    found: dict[str, list[str]] = {}
    for module in pkgutil.walk_packages(infoflow.__path__, "infoflow."):
        if module.name.endswith("__main__") or ".integrations" in module.name:
            continue
        for name, kind in vars(importlib.import_module(module.name)).items():
            if inspect.isclass(kind) and kind.__module__ == module.name and not name.startswith("_"):
                pages = [method for method in ("report", "page") if "path" in _parameters(getattr(kind, method, None))]
                methods = ["_repr_html_"] * hasattr(kind, "_repr_html_") + pages
                if methods:
                    found[name] = methods
    return found


def _parameters(method: Any) -> list[str]:
    return list(inspect.signature(method).parameters) if inspect.isfunction(method) else []


CLASSES = discovered()


def test_every_class_with_html_has_a_case() -> None:
    assert set(CLASSES) == {*CASES, "Plane"}
    assert sum(map(len, CLASSES.values())) >= 8


@pytest.mark.parametrize("name", CLASSES)
def test_hostile_names_are_escaped(name: str, plane: Plane, tmp_path: Path, tally: Counter[str]) -> None:
    shown = 0
    for seed in range(6):
        text = hostile(random.Random(seed))
        made = plane_of(plane, text) if name == "Plane" else CASES[name](text)
        for method in CLASSES[name]:
            if method == "_repr_html_":
                page = made._repr_html_()
            else:
                getattr(made, method)(tmp_path / "page.html")
                page = (tmp_path / "page.html").read_text(encoding="utf-8")
            watched = Watched()
            watched.feed(page)
            watched.close()
            assert not watched.found, f"seed {seed}, {text!r} in {name}.{method}: {watched.found[:3]}"
            shown += "zz9" in page or not math.isfinite(len(page))
            tally["hostile pages"] += 1
    assert shown, "no page shows the name, so nothing was tested"
