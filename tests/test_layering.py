"""Imports point one way: upward in the list of subpackages, in no circle, and to no private name of another one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {
    "infoflow": ROOT / "src" / "infoflow",
    "infoflow_reproductions": ROOT / "reproductions" / "infoflow_reproductions",
    "infoflow_benchmarks": ROOT / "benchmarks" / "infoflow_benchmarks",
}

# From the ground up; a subpackage imports only from those above it.
SUBPACKAGES = [
    "core",
    "errors",
    "pairwise",
    "entropies",
    "bounds",
    "critics",
    "estimators",
    "layers",
    "objectives",
    "metrics",
    "theory",
    "tables",
    "tasks",
    "data",
    "models",
    "training",
    "probes",
    "profiles",
    "plane",
    "integrations",
    "cli",
]


@dataclass(frozen=True)
class Import:
    """One imported name: `module` as written, `name` within it ("" for `import module`)."""

    module: str
    name: str
    line: int


def imports(source: str) -> Iterator[Import]:
    """Every import of a file, inside functions too; not those for type checkers only."""
    hidden: set[int] = set()
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            hidden.update(id(inner) for child in node.body for inner in ast.walk(child))
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, "", node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from (Import(module, alias.name, node.lineno) for alias in node.names)


def module_name(path: Path) -> str:
    for package, folder in PACKAGES.items():
        if path.is_relative_to(folder):
            parts = path.relative_to(folder).with_suffix("").parts
            return ".".join([package, *(parts[:-1] if parts[-1] == "__init__" else parts)])
    raise ValueError(path)


FILES = {module_name(path): path for folder in PACKAGES.values() for path in sorted(folder.rglob("*.py"))}


@cache
def imports_of(module: str) -> tuple[Import, ...]:
    return tuple(imports(FILES[module].read_text(encoding="utf-8")))


def target(found: Import) -> str | None:
    """The module of ours that an import reads: the imported submodule itself, or the module that holds the name."""
    inner = f"{found.module}.{found.name}"
    return inner if inner in FILES else found.module if found.module in FILES else None


def subpackage(module: str) -> str:
    part = module.split(".")[1] if "." in module else ""
    return "cli" if part == "__main__" else part


def faults(module: str, found: Import) -> Iterator[str]:
    """What is wrong with one import in one module."""
    where = f"{module}, line {found.line}: {found.module} {found.name}".rstrip()
    if found.module.startswith("."):
        yield f"{where} is relative"
        return
    package = found.module.split(".")[0]
    if package not in PACKAGES:
        return
    home = module.split(".")[0]
    if package != home and home == "infoflow":
        yield f"{where}: the library does not depend on {package}"
    if (home, package) == ("infoflow_reproductions", "infoflow_benchmarks"):
        yield f"{where}: {home} does not depend on {package}"
    own, other = subpackage(module), subpackage(target(found) or found.module)
    inside = package == home == "infoflow" and own and other and own != other
    if inside and SUBPACKAGES.index(other) > SUBPACKAGES.index(own):
        yield f"{where}: {other} is below {own}"
    if (package, other) != (home, own):
        private = [part for part in [*found.module.split(".")[1:], found.name] if part.startswith("_")]
        if private and private != ["__version__"]:
            yield f"{where}: {private[0]} is private"


@pytest.mark.parametrize("module", FILES)
def test_imports_are_allowed(module: str) -> None:
    assert [fault for found in imports_of(module) for fault in faults(module, found)] == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("infoflow.pairwise.distances", "from infoflow.plane import record"),
        ("infoflow.pairwise.distances", "def f():\n    import infoflow.cli.main"),
        ("infoflow.data.szt", "from . import digits"),
        ("infoflow.plane.audit", "from infoflow.critics.vectors import _hidden"),
        ("infoflow.plane.audit", "from infoflow.bounds._scores import prepare"),
        ("infoflow.plane.audit", "from infoflow_reproductions import PAPERS"),
        ("infoflow_reproductions.milc", "from infoflow.plane.table import _hidden"),
    ],
)
def test_a_wrong_import_is_found(module: str, source: str) -> None:
    assert [fault for found in imports(source) for fault in faults(module, found)]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("infoflow.plane.audit", "from infoflow.core.errors import BrokenStore"),
        ("infoflow_reproductions.milc", "from infoflow.plane import record"),
        ("infoflow.cli.main", "from infoflow import __version__"),
    ],
)
def test_a_right_import_passes(module: str, source: str) -> None:
    assert [fault for found in imports(source) for fault in faults(module, found)] == []


def circle(graph: dict[str, set[str]]) -> list[str]:
    """One circle of modules, or nothing."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_circle_of_files() -> None:
    graph = {
        module: {other for found in imports_of(module) if (other := target(found)) and other != module}
        for module in FILES
    }
    assert circle(graph) == []


def test_a_circle_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}})
    assert not circle({"a": {"b", "c"}, "b": {"c"}})


def test_the_architecture_page_lists_the_same_subpackages_in_the_same_order() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    block = page.split("```text subpackages")[1].split("```")[0]
    listed = [line.split()[0].rstrip("/").removesuffix(".py") for line in block.splitlines() if line.strip()]
    assert listed == SUBPACKAGES
    assert {subpackage(module) for module in FILES if module.startswith("infoflow.")} == set(listed)
