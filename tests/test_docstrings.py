"""Everything public says what it does, and shows it in an example; `pytest --doctest-modules` runs the examples."""

from __future__ import annotations

import dataclasses
import doctest
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

import infoflow

# Rooms whose files are used by their own path: all that their files define is public.
_WHOLE = ("entropies", "pairwise")

ROOMS = [name for name in infoflow.__all__ if inspect.ismodule(getattr(infoflow, name))]


def _modules(room: str) -> Iterator[ModuleType]:
    module = getattr(infoflow, room)
    yield module
    if room in _WHOLE:
        for found in pkgutil.iter_modules(module.__path__, f"{module.__name__}."):
            yield importlib.import_module(found.name)


def _public(room: str) -> Iterator[tuple[str, Any]]:
    for module in _modules(room):
        defined = [n for n, o in vars(module).items() if getattr(o, "__module__", None) == module.__name__]
        for name in getattr(module, "__all__", [n for n in defined if not n.startswith("_")]):
            thing = getattr(module, name)
            # A protocol does nothing that could be shown.
            if inspect.isfunction(thing) or (inspect.isclass(thing) and not getattr(thing, "_is_protocol", False)):
                yield f"{module.__name__}.{name}", thing


def _examples(thing: Any) -> list[doctest.Example]:
    found = doctest.DocTestParser().get_examples(thing.__doc__ or "")
    return [example for example in found if not example.options.get(doctest.SKIP)]


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_function_and_class_has_an_executed_example(room: str) -> None:
    public = dict(_public(room))
    assert public
    assert [name for name, thing in public.items() if not _examples(thing)] == []


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_method_says_what_it_does(room: str) -> None:
    silent = []
    for name, thing in _public(room):
        if not inspect.isclass(thing):
            continue
        fields = {f.name for f in dataclasses.fields(thing)} if dataclasses.is_dataclass(thing) else set()
        for key in sorted(set(dir(thing)) - fields):
            member = getattr(thing, key, None)
            of_ours = getattr(getattr(member, "fget", member), "__module__", "") or ""
            callable_or_property = inspect.isroutine(member) or isinstance(member, property)
            if not key.startswith("_") and callable_or_property and of_ours.startswith("infoflow"):
                silent += [] if inspect.getdoc(member) else [f"{name}.{key}"]
    assert silent == []
