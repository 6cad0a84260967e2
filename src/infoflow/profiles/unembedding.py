"""The unembedding of a causal language model: its final normalization and its output layer."""

from __future__ import annotations

import re

from torch import Tensor, nn

from infoflow.core import layer_choice
from infoflow.core.capture import unwrapped
from infoflow.profiles.quantities import Unembedding

_CAUSAL = re.compile(r"CausalLM|LMHeadModel")
_FINAL = re.compile(r"^(ln_f|norm|norm_f|final_norm|final_layer_?norm|layer_norm)$")


def unembedding(model: nn.Module) -> Unembedding | None:
    """Find the function from the residual stream to logits in a causal language model of transformers.

    Parameters
    ----------
    model
        The network.

    Returns
    -------
    function or None
        Applies the normalization that stands beside the list of blocks, where there is one, and the output layer;
        None for other networks.

    Examples
    --------
    >>> unembedding(nn.Linear(2, 2)) is None
    True
    """
    inner = unwrapped(model)
    find = getattr(inner, "get_output_embeddings", None)
    head = find() if callable(find) and _CAUSAL.search(type(inner).__name__) else None
    blocks = layer_choice.blocks(inner)
    if not isinstance(head, nn.Linear) or not blocks:
        return None
    parent = inner.get_submodule(blocks[0].rpartition(".")[0].rpartition(".")[0])
    final = next((module for name, module in parent.named_children() if _FINAL.match(name)), nn.Identity())

    def call(t: Tensor) -> Tensor:
        logits: Tensor = head(final(t.to(head.weight)))
        return logits

    return call
