"""What Deep InfoMax is compared with, around the same encoders: autoencoders, BiGAN, NAT, views, generators."""

from __future__ import annotations

from infoflow.objectives.baselines.autoencoders import AdversarialAutoencoder, BetaAutoencoder, MeanOfGaussian
from infoflow.objectives.baselines.bigan import BiGAN
from infoflow.objectives.baselines.generators import (
    Generative,
    NonSaturatingGAN,
    PriorMatchingGenerator,
    WassersteinGAN,
)
from infoflow.objectives.baselines.noise_as_targets import NoiseAsTargets
from infoflow.objectives.baselines.views import DotCritic, MultiViewDeepInfoMax, NTXent, VICReg

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
