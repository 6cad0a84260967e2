"""Objectives that Deep InfoMax is compared with: autoencoders, BiGAN, NAT, views and generators."""

from __future__ import annotations

from infoflow_reproductions.baselines.autoencoders import AdversarialAutoencoder, BetaAutoencoder, MeanOfGaussian
from infoflow_reproductions.baselines.bigan import BiGAN
from infoflow_reproductions.baselines.decorrelation import Decorrelation
from infoflow_reproductions.baselines.games import LeastSquaresGAN, SaturatingGAN
from infoflow_reproductions.baselines.generators import (
    Generative,
    NonSaturatingGAN,
    PriorMatchingGenerator,
    WassersteinGAN,
)
from infoflow_reproductions.baselines.gradient_orthogonality import GradientOrthogonality
from infoflow_reproductions.baselines.independence_cross_entropy import IndependenceCrossEntropy
from infoflow_reproductions.baselines.noise_as_targets import NoiseAsTargets
from infoflow_reproductions.baselines.spectral_decoupling import SpectralDecoupling
from infoflow_reproductions.baselines.views import DotCritic, MultiViewDeepInfoMax, NTXent, VICReg

__all__ = [
    "AdversarialAutoencoder",
    "BetaAutoencoder",
    "BiGAN",
    "Decorrelation",
    "DotCritic",
    "Generative",
    "GradientOrthogonality",
    "IndependenceCrossEntropy",
    "LeastSquaresGAN",
    "MeanOfGaussian",
    "MultiViewDeepInfoMax",
    "NTXent",
    "NoiseAsTargets",
    "NonSaturatingGAN",
    "PriorMatchingGenerator",
    "SaturatingGAN",
    "SpectralDecoupling",
    "VICReg",
    "WassersteinGAN",
]
