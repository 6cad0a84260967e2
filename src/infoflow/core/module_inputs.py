"""Errors of PyTorch about a module's inputs, restated as InvalidArgument: which argument, what it must be, the remedy.

The inputs are examined once a call has failed, so that a call that succeeds costs nothing more.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from infoflow.core.errors import InvalidArgument

_METHODS = ("forward", "scores", "pairs", "opponent_loss", "batch_sums")

# What PyTorch raises for tensors that an operation does not support.
_ERRORS = (RuntimeError, NotImplementedError, IndexError, TypeError)

_OF_DTYPES = re.compile(r"dtype|scalar type|type|not implemented for|bool|complex|Half|Double|Long", re.IGNORECASE)
_OF_INDICES = re.compile(r"index out of range|out of bounds", re.IGNORECASE)
_OF_SHAPES = re.compile(r"shape|size|dimension|channels|elements|at least \dD|out of range|empty", re.IGNORECASE)


class ExplainedInputs:
    """Base class of modules whose methods raise InvalidArgument where PyTorch rejects an input.

    Notes
    -----
    The methods are `forward`, `scores`, `pairs`, `opponent_loss` and `batch_sums` of every subclass. `torch.compile`
    traces them without this step.

    Examples
    --------
    >>> class Double(ExplainedInputs, nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.inner = nn.Linear(2, 2)
    ...
    ...     def forward(self, x):
    ...         return self.inner(x)
    >>> Double()(torch.ones(3, 2, dtype=torch.float64))
    Traceback (most recent call last):
    ...
    infoflow.core.errors.InvalidArgument: x must be of the dtype of the weights of Double (float32), got float64. ...
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name in _METHODS:
            if name in vars(cls):
                setattr(cls, name, _explained(vars(cls)[name]))


def _explained(method: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(method)

    @functools.wraps(method)
    def called(self: Any, *arguments: Any, **options: Any) -> Any:
        if torch.compiler.is_compiling():
            return method(self, *arguments, **options)
        try:
            return method(self, *arguments, **options)
        except _ERRORS as error:
            try:
                inputs = signature.bind(self, *arguments, **options).arguments
            except TypeError:
                raise error from None
            found = explanation(error, self, dict(list(inputs.items())[1:]))
            if found is None:
                raise
            raise found from error

    return called


@contextmanager
def explaining(module: nn.Module, /, **inputs: Any) -> Iterator[None]:
    """Raise InvalidArgument where PyTorch rejects an input of a module that is called inside.

    Parameters
    ----------
    module
        The module, such as a network of the user's.
    **inputs
        What it is called with, by the name that messages state.

    Raises
    ------
    InvalidArgument
        Instead of an error of PyTorch, if an input has another device, layout, dtype or shape than the module requires.

    Examples
    --------
    >>> with explaining(nn.Linear(2, 2), x=torch.ones(3, 4)):
    ...     nn.Linear(2, 2)(torch.ones(3, 4))
    Traceback (most recent call last):
    ...
    infoflow.core.errors.InvalidArgument: x must be of a shape that Linear accepts, got shape (3, 4). PyTorch reports...
    """
    try:
        yield
    except _ERRORS as error:
        found = explanation(error, module, inputs)
        if found is None:
            raise
        raise found from error


def explanation(error: Exception, module: nn.Module, inputs: Mapping[str, Any]) -> InvalidArgument | None:
    """Return the error that states which input of a module is unsuitable, or None where the cause is another.

    Parameters
    ----------
    error
        What PyTorch raised.
    module
        The module that was called.
    inputs
        Its arguments by name; tuples of tensors are examined too.

    Returns
    -------
    InvalidArgument or None
        The error to raise instead.
    """
    if isinstance(error, InvalidArgument | torch.OutOfMemoryError):
        return None
    tensors = dict(_tensors(inputs))
    owner = type(module).__name__
    weights = [each for each in (*module.parameters(), *module.buffers()) if each.is_floating_point()]
    return (
        _no_tensor(error, inputs)
        or _of_layout(tensors)
        or _of_device(tensors, weights, owner)
        or _of_dtype(error, tensors, weights, owner)
        or _of_index(error, tensors, owner)
        or _of_shape(error, tensors, owner)
    )


def _tensors(inputs: Mapping[str, Any]) -> Iterator[tuple[str, Tensor]]:
    for name, value in inputs.items():
        if isinstance(value, Tensor):
            yield name, value
        elif isinstance(value, tuple | list | Mapping):
            fields = getattr(value, "_fields", None)
            parts = value.items() if isinstance(value, Mapping) else enumerate(value)
            named = {f"{name}.{fields[key]}" if fields else f"{name}[{key!r}]": part for key, part in parts}
            yield from _tensors(named)


def _no_tensor(error: Exception, inputs: Mapping[str, Any]) -> InvalidArgument | None:
    """An argument that must be a tensor, where PyTorch or Python complains of a type."""
    if not isinstance(error, TypeError):
        return None
    for name, value in inputs.items():
        if not isinstance(value, bool | nn.Module | None) and not dict(_tensors({name: value})):
            return InvalidArgument(name, "a tensor", got_text=f"a {type(value).__name__}")
    return None


def _of_layout(tensors: Mapping[str, Tensor]) -> InvalidArgument | None:
    for name, tensor in tensors.items():
        if tensor.is_nested or tensor.layout is not torch.strided:
            layout = "nested" if tensor.is_nested else str(tensor.layout).removeprefix("torch.")
            return InvalidArgument(
                name, "a dense tensor", got_text=f"one of layout {layout}", remedy="Convert it with .to_dense()."
            )
    return None


def _of_device(tensors: Mapping[str, Tensor], weights: list[Tensor], owner: str) -> InvalidArgument | None:
    first = next(iter(weights or tensors.values()), None)
    for name, tensor in tensors.items():
        if first is None or tensor.device == first.device:
            continue
        if tensor.is_meta:
            return InvalidArgument(name, "a tensor with data", got_text="one on the meta device, which has shapes only")
        wanted = f"the weights of {owner}" if weights else f"{next(iter(tensors))}"
        return InvalidArgument(
            name,
            f"on the device of {wanted} ({first.device})",
            got_text=f"one on {tensor.device}",
            remedy=f"Move it with .to({str(first.device)!r}), or the module with .to({str(tensor.device)!r}).",
        )
    meta = next((name for name, tensor in tensors.items() if tensor.is_meta), None)
    if meta is None:
        return None
    return InvalidArgument(meta, "a tensor with data", got_text="one on the meta device, which has shapes only")


def _of_dtype(
    error: Exception, tensors: Mapping[str, Tensor], weights: list[Tensor], owner: str
) -> InvalidArgument | None:
    if not _OF_DTYPES.search(str(error)):
        return None
    labels = tensors.get("labels")
    if labels is not None and (labels.is_floating_point() or labels.is_complex()):
        return InvalidArgument(
            "labels", "integer classes", got_text=_name(labels.dtype), remedy="Convert them with .long()."
        )
    wanted = weights[0].dtype if weights else torch.float32
    for name, tensor in tensors.items():
        if name == "labels" or (tensor.is_floating_point() and (not weights or tensor.dtype == wanted)):
            continue
        must_be = f"of the dtype of the weights of {owner} ({_name(wanted)})" if weights else "a floating-point tensor"
        remedy = f"Convert it with .to(torch.{_name(wanted)})"
        other = f", or the module with .to(torch.{_name(tensor.dtype)})" if tensor.is_floating_point() else ""
        return InvalidArgument(name, must_be, got_text=_name(tensor.dtype), remedy=f"{remedy}{other}.")
    return None


def _of_index(error: Exception, tensors: Mapping[str, Tensor], owner: str) -> InvalidArgument | None:
    """Integers, such as token ids, beyond the rows that they select."""
    whole = {name: t for name, t in tensors.items() if t.dtype in (torch.int32, torch.int64) and t.numel()}
    if not whole or not _OF_INDICES.search(str(error)):
        return None
    ranges = [f"values from {int(t.min())} to {int(t.max())}" for t in whole.values()]
    return InvalidArgument(
        " and ".join(whole),
        f"within the range that {owner} looks up",
        got_text=" and ".join(ranges),
        remedy="Check that the inputs were encoded for this model.",
    )


def _of_shape(error: Exception, tensors: Mapping[str, Tensor], owner: str) -> InvalidArgument | None:
    reason = str(error).split("\n")[0].rstrip(".")
    if not tensors or not _OF_SHAPES.search(reason):
        return None
    shapes = [f"shape {tuple(tensor.shape)}" for tensor in tensors.values()]
    got = shapes[0] if len(tensors) == 1 else ", ".join(f"{n} of {s}" for n, s in zip(tensors, shapes, strict=True))
    wanted = "of a shape that" if len(tensors) == 1 else "of shapes that"
    return InvalidArgument(
        " and ".join(tensors), f"{wanted} {owner} accepts", got_text=got, remedy=f"PyTorch reports: {reason}."
    )


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
