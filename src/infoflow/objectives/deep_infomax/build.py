"""Deep InfoMax in one call: critics, prior and tasks that fit an encoder."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from infoflow.bounds import by_name
from infoflow.core.checks import choice, integer
from infoflow.core.distributed import Group
from infoflow.core.errors import InvalidArgument
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

CRITICS = ("encode-and-dot", "concat-and-convolve")
MATCHINGS = ("adversarial", "kernel", "sliced-wasserstein")
_COORDINATES = ("none", "absolute", "relative", "both")


def encoding_shapes(encoder: nn.Module, example: Tensor) -> tuple[tuple[int, ...], int]:
    """The map's shape (channels, ...) and the vector's features, from one example batch; the encoder stays as it is.

    >>> from infoflow.models import ConvolutionalEncoder
    >>> encoding_shapes(ConvolutionalEncoder((3, 32, 32)), torch.zeros(2, 3, 32, 32))
    ((128, 8, 8), 64)
    """
    states = [(module, module.training) for module in encoder.modules()]
    encoder.eval()
    try:
        with torch.no_grad():
            found: Encoding = encode(encoder, example)
    finally:
        for module, training in states:
            module.training = training
    return tuple(found.map.shape[1:]), int(found.vector.shape[1])


def deep_infomax_for(
    encoder: nn.Module,
    example: Tensor,
    *,
    alpha: float = 0.0,
    beta: float = 1.0,
    gamma: float = 0.1,
    bound: str = "jensen_shannon",
    critic: str = "encode-and-dot",
    units: int | None = None,
    prior: str | Prior = "uniform",
    matching: str | PriorMatching = "adversarial",
    discriminator_units: Sequence[int] = (1000, 200),
    coordinates: str = "none",
    coordinate_weight: float = 1.0,
    locations: int | None = None,
    occlusion: int | Occlusion | None = None,
    negatives: int | None = None,
    seed: int = 0,
    group: Group = None,
) -> DeepInfoMax:
    """A `DeepInfoMax` whose parts fit the encoder, judged by a batch of examples; the defaults are the paper's DIM(L).

    - `critic`: "encode-and-dot" (2048 units, or `units`) or "concat-and-convolve" (512); the global critic is the
      paper's. Contrastive bounds set every sample against all others of the batch, the other bounds against one
      (except where encodings are dotted: there all come at no cost).
    - `matching`: "adversarial" (with a discriminator through `discriminator_units`), "kernel", "sliced-wasserstein",
      or a `PriorMatching`; `prior`: one of `PRIORS`.
    - `coordinates`: "none", "absolute", "relative" or "both", asked at `locations` random places of each map (None:
      all); `occlusion`: the side of the block, or an `Occlusion`.

    The rest is as in `DeepInfoMax`, the errors too, and UnknownName.

    >>> from infoflow.models import ConvolutionalEncoder
    >>> encoder, images = ConvolutionalEncoder((1, 8, 8), widths=(4, 8), local=0, units=16), torch.randn(5, 1, 8, 8)
    >>> objective = deep_infomax_for(encoder, images, units=16, coordinates="both", occlusion=3)
    >>> loss = objective(images)
    >>> sorted(objective.terms)
    ['absolute_coordinates', 'local', 'prior', 'relative_coordinates']
    """
    choice(critic, "critic", CRITICS)
    choice(coordinates, "coordinates", _COORDINATES)
    width = None if units is None else integer(units, "units")
    (channels, *sizes), features = encoding_shapes(encoder, example)
    places = int(torch.tensor(sizes).prod())
    strangers = None if by_name(bound).many_negatives else 1
    # One stream of random numbers for each part: the one that is left out changes nothing about the others.
    streams = [torch.Generator().manual_seed(1000 * integer(seed, "seed", minimum=0) + part) for part in range(5)]
    local: LocalCritic | None = None
    if beta:
        if critic == "encode-and-dot":
            local = EncodeAndDot(channels, features, units=width or 2048, seed=streams[1])
        else:
            local = ConcatAndConvolve(channels, features, units=width or 512, n_negatives=strangers, seed=streams[1])
    tasks: list[CoordinateTask] = [
        kind(channels, features, sizes, units=min(width or 512, 512), locations=locations, seed=stream)
        for name, kind, stream in (
            ("absolute", AbsoluteCoordinates, streams[2]),
            ("relative", RelativeCoordinates, streams[3]),
        )
        if coordinates in (name, "both")
    ]
    return DeepInfoMax(
        encoder,
        global_critic=GlobalCritic(channels * places, features, n_negatives=strangers, seed=streams[0])
        if alpha
        else None,
        local_critic=local,
        alpha=alpha,
        beta=beta,
        gamma=gamma,
        bound=bound,
        matching=_matching(matching, prior, features, discriminator_units, streams[4]) if gamma else None,
        coordinates=tasks,
        coordinate_weight=coordinate_weight,
        occlusion=Occlusion(occlusion) if isinstance(occlusion, int) else occlusion,
        negatives=negatives,
        group=group,
    )


def _matching(
    matching: str | PriorMatching, prior: str | Prior, features: int, units: Sequence[int], seed: torch.Generator
) -> PriorMatching:
    if isinstance(matching, PriorMatching):
        return matching
    if not isinstance(matching, str):
        raise InvalidArgument(f"matching is a {type(matching).__name__}; want a PriorMatching or one of its names")
    kind = choice(matching, "matching", MATCHINGS)
    if kind == "adversarial":
        return AdversarialMatching(features, prior, units=units, seed=seed)
    return KernelMatching(prior) if kind == "kernel" else SlicedWassersteinMatching(prior)
