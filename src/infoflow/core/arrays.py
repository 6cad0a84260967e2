"""Arrays of any library become tensors of real numbers, or InvalidArgument states what they are and the remedy."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Set
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infoflow.core.errors import InvalidArgument

# Types of torch for which sorting and counting exist in part only.
_WIDER = {torch.uint16: torch.int32, torch.uint32: torch.int64}


def real(value: Any, name: str) -> Tensor:
    """Convert an array-like of real numbers to a detached, dense tensor; a torch tensor remains on its device.

    Parameters
    ----------
    value : array-like of any shape
        Tensor, NumPy array of any layout and byte order, pandas object, or nested list.
    name
        Name of the argument, for messages.

    Returns
    -------
    Tensor
        Integers, booleans or floating-point numbers.

    Raises
    ------
    InvalidArgument
        If it is no array, if its values are no real numbers or missing, or if the tensor is sparse or without data.

    Examples
    --------
    >>> real([[1, 2], [3, 4]], "x").dtype
    torch.int64
    >>> real(["a", "b"], "y")
    Traceback (most recent call last):
    ...
    infoflow.core.errors.InvalidArgument: y must be an array of real numbers, got text (dtype <U1). Convert class ...
    """
    if isinstance(value, Tensor):
        return _dense(value, name)
    array = numeric(value, name)
    if array.dtype.itemsize > 8:
        with np.errstate(over="ignore"):
            array = array.astype(np.float64)
    if not array.dtype.isnative or any(stride < 0 for stride in array.strides) or not array.flags.writeable:
        array = array.astype(array.dtype.newbyteorder("="), copy=True)
    return torch.from_numpy(np.ascontiguousarray(array).reshape(array.shape))


def numeric(value: Any, name: str) -> NDArray[Any]:
    """Convert an array-like that is no tensor to a NumPy array of integers, booleans or floating-point numbers.

    Parameters
    ----------
    value : array-like of any shape
        NumPy array, pandas object, or nested list.
    name
        Name of the argument, for messages.

    Returns
    -------
    numpy.ndarray
        The numbers, in their own type where there is one for all of them.

    Raises
    ------
    InvalidArgument
        If it is no array, or if its values are no real numbers or missing.

    Examples
    --------
    >>> numeric([True, False], "y").dtype
    dtype('bool')
    """
    wanted = "an array of real numbers"
    if isinstance(value, Iterator | Mapping | Set):
        raise InvalidArgument(name, wanted, got_text=f"a {type(value).__name__}", remedy="Convert it to a list first.")
    if hasattr(value, "toarray") and hasattr(value, "nnz"):  # of scipy.sparse, whose NumPy form is one object
        raise InvalidArgument(
            name, "a dense array", got_text=f"a sparse {type(value).__name__}", remedy="Convert it with .toarray()."
        )
    try:
        array = np.asarray(_plain(value))
    except (TypeError, ValueError, RuntimeError) as error:
        reason = str(error).split("\n")[0][:100]
        raise InvalidArgument(
            name, "a rectangular array", got_text=f"{type(value).__name__} that NumPy rejects: {reason}"
        ) from None
    if isinstance(value, np.ma.MaskedArray) and bool(np.ma.getmaskarray(value).any()):
        count = int(np.ma.getmaskarray(value).sum())
        raise InvalidArgument(
            name, "an array without missing values", got_text=f"{count} masked entries", remedy="Drop or fill them."
        )
    if array.dtype.kind not in "biuf":
        raise InvalidArgument(name, wanted, got_text=_content(value, array), remedy=_remedy(value, array))
    return array


def _plain(value: Any) -> Any:
    """The columns of a pandas object as numbers of one type, if they are numbers; other values as they are."""
    pandas = sys.modules.get("pandas")
    if pandas is None:
        return value
    if isinstance(value, pandas.DataFrame):
        kinds = list(value.dtypes)
        # Columns of different types would become objects.
        if len(set(kinds)) > 1 and all(pandas.api.types.is_numeric_dtype(kind) for kind in kinds):
            return value.to_numpy(dtype=np.float64, na_value=np.nan)
        if kinds and len(set(kinds)) == 1:
            return _without_extension(value, kinds[0], pandas)
        return value
    if isinstance(value, pandas.Series | pandas.Index | pandas.api.extensions.ExtensionArray):
        return _without_extension(value, value.dtype, pandas)
    return value


def _without_extension(value: Any, dtype: Any, pandas: Any) -> Any:
    """Nullable numbers of pandas as those of NumPy; a missing value makes them floats with NaN."""
    if not pandas.api.types.is_extension_array_dtype(dtype) or not pandas.api.types.is_numeric_dtype(dtype):
        return value
    if bool(np.asarray(pandas.isna(value)).any()):
        return value.to_numpy(dtype=np.float64, na_value=np.nan)
    return value.to_numpy(dtype=getattr(dtype, "numpy_dtype", np.float64))


def _content(value: Any, array: NDArray[Any]) -> str:
    dtype = getattr(value, "dtype", array.dtype)
    match array.dtype.kind:
        case "U" | "S":
            return f"text (dtype {dtype})"
        case "O" if array.ndim == 0:
            return f"a {type(value).__name__}"
        case _:
            return f"dtype {dtype}"


def _remedy(value: Any, array: NDArray[Any]) -> str:
    if array.dtype.kind in "US" or (array.dtype.kind == "O" and array.ndim > 0):
        return "Convert class labels to integer codes, as with pandas.factorize, and numbers to float."
    return "Convert dates to numbers first." if array.dtype.kind in "mM" else ""


def _dense(value: Tensor, name: str) -> Tensor:
    if value.is_nested or value.layout is not torch.strided:
        layout = "nested" if value.is_nested else str(value.layout).removeprefix("torch.")
        raise InvalidArgument(
            name, "a dense tensor", got_text=f"one of layout {layout}", remedy="Convert it with .to_dense()."
        )
    if value.is_meta:
        raise InvalidArgument(name, "a tensor with data", got_text="one on the meta device, which has shapes only")
    if value.is_quantized:
        raise InvalidArgument(
            name, "a tensor of real numbers", got_text=f"dtype {value.dtype}", remedy="Convert it with .dequantize()."
        )
    if value.is_complex():
        raise InvalidArgument(name, "an array of real numbers", got_text=f"dtype {value.dtype}")
    tensor = value.detach()
    return tensor.to(_WIDER.get(tensor.dtype, tensor.dtype)).resolve_neg()
