"""Output of an encoder for Deep InfoMax: a map of local features, and a vector."""

from __future__ import annotations

from typing import Any, NamedTuple

from torch import Tensor, nn

from infoflow.core.checks import finite
from infoflow.core.errors import InvalidArgument


class Encoding(NamedTuple):
    """Local features and the vector that summarizes them.

    Parameters
    ----------
    map : Tensor of shape (n, channels, ...)
        Local features with one or more spatial axes (height and width, time, position).
    vector : Tensor of shape (n, features)
        Vector of each input.

    Examples
    --------
    >>> import torch
    >>> Encoding(torch.zeros(5, 8, 4, 4), torch.zeros(5, 6)).vector.shape
    torch.Size([5, 6])
    """

    map: Tensor
    vector: Tensor


def encode(encoder: nn.Module, inputs: Tensor, *, check_values: bool = False) -> Encoding:
    """Compute the encoder's map and vector for a batch.

    Parameters
    ----------
    encoder
        Network that returns a pair (map (n, channels, ...), vector (n, features)): maps are (n, channels, height,
        width) for images, (n, channels, length) for time series and tokens.
    inputs : Tensor of shape (n, ...)
        Inputs.
    check_values
        Whether NaN and infinity are looked for, which costs a synchronization on accelerators.

    Returns
    -------
    Encoding
        Map and vector.

    Raises
    ------
    InvalidArgument
        If the encoder returns something else.

    Examples
    --------
    >>> import torch
    >>> encode(nn.Flatten(), torch.zeros(2, 3, 4, 4))
    Traceback (most recent call last):
    ...
    infoflow.core.errors.InvalidArgument: the output of encoder Flatten must be a pair of tensors, a map (n, channels,
    ...) and a vector (n, features), got a tensor of shape (2, 48).
    """
    result: Any = encoder(inputs)
    wanted = "a pair of tensors, a map (n, channels, ...) and a vector (n, features)"
    name = f"encoder {type(encoder).__name__}"
    if not isinstance(result, tuple | list) or len(result) != 2 or not all(isinstance(part, Tensor) for part in result):
        raise InvalidArgument(f"the output of {name}", wanted, got_text=_kinds(result))
    local, vector = result
    n = inputs.shape[0]
    if local.ndim < 3 or vector.ndim != 2 or local.shape[0] != n or vector.shape[0] != n:
        raise InvalidArgument(
            f"the output of {name}",
            f"{wanted} for {n} inputs",
            got_text=f"shapes {tuple(local.shape)} and {tuple(vector.shape)}",
        )
    if check_values:
        finite(local, f"the map of {name}")
        finite(vector, f"the vector of {name}")
    return Encoding(local, vector)


def _kinds(result: Any) -> str:
    if isinstance(result, Tensor):
        return f"a tensor of shape {tuple(result.shape)}"
    if isinstance(result, tuple | list):
        return f"{len(result)} of ({', '.join(type(part).__name__ for part in result)})"
    return type(result).__name__
