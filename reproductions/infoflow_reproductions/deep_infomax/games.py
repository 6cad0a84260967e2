"""The generators by name, around a generator and a judge of images, and their trials."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from torch import nn

from infoflow.core.checks import choice
from infoflow.objectives.prior_matching import AdversarialMatching
from infoflow.objectives.priors import Gaussian
from infoflow_reproductions.baselines.games import LeastSquaresGAN, SaturatingGAN
from infoflow_reproductions.baselines.generators import (
    Generative,
    NonSaturatingGAN,
    PriorMatchingGenerator,
    WassersteinGAN,
)
from infoflow_reproductions.harness.trial import Trial

G = TypeVar("G")

LABELS = {
    "prior-matching": "prior matching",
    "discriminators": "prior matching with two discriminators",
    "unpenalized": "prior matching with two discriminators, without penalty",
    "wgan-gp": "WGAN-GP",
    "ns-gan": "NS-GAN",
    "gan": "GAN",
    "gan-log-d": "GAN with −log D",
    "ls-gan": "LSGAN",
}
"""Titles by name; "ns-gan" has the contractive penalty, "gan-log-d" none."""

PENALTIES: Mapping[str, float] = {
    "prior-matching": PriorMatchingGenerator.usual_penalty,
    "discriminators": PriorMatchingGenerator.usual_penalty,
    "unpenalized": 0.0,
    "wgan-gp": WassersteinGAN.usual_penalty,
    "ns-gan": NonSaturatingGAN.usual_penalty,
    "gan": SaturatingGAN.usual_penalty,
    "gan-log-d": 0.0,
    "ls-gan": LeastSquaresGAN.usual_penalty,
}
"""Name -> weight of the penalty on the judge's gradient."""

_MATCHING = "two discriminators compare the judge's output with Gaussians, against which its loss is −log D"
_LOSSES = {
    "prior-matching": "a kernel matches the judge's features to Gaussians",
    "discriminators": _MATCHING,
    "unpenalized": _MATCHING,
    "wgan-gp": "difference of the judge's means",
    "ns-gan": "loss −log D",
    "gan": "loss log(1 − D)",
    "gan-log-d": "loss −log D",
    "ls-gan": "squared differences from 1 and 0",
}
_PENALIZED = {"wgan-gp": "the difference of the gradient's norm from 1, between data and samples"}


@dataclass(frozen=True)
class Task(Generic[G]):
    """One run of one game.

    Parameters
    ----------
    generation
        How it is trained and measured.
    method
        Name in `LABELS`.
    seed
        Random seed.
    """

    generation: G
    method: str
    seed: int


def trials_of(
    run: Callable[..., Mapping[str, Any]], generation: G, methods: Sequence[str], seeds: int
) -> Sequence[Trial]:
    """Return the trials of every game and seed.

    Parameters
    ----------
    run
        Function of a `Task`.
    generation
        How every game is trained and measured.
    methods
        Names in `LABELS`.
    seeds
        Number of seeds.

    Returns
    -------
    sequence of Trial
        METHOD/seed=SEED.
    """
    return [
        Trial(f"{method}/seed={seed}", run, Task(generation, method, seed))
        for method in methods
        for seed in range(seeds)
    ]


def game(
    name: str, generator: nn.Module, judge: nn.Module, features: int, seed: int, *, clip: float | None = None
) -> Generative:
    """Return the objective of a generator.

    Parameters
    ----------
    name
        Name in `LABELS`.
    generator
        Network from vectors (n, features) to images.
    judge
        Network from images to scores, or to features for "prior-matching".
    features
        Length of the vectors.
    seed
        Random seed of the discriminators.
    clip
        Largest absolute value of an entry of the discriminators' gradients, for "discriminators"; None clips nothing.

    Returns
    -------
    Generative
        The objective.

    Raises
    ------
    UnknownName
        If there is no such name.
    """
    penalty = PENALTIES[choice(name, "name", LABELS)]
    match name:
        case "wgan-gp":
            return WassersteinGAN(generator, judge, features, penalty=penalty)
        case "ns-gan" | "gan-log-d":
            return NonSaturatingGAN(generator, judge, features, penalty=penalty)
        case "gan":
            return SaturatingGAN(generator, judge, features, penalty=penalty)
        case "ls-gan":
            return LeastSquaresGAN(generator, judge, features, penalty=penalty)
        case "discriminators" | "unpenalized":
            of_data = AdversarialMatching(1, Gaussian(1.0), penalty=0.0, seed=seed)
            of_samples = AdversarialMatching(1, Gaussian(-1.0), penalty=0.0, seed=seed + 1)
            if clip is not None:
                for matching in (of_data, of_samples):
                    _clip_gradients(matching.discriminator, clip)
            matchings = of_data, of_samples
            return PriorMatchingGenerator(
                generator, judge, features, penalty=penalty, matchings=matchings, toward="prior"
            )
        case _:
            return PriorMatchingGenerator(generator, judge, features, penalty=penalty)


def losses_and_penalties(methods: Sequence[str]) -> str:
    """Return a note on the losses of games and on the penalties on their judges' gradients.

    Parameters
    ----------
    methods
        Names in `LABELS`.

    Returns
    -------
    str
        Sentences.
    """
    parts = []
    for name in methods:
        weight = PENALTIES[name]
        penalized = _PENALIZED.get(name, "the squared gradient at data and samples")
        parts.append(f"{LABELS[name]}: {_LOSSES[name]}; " + (f"{weight:g} on {penalized}" if weight else "none"))
    return f"Losses, and weights of the penalties on the judge's gradient. {'. '.join(parts)}."


def _clip_gradients(network: nn.Module, bound: float) -> None:
    for parameter in network.parameters():
        parameter.register_hook(lambda gradient: gradient.clamp(-bound, bound))  # type: ignore[no-untyped-call]
