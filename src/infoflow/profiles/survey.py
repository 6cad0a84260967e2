"""What must be known about batches before the first pass: tokens, label sets, and whether there are sequences."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from infoflow.core.errors import InvalidArgument
from infoflow.profiles.batches import Batch
from infoflow.profiles.labels import CLASS, Codes, Labeling, counted, most_frequent


@dataclass(frozen=True)
class Survey:
    """What batches hold.

    Parameters
    ----------
    codes
        Codes of the tokens; None where no batch has tokens.
    classes
        Number of labels of each label set.
    sequences
        Whether there are sequences of tokens.
    digest
        Checksum of tokens, masks, labels and inputs, which shows whether batches are those of another pass.
    """

    codes: Codes | None
    classes: Mapping[str, int]
    sequences: bool
    digest: str = ""


def survey(batches: Iterable[Batch], labels: Labeling, codes: Codes | None, *, max_codes: int, per_code: int) -> Survey:
    """Go through batches once without the model.

    Parameters
    ----------
    batches
        The batches.
    labels
        Label sets that are measured.
    codes
        Codes of the tokens, or None to choose them.
    max_codes
        Largest number of codes.
    per_code
        Rows per code on average, which fewer rows lower the number of codes to.

    Returns
    -------
    Survey
        What they hold.

    Raises
    ------
    InvalidArgument
        If there is no batch, no batch holds the token ids that a label requires, no token counts, or every sequence
        has one token although "next" is measured.

    Examples
    --------
    >>> from infoflow.profiles.labels import labeling
    >>> ids = torch.tensor([[4, 4, 2, 9]])
    >>> found = survey([Batch(ids, ids, None, None)], labeling("next", None), None, max_codes=2, per_code=1)
    >>> found.codes.ids, found.classes, found.sequences
    (tensor([4]), {'next': 2}, True)
    """
    counts: Counter[int] = Counter()
    classes: dict[str, int] = {}
    digest = hashlib.sha256()
    number, tokens, followed = 0, False, False
    for batch in batches:
        number += 1
        add_to(digest, batch)
        if batch.ids is not None:
            tokens = True
            counts.update(counted([batch]))
            followed = followed or _has_next(batch)
        for name, label in labels.of(batch).items():
            if name not in labels.names:
                classes[name] = max(classes.get(name, 1), int(label.max()) + 1 if label.numel() else 1)
    if not number:
        raise InvalidArgument("batches", "at least one batch", got_text="none")
    if not tokens and labels.asked:
        remedy = "Pass token ids, or labels with the batches."
        raise InvalidArgument(
            "batches", f"with input_ids for the label {labels.asked[0]!r}", got_text="none", remedy=remedy
        )
    if tokens and not counts:
        raise InvalidArgument("batches", "with tokens that count", got_text="masks that leave every token out")
    if tokens and "next" in labels.names and not followed:
        remedy = "Pass longer sequences, or labels='current'."
        raise InvalidArgument("sequences", "of two tokens or more for the label 'next'", got_text="one", remedy=remedy)
    found = codes if codes is not None or not counts else most_frequent(counts, max_codes, per_code)
    if found is not None and tokens:
        classes |= dict.fromkeys(labels.names, found.count)
    return Survey(found, classes, tokens, digest.hexdigest())


def add_to(digest: hashlib._Hash, batch: Batch) -> None:
    """Add the tokens, mask, labels and inputs of a batch to a checksum."""
    for tensor in (batch.ids, batch.used, batch.labels, None if batch.ids is not None else batch.inputs):
        if isinstance(tensor, Tensor):
            content = tensor.detach().cpu().contiguous()
            digest.update(str((tuple(content.shape), content.dtype)).encode())
            digest.update(content.flatten().view(torch.uint8).numpy().tobytes())


def described(labels: Labeling, codes: Codes | None) -> Survey:
    """What is known about batches that can be run through once only."""
    classes = {} if codes is None else dict.fromkeys(labels.names, codes.count)
    return Survey(codes, {name: k for name, k in classes.items() if name != CLASS}, codes is not None)


def _has_next(batch: Batch) -> bool:
    assert batch.ids is not None
    used = torch.ones_like(batch.ids, dtype=torch.bool) if batch.used is None else batch.used
    return bool((used[:, 1:] & used[:, :-1]).any())
