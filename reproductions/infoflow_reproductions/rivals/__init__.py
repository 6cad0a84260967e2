"""What Deep InfoMax is compared with, around the same encoders: autoencoders, BiGAN, NAT, views, generators."""

from __future__ import annotations

from infoflow_reproductions.rivals.autoencoders import AdversarialAutoencoder, BetaAutoencoder, MeanOfGaussian
from infoflow_reproductions.rivals.bigan import BiGAN
from infoflow_reproductions.rivals.generators import (
    Generative,
    NonSaturatingGAN,
    PriorMatchingGenerator,
    WassersteinGAN,
)
from infoflow_reproductions.rivals.noise_as_targets import NoiseAsTargets
from infoflow_reproductions.rivals.views import DotCritic, MultiViewDeepInfoMax, NTXent, VICReg

__all__ = [
    "AdversarialAutoencoder",
    "BetaAutoencoder",
    "BiGAN",
    "DotCritic",
    "Generative",
    "MeanOfGaussian",
    "MultiViewDeepInfoMax",
    "NTXent",
    "NoiseAsTargets",
    "NonSaturatingGAN",
    "PriorMatchingGenerator",
    "VICReg",
    "WassersteinGAN",
]
