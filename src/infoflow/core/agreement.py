"""What processes exchange before a collective: which one they call, the shape of what they pass, and their settings."""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from infoflow.core.errors import InvalidArgument
from infoflow.core.roll_call import called

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

_MAX_AXES = 8  # of a tensor that is gathered; its shape travels in a fixed-size message

_DTYPES = (
    *(torch.float64, torch.float32, torch.float16, torch.bfloat16),
    *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool),
)

_OPERATIONS = ("gather", "sum_over", "max_over")

# (setting, its value) as text
_SETTINGS: ContextVar[tuple[tuple[str, str], ...]] = ContextVar("settings that collectives compare", default=())

_LONGEST = 100
"""Characters of a setting that a message can hold."""


@contextmanager
def agreeing(group: Any, what: str, settings: Mapping[str, object]) -> Iterator[None]:
    """Let every collective inside compare these settings between the processes, too; nothing without a group.

    Parameters
    ----------
    group : torch.distributed.ProcessGroup or None
        The processes; None is this process alone.
    what
        What the settings are of, for the message.
    settings
        Numbers, text or other values with a `repr` that is the same on every process.

    Raises
    ------
    InvalidArgument
        By the collectives inside, on every process alike, if the settings differ; the message states who has what.

    Notes
    -----
    A digest of the settings travels in the message that precedes each collective, so that it costs no other.

    Examples
    --------
    >>> with agreeing(None, "smile", {"clip": 5.0}):
    ...     pass
    """
    if group is None:
        yield
        return
    texts = [(f"{name} of {what}", repr(value)) for name, value in settings.items()]
    token = _SETTINGS.set((*_SETTINGS.get(), *texts))
    try:
        yield
    finally:
        _SETTINGS.reset(token)


def comparing_settings(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Decorate a function of tensors with a keyword `group`, whose other plain options the processes then compare.

    Parameters
    ----------
    function
        The function.

    Returns
    -------
    Callable
        The same function within `agreeing` where a group is passed.

    Examples
    --------
    >>> @comparing_settings
    ... def scaled(x, *, factor=1.0, group=None):
    ...     return x * factor
    >>> scaled(2.0, factor=3.0)
    6.0
    """

    signature = inspect.signature(function)

    @functools.wraps(function)
    def compared(*arguments: _Arguments.args, **options: _Arguments.kwargs) -> _Result:
        group = options.get("group")
        if group is None:
            return function(*arguments, **options)
        bound = signature.bind(*arguments, **options)
        bound.apply_defaults()
        plain = {name: value for name, value in bound.arguments.items() if isinstance(value, str | int | float)}
        plain["function"] = function.__name__
        with agreeing(group, function.__name__, plain):
            return function(*arguments, **options)

    return compared


def agree(operation: str, tensor: Tensor, group: Any) -> None:
    """Raise InvalidArgument on every process where shapes or dtypes differ, which would hang or add unlike numbers.

    Parameters
    ----------
    operation
        Name of the collective that follows.
    tensor
        What this process passes to it.
    group : torch.distributed.ProcessGroup
        The processes.

    Raises
    ------
    InvalidArgument
        If anything differs.
    """
    shapes = shapes_of_all(operation, tensor, group, "tensor")
    if len(set(shapes)) > 1:
        raise InvalidArgument("tensor", "of one shape and dtype on all processes", got_text=each(shapes))


def each(shapes: list[tuple[int, tuple[int, ...]]]) -> str:
    """Return the shapes that `shapes_of_all` returned, and their processes, as text.

    Parameters
    ----------
    shapes
        What `shapes_of_all` returned.
    """
    return ", ".join(
        f"shape {shape} of {str(_DTYPES[kind]).removeprefix('torch.')} on process {process}"
        for process, (kind, shape) in enumerate(shapes)
    )


def shapes_of_all(operation: str, tensor: Tensor, group: Any, name: str) -> list[tuple[int, tuple[int, ...]]]:
    """Return (number of the dtype, shape) of the tensor on every process, which all must call the same operation.

    Parameters
    ----------
    operation
        Name of the collective that follows.
    tensor
        What this process passes to it.
    group : torch.distributed.ProcessGroup
        The processes.
    name
        Name of the argument, for messages.

    Raises
    ------
    InvalidArgument
        On every process alike, if they call different collectives or have different settings, or if a process passes
        what cannot be sent.
    """
    # A process that raised before the exchange would leave the others waiting: a fault travels as -1 axes.
    fault = tensor.ndim > _MAX_AXES or tensor.dtype not in _DTYPES
    fault |= operation == "gather" and (tensor.ndim == 0 or not tensor.is_floating_point())
    header = [-1, 0] if fault else [tensor.ndim, _DTYPES.index(tensor.dtype)]
    shape = [] if fault else list(tensor.shape)
    settings = json.dumps(_SETTINGS.get())
    digest = int.from_bytes(hashlib.sha256(settings.encode()).digest()[:7], "big")
    numbers = [_OPERATIONS.index(operation), digest, *header, *shape, *[0] * (_MAX_AXES - len(shape))]
    received = _exchanged(operation, numbers, tensor.device, group)
    operations = [_OPERATIONS[which] for which, *_ in received]
    if len(set(operations)) > 1:
        found = ", ".join(f"{which} on process {process}" for process, which in enumerate(operations))
        raise InvalidArgument("collective", "the same on all processes", got_text=found)
    if len({which for _, which, *_ in received}) > 1:
        raise _different([dict(json.loads(text)) for text in _texts(settings, tensor.device, group)])
    broken = [process for process, (_, _, axes, *_) in enumerate(received) if axes < 0]
    if broken:
        kind = "floating-point rows" if operation == "gather" else "real numbers"
        raise InvalidArgument(
            name,
            f"{kind} of at most {_MAX_AXES} axes on every process",
            got_text=f"something else on process {broken[0]} (here: shape {tuple(tensor.shape)}, dtype {tensor.dtype})",
        )
    return [(kind, tuple(numbers[:axes])) for _, _, axes, kind, *numbers in received]


def _different(held: list[dict[str, str]]) -> InvalidArgument:
    """The error that states which process has what, of the first setting that differs."""
    names = list(dict.fromkeys(name for settings in held for name in settings))
    name = next((name for name in names if len({settings.get(name) for settings in held}) > 1), "order of settings")
    values = [settings.get(name, "none") for settings in held]
    # A long text, such as a network's, is shown from just before the first difference.
    alike = next((i for i, letters in enumerate(zip(*values, strict=False)) if len(set(letters)) > 1), 0)
    start = max(0, alike - _LONGEST // 2) if max(map(len, values)) > _LONGEST else 0
    shown = [" ".join(value[start : start + _LONGEST].split()) for value in values]
    found = ", ".join(f"{value} on process {process}" for process, value in enumerate(shown))
    return InvalidArgument(name, "the same on all processes", got_text=found)


def _texts(text: str, device: torch.device, group: Any) -> list[str]:
    """The text of every process, whose lengths differ."""
    mine = list(text.encode())
    lengths = [length for (length,) in _exchanged("settings", [len(mine)], device, group)]
    padded = mine + [0] * (max(lengths) - len(mine))
    received = _exchanged("settings", padded, device, group)
    return [bytes(content[:length]).decode() for content, length in zip(received, lengths, strict=True)]


def _exchanged(operation: str, numbers: list[int], device: torch.device, group: Any) -> list[list[int]]:
    """Equally many integers of every process, in rank order."""
    message = torch.tensor(numbers, dtype=torch.int64, device=device)
    parts = [torch.empty_like(message) for _ in range(dist.get_world_size(group))]
    with called(operation, group):
        dist.all_gather(parts, message, group=group)
    return [[int(number) for number in part] for part in parts]
