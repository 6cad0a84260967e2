"""Coordinate tasks: predict where local features come from, given them and the vector."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from infoflow.core.blocks import Builder
from infoflow.core.checks import tensors
from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import Integer, PositiveInt, check, validated
from infoflow.objectives.deep_infomax.encoding import Encoding
from infoflow.objectives.objective import Objective


class CoordinateTask(Objective):
    """Base class of tasks that predict coordinates of local features, by one softmax for each spatial axis.

    Parameters
    ----------
    channels
        Channels of the map.
    features
        Features of the vector.
    sizes
        Spatial sizes of the map (height and width; length of a sequence).
    units
        Width of the two hidden layers of the perceptron, which have batch normalization.
    locations
        Number of random locations of each map that a step takes; None takes all.
    seed
        Seed or generator of the initial weights.

    Raises
    ------
    InvalidArgument
        If an argument is out of range; in a call for a map or vector of another size.

    Notes
    -----
    The loss is the cross-entropy −log p(coordinates | vector, features) in nats, summed over the axes; it is the only
    term.

    Examples
    --------
    >>> issubclass(AbsoluteCoordinates, CoordinateTask), issubclass(RelativeCoordinates, CoordinateTask)
    (True, True)
    """

    term: ClassVar[str]
    places: ClassVar[int]
    """Number of locations whose features one prediction takes."""

    @validated
    def __init__(
        self,
        channels: PositiveInt,
        features: PositiveInt,
        sizes: Sequence[int],
        *,
        units: PositiveInt = 512,
        locations: PositiveInt | None = None,
        seed: int | torch.Generator = 0,
    ) -> None:
        super().__init__()
        self.channels, self.features, self.locations = channels, features, locations
        self.sizes = tuple(check(size, "sizes", Integer()) for size in sizes)
        if not self.sizes:
            raise InvalidArgument("sizes", "the spatial sizes of the map", sizes)
        self.classes = self.outcomes()
        widths = [features + self.places * channels, units, units, sum(self.classes)]
        network = Builder(seed, spectral_norm=False).perceptron(widths, "relu", "units")
        self.first: nn.Linear = network[0]  # type: ignore[assignment]
        # Batch normalization stands between each hidden layer and its activation.
        self.rest = nn.Sequential(nn.BatchNorm1d(units), *list(network)[1:3], nn.BatchNorm1d(units), *list(network)[3:])

    @abc.abstractmethod
    def outcomes(self) -> list[int]:
        """Return the number of values of a coordinate on each axis."""

    @abc.abstractmethod
    def forward(self, encoding: Encoding) -> Tensor:
        """Compute the loss of an encoding in nats.

        Parameters
        ----------
        encoding
            Map and vector of the encoder.
        """

    def _checked(self, encoding: Encoding) -> tuple[Tensor, Tensor]:
        """Local features (n, L, channels) and the vector's part of the first layer (n, 1, units)."""
        local, vector = encoding
        tensors(local=local, vector=vector)
        if (
            tuple(local.shape[1:]) != (self.channels, *self.sizes)
            or vector.shape[1:] != (self.features,)
            or len(vector) != len(local)
        ):
            raise InvalidArgument(
                "the output of the encoder",
                f"a map (n, {', '.join(map(str, (self.channels, *self.sizes)))}) and a vector (n, {self.features})",
                got_text=f"{tuple(local.shape)} and {tuple(vector.shape)}",
                remedy="The coordinate tasks were built for these sizes.",
            )
        # W[y, c] = W_y y + W_c c: the vector's part is computed once for all places.
        summary = F.linear(vector, self.first.weight[:, : self.features], self.first.bias)
        return local.flatten(2).mT, summary[:, None]

    def _from_map(self, features: Tensor, place: int) -> Tensor:
        """The part of the first layer for the features of one place."""
        start = self.features + place * self.channels
        return F.linear(features, self.first.weight[:, start : start + self.channels])

    def _drawn(self, n: int, device: torch.device) -> Tensor:
        """Random places (n, k), in random order."""
        total = int(torch.tensor(self.sizes).prod())
        wanted = total if self.locations is None else min(self.locations, total)
        return torch.rand(n, total, device=device).argsort(1)[:, :wanted]

    def _coordinates(self, places: Tensor) -> list[Tensor]:
        """Flat places as one index for each axis."""
        found = []
        for size in reversed(self.sizes):
            found.append(places % size)
            places = torch.div(places, size, rounding_mode="floor")
        return found[::-1]

    def _cross_entropy(self, hidden: Tensor, targets: Sequence[Tensor]) -> Tensor:
        """Summed over the axes, mean over places and samples; the only term."""
        logits = self.rest(hidden.flatten(0, -2)).split(self.classes, -1)
        losses = [F.cross_entropy(part, target.flatten()) for part, target in zip(logits, targets, strict=True)]
        value = torch.stack(losses).sum()
        self.record({self.term: value})
        return value


def _at(values: Tensor, places: Tensor) -> Tensor:
    return values.gather(1, places[..., None].expand(-1, -1, values.shape[-1]))


class AbsoluteCoordinates(CoordinateTask):
    """Predicts the location (i, j) of a local feature from it and the vector: −log p(i, j | y, c_ij).

    Parameters
    ----------
    channels
        Channels of the map.
    features
        Features of the vector.
    sizes
        Spatial sizes of the map (height and width; length of a sequence).
    units
        Width of the two hidden layers of the perceptron, which have batch normalization.
    locations
        Number of random locations of each map that a step takes; None takes all.
    seed
        Seed or generator of the initial weights.

    Raises
    ------
    InvalidArgument
        If an argument is out of range; in a call for a map or vector of another size.

    Notes
    -----
    The vector contains nothing about i and j themselves, but learns the arrangement of its input's local features.

    References
    ----------
    Hjelm et al. (2019), Learning deep representations by mutual information estimation and maximization, section 4.3
    and appendix A.6.

    Examples
    --------
    >>> task = AbsoluteCoordinates(8, 6, (4, 4))
    >>> bool(task(Encoding(torch.ones(5, 8, 4, 4), torch.ones(5, 6))) > 0)
    True
    """

    term = "absolute_coordinates"
    places = 1

    def outcomes(self) -> list[int]:
        return list(self.sizes)

    def forward(self, encoding: Encoding) -> Tensor:
        local, summary = self._checked(encoding)
        places = self._drawn(len(local), local.device)
        return self._cross_entropy(self._from_map(_at(local, places), 0) + summary, self._coordinates(places))


class RelativeCoordinates(CoordinateTask):
    """Predicts the distance between two local features: −log p(i − i', j − j' | y, c_ij, c_i'j').

    Parameters
    ----------
    channels
        Channels of the map.
    features
        Features of the vector.
    sizes
        Spatial sizes of the map (height and width; length of a sequence).
    units
        Width of the two hidden layers of the perceptron, which have batch normalization.
    locations
        Number of random locations of each map that a step takes, at least 2; None takes all.
    seed
        Seed or generator of the initial weights.

    Raises
    ------
    InvalidArgument
        If an argument is out of range; in a call for a map or vector of another size.

    Notes
    -----
    Each map has one source location, drawn at random, and all other locations of the draw are its targets.

    References
    ----------
    Hjelm et al. (2019), Learning deep representations by mutual information estimation and maximization, section 4.3
    and appendix A.6.

    Examples
    --------
    >>> task = RelativeCoordinates(8, 6, (4, 4), locations=4)
    >>> bool(task(Encoding(torch.ones(5, 8, 4, 4), torch.ones(5, 6))) > 0)
    True
    """

    term = "relative_coordinates"
    places = 2

    def outcomes(self) -> list[int]:
        if self.locations == 1:
            raise InvalidArgument("locations", "at least 2 for a distance", 1)
        return [2 * size - 1 for size in self.sizes]

    def forward(self, encoding: Encoding) -> Tensor:
        local, summary = self._checked(encoding)
        places = self._drawn(len(local), local.device)
        source, targets = places[:, :1], places[:, 1:]
        hidden = self._from_map(_at(local, source), 0) + self._from_map(_at(local, targets), 1) + summary
        sources = [one.expand_as(targets) for one in self._coordinates(source)]
        pairs = zip(sources, self._coordinates(targets), self.sizes, strict=True)
        return self._cross_entropy(hidden, [here - there + size - 1 for here, there, size in pairs])
