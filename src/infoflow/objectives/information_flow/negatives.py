"""Which strangers a location's features meet: drawn by number, so that every one of them is as likely as any other."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from infoflow.core.checks import choice
from infoflow.core.errors import InvalidArgument, TooFewSamples

NEGATIVES = ("random", "same-location", "same-image", "same-class")
"""What `InformationFlow.negatives` can be."""


@dataclass(frozen=True)
class Candidates:
    """The strangers of (image, location) pairs, numbered 0, 1, ... for each.

    With n images of S locations, `cells` (S,) the row of y at each location (locations that a coarse map covers by
    one cell share it), the strangers of location s of image i are

    - "random": all locations of all images,
    - "same-location": location s of the other images,
    - "same-image": the other locations of image i,
    - "same-class": all locations of the other images of i's class,

    without the locations of its own cell, whose features are its partner's.
    """

    kind: str
    images: int
    cells: Tensor
    labels: Tensor | None = None

    def __post_init__(self) -> None:
        choice(self.kind, "negatives", NEGATIVES)
        if self.kind != "same-image" and self.images < 2:
            raise TooFewSamples(f"a batch of {self.images} has no {self.kind} negatives; want at least two samples")
        if self.kind == "same-image" and int(self.cells.max()) == int(self.cells.min()):
            raise InvalidArgument("same-image negatives need a layer of more than one location; this one is a vector")
        if self.kind == "same-class":
            if self.labels is None:
                raise InvalidArgument("same-class negatives need labels: call the objective with labels=")
            if self.labels.shape != (self.images,):
                raise InvalidArgument(
                    f"labels have shape {tuple(self.labels.shape)} for {self.images} samples; want one each"
                )
            if not bool(
                (self.counts(torch.arange(self.images), torch.zeros(self.images, dtype=torch.int64)) > 0).any()
            ):
                raise TooFewSamples("no two samples of the batch share a class, so there are no same-class negatives")

    def counts(self, image: Tensor, location: Tensor) -> Tensor:
        """How many strangers each has; 0 where it is the only sample of its class."""
        size = len(self.cells)
        if self.kind == "same-location":
            return torch.full_like(image, self.images - 1)
        if self.kind == "same-class":
            return (self._class_sizes()[image] - 1) * size
        covered = self._order()[2][self.cells.cpu()[location]]
        return (size if self.kind == "same-image" else self.images * size) - covered

    def choose(self, image: Tensor, location: Tensor, number: Tensor) -> tuple[Tensor, Tensor]:
        """Image and location of each one's strangers `number` (rows, k), counted from 0."""
        image, location, size = image[:, None], location[:, None], len(self.cells)
        if self.kind == "same-location":
            return (image + 1 + number) % self.images, location.expand_as(number)
        if self.kind == "same-class":
            return self._member(image, torch.div(number, size, rounding_mode="floor")), number % size
        # Locations sorted by cell: those of the own cell lie together, and are stepped over.
        order, start, covered = self._order()
        cell = self.cells.cpu()[location]
        first = start[cell] if self.kind == "same-image" else image * size + start[cell]
        number = torch.where(number >= first, number + covered[cell], number)
        if self.kind == "same-image":
            return image.expand_as(number), order[number]
        return torch.div(number, size, rounding_mode="floor"), order[number % size]

    def _order(self) -> tuple[Tensor, Tensor, Tensor]:
        """Locations in the order of their cells; for each cell where it starts there, and how many it covers."""
        cells = self.cells.cpu()
        covered = torch.bincount(cells)
        return torch.argsort(cells, stable=True), covered.cumsum(0) - covered, covered

    def _codes(self) -> Tensor:
        assert self.labels is not None  # `__post_init__` has looked
        codes: Tensor = torch.unique(self.labels.cpu(), return_inverse=True)[1]
        return codes

    def _class_sizes(self) -> Tensor:
        codes = self._codes()
        return torch.bincount(codes)[codes]

    def _member(self, image: Tensor, number: Tensor) -> Tensor:
        """The image that follows `image` by 1 + number places among those of its class, cyclically."""
        codes = self._codes()
        order = torch.argsort(codes, stable=True)
        sizes = torch.bincount(codes)
        start = sizes.cumsum(0) - sizes
        place = torch.empty_like(order).scatter_(0, order, torch.arange(len(order))) - start[codes]
        code = codes[image]
        return order[start[code] + (place[image] + 1 + number) % sizes[code]]
