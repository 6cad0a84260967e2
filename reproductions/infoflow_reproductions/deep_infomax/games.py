"""The generators by name, around a generator and a judge of images."""

from __future__ import annotations

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
