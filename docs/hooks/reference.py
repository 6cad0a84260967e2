"""The API reference: every name of every public `__all__`, by subject."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import infoflow

# Subpackages whose files are imported by their own path, as tests/test_docstrings.py lists them.
BY_FILE = ("entropies", "pairwise", "integrations")

# The order of the pages; a subpackage that is missing here comes last.
ORDER = ("estimators", "tables", "plane", "layers", "objectives", "metrics", "bounds", "critics", "entropies", "probes")

ESTIMATORS = {
    "neighbors": "Nearest neighbors",
    "histogram": "Histograms and symbols",
    "gaussian": "Gaussian",
    "kernel": "Kernels",
    "learned": "Learned",
    "channels": "Channels",
    "automatic": "The default",
    "wrappers": "Wrappers",
}


def pages(root: Path) -> tuple[list[Any], dict[str, dict[str, str]]]:
    """Navigation and generated files of the reference."""
    files = {}
    navigation: list[Any] = ["reference/index.md"]
    index = ["# API reference", ""]
    seen: dict[int, str] = {}
    for title, uri, names in subjects():
        own = [name for name in names if _first(name, seen)]
        rows = [f"| [`{_short(name)}`][{seen.get(id(_thing(name)), name)}] | {_summary(name)} |" for name in names]
        table = ["| Name | Summary |", "|---|---|", *rows, ""]
        entries = [f"::: {name}\n" for name in own]
        files[uri] = {"content": "\n".join([f"# {title}", "", _about(title), "", *table, *entries])}
        index += [f"## [{title}]({uri.removeprefix('reference/')})", "", *table]
        navigation.append({title: uri})
    files["reference/index.md"] = {"content": "\n".join(index)}
    return navigation, files


def subjects() -> Iterator[tuple[str, str, list[str]]]:
    """Title, address and dotted names of every page."""
    top = [name for name in infoflow.__all__ if not inspect.ismodule(getattr(infoflow, name)) and name[0] != "_"]
    yield "infoflow", "reference/infoflow.md", [f"infoflow.{name}" for name in top]
    subpackages = [name for name in infoflow.__all__ if inspect.ismodule(getattr(infoflow, name))]
    for subpackage in sorted(subpackages, key=lambda name: (ORDER.index(name) if name in ORDER else 99, name)):
        module = importlib.import_module(f"infoflow.{subpackage}")
        names = [f"{module.__name__}.{name}" for name in public(module)]
        if subpackage == "estimators":
            yield from _estimators(names)
            continue
        if subpackage in BY_FILE:
            for found in pkgutil.iter_modules(module.__path__, f"{module.__name__}."):
                names += _of_file(Path(module.__path__[0]) / f"{found.name.rsplit('.', 1)[1]}.py", found.name, names)
        yield f"infoflow.{subpackage}", f"reference/{subpackage}.md", names


def public(module: ModuleType) -> list[str]:
    """The names in a module's `__all__`."""
    return list(getattr(module, "__all__", []))


def _estimators(names: list[str]) -> Iterator[tuple[str, str, list[str]]]:
    groups: dict[str, list[str]] = {"": [], **{group: [] for group in ESTIMATORS}}
    for name in names:
        defined = getattr(_thing(name), "__module__", "").split(".")
        group = defined[2] if len(defined) > 3 and inspect.isclass(_thing(name)) else ""
        groups[group if group in groups else ""].append(name)
    for group, members in groups.items():
        title = f"Estimators: {ESTIMATORS[group].lower()}" if group else "infoflow.estimators"
        if members:
            yield title, f"reference/estimators{'-' if group else ''}{group}.md", members


def _of_file(path: Path, module: str, known: list[str]) -> list[str]:
    """Public functions and classes that a file defines, read without an import, since extras may be missing."""
    listed = {name.rsplit(".", 1)[1] for name in known}
    return [
        f"{module}.{node.name}"
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name[0] != "_" and node.name not in listed
    ]


def _thing(name: str) -> Any:
    module, attribute = name.rsplit(".", 1)
    return getattr(importlib.import_module(module), attribute)


def _first(name: str, seen: dict[int, str]) -> bool:
    """Whether this is the first page with the object, which documents it."""
    thing = _thing(name)
    shared = inspect.isfunction(thing) or inspect.isclass(thing)
    if shared and id(thing) in seen:
        return False
    if shared:
        seen[id(thing)] = name
    return True


def _short(name: str) -> str:
    """The name without the package and subpackage, which the page's title states."""
    parts = name.split(".")
    return ".".join(parts[2:] or parts[1:])


def _summary(name: str) -> str:
    thing = _thing(name)
    documented = inspect.isroutine(thing) or inspect.isclass(thing)
    line = (inspect.getdoc(thing) or "").split("\n\n")[0].replace("\n", " ") if documented else ""
    return line.replace("|", "\\|")


def _about(title: str) -> str:
    if not title.startswith("infoflow"):
        return ""
    return (inspect.getdoc(importlib.import_module(title)) or "").split("\n\n")[0]
