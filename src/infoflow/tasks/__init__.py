"""Joint distributions whose mutual information is known, to test estimators.

A task has a `name`, `sample(n, seed) -> (x, y)`, `mutual_information` in nats, and `pointwise(x, y)`, the exact
log p(x, y) / p(x) p(y) at given points.
"""

from __future__ import annotations

from infoflow.tasks.beyond_normal import BEYOND_NORMAL
from infoflow.tasks.catalog import CATALOG, find
from infoflow.tasks.discrete import Discrete, erasure_channel, symmetric_channel
from infoflow.tasks.gaussian import Gaussian, bivariate, dense, gaussian_with, sparse
from infoflow.tasks.images import Bumps, Rectangles, bump_images, rectangle_images
from infoflow.tasks.mixed import BinaryGaussianMixture, GaussianWithAtoms, UniformOnClass, ZeroInflatedPoisson
from infoflow.tasks.mixture import GaussianMixture, clusters, cross
from infoflow.tasks.student import Student, student
from infoflow.tasks.transforms import (
    Asinh,
    Bimodal,
    HalfCube,
    Identity,
    Map,
    NormalCDF,
    Spiral,
    SwissRoll,
    Transformed,
    Wiggly,
)
from infoflow.tasks.uniform import AdditiveUniform

__all__ = [
    "BEYOND_NORMAL",
    "CATALOG",
    "AdditiveUniform",
    "Asinh",
    "Bimodal",
    "BinaryGaussianMixture",
    "Bumps",
    "Discrete",
    "Gaussian",
    "GaussianMixture",
    "GaussianWithAtoms",
    "HalfCube",
    "Identity",
    "Map",
    "NormalCDF",
    "Rectangles",
    "Spiral",
    "Student",
    "SwissRoll",
    "Transformed",
    "UniformOnClass",
    "Wiggly",
    "ZeroInflatedPoisson",
    "bivariate",
    "bump_images",
    "clusters",
    "cross",
    "dense",
    "erasure_channel",
    "find",
    "gaussian_with",
    "rectangle_images",
    "sparse",
    "student",
    "symmetric_channel",
]


def __dir__() -> list[str]:
    return list(__all__)
