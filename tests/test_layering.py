"""A room imports only rooms above it in the house (docs/architecture.md)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "infoflow"

# From the ground up. A folder or a file of the package is a room.
ROOMS = [
    "interface",
    "errors",
    "checks",
    "capture",
    "distributed",
    "pairwise",
    "entropies",
    "bounds",
    "critics",
    "estimators",
    "layers",
    "objectives",
    "theory",
    "tasks",
    "data",
    "models",
    "training",
    "probes",
    "plane",
    "integrations",
    "papers",
    "bench",
    "cli",
]


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported_rooms(tree: ast.AST) -> list[tuple[str, int]]:
    """(room, line) of every import of ours, wherever it stands (lazy ones inside functions too)."""
    found: list[tuple[str, int]] = []
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                found.append(("<relative>", node.lineno))
            elif node.module == "infoflow":
                names = [f"infoflow.{alias.name}" for alias in node.names]
            elif node.module:
                names = [node.module]
        for name in names:
            parts = name.split(".")
            if parts[0] == "infoflow" and len(parts) > 1:
                found.append((parts[1], node.lineno))
    return found


def upward_imports(path: Path, source: str) -> list[str]:
    room = room_of(path)
    faults = []
    for target, line in imported_rooms(ast.parse(source)):
        if target == "__version__" or target == room:
            continue
        if target not in ROOMS or ROOMS.index(target) > ROOMS.index(room):
            faults.append(f"{path.name}:{line} ({room}) imports {target}")
    return faults


MODULES = sorted(p for p in SOURCE.rglob("*.py") if p != SOURCE / "__init__.py")


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_point_upward_in_the_list_only(path: Path) -> None:
    assert room_of(path) in ROOMS, f"{path} is in no room of docs/architecture.md"
    assert upward_imports(path, path.read_text()) == []


def test_an_upward_import_is_caught() -> None:
    assert upward_imports(SOURCE / "pairwise.py", "from infoflow.plane import record")
    assert upward_imports(SOURCE / "pairwise.py", "def f():\n    import infoflow.cli")
    assert upward_imports(SOURCE / "data" / "szt.py", "from . import digits")
    assert not upward_imports(SOURCE / "plane" / "audit.py", "from infoflow.core.errors import BrokenStore")


def test_the_architecture_page_lists_the_same_rooms_in_the_same_order() -> None:
    page = (SOURCE.parents[1] / "docs" / "architecture.md").read_text()
    block = page.split("```text rooms")[1].split("```")[0]
    listed = [line.split()[0].rstrip("/").removesuffix(".py") for line in block.splitlines() if line.strip()]
    assert listed == [room for room in ROOMS if room in listed]
    present = {room_of(path) for path in MODULES}
    assert present <= set(listed)
