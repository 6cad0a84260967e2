"""Input checks: an array-like becomes a tensor that the rest of the library can rely on, or InvalidArgument is raised.

Every function takes the argument's name for the message. Settings are validated by `infoflow.core.settings`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from infoflow.core.arrays import numeric, real
from infoflow.core.errors import InvalidArgument, TooFewSamples, UnknownName
from infoflow.core.settings import Flag, Integer, Number, check

LARGEST_SQUARABLE = 1e150
"""Largest magnitude whose square is well within float64."""
SMALLEST_SQUARABLE = 1e-150
"""Smallest magnitude whose square is well within float64."""


def samples(value: Any, name: str, *, minimum: int = 2, dtype: torch.dtype | None = None) -> Tensor:
    """Convert samples to a finite floating-point tensor of shape (n, d).

    Parameters
    ----------
    value : array-like of shape (n, ...)
        Samples along the first axis. The other axes are flattened; a vector becomes (n, 1).
    name
        Name of the argument, for messages.
    minimum
        Smallest number of samples.
    dtype
        Type of the result. By default float32 and float64 stay, half precision becomes float32, integers float64.

    Returns
    -------
    Tensor
        Shape (n, d), detached, on the device of `value`.

    Raises
    ------
    InvalidArgument
        If the values are not real numbers, or NaN or infinite, or if there is no feature.
    TooFewSamples
        If there are fewer than `minimum` samples.

    Examples
    --------
    >>> samples([1, 2, 3], "x").shape
    torch.Size([3, 1])
    """
    tensor = real(value, name)
    shape = tuple(tensor.shape)
    if tensor.ndim == 0:
        raise InvalidArgument(name, "samples of shape (n, ...)", got_text="a single number")
    if shape[0] < minimum:
        raise TooFewSamples(name, f"an array of at least {minimum} samples", got_text=f"{shape[0]} (shape {shape})")
    if tensor.numel() == 0:
        raise InvalidArgument(name, "an array with at least one feature per sample", got_text=f"shape {shape}")
    if dtype is None:
        if tensor.dtype in (torch.float32, torch.float64):
            dtype = tensor.dtype
        else:
            dtype = torch.float32 if tensor.is_floating_point() else torch.float64
    tensor = tensor.reshape(shape[0], -1).to(dtype)
    finite(tensor, name)
    return tensor


def tensors(**values: Any) -> None:
    """Raise an error for the first value that is no tensor.

    Parameters
    ----------
    **values
        Arguments of a module by their name.

    Raises
    ------
    InvalidArgument
        If a value is no tensor.

    Examples
    --------
    >>> tensors(x=torch.ones(3), labels=[0, 1, 0])
    Traceback (most recent call last):
    ...
    infoflow.core.errors.InvalidArgument: labels must be a tensor, got a list.
    """
    for name, value in values.items():
        if not isinstance(value, Tensor):
            raise InvalidArgument(name, "a tensor", got_text=f"a {type(value).__name__}")


def finite(tensor: Tensor, name: str) -> None:
    """Raise an error that counts and locates NaN and infinite entries.

    Parameters
    ----------
    tensor : Tensor of any shape
        Values to check.
    name
        Name of the argument, for messages.

    Raises
    ------
    InvalidArgument
        If an entry is NaN or infinite.

    Examples
    --------
    >>> finite(torch.tensor([0.0, float("nan")]), "x")
    Traceback (most recent call last):
    ...
    infoflow.core.errors.InvalidArgument: x must be finite, got 1 NaN value, the first at index (1,).
    """
    # A sum needs no mask and is NaN or infinite if an entry is. Finite numbers can overflow too, so look again then.
    if bool(torch.isfinite(tensor.sum())):
        return
    bad = ~torch.isfinite(tensor)
    if not bool(bad.any()):
        return
    where = tuple(int(i) for i in bad.nonzero()[0])
    count, kind = int(bad.sum()), "NaN" if bool(torch.isnan(tensor).any()) else "infinite"
    raise InvalidArgument(
        name, "finite", got_text=f"{count} {kind} value{'s' * (count > 1)}, the first at index {where}"
    )


def squarable(tensor: Tensor, name: str, *, least: float = SMALLEST_SQUARABLE) -> Tensor:
    """Return the tensor if squares of its largest magnitude neither overflow nor vanish in float64.

    Parameters
    ----------
    tensor : Tensor of any shape
        Finite values.
    name
        Name of the argument, for messages.
    least
        Smallest permitted magnitude of the largest entry. Entries that are all 0 are permitted.

    Returns
    -------
    Tensor
        The same tensor.

    Raises
    ------
    InvalidArgument
        If the largest magnitude is above 1e150, or below `least` and not 0. Such magnitudes come from a fault more
        often than from data.

    Examples
    --------
    >>> squarable(torch.tensor([1e200], dtype=torch.float64), "x")
    Traceback (most recent call last):
    ...
    infoflow.core.errors.InvalidArgument: x must be at most 1e+150 in magnitude, got 1e+200. Rescale it: ...
    """
    reach = max(abs(float(bound)) for bound in tensor.aminmax())
    if reach > LARGEST_SQUARABLE or 0 < reach < least:
        limit = f"at most {LARGEST_SQUARABLE:g}" if reach > LARGEST_SQUARABLE else f"0 or at least {least:g}"
        raise InvalidArgument(
            name,
            f"{limit} in magnitude",
            got_text=f"{reach:.3g}",
            remedy="Rescale it: float64 cannot hold its square.",
        )
    return tensor


def constant_columns(name: str, count: int) -> str:
    """Word the warning for columns that do not vary and were dropped.

    Parameters
    ----------
    name
        Name of the argument.
    count
        Number of constant columns.

    Returns
    -------
    str
        The warning.

    Examples
    --------
    >>> constant_columns("x", 2)
    'x has 2 constant columns, which carry no information and were dropped'
    """
    return (
        f"{name} has {count} constant column{'s' if count > 1 else ''}, which {'carry' if count > 1 else 'carries'} "
        f"no information and {'were' if count > 1 else 'was'} dropped"
    )


def is_classes(value: Any) -> bool:
    """Return whether the values count as classes: integers or booleans of shape (n,) or (n, 1).

    Parameters
    ----------
    value : array-like
        Values to look at.

    Returns
    -------
    bool
        False for anything else, including what is no array.

    Examples
    --------
    >>> is_classes([0, 1, 1]), is_classes([0.0, 1.0, 1.0]), is_classes([[0, 1], [1, 1]])
    (True, False, False)
    """
    if isinstance(value, Tensor):
        tensor: Any = value
        integral = not value.is_floating_point() and not value.is_complex() and not value.is_quantized
    else:
        try:
            tensor = numeric(value, "values")
        except InvalidArgument:  # `samples` raises it again with the argument's name
            return False
        integral = tensor.dtype.kind in "biu"
    return integral and (tensor.ndim == 1 or (tensor.ndim == 2 and tensor.shape[1] == 1))


def classes(value: Any, name: str, *, minimum: int = 1) -> tuple[Tensor, int]:
    """Convert labels to codes 0..C-1.

    Parameters
    ----------
    value : array-like of shape (n,) or (n, 1)
        Integers or booleans.
    name
        Name of the argument, for messages.
    minimum
        Smallest number of labels.

    Returns
    -------
    codes : Tensor of shape (n,)
        Codes in the order of the sorted labels, int64.
    count : int
        Number C of different labels.

    Raises
    ------
    InvalidArgument
        If the labels are no integers (continuous labels need binning first) or have another shape.
    TooFewSamples
        If there are fewer than `minimum` labels.

    Examples
    --------
    >>> codes, count = classes([7, 3, 7], "y"); codes.tolist(), count
    ([1, 0, 1], 2)
    """
    tensor = real(value, name)
    if tensor.is_floating_point():
        raise InvalidArgument(
            name, "integer classes", got_text=f"dtype {tensor.dtype}", remedy="Bin continuous labels first."
        )
    if tensor.ndim == 2 and tensor.shape[1] == 1:
        tensor = tensor[:, 0]
    if tensor.ndim != 1:
        raise InvalidArgument(name, "one class per sample, shape (n,)", got_text=f"shape {tuple(tensor.shape)}")
    if tensor.shape[0] < minimum:
        raise TooFewSamples(name, f"an array of at least {minimum} labels", got_text=str(tensor.shape[0]))
    values, codes = torch.unique(tensor, return_inverse=True)
    return codes.to(torch.int64), int(values.numel())


def paired(x: Tensor, y: Tensor, x_name: str = "x", y_name: str = "y") -> None:
    """Raise an error unless both hold the same number of samples.

    Parameters
    ----------
    x, y : Tensor of shape (n, ...)
        Samples along the first axis.
    x_name, y_name
        Names of the arguments, for messages.

    Raises
    ------
    InvalidArgument
        If the numbers of samples differ.

    Examples
    --------
    >>> paired(torch.zeros(3, 1), torch.zeros(2))
    Traceback (most recent call last):
    ...
    infoflow.core.errors.InvalidArgument: x and y must hold the same number of samples, got 3 and 2.
    """
    if x.shape[0] != y.shape[0]:
        raise InvalidArgument(
            f"{x_name} and {y_name} must hold the same number of samples, got {x.shape[0]} and {y.shape[0]}."
        )


def positive(value: Any, name: str, *, zero: bool = False) -> float:
    """A finite number > 0, or >= 0 if `zero`."""
    return float(check(value, name, Number(0, open_low=not zero)))


def integer(value: Any, name: str, *, minimum: int = 1) -> int:
    """An integer >= `minimum`; a boolean or a float is none."""
    number: int = check(value, name, Integer(minimum))
    return number


def flag(value: Any, name: str) -> bool:
    """True or False; text such as "false" is neither."""
    truth: bool = check(value, name, Flag())
    return truth


def choice(value: Any, what: str, options: Iterable[str]) -> str:
    """One of the names in `options`."""
    known = list(options)
    if value not in known:
        raise UnknownName(what, value, known)
    return str(value)
