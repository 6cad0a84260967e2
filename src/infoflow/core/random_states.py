"""The states of random generators: those of the process, and those that the modules of a network own."""

from __future__ import annotations

import functools
import random
from collections import deque
from collections.abc import Callable, Iterator
from types import FunctionType, MethodType, ModuleType
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

States: TypeAlias = list[tuple[Callable[[Any], Any], Any]]


def global_states() -> States:
    """Return (function, state) pairs whose calls restore every random generator of the process."""
    states: States = [
        (torch.set_rng_state, torch.get_rng_state()),
        (np.random.set_state, np.random.get_state()),  # noqa: NPY002 - it is the user's global state
        (random.setstate, random.getstate()),
    ]
    if torch.cuda.is_available() and torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        states.append((torch.cuda.set_rng_state_all, torch.cuda.get_rng_state_all()))
    if torch.backends.mps.is_available():
        states.append((torch.mps.set_rng_state, torch.mps.get_rng_state()))
    return states


def owned_states(model: nn.Module) -> States:
    """Return the same for the generators that a module's attributes lead to.

    They are found in containers, in objects such as samplers, and in what functions are bound to. The state of an
    iterator that has begun cannot be restored.
    """
    states: States = []
    waiting: list[Any] = [vars(module) for module in model.modules()]
    seen: set[int] = set()
    while waiting:
        value = waiting.pop()
        if id(value) in seen or isinstance(value, Tensor | nn.Module | ModuleType | type | str | bytes | np.ndarray):
            continue
        seen.add(id(value))
        if isinstance(value, torch.Generator):
            states.append((value.set_state, value.get_state()))
        elif isinstance(value, random.Random):
            states.append((value.setstate, value.getstate()))
        elif isinstance(value, np.random.RandomState):
            states.append((value.set_state, value.get_state()))
        elif isinstance(value, np.random.Generator):
            waiting.append(value.bit_generator)
        elif isinstance(value, np.random.BitGenerator):
            states.append((functools.partial(setattr, value, "state"), value.state))
        else:
            waiting.extend(_parts(value))
    return states


def _parts(value: Any) -> Iterator[Any]:
    """What a container, a function or an object holds."""
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list | tuple | set | frozenset | deque):
        yield from value
    elif isinstance(value, functools.partial):
        yield from (value.func, value.args, value.keywords)
    elif isinstance(value, MethodType):
        yield from (value.__self__, value.__func__)
    elif isinstance(value, FunctionType):
        yield from (value.__defaults__, value.__kwdefaults__)
        for cell in value.__closure__ or ():
            try:
                yield cell.cell_contents
            except ValueError:  # a variable that has no value yet
                continue
    if hasattr(value, "__dict__"):
        yield vars(value)
    for kind in type(value).__mro__:
        slots = vars(kind).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            private = name.startswith("__") and not name.endswith("__")
            yield getattr(value, f"_{kind.__name__.lstrip('_')}{name}" if private else name, None)
