"""Choice of negatives: the candidates of every location are numbered, so that a draw of numbers is uniform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.core.settings import PositiveInt, Settings


@dataclass(frozen=True)
class Negatives(Settings):
    """Choice of the negatives in `InformationFlow`.

    Parameters
    ----------
    kind
        "random" for random locations of random images, "same-location" for the same location of other images,
        "same-image" for other locations of the image, "same-class" for other images of the class.
    n_negatives
        Number of negatives of each location; None takes all.
    mining
        Factor by which more negatives are drawn, of which those with the highest scores are taken.

    Raises
    ------
    InvalidArgument
        If a parameter is out of range, or all negatives are taken with mining; `UnknownName` for another kind.

    Examples
    --------
    >>> Negatives("same-image", n_negatives=8)
    Negatives(kind='same-image', n_negatives=8, mining=1)
    """

    kind: Literal["random", "same-location", "same-image", "same-class"] = "random"
    n_negatives: PositiveInt | None = 1
    mining: PositiveInt = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mining > 1 and self.n_negatives is None:
            raise InvalidArgument("mining", "1 where all negatives are taken (n_negatives=None)", self.mining)


@dataclass(frozen=True)
class Candidates:
    """Candidates for negatives of (image, location) pairs, numbered 0, 1, ... for each.

    With n images of S locations and `cells` (S,), the row of y at each location (locations that a coarse map covers by
    one cell share it), the candidates of location s of image i are

    - "random": all locations of all images,
    - "same-location": location s of the other images,
    - "same-image": the other locations of image i,
    - "same-class": all locations of the other images of i's class,

    without the locations of its own cell, whose features are those of the positive pair.
    """

    kind: str
    images: int
    cells: Tensor
    labels: Tensor | None = None

    def __post_init__(self) -> None:
        if self.kind != "same-image" and self.images < 2:
            raise TooFewSamples("batch", f"at least 2 samples for {self.kind} negatives", self.images)
        if self.kind == "same-image" and int(self.cells.max()) == int(self.cells.min()):
            raise InvalidArgument("Same-image negatives require layers with more than one location, got a vector.")
        if self.kind == "same-class":
            if self.labels is None:
                raise InvalidArgument("labels", "given for same-class negatives", None)
            if self.labels.shape != (self.images,):
                raise InvalidArgument("labels", f"of shape ({self.images},)", self.labels)
            if int(self._class_sizes().max()) < 2:
                raise TooFewSamples("No two samples of the batch share a class, so there are no same-class negatives.")

    def counts(self, image: Tensor, location: Tensor) -> Tensor:
        """Number of candidates of each; 0 for the only sample of a class."""
        size = len(self.cells)
        if self.kind == "same-location":
            return torch.full_like(image, self.images - 1)
        if self.kind == "same-class":
            return (self._class_sizes()[image] - 1) * size
        covered = self._order()[2][self.cells.cpu()[location]]
        return (size if self.kind == "same-image" else self.images * size) - covered

    def choose(self, image: Tensor, location: Tensor, number: Tensor) -> tuple[Tensor, Tensor]:
        """Image and location of the candidates `number` (rows, k) of each, counted from 0."""
        image, location, size = image[:, None], location[:, None], len(self.cells)
        if self.kind == "same-location":
            return (image + 1 + number) % self.images, location.expand_as(number)
        if self.kind == "same-class":
            return self._member(image, torch.div(number, size, rounding_mode="floor")), number % size
        # Locations sorted by cell: those of the own cell are contiguous and are skipped.
        order, start, covered = self._order()
        cell = self.cells.cpu()[location]
        first = start[cell] if self.kind == "same-image" else image * size + start[cell]
        number = torch.where(number >= first, number + covered[cell], number)
        if self.kind == "same-image":
            return image.expand_as(number), order[number]
        return torch.div(number, size, rounding_mode="floor"), order[number % size]

    def _order(self) -> tuple[Tensor, Tensor, Tensor]:
        """Locations in the order of their cells; for each cell its start there, and the number of its locations."""
        cells = self.cells.cpu()
        covered = torch.bincount(cells)
        return torch.argsort(cells, stable=True), covered.cumsum(0) - covered, covered

    def _codes(self) -> Tensor:
        assert self.labels is not None  # checked by `__post_init__`
        codes: Tensor = torch.unique(self.labels.cpu(), return_inverse=True)[1]
        return codes

    def _class_sizes(self) -> Tensor:
        codes = self._codes()
        return torch.bincount(codes)[codes]

    def _member(self, image: Tensor, number: Tensor) -> Tensor:
        """The image 1 + number places after `image` among those of its class, cyclically."""
        codes = self._codes()
        order = torch.argsort(codes, stable=True)
        sizes = torch.bincount(codes)
        start = sizes.cumsum(0) - sizes
        place = torch.empty_like(order).scatter_(0, order, torch.arange(len(order))) - start[codes]
        code = codes[image]
        return order[start[code] + (place[image] + 1 + number) % sizes[code]]
