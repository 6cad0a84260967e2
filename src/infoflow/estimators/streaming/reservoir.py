"""A bounded random sample of a stream that merges: the rows with the smallest random priorities."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from infoflow.core import distributed
from infoflow.estimators.streaming.rows import hashed


@dataclass(frozen=True)
class Sample:
    """Rows of a stream with what decides which of them remain.

    Parameters
    ----------
    t : Tensor of shape (n, d)
        Activations, float32.
    label : Tensor of shape (n,)
        Labels.
    document : Tensor of shape (n,)
        Documents.
    priority : Tensor of shape (n,)
        Non-negative integers; the rows with the smallest remain.
    """

    t: Tensor
    label: Tensor
    document: Tensor
    priority: Tensor

    def smallest(self, size: int) -> Sample:
        """The rows with the smallest priorities, in their order."""
        order = self.priority.sort(stable=True).indices[:size]
        return Sample(self.t[order], self.label[order], self.document[order], self.priority[order])

    def joined(self, other: Sample, size: int) -> Sample:
        """What remains of both samples."""
        pairs = zip(self.parts().values(), other.parts().values(), strict=True)
        return Sample(*(torch.cat([mine, theirs.to(mine)]) for mine, theirs in pairs)).smallest(size)

    def reduced(self, size: int, group: distributed.Group) -> Sample:
        """What remains of the samples of all processes."""
        # Priorities are below 2⁵², so that float64 carries every integer exactly.
        parts = {
            name: distributed.gather(part.double(), group, name=name).values for name, part in self.parts().items()
        }
        whole = [part.to(mine.dtype) for part, mine in zip(parts.values(), self.parts().values(), strict=True)]
        return Sample(*whole).smallest(size)

    def parts(self) -> dict[str, Tensor]:
        """The tensors by name."""
        return {"t": self.t, "label": self.label, "document": self.document, "priority": self.priority}


def empty_sample(dimensions: int) -> Sample:
    """A sample without rows."""
    none = torch.zeros(0, dtype=torch.int64)
    return Sample(torch.zeros(0, dimensions), none, none, none)


def priorities(document: Tensor, seed: int) -> Tensor:
    """A random priority of each row, by its document and its place among the rows of the document in this batch."""
    order = document.sort(stable=True).indices
    ordered = document[order]
    first = torch.cat([ordered.new_ones(1, dtype=torch.bool), ordered[1:] != ordered[:-1]])
    place = torch.arange(len(document), device=document.device)
    rank = torch.empty_like(document)
    rank[order] = place - place.where(first, place.new_zeros(())).cummax(0).values
    return hashed(hashed(document, seed) + rank, seed + 1) >> 10
