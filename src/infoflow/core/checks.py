"""Turns what a user hands over into tensors that the rest can rely on, or says what is wrong with it.

Every function takes the argument's name, so that the message can use it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from infoflow.core.errors import InvalidArgument, TooFewSamples, UnknownName


def _tensor(value: Any, name: str) -> Tensor:
    """Any real, numeric array-like as a detached tensor; a torch tensor keeps its device."""
    if isinstance(value, Tensor):
        tensor = value.detach()
    else:
        try:
            array = np.asarray(value)
        except ValueError as error:
            raise InvalidArgument(f"{name} is not a rectangular array: {error}") from None
        if array.dtype.kind not in "biuf":
            raise InvalidArgument(f"{name} has dtype {array.dtype}; want real numbers")
        if array.dtype.itemsize > 8:
            array = array.astype(np.float64)
        if not array.dtype.isnative or any(stride < 0 for stride in array.strides) or not array.flags.writeable:
            array = array.astype(array.dtype.newbyteorder("="), copy=True)
        tensor = torch.from_numpy(np.ascontiguousarray(array).reshape(array.shape))
    if tensor.is_complex():
        raise InvalidArgument(f"{name} has dtype {tensor.dtype}; want real numbers")
    return tensor


def samples(value: Any, name: str, *, minimum: int = 2, dtype: torch.dtype | None = None) -> Tensor:
    """Samples as a finite floating tensor of shape (n, d): trailing axes are flattened, a vector becomes (n, 1).

    float32 and float64 are kept unless `dtype` asks otherwise; half precision becomes float32, integers float64.

    Raises InvalidArgument (dtype, NaN or infinity, no features) or TooFewSamples (n < `minimum`).

    >>> samples([1, 2, 3], "x").shape
    torch.Size([3, 1])
    """
    tensor = _tensor(value, name)
    if tensor.ndim == 0:
        raise InvalidArgument(f"{name} is a single number; want samples of shape (n, ...)")
    if tensor.shape[0] < minimum:
        raise TooFewSamples(
            f"{name} holds {tensor.shape[0]} samples (shape {tuple(tensor.shape)}); want at least {minimum}"
        )
    if tensor.numel() == 0:
        raise InvalidArgument(f"{name} has shape {tuple(tensor.shape)}; want at least one feature per sample")
    if dtype is None:
        if tensor.dtype in (torch.float32, torch.float64):
            dtype = tensor.dtype
        else:
            dtype = torch.float32 if tensor.is_floating_point() else torch.float64
    tensor = tensor.reshape(tensor.shape[0], -1).to(dtype)
    finite(tensor, name)
    return tensor


def finite(tensor: Tensor, name: str) -> None:
    """Raises InvalidArgument that says how many entries are NaN or infinite, and where the first is.

    >>> finite(torch.tensor([0.0, math.nan]), "x")
    Traceback (most recent call last):
    ...
    infoflow.core.errors.InvalidArgument: x has 1 NaN value (first at index (1,)); want finite numbers
    """
    # One pass without a mask: NaN and infinity poison a sum. (So does overflow of finite numbers, so look again then.)
    if bool(torch.isfinite(tensor.sum())):
        return
    bad = ~torch.isfinite(tensor)
    if not bool(bad.any()):
        return
    where = tuple(int(i) for i in bad.nonzero()[0])
    count, kind = int(bad.sum()), "NaN" if bool(torch.isnan(tensor).any()) else "infinite"
    raise InvalidArgument(
        f"{name} has {count} {kind} value{'s' * (count > 1)} (first at index {where}); want finite numbers"
    )


def moderate(tensor: Tensor, name: str, *, least: float = 1e-150) -> Tensor:
    """The tensor itself, if its largest size is at most 1e150 and at least `least` (or 0): squares stay in float64.

    Raises InvalidArgument otherwise: sizes like that come from a fault more often than from data.

    >>> moderate(torch.tensor([1e200], dtype=torch.float64), "x")
    Traceback (most recent call last):
    ...
    infoflow.core.errors.InvalidArgument: x reaches 1e+200, whose square is beyond float64; want it rescaled
    """
    reach = max(abs(float(bound)) for bound in tensor.aminmax())
    if reach > 1e150 or 0 < reach < least:
        raise InvalidArgument(f"{name} reaches {reach:.3g}, whose square is beyond float64; want it rescaled")
    return tensor


def is_classes(value: Any) -> bool:
    """Whether the values are classes by our rule: a one-dimensional integer or boolean array.

    >>> is_classes([0, 1, 1]), is_classes([0.0, 1.0, 1.0]), is_classes([[0, 1], [1, 1]])
    (True, False, False)
    """
    try:
        tensor = value if isinstance(value, Tensor) else np.asarray(value)
    except ValueError:  # a ragged list; `samples` says what is wrong with it
        return False
    if isinstance(tensor, Tensor):
        integral = not tensor.is_floating_point() and not tensor.is_complex()
    else:
        integral = tensor.dtype.kind in "biu"
    return integral and (tensor.ndim == 1 or (tensor.ndim == 2 and tensor.shape[1] == 1))


def classes(value: Any, name: str, *, minimum: int = 1) -> tuple[Tensor, int]:
    """Labels as int64 codes 0..C-1 of shape (n,), and C. Accepts integers, booleans, and (n, 1) columns of them.

    Raises InvalidArgument for floats (continuous labels need binning first) and other shapes.

    >>> codes, count = classes([7, 3, 7], "y"); codes.tolist(), count
    ([1, 0, 1], 2)
    """
    tensor = _tensor(value, name)
    if tensor.is_floating_point():
        raise InvalidArgument(f"{name} has dtype {tensor.dtype}; want integer classes (bin continuous labels first)")
    if tensor.ndim == 2 and tensor.shape[1] == 1:
        tensor = tensor[:, 0]
    if tensor.ndim != 1:
        raise InvalidArgument(f"{name} has shape {tuple(tensor.shape)}; want one class per sample, shape (n,)")
    if tensor.shape[0] < minimum:
        raise TooFewSamples(f"{name} holds {tensor.shape[0]} labels; want at least {minimum}")
    values, codes = torch.unique(tensor, return_inverse=True)
    return codes.to(torch.int64), int(values.numel())


def paired(x: Tensor, y: Tensor, x_name: str = "x", y_name: str = "y") -> None:
    """Raises InvalidArgument unless both hold the same number of samples.

    >>> paired(torch.zeros(3, 1), torch.zeros(2))
    Traceback (most recent call last):
    ...
    infoflow.core.errors.InvalidArgument: x holds 3 samples but y holds 2; want pairs
    """
    if x.shape[0] != y.shape[0]:
        raise InvalidArgument(f"{x_name} holds {x.shape[0]} samples but {y_name} holds {y.shape[0]}; want pairs")


def positive(value: Any, name: str, *, zero: bool = False) -> float:
    """A finite number > 0 (or >= 0 when `zero`), else InvalidArgument (a boolean or a string is none).

    >>> positive(2, "width")
    2.0
    >>> positive(0, "width")
    Traceback (most recent call last):
    ...
    infoflow.core.errors.InvalidArgument: width is 0; want a finite number > 0
    """
    try:
        if isinstance(value, bool | str):
            raise TypeError
        number = float(value)
    except (TypeError, ValueError):
        raise InvalidArgument(f"{name} is {value!r}; want a number") from None
    if not math.isfinite(number) or number < 0 or (number == 0 and not zero):
        raise InvalidArgument(f"{name} is {value!r}; want a finite number {'>=' if zero else '>'} 0")
    return number


def integer(value: Any, name: str, *, minimum: int = 1) -> int:
    """An integer >= `minimum`, else InvalidArgument (a boolean or a float is none).

    >>> integer(3, "k")
    3
    >>> integer(2.5, "k")
    Traceback (most recent call last):
    ...
    infoflow.core.errors.InvalidArgument: k is 2.5; want an integer >= 1
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < minimum:
        raise InvalidArgument(f"{name} is {value!r}; want an integer >= {minimum}")
    return int(value)


def flag(value: Any, name: str) -> bool:
    """True or False, else InvalidArgument: the string "false" would count as true.

    >>> flag("false", "copula")
    Traceback (most recent call last):
    ...
    infoflow.core.errors.InvalidArgument: copula is 'false'; want True or False
    """
    if not isinstance(value, bool | np.bool_):
        raise InvalidArgument(f"{name} is {value!r}; want True or False")
    return bool(value)


def choice(value: Any, what: str, options: Iterable[str]) -> str:
    """One of `options`, else UnknownName with the nearest.

    >>> choice("uper", "bound", ["upper", "lower"])
    Traceback (most recent call last):
    ...
    infoflow.core.errors.UnknownName: unknown bound 'uper'; did you mean 'upper'? Known: lower, upper
    """
    known = list(options)
    if value not in known:
        raise UnknownName(what, value, known)
    return str(value)
