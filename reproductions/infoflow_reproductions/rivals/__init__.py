"""Objectives that Deep InfoMax is compared with: autoencoders, BiGAN, NAT, views and generators."""

from __future__ import annotations

from infoflow_reproductions.rivals.autoencoders import AdversarialAutoencoder, BetaAutoencoder, MeanOfGaussian
from infoflow_reproductions.rivals.bigan import BiGAN
from infoflow_reproductions.rivals.decorrelation import Decorrelation
from infoflow_reproductions.rivals.generators import (
    Generative,
    NonSaturatingGAN,
    PriorMatchingGenerator,
    WassersteinGAN,
)
from infoflow_reproductions.rivals.gradient_orthogonality import GradientOrthogonality
from infoflow_reproductions.rivals.independence_cross_entropy import IndependenceCrossEntropy
from infoflow_reproductions.rivals.noise_as_targets import NoiseAsTargets
from infoflow_reproductions.rivals.spectral_decoupling import SpectralDecoupling
from infoflow_reproductions.rivals.views import DotCritic, MultiViewDeepInfoMax, NTXent, VICReg

__all__ = [
    "AdversarialAutoencoder",
    "BetaAutoencoder",
    "BiGAN",
    "Decorrelation",
    "DotCritic",
    "Generative",
    "GradientOrthogonality",
    "IndependenceCrossEntropy",
    "MeanOfGaussian",
    "MultiViewDeepInfoMax",
    "NTXent",
    "NoiseAsTargets",
    "NonSaturatingGAN",
    "PriorMatchingGenerator",
    "SpectralDecoupling",
    "VICReg",
    "WassersteinGAN",
]
