"""Augmented prompts: the same batch with some of its tokens replaced by others of the batch."""

from __future__ import annotations

import dataclasses

import torch

from infoflow.estimators.streaming.rows import hashed
from infoflow.profiles.batches import Batch

VIEWS = 2
"""Views of each prompt."""

SHARE = 0.15
"""Share of the tokens that a view replaces."""


def views(batch: Batch, seed: int = 0) -> list[Batch]:
    """Views of a batch of prompts, which depend on its tokens alone.

    Parameters
    ----------
    batch
        Batch with token ids.
    seed
        Seed of the replacements.

    Returns
    -------
    list of Batch
        `VIEWS` batches, in each of which a share of the tokens that count are replaced by tokens drawn from the batch;
        an empty list without token ids.

    Examples
    --------
    >>> ids = torch.arange(40).view(2, 20)
    >>> first, second = views(Batch({"input_ids": ids}, ids, None, None))
    >>> int((first.ids != ids).sum()) > 0, bool((first.ids != second.ids).any())
    (True, True)
    """
    ids = batch.ids
    if ids is None:
        return []
    used = torch.ones_like(ids, dtype=torch.bool) if batch.used is None else batch.used.to(ids.device)
    known = ids[used]
    if len(known) == 0:
        return []
    place = torch.arange(ids.numel()).view_as(ids)
    generator = torch.Generator().manual_seed(int(hashed(ids.cpu() + hashed(place)).sum() + seed) % 2**63)
    found = []
    for _ in range(VIEWS):
        replaced = (torch.rand(ids.shape, generator=generator) < SHARE).to(ids.device) & used
        drawn = known[torch.randint(len(known), ids.shape, generator=generator).to(ids.device)]
        changed = torch.where(replaced, drawn, ids)
        inputs = {**batch.inputs, "input_ids": changed} if isinstance(batch.inputs, dict) else changed
        found.append(dataclasses.replace(batch, inputs=inputs, ids=changed))
    return found
