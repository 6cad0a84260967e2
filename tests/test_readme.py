"""The README's Python runs as it stands, and the commands it names exist."""

from __future__ import annotations

import re
import tomllib
from operator import attrgetter
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import infoflow
from infoflow.cli.completion import options_of
from infoflow.cli.main import commands
from infoflow.estimators.registry import table
from infoflow.layers import InformationDropout

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    generator = torch.Generator().manual_seed(0)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 2))
    names = {
        "model": nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2)),
        "probe_x": torch.rand(40, 4, generator=generator),
        "probe_y": torch.arange(40) % 2,
        "epochs": 3,
        "train_one_epoch": lambda model: None,
        "accuracy": lambda model: 0.5,
        "network": nn.Sequential(InformationDropout(nn.Linear(4, 8)), nn.Linear(8, 3)),
        "images": torch.rand(30, 4, generator=generator),
        "labels": torch.arange(30) % 3,
        "beta": 0.03,
        "x": x,
        "y": (x[:, 0] > 0).astype(int),
    }
    names["torch"] = torch
    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len(blocks) == 3
    assert all(len(block.splitlines()) <= 8 for block in blocks)
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)  # noqa: S102  # our own page
    page = (tmp_path / "plane.html").read_text(encoding="utf-8")
    assert page.rstrip().endswith("</html>")
    assert "KernelDensity" in page
    assert "<script" in page
    assert not re.search(r"(src|href)=[\"']?https?://", page)  # opens offline
    assert len(names["plane"].frame) > 0
    assert names["estimate"].nats > 0
    assert all(parameter.grad is not None for parameter in names["network"].parameters())


def test_the_commands_and_files_of_the_readme_exist() -> None:
    for command in re.findall(r"infoflow (\w+) ", README):
        assert command in commands(), command
    for target in re.findall(r"\]\(([\w./-]+)\)", README):
        assert (ROOT / target).exists(), target
    for target in re.findall(r"make (\w+)", README):
        assert f"\n{target}:" in (ROOT / "Makefile").read_text(), target


def test_commands_and_options_of_the_page_on_the_command_line_exist() -> None:
    page = (ROOT / "docs" / "how-to" / "command-line.md").read_text(encoding="utf-8")
    lines = re.findall(r"^infoflow (\w+) (.*)$", page, flags=re.MULTILINE)
    assert {name for name, _ in lines} == {"estimate", "rank", "plane", "report", "profile", "completion"}
    for name, rest in lines:
        assert set(re.findall(r"--[\w-]+", rest)) <= set(options_of(name)), (name, rest)


# Of every row of the table of capabilities, a name of infoflow that provides it.
CAPABILITIES = {
    "Nearest-neighbor estimators": "estimators.KSG",
    "Learned bounds": "estimators.Neural",
    "Losses to train a network": "objectives.Objective",
    "Chooses an estimator and gives the reason": "estimators.recommend",
    "Confidence intervals": "estimators.interval",
    "p-values by permutation": "estimators.ShuffledNull",
    "Conditional information, transfer entropy": "transfer_entropy",
    "Feature selection for tables": "rank",
    "Records a network in training": "plane.record",
    "Tasks with known information": "tasks.CATALOG",
}


def test_infoflow_has_what_the_table_of_capabilities_lists() -> None:
    rows = re.findall(r"^\| ([^|]+) \| (yes|–) \|", README, flags=re.MULTILINE)
    assert {name for name, has in rows if has == "yes"} == set(CAPABILITIES)
    for name in CAPABILITIES.values():
        assert attrgetter(name)(infoflow) is not None
    assert "without PyTorch" in next(name for name, has in rows if has == "–")


def test_the_readme_is_short() -> None:
    assert len(README.split()) <= 900


def test_the_table_of_estimators_is_that_of_the_registry() -> None:
    page = (ROOT / "docs" / "start" / "which-estimator.md").read_text(encoding="utf-8")
    assert page.split("<!-- estimators: begin -->\n")[1].split("<!-- estimators: end -->")[0] == table()


def test_the_package_declares_its_requirements() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=3.11"
    assert "torch>=2.6" in project["dependencies"]


def test_the_page_on_installation_lists_the_requirements_and_the_extras() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    page = (ROOT / "docs" / "start" / "install.md").read_text(encoding="utf-8")
    [listed] = re.findall(r"what its main job needs: (.*?)\. Everything", page, flags=re.DOTALL)
    names = {"torch" if name == "PyTorch" else name.lower() for name in re.split(r",\s|\sand\s|\swith\s", listed)}
    assert names == {re.split("[>=<]", each)[0] for each in project["dependencies"]}
    for name in project["optional-dependencies"]:
        assert f"`{name}`" in page or name in ("dev", "docs")
