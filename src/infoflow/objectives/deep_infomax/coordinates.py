"""Where in the input does a local feature come from? Asked of the vector and the feature together."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from infoflow.core.blocks import Builder
from infoflow.core.checks import integer
from infoflow.core.errors import InvalidArgument
from infoflow.objectives.deep_infomax.encoding import Encoding
from infoflow.objectives.objective import Objective


class CoordinateTask(Objective):
    """What both tasks share: a perceptron with two hidden layers, and one softmax for each spatial axis.

    `sizes` are the map's spatial sizes (height and width; the length of a sequence), `channels` and `features` those
    of map and vector. `locations` is how many random places of each map a step asks about (None: all of them).
    The loss is the cross-entropy in nats, summed over the axes: −log p(coordinates | vector, features).

    >>> issubclass(AbsoluteCoordinates, CoordinateTask), issubclass(RelativeCoordinates, CoordinateTask)
    (True, True)
    """

    term: ClassVar[str]

    def __init__(
        self,
        channels: int,
        features: int,
        sizes: Sequence[int],
        *,
        places: int,
        units: int,
        locations: int | None,
        seed: int | torch.Generator,
    ) -> None:
        super().__init__()
        self.channels, self.features = integer(channels, "channels"), integer(features, "features")
        self.sizes = tuple(integer(size, "sizes") for size in sizes)
        if not self.sizes:
            raise InvalidArgument("sizes is empty; want the map's spatial sizes")
        self.locations = None if locations is None else integer(locations, "locations")
        self.classes = self.outcomes()
        widths = [features + places * channels, integer(units, "units"), units, sum(self.classes)]
        network = Builder(seed, spectral_norm=False).perceptron(widths, "relu", "units")
        self.first: nn.Linear = network[0]  # type: ignore[assignment]
        self.rest = network[1:]

    @abc.abstractmethod
    def outcomes(self) -> list[int]:
        """How many values a coordinate can have on each axis."""

    @abc.abstractmethod
    def forward(self, encoding: Encoding) -> Tensor:
        """The loss in nats, a 0-d tensor. Raises InvalidArgument for a map or vector of another size."""

    def checked(self, encoding: Encoding) -> tuple[Tensor, Tensor]:
        """Local features (n, L, channels) and the vector's share of the first layer (n, 1, units)."""
        local, vector = encoding
        if tuple(local.shape[1:]) != (self.channels, *self.sizes) or vector.shape[1] != self.features:
            raise InvalidArgument(
                f"the encoder gave a map {tuple(local.shape)} and a vector {tuple(vector.shape)}; the coordinate task "
                f"wants (n, {', '.join(map(str, (self.channels, *self.sizes)))}) and (n, {self.features})"
            )
        # W[y, c] = W_y y + W_c c: the vector passes once, however many places are asked about.
        summary = F.linear(vector, self.first.weight[:, : self.features], self.first.bias)
        return local.flatten(2).mT, summary[:, None]

    def from_map(self, features: Tensor, place: int) -> Tensor:
        """The share of the first layer that the features of one place have."""
        start = self.features + place * self.channels
        return F.linear(features, self.first.weight[:, start : start + self.channels])

    def drawn(self, n: int, device: torch.device) -> Tensor:
        """Places to ask about, (n, k), in no order."""
        total = int(torch.tensor(self.sizes).prod())
        wanted = total if self.locations is None else min(self.locations, total)
        return torch.rand(n, total, device=device).argsort(1)[:, :wanted]

    def coordinates(self, places: Tensor) -> list[Tensor]:
        """Flat places as one index an axis."""
        found = []
        for size in reversed(self.sizes):
            found.append(places % size)
            places = torch.div(places, size, rounding_mode="floor")
        return found[::-1]

    def cross_entropy(self, hidden: Tensor, targets: Sequence[Tensor]) -> Tensor:
        """Summed over the axes, mean over places and samples; the only term."""
        logits = self.rest(hidden).flatten(0, -2).split(self.classes, -1)
        losses = [F.cross_entropy(part, target.flatten()) for part, target in zip(logits, targets, strict=True)]
        value = torch.stack(losses).sum()
        self.record({self.term: value})
        return value


def _at(values: Tensor, places: Tensor) -> Tensor:
    return values.gather(1, places[..., None].expand(-1, -1, values.shape[-1]))


class AbsoluteCoordinates(CoordinateTask):
    """Predicts the place (i, j) of a local feature from it and the vector: −log p(i, j | y, c_ij).

    Arguments and errors as in `CoordinateTask`; the vector learns nothing about i and j, but how the local features
    of its input lie. Hjelm et al. (2019), section 4.4 and appendix A.6.

    >>> task = AbsoluteCoordinates(8, 6, (4, 4))
    >>> bool(task(Encoding(torch.ones(5, 8, 4, 4), torch.ones(5, 6))) > 0)
    True
    """

    term = "absolute_coordinates"

    def __init__(
        self,
        channels: int,
        features: int,
        sizes: Sequence[int],
        *,
        units: int = 512,
        locations: int | None = None,
        seed: int | torch.Generator = 0,
    ) -> None:
        super().__init__(channels, features, sizes, places=1, units=units, locations=locations, seed=seed)

    def outcomes(self) -> list[int]:
        return list(self.sizes)

    def forward(self, encoding: Encoding) -> Tensor:
        local, summary = self.checked(encoding)
        places = self.drawn(len(local), local.device)
        return self.cross_entropy(self.from_map(_at(local, places), 0) + summary, self.coordinates(places))


class RelativeCoordinates(CoordinateTask):
    """Predicts how far apart two local features lie: −log p(i − i', j − j' | y, c_ij, c_i'j').

    Each place drawn is paired with the next one of the draw. Arguments and errors as in `CoordinateTask`.
    Hjelm et al. (2019), section 4.4 and appendix A.6.

    >>> task = RelativeCoordinates(8, 6, (4, 4), locations=4)
    >>> bool(task(Encoding(torch.ones(5, 8, 4, 4), torch.ones(5, 6))) > 0)
    True
    """

    term = "relative_coordinates"

    def __init__(
        self,
        channels: int,
        features: int,
        sizes: Sequence[int],
        *,
        units: int = 512,
        locations: int | None = None,
        seed: int | torch.Generator = 0,
    ) -> None:
        if locations == 1:
            raise InvalidArgument("locations is 1, but a distance takes two places; want at least 2")
        super().__init__(channels, features, sizes, places=2, units=units, locations=locations, seed=seed)

    def outcomes(self) -> list[int]:
        return [2 * size - 1 for size in self.sizes]

    def forward(self, encoding: Encoding) -> Tensor:
        local, summary = self.checked(encoding)
        places = self.drawn(len(local), local.device)
        partners = places.roll(1, 1)
        hidden = self.from_map(_at(local, places), 0) + self.from_map(_at(local, partners), 1) + summary
        pairs = zip(self.coordinates(places), self.coordinates(partners), self.sizes, strict=True)
        return self.cross_entropy(hidden, [here - there + size - 1 for here, there, size in pairs])
