"""Rows of activations: one vector for each token that counts, or for each sample, with its labels and its document."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from infoflow.core.errors import InvalidArgument
from infoflow.profiles.batches import Batch


@dataclass(frozen=True)
class Rows:
    """Vectors (n, d), their codes (n,) by label, and the document (n,) of each."""

    values: Tensor
    labels: dict[str, Tensor]
    documents: Tensor


def rows(name: str, values: Tensor, batch: Batch, labels: dict[str, Tensor], first: int) -> Rows:
    """Take the rows of a point's activations.

    Parameters
    ----------
    name
        Name of the point.
    values : Tensor of shape (b, ...)
        Activations of a batch.
    batch
        The batch.
    labels
        Its labels, (b, L) of tokens or (b,) of samples.
    first
        Number of the batch's first document, which is a sequence or sample.

    Returns
    -------
    Rows
        Of tokens that count where the activations have their shape (b, L, d); of samples, averaged over positions,
        where labels are those of samples or the activations are maps (b, d, h, w).

    Raises
    ------
    InvalidArgument
        If the activations fit neither tokens nor samples.

    Examples
    --------
    >>> batch = Batch(torch.zeros(2, 3), None, None, None)
    >>> rows("layer", torch.zeros(2, 5, 4), batch, {"class": torch.tensor([0, 1])}, 0).values.shape
    torch.Size([2, 4])
    """
    shape = _tokens(batch, labels)
    if shape is not None and values.ndim >= 2:
        per_token = _per_token(values, shape)
        if per_token is not None:
            return _of_tokens(per_token, batch, labels, shape, first)
    return _of_samples(name, values, labels, first)


def sequences(values: Tensor, batch: Batch) -> tuple[Tensor, Tensor] | None:
    """Take activations (b, L, d) with the mask (b, L) of what counts, where a batch has tokens and these are of tokens.

    Parameters
    ----------
    values : Tensor of shape (b, ...)
        Activations of a batch.
    batch
        The batch.

    Returns
    -------
    tuple of Tensor or None
        Activations and mask.

    Examples
    --------
    >>> ids = torch.zeros(2, 3, dtype=torch.int64)
    >>> sequences(torch.zeros(2, 3, 4), Batch(ids, ids, None, None))[0].shape
    torch.Size([2, 3, 4])
    """
    if batch.ids is None or values.ndim < 2:
        return None
    shape = int(batch.ids.shape[0]), int(batch.ids.shape[1])
    found = _per_token(values, shape)
    if found is None:
        return None
    used = torch.ones(shape, dtype=torch.bool) if batch.used is None else batch.used
    return found, used.to(found.device)


def pooled(values: Tensor, batch: Batch) -> Tensor | None:
    """Average the activations of each sequence over the positions that count: (b, d), or None as in `sequences`."""
    found = sequences(values, batch)
    if found is None:
        return None
    rows, used = found
    rows, share = rows.float(), used.float()[..., None]
    return (rows * share).sum(1) / share.sum(1).clamp_min(1)


def count(batch: Batch, labels: dict[str, Tensor]) -> int:
    """The number of documents, which are sequences or samples, in a batch."""
    shape = _tokens(batch, labels)
    if shape is not None:
        return shape[0]
    if labels:
        return len(next(iter(labels.values())))
    first = batch.inputs if isinstance(batch.inputs, Tensor) else next(iter(batch.inputs.values()))
    return len(first) if isinstance(first, Tensor) and first.ndim else 1


def _tokens(batch: Batch, labels: dict[str, Tensor]) -> tuple[int, int] | None:
    """The number of sequences and of positions, where there are tokens or labels of positions."""
    if batch.ids is not None:
        return int(batch.ids.shape[0]), int(batch.ids.shape[1])
    if batch.used is not None:
        return int(batch.used.shape[0]), int(batch.used.shape[1])
    return next(((int(v.shape[0]), int(v.shape[1])) for v in labels.values() if v.ndim == 2), None)


def _per_token(values: Tensor, shape: tuple[int, int]) -> Tensor | None:
    """Activations (b, L, d), or None if they have no axis of positions."""
    sequences, length = shape
    if values.ndim >= 3 and tuple(values.shape[:2]) == (sequences, length):
        return values.flatten(2)
    if values.ndim >= 3 and tuple(values.shape[:2]) == (length, sequences):
        return values.transpose(0, 1).flatten(2)
    if values.ndim == 2 and len(values) == sequences * length and length > 1:
        return values.view(sequences, length, -1)
    return None


def _of_tokens(values: Tensor, batch: Batch, labels: dict[str, Tensor], shape: tuple[int, int], first: int) -> Rows:
    sequences = shape[0]
    used = torch.ones(shape, dtype=torch.bool) if batch.used is None else batch.used.cpu()
    taken = used.flatten().nonzero()[:, 0]
    documents = torch.arange(first, first + sequences)[:, None].expand(shape).flatten()[taken]
    found = {}
    for name, codes in labels.items():
        spread = codes if codes.ndim == 2 else codes[:, None].expand(shape)
        found[name] = spread.flatten().cpu()[taken]
    flat = values.flatten(0, 1)
    return Rows(flat if len(taken) == len(flat) else flat[taken.to(flat.device)], found, documents)


def _of_samples(name: str, values: Tensor, labels: dict[str, Tensor], first: int) -> Rows:
    if values.ndim < 2:
        raise InvalidArgument(
            f"activations of {name!r}", "one row per token or sample", got_text=f"shape {tuple(values.shape)}"
        )
    own = {label: codes for label, codes in labels.items() if codes.ndim == 1}
    samples = len(next(iter(own.values()))) if own else len(values)
    if values.ndim == 3 and len(values) != samples and values.shape[1] == samples:
        values = values.transpose(0, 1)
    if len(values) != samples:
        raise InvalidArgument(
            f"activations of {name!r}",
            f"one row for each of {samples} labels",
            got_text=f"shape {tuple(values.shape)}",
            remedy="Choose another layer, or labels of the shape of its positions.",
        )
    if values.ndim == 4:
        values = values.mean(dim=(2, 3))  # maps (b, channels, height, width)
    elif values.ndim > 2:
        values = values.flatten(1, -2).mean(dim=1)  # positions before features
    return Rows(values, {label: codes.cpu() for label, codes in own.items()}, torch.arange(first, first + samples))
