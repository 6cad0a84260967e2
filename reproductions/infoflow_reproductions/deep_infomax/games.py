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
    "wgan-gp": "WGAN-GP",
    "ns-gan": "NS-GAN",
    "gan": "GAN",
    "gan-log-d": "GAN with −log D",
    "ls-gan": "LSGAN",
}
"""Titles by name; "ns-gan" has the contractive penalty, "gan-log-d" none."""


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
    match choice(name, "name", LABELS):
        case "wgan-gp":
            return WassersteinGAN(generator, judge, features)
        case "ns-gan":
            return NonSaturatingGAN(generator, judge, features)
        case "gan-log-d":
            return NonSaturatingGAN(generator, judge, features, penalty=0.0)
        case "gan":
            return SaturatingGAN(generator, judge, features)
        case "ls-gan":
            return LeastSquaresGAN(generator, judge, features)
        case "discriminators":
            of_data = AdversarialMatching(1, Gaussian(1.0), penalty=0.0, seed=seed)
            of_samples = AdversarialMatching(1, Gaussian(-1.0), penalty=0.0, seed=seed + 1)
            if clip is not None:
                for matching in (of_data, of_samples):
                    _clip_gradients(matching.discriminator, clip)
            matchings = of_data, of_samples
            return PriorMatchingGenerator(generator, judge, features, matchings=matchings, toward="prior")
        case _:
            return PriorMatchingGenerator(generator, judge, features)


def _clip_gradients(network: nn.Module, bound: float) -> None:
    for parameter in network.parameters():
        parameter.register_hook(lambda gradient: gradient.clamp(-bound, bound))  # type: ignore[no-untyped-call]
