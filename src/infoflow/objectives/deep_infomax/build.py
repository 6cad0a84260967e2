"""Deep InfoMax with critics, prior and tasks that fit an encoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from infoflow.bounds import by_name
from infoflow.core.capture import mode
from infoflow.core.distributed import Group
from infoflow.core.settings import NonNegativeFloat, PositiveInt, Seed, Settings, validated
from infoflow.critics import ConcatAndConvolve, EncodeAndDot, GlobalCritic, LocalCritic
from infoflow.objectives.deep_infomax.coordinates import AbsoluteCoordinates, CoordinateTask, RelativeCoordinates
from infoflow.objectives.deep_infomax.encoding import Encoding, encode
from infoflow.objectives.deep_infomax.objective import DeepInfoMax
from infoflow.objectives.deep_infomax.occlusion import Occlusion
from infoflow.objectives.prior_matching import (
    AdversarialMatching,
    KernelMatching,
    PriorMatching,
    SlicedWassersteinMatching,
)
from infoflow.objectives.priors import Prior


@dataclass(frozen=True)
class Matching(Settings):
    """Settings of the prior's match in `deep_infomax_for`.

    Parameters
    ----------
    kind
        "adversarial", "kernel" or "sliced-wasserstein".
    prior
        A prior, or its name in `PRIORS`.
    units
        Widths of the discriminator's hidden layers, for "adversarial".

    Raises
    ------
    UnknownName
        If there is no such kind.

    Examples
    --------
    >>> Matching("kernel", prior="gaussian")
    Matching(kind='kernel', prior='gaussian', units=(1000, 200))
    """

    kind: Literal["adversarial", "kernel", "sliced-wasserstein"] = "adversarial"
    prior: str | Prior = "uniform"
    units: Sequence[int] = (1000, 200)

    def build(self, features: int, seed: torch.Generator) -> PriorMatching:
        """Create the loss for vectors of this many features.

        Parameters
        ----------
        features
            Number of features of the vectors.
        seed
            Generator of the initial weights.
        """
        if self.kind == "adversarial":
            return AdversarialMatching(features, self.prior, units=self.units, seed=seed)
        return KernelMatching(self.prior) if self.kind == "kernel" else SlicedWassersteinMatching(self.prior)


@dataclass(frozen=True)
class Coordinates(Settings):
    """Settings of the coordinate tasks in `deep_infomax_for`.

    Parameters
    ----------
    kind
        "none", "absolute", "relative" or "both".
    weight
        Weight δ of the tasks.
    locations
        Number of random locations of each map that a step takes; None takes all.

    Raises
    ------
    InvalidArgument
        If a parameter is out of range.

    Examples
    --------
    >>> Coordinates("both", locations=16)
    Coordinates(kind='both', weight=1.0, locations=16)
    """

    kind: Literal["none", "absolute", "relative", "both"] = "none"
    weight: NonNegativeFloat = 1.0
    locations: PositiveInt | None = None


def encoding_shapes(encoder: nn.Module, example: Tensor) -> tuple[tuple[int, ...], int]:
    """Compute the shapes of an encoder's output from one batch.

    Parameters
    ----------
    encoder
        Network that returns a map and a vector, see `encode`; it is left unchanged.
    example : Tensor of shape (n, ...)
        A batch of inputs.

    Returns
    -------
    tuple
        The map's shape (channels, ...), and the number of features of the vector.

    Raises
    ------
    InvalidArgument
        If the encoder returns something else.

    Examples
    --------
    >>> from infoflow.models import ConvolutionalEncoder
    >>> encoding_shapes(ConvolutionalEncoder((3, 32, 32)), torch.zeros(2, 3, 32, 32))
    ((128, 8, 8), 64)
    """
    with mode(encoder, training=False), torch.no_grad():
        found: Encoding = encode(encoder, example)
    return tuple(found.map.shape[1:]), int(found.vector.shape[1])


@validated
def deep_infomax_for(
    encoder: nn.Module,
    example: Tensor,
    *,
    alpha: float = 0.0,
    beta: float = 1.0,
    gamma: float = 0.1,
    bound: str = "jensen_shannon",
    critic: Literal["encode-and-dot", "concat-and-convolve"] = "encode-and-dot",
    units: PositiveInt | None = None,
    matching: str | Matching | PriorMatching = "adversarial",
    coordinates: str | Coordinates = "none",
    occlusion: int | Occlusion | None = None,
    n_negatives: int | Literal["all"] | None = None,
    seed: Seed = 0,
    group: Group = None,
) -> DeepInfoMax:
    """Create a `DeepInfoMax` whose parts fit an encoder; the defaults are the paper's DIM(L).

    Parameters
    ----------
    encoder
        Network that returns a map and a vector, see `encode`.
    example : Tensor of shape (n, ...)
        A batch of inputs, from which sizes are computed.
    alpha
        Weight of the global information.
    beta
        Weight of the local information.
    gamma
        Weight of the prior.
    bound
        Name of a bound in `infoflow.bounds`. Those that gain from many negatives take all others of the batch, the
        other bounds one (except where encodings are dotted, where all come at no cost).
    critic
        Local critic: "encode-and-dot" or "concat-and-convolve".
    units
        Width of the critic and the coordinate tasks; by default 2048 for "encode-and-dot", otherwise 512.
    matching
        Match of the prior: a kind of `Matching`, its settings, or a `PriorMatching`, which is taken as it is.
    coordinates
        Coordinate tasks: a kind of `Coordinates`, or its settings.
    occlusion
        Side of the occluded block, or an `Occlusion`; None occludes nothing.
    n_negatives
        Number of negative scores of each sample, drawn at random; None takes all that the critics give, and "all" makes
        them give all others of the batch with any bound, as in section 3.1 of the paper.
    seed
        Random seed of all initial weights. Each part has its own stream, so that leaving one out does not change the
        others.
    group
        Process group, see `DeepInfoMax`.

    Returns
    -------
    DeepInfoMax
        The objective.

    Raises
    ------
    InvalidArgument
        If an argument is out of range; `UnknownName` for an unknown name.

    Examples
    --------
    >>> from infoflow.models import ConvolutionalEncoder
    >>> encoder, images = ConvolutionalEncoder((1, 8, 8), widths=(4, 8), local=0, units=16), torch.randn(5, 1, 8, 8)
    >>> objective = deep_infomax_for(encoder, images, units=16, coordinates="both", occlusion=3)
    >>> loss = objective(images)
    >>> sorted(objective.terms)
    ['absolute_coordinates', 'local', 'prior', 'relative_coordinates']
    """
    asked = coordinates if isinstance(coordinates, Coordinates) else Coordinates(coordinates)  # type: ignore[arg-type]
    if not isinstance(matching, PriorMatching | Matching):
        matching = Matching(matching)  # type: ignore[arg-type]
    (channels, *sizes), features = encoding_shapes(encoder, example)
    places = int(torch.tensor(sizes).prod())
    per_row = None if by_name(bound).many_negatives or n_negatives == "all" else 1
    streams = [torch.Generator().manual_seed(1000 * seed + part) for part in range(5)]
    local: LocalCritic | None = None
    if beta and critic == "encode-and-dot":
        local = EncodeAndDot(channels, features, units=units or 2048, seed=streams[1])
    elif beta:
        local = ConcatAndConvolve(channels, features, units=units or 512, n_negatives=per_row, seed=streams[1])
    tasks: list[CoordinateTask] = [
        kind(channels, features, sizes, units=min(units or 512, 512), locations=asked.locations, seed=stream)
        for name, kind, stream in (
            ("absolute", AbsoluteCoordinates, streams[2]),
            ("relative", RelativeCoordinates, streams[3]),
        )
        if asked.kind in (name, "both")
    ]
    whole = GlobalCritic(channels * places, features, n_negatives=per_row, seed=streams[0]) if alpha else None
    if isinstance(matching, Matching):
        prior = matching.build(features, streams[4]) if gamma else None
    else:
        prior = matching if gamma else None
    return DeepInfoMax(
        encoder,
        global_critic=whole,
        local_critic=local,
        alpha=alpha,
        beta=beta,
        gamma=gamma,
        bound=bound,
        matching=prior,
        coordinates=tasks,
        coordinate_weight=asked.weight,
        occlusion=Occlusion(occlusion) if isinstance(occlusion, int) else occlusion,
        n_negatives=None if n_negatives == "all" else n_negatives,
        group=group,
    )
