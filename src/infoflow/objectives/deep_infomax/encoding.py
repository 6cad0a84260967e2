"""What Deep InfoMax asks of an encoder: a map of local features, and a vector."""

from __future__ import annotations

from typing import Any, NamedTuple

from torch import Tensor, nn

from infoflow.core.checks import finite
from infoflow.core.errors import InvalidArgument


class Encoding(NamedTuple):
    """Local features (n, channels, ...) with one or more spatial axes (height and width, time, position), and the
    vector (n, features) that summarizes them.

    >>> import torch
    >>> Encoding(torch.zeros(5, 8, 4, 4), torch.zeros(5, 6)).vector.shape
    torch.Size([5, 6])
    """

    map: Tensor
    vector: Tensor


def encode(encoder: nn.Module, inputs: Tensor, *, check_values: bool = False) -> Encoding:
    """The encoder's map and vector for a batch, or an error that says what came instead.

    `encoder(inputs)` returns a pair (map (n, channels, ...), vector (n, features)): images have maps (n, channels,
    height, width), time series and token sequences (n, channels, length). `check_values` looks for NaN and infinity as
    well, which costs a synchronization on accelerators.

    Raises InvalidArgument.

    >>> import torch
    >>> encode(nn.Flatten(), torch.zeros(2, 3, 4, 4))
    Traceback (most recent call last):
    ...
    infoflow.core.errors.InvalidArgument: encoder Flatten returned a tensor of shape (2, 48); want a pair of
    tensors: a map (n, channels, ...) and a vector (n, features)
    """
    result: Any = encoder(inputs)
    wanted = "want a pair of tensors: a map (n, channels, ...) and a vector (n, features)"
    name = f"encoder {type(encoder).__name__}"
    if isinstance(result, Tensor):
        raise InvalidArgument(f"{name} returned a tensor of shape {tuple(result.shape)}; {wanted}")
    if not isinstance(result, tuple | list) or len(result) != 2 or not all(isinstance(part, Tensor) for part in result):
        raise InvalidArgument(f"{name} returned {_kinds(result)}; {wanted}")
    local, vector = result
    n = inputs.shape[0]
    if local.ndim < 3 or vector.ndim != 2 or local.shape[0] != n or vector.shape[0] != n:
        raise InvalidArgument(
            f"{name} returned shapes {tuple(local.shape)} and {tuple(vector.shape)} for {n} inputs; {wanted}"
        )
    if check_values:
        finite(local, f"the map of {name}")
        finite(vector, f"the vector of {name}")
    return Encoding(local, vector)


def _kinds(result: Any) -> str:
    if isinstance(result, tuple | list):
        return f"{len(result)} of ({', '.join(type(part).__name__ for part in result)})"
    return type(result).__name__
