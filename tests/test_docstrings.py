"""Every public name is listed, documented in NumPy style, annotated, and shown in an example that runs.

`pytest --doctest-modules` runs the examples; `numpydoc` checks the sections.
"""

from __future__ import annotations

import dataclasses
import doctest
import enum
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from numpydoc.validate import validate

import infoflow

# Subpackages whose files are used by their own path: every name that such a file defines is public.
BY_FILE = ("entropies", "pairwise")

# `core` is internal: what users need of it are names of `infoflow` and `infoflow.errors`.
SUBPACKAGES = [name for name in infoflow.__all__ if inspect.ismodule(getattr(infoflow, name))]

# numpydoc's rules that do not apply here, and why.
IGNORED = {
    "GL01",  # the summary starts on the line of the quotes, as PEP 257 and ruff have it
    "GL02",  # ... and a one-line docstring ends on it
    "GL03",  # blank lines are ruff's
    "GL08",  # whether a docstring exists is tested below, with fields and protocols apart
    "ES01",  # a one-line summary may say all
    "SA01",  # "See Also" only where it helps
    "EX01",  # examples are tested below
    "PR04",  # types stand in the annotations, from which the site takes them
    "PR08",  # a description may start with a symbol
    "PR10",  # ... so "x, y : array-like" is the only kind of type in the text
    "RT01",  # where the summary states the result, or the method returns what its base class says
    "RT02",  # a return value has its type first and no name
    "RT03",
    "RT04",  # ... so may that of the result
    "SS05",  # "Mutual information of ..." is as good as an imperative
    "YD01",
}

# A method of one sentence names its arguments there.
IN_ONE_SENTENCE = {"PR01"}


def modules(subpackage: str) -> Iterator[ModuleType]:
    """The subpackage, or the files that are used by their own path."""
    module = importlib.import_module(f"infoflow.{subpackage}")
    if subpackage in BY_FILE:
        for found in pkgutil.iter_modules(module.__path__, f"{module.__name__}."):
            yield importlib.import_module(found.name)
    else:
        yield module


def public(subpackage: str) -> dict[str, Any]:
    """Public functions and classes by their full name."""
    found: dict[str, Any] = {}
    for module in modules(subpackage):
        defined = [n for n, o in vars(module).items() if getattr(o, "__module__", None) == module.__name__]
        for name in getattr(module, "__all__", [n for n in defined if not n.startswith("_")]):
            thing = getattr(module, name)
            if inspect.isfunction(thing) or (inspect.isclass(thing) and not getattr(thing, "_is_protocol", False)):
                found[f"{module.__name__}.{name}"] = thing
    return found


def members(name: str, thing: Any) -> Iterator[tuple[str, Any]]:
    """Public methods and properties of a class of ours, those of its bases too."""
    if not inspect.isclass(thing):
        return
    fields = {f.name for f in dataclasses.fields(thing)} if dataclasses.is_dataclass(thing) else set()
    for key in sorted(set(dir(thing)) - fields):
        member = inspect.getattr_static(thing, key)
        function = getattr(member, "__func__", getattr(member, "fget", member))
        ours = (getattr(function, "__module__", "") or "").startswith("infoflow")
        if ours and not key.startswith("_") and (inspect.isroutine(member) or isinstance(member, property)):
            yield f"{name}.{key}", member


def examples(thing: Any) -> list[doctest.Example]:
    found = doctest.DocTestParser().get_examples(thing.__doc__ or "")
    return [example for example in found if not example.options.get(doctest.SKIP)]


def short(name: str, classes: dict[str, Any]) -> bool:
    """Whether it is a method documented in one paragraph, or an enumeration, whose parameters are Python's."""
    if name in classes:
        return inspect.isclass(classes[name]) and issubclass(classes[name], enum.Enum)
    owner, method = name.rsplit(".", 1)
    return "\n\n" not in (inspect.getdoc(getattr(classes[owner], method)) or "")


@pytest.mark.parametrize("subpackage", SUBPACKAGES)
def test_all_lists_the_public_names(subpackage: str) -> None:
    module = importlib.import_module(f"infoflow.{subpackage}")
    if subpackage in BY_FILE:
        return
    assert [name for name in module.__all__ if not hasattr(module, name)] == []
    assert len(set(module.__all__)) == len(module.__all__)
    assert [name for name in dir(module) if not name.startswith("__") and name not in module.__all__] == []


@pytest.mark.parametrize("subpackage", SUBPACKAGES)
def test_every_public_function_and_class_has_an_executed_example(subpackage: str) -> None:
    found = public(subpackage)
    assert found
    bare = {name: thing for name, thing in found.items() if not examples(thing)}
    assert [name for name, thing in bare.items() if not (inspect.isclass(thing) and issubclass(thing, enum.Enum))] == []


@pytest.mark.parametrize("subpackage", SUBPACKAGES)
def test_every_public_method_has_a_docstring(subpackage: str) -> None:
    silent = [
        member
        for name, thing in public(subpackage).items()
        for member, function in members(name, thing)
        if not inspect.getdoc(getattr(thing, member.rsplit(".", 1)[1]))
    ]
    assert silent == []


@pytest.mark.parametrize("subpackage", SUBPACKAGES)
def test_docstrings_follow_the_numpy_style(subpackage: str) -> None:
    names = {
        member
        for name, thing in public(subpackage).items()
        for member in [name, *(inner for inner, _ in members(name, thing))]
    }
    faults = [
        f"{name}: {code} {text}"
        for name in sorted(names)
        for code, text in validate(name)["errors"]
        if code not in IGNORED and not (code in IN_ONE_SENTENCE and short(name, public(subpackage)))
    ]
    assert faults == []


@pytest.mark.parametrize("subpackage", SUBPACKAGES)
def test_every_parameter_is_annotated(subpackage: str) -> None:
    bare = []
    for name, thing in public(subpackage).items():
        functions = [thing] if inspect.isfunction(thing) else [f for _, f in members(name, thing)]
        for function in filter(inspect.isfunction, functions):
            for parameter in list(inspect.signature(function).parameters.values()):
                if parameter.annotation is inspect.Parameter.empty and parameter.name not in ("self", "cls"):
                    bare.append(f"{name} {function.__name__}: {parameter.name}")
    assert bare == []
