"""Batches in any of the shapes that networks take, with what is measured about them: tokens, their mask, labels."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from infoflow.core.errors import InvalidArgument

_IDS, _MASK, _SPECIAL, _LABELS = "input_ids", "attention_mask", "special_tokens_mask", ("labels", "label")


@dataclass(frozen=True)
class Batch:
    """Inputs of one forward pass, with what is measured about them.

    Parameters
    ----------
    inputs
        A tensor, or the arguments of the model by name.
    ids : Tensor of shape (b, L), or None
        Token ids.
    used : Tensor of shape (b, L), or None
        Which tokens count; None where all do.
    labels : Tensor of shape (b,) or (b, L), or None
        Labels that came with the batch.

    Examples
    --------
    >>> Batch(torch.zeros(2, 3), None, None, torch.tensor([0, 1])).labels
    tensor([0, 1])
    """

    inputs: Tensor | dict[str, Any]
    ids: Tensor | None
    used: Tensor | None
    labels: Tensor | None

    def run(self, model: nn.Module, device: torch.device | None) -> None:
        """Run the model on the batch.

        Parameters
        ----------
        model
            The network.
        device
            Device of its inputs; None leaves them where they are.
        """
        inputs = self.moved(device)
        if isinstance(inputs, Tensor):
            model(inputs)
        else:
            model(**inputs)

    def moved(self, device: torch.device | None) -> Tensor | dict[str, Any]:
        """Return the inputs on a device.

        Parameters
        ----------
        device
            The device; None leaves them where they are.

        Returns
        -------
        Tensor or dict
            The inputs.
        """
        if isinstance(self.inputs, Tensor):
            return self.inputs if device is None else self.inputs.to(device)
        return {name: _moved(value, device) for name, value in self.inputs.items()}


def read(batches: Iterable[Any], model: nn.Module) -> Iterator[Batch]:
    """Read batches one by one.

    Parameters
    ----------
    batches
        Mappings of the model's arguments, as tokenizers return them, with `attention_mask`, `special_tokens_mask` and
        `labels` where there are some; tensors, of token ids if they are integers (b, L); or pairs (inputs, labels).
    model
        The network, whose arguments decide which entries of a mapping it takes.

    Yields
    ------
    Batch
        The batches in their order.

    Raises
    ------
    InvalidArgument
        If a batch has another shape or is empty.

    Examples
    --------
    >>> next(read([torch.tensor([[5, 6, 7]])], nn.Embedding(9, 2))).ids
    tensor([[5, 6, 7]])
    """
    accepted = _arguments(model)
    for number, batch in enumerate(batches):
        yield _read(batch, accepted, number)


def _read(batch: Any, accepted: set[str] | None, number: int) -> Batch:
    labels: Tensor | None = None
    if isinstance(batch, tuple | list):
        if len(batch) not in (1, 2):
            raise InvalidArgument(
                f"batch {number}",
                "a tensor, a pair (inputs, labels) or a mapping of arguments",
                got_text=f"{len(batch)} entries",
                remedy="Pass several arguments by name, as a dict.",
            )
        if len(batch) == 2:
            labels = torch.as_tensor(batch[1])
        batch = batch[0]
    if isinstance(batch, Tensor):
        tokens = batch if batch.ndim == 2 and not batch.is_floating_point() and batch.dtype != torch.bool else None
        return _checked(Batch(batch, tokens, None, labels), number)
    if not isinstance(batch, Mapping):
        kind = type(batch).__name__
        raise InvalidArgument(
            f"batch {number}", "a tensor, a pair (inputs, labels) or a mapping of arguments", got_text=f"a {kind}"
        )
    values = {str(name): value for name, value in batch.items()}
    special = values.pop(_SPECIAL, None)
    given = next((values.pop(name) for name in _LABELS if name in values), None)
    ids, mask = values.get(_IDS), values.get(_MASK)
    if labels is None and isinstance(given, Tensor) and not (ids is not None and given.shape == ids.shape):
        labels = given  # labels of the shape of the tokens are the targets of a language model
    used = None if mask is None else torch.as_tensor(mask).bool()
    if special is not None:
        kept = ~torch.as_tensor(special).bool()
        used = kept if used is None else used & kept
    taken = {name: value for name, value in values.items() if accepted is None or name in accepted}
    if not taken:
        known = "any" if accepted is None else ", ".join(sorted(accepted))
        raise InvalidArgument(f"batch {number}", f"a mapping with arguments of the model ({known})", list(values))
    return _checked(Batch(taken, None if ids is None else torch.as_tensor(ids), used, labels), number)


def _checked(batch: Batch, number: int) -> Batch:
    if batch.ids is not None and batch.used is not None and batch.ids.shape != batch.used.shape:
        raise InvalidArgument(
            f"attention_mask of batch {number}",
            f"of the shape of input_ids, {tuple(batch.ids.shape)}",
            got_text=f"shape {tuple(batch.used.shape)}",
        )
    first = batch.inputs if isinstance(batch.inputs, Tensor) else next(iter(batch.inputs.values()))
    if isinstance(first, Tensor) and first.numel() == 0:
        raise InvalidArgument(f"batch {number}", "at least one sample", got_text=f"shape {tuple(first.shape)}")
    return batch


def _arguments(model: nn.Module) -> set[str] | None:
    """The names of the arguments of forward, or None if it takes any."""
    parameters = inspect.signature(model.forward).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return {parameter.name for parameter in parameters}


def _moved(value: Any, device: torch.device | None) -> Any:
    return value.to(device) if isinstance(value, Tensor) and device is not None else value
