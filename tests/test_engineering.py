"""Files around the code: workflows, templates, citation and versions are valid and agree with each other."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted(path for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")
PACKAGES = ["pyproject.toml", "reproductions/pyproject.toml", "benchmarks/pyproject.toml"]


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def project(path: str) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((ROOT / path).read_text(encoding="utf-8"))["project"]
    return found


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_have_the_form_that_actions_require(path: Path) -> None:
    workflow = loaded(path)
    triggers = workflow[True]  # YAML 1.1 reads the key `on` as true
    assert set(workflow) <= {"name", True, "permissions", "concurrency", "jobs", "env", "defaults"}
    assert set(triggers) <= {"push", "pull_request", "workflow_dispatch", "schedule"}
    for job in workflow["jobs"].values():
        assert set(job) <= {"runs-on", "timeout-minutes", "strategy", "steps", "needs", "env", "if"}
        assert job["timeout-minutes"] > 0
        matrix = set(job.get("strategy", {}).get("matrix", {})) | {
            key for row in job.get("strategy", {}).get("matrix", {}).get("include", []) for key in row
        }
        for step in job["steps"]:
            assert ("uses" in step) != ("run" in step)
            assert re.fullmatch(r"[\w-]+/[\w-]+@v\d+", step.get("uses", "a/b@v1"))
            assert set(re.findall(r"matrix\.([\w-]+)", str(step))) <= matrix
            for target in re.findall(r"make ([\w-]+)", step.get("run", "")):
                assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), target


def test_workflows_cover_every_supported_python_and_the_oldest_torch() -> None:
    job = loaded(ROOT / ".github" / "workflows" / "tests.yml")["jobs"]["tests"]
    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert project("pyproject.toml")["requires-python"] == ">=3.11"
    oldest = next(d for d in project("pyproject.toml")["dependencies"] if d.startswith("torch>="))
    requirements = [row["requirement"] for row in job["strategy"]["matrix"]["include"]]
    assert f"torch=={oldest.removeprefix('torch>=')}.*" in requirements


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_forms_of_issues_are_complete(path: Path) -> None:
    form = loaded(path)
    assert set(form) >= {"name", "description", "body"}
    names = [field["id"] for field in form["body"]]
    assert len(set(names)) == len(names)
    assert all(field["type"] == "textarea" and field["attributes"]["label"] for field in form["body"])


def test_hooks_before_a_commit_run_the_tools_of_lint() -> None:
    [repository] = loaded(ROOT / ".pre-commit-config.yaml")["repos"]
    tools = {hook["entry"].split()[0].rsplit("/", 1)[1] for hook in repository["hooks"]}
    lint = (ROOT / "Makefile").read_text().split("\nlint:")[1].split("\n\n")[0]
    assert tools == set(re.findall(r"\$\(BIN\)/(\w+)", lint))


def test_one_version_in_all_packages_the_citation_and_the_changelog() -> None:
    versions = {project(path)["version"] for path in PACKAGES}
    citation = loaded(ROOT / "CITATION.cff")
    assert versions == {citation["version"]}
    assert set(citation) >= {"cff-version", "message", "title", "authors", "license"}
    log = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    releases = dict(re.findall(r"^## \[(\d[\d.]*)\] - ([\d-]+)$", log, re.MULTILINE))
    assert versions == {next(iter(releases))}
    assert str(citation["date-released"]) == releases[citation["version"]]
    # The groups of Keep a Changelog, each once in a release.
    groups = re.findall(r"^### (.+)$", log.split("\n## ")[1], re.MULTILINE)
    assert len(groups) == len(set(groups))
    assert set(groups) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    entries = [" ".join(entry.split()) for entry in re.findall(r"^- .+(?:\n  .+)*", log, re.MULTILINE)]
    assert len(entries) > 100
    assert [entry for entry in set(entries) if entries.count(entry) > 1] == []


def test_the_address_of_the_repository_is_stated_once() -> None:
    address = project("pyproject.toml")["urls"]["Repository"].removeprefix("https://")
    listed = subprocess.run(["git", "grep", "-l", address], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 128:
        pytest.skip("not a git checkout")
    assert listed.stdout.split() == ["pyproject.toml"]
