"""Information-theoretic bounds on the error of classifiers and on entropies, and mixtures with known information."""

from __future__ import annotations

from infoflow.theory.entropy_error import EntropyError, entropy_error
from infoflow.theory.error_probability import FORMS, error_lower_bound
from infoflow.theory.gaussian_mixture import ClassMixture, GaussianMixture, binary_mixture_information
from infoflow.theory.report import ErrorReport, report

__all__ = [
    "FORMS",
    "ClassMixture",
    "EntropyError",
    "ErrorReport",
    "GaussianMixture",
    "binary_mixture_information",
    "entropy_error",
    "error_lower_bound",
    "report",
]


def __dir__() -> list[str]:
    return list(__all__)
