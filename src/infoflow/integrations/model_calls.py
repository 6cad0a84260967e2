"""How a model of transformers is called on token ids, and what is taken of its result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from infoflow.core.errors import InvalidArgument


def masked(padding: int | None) -> Callable[[nn.Module, Tensor], Any]:
    """Build the function that calls a model of transformers on token ids with a mask of the padding.

    Parameters
    ----------
    padding
        Token id of the padding; None if there is none.

    Returns
    -------
    callable
        Function of a model and token ids (n, length).

    Examples
    --------
    >>> class Model(nn.Module):
    ...     def forward(self, input_ids, attention_mask):
    ...         return attention_mask
    >>> masked(0)(Model(), torch.tensor([[3, 5, 0]]))
    tensor([[1, 1, 0]])
    """

    def call(model: nn.Module, ids: Tensor) -> Any:
        mask = torch.ones_like(ids) if padding is None else (ids != padding).to(ids.dtype)
        return model(input_ids=ids, attention_mask=mask)

    return call


def first_output(result: Any) -> Tensor:
    """Select the logits, else the last hidden state, else the first entry of what a model of transformers returned.

    Parameters
    ----------
    result
        What the model returned.

    Returns
    -------
    Tensor
        The selected output.

    Raises
    ------
    InvalidArgument
        If there is no such tensor.

    Examples
    --------
    >>> first_output({"loss": None, "logits": torch.zeros(2)})
    tensor([0., 0.])
    """
    for name in ("logits", "last_hidden_state"):
        value = result.get(name) if isinstance(result, dict) else getattr(result, name, None)
        if isinstance(value, Tensor):
            return value
    value = result if isinstance(result, Tensor) else result[0]
    if not isinstance(value, Tensor):
        remedy = "Otherwise pass output=..., a function that selects a tensor."
        raise InvalidArgument("model", "one that returns logits", got_text=f"a {type(result).__name__}", remedy=remedy)
    return value
