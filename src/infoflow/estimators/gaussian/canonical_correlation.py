"""Mutual information from canonical correlations."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from torch import Tensor

from infoflow.core.checks import paired
from infoflow.core.estimate import Estimate
from infoflow.core.settings import PositiveInt, Settings
from infoflow.estimators.gaussian.canonical_pairs import Columns, Shrinkage, Spectrum, columns, spectrum
from infoflow.estimators.gaussian.finish import finish
from infoflow.estimators.gaussian.gaussianity import doubts
from infoflow.estimators.gaussian.stability import instabilities


@dataclass(frozen=True)
class CCA(Settings):
    """Mutual information from canonical correlations, of all of them or of the leading ones.

    Parameters
    ----------
    components
        How many of the largest correlations count: a number, "significant" (those that Bartlett's sequential test
        retains at the 5 % level, which lowers the noise where few of many dimensions interact), or None for all, which
        is the Gaussian estimate.
    shrinkage
        Shrinkage of the joint correlation matrix (regularized CCA), for few samples in many dimensions.
    bias_correction
        Subtract the exact bias for Gaussian samples; without shrinkage only.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range; `UnknownName` for an unknown name.

    Notes
    -----
    I(X;Y) = -½ Σ_i log(1 - ρ_i²) over the components that count. Exact for Gaussian data. It sees linear dependence
    only, and heavy tails mislead it: use `Gaussian(copula=True)` there.

    References
    ----------
    Hotelling (1936), Relations between two sets of variates; Bartlett (1938); Kay (1992); Czyż et al. (2023).

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(10_000, 5))
    >>> y = 0.8 * x + 0.6 * rng.normal(size=(10_000, 5))
    >>> CCA().estimate(x, y).nats  # 5 · 0.5108
    2.56
    """

    components: PositiveInt | Literal["significant"] | None = None
    shrinkage: Shrinkage = "none"
    bias_correction: bool = True

    def correlations(self, x: Any, y: Any) -> Tensor:
        """Canonical correlations, descending.

        Parameters
        ----------
        x, y : array-like of shape (n, ...)
            Paired continuous samples.

        Returns
        -------
        torch.Tensor
            Correlations in float64.

        Examples
        --------
        >>> CCA().correlations([1.0, 2.0, 3.0, 4.0], [1.0, 3.0, 2.0, 4.0])
        tensor([0.8000], dtype=torch.float64)
        """
        return self._spectrum(x, y)[2].correlations

    def estimate(self, x: Any, y: Any) -> Estimate:
        """Estimate I(X;Y) in nats.

        Parameters
        ----------
        x, y : array-like of shape (n, ...)
            Paired continuous samples.

        Returns
        -------
        Estimate
            A point estimate with a large-sample interval and Bartlett's p-value.

        Raises
        ------
        InvalidArgument
            For classes, samples that are not finite numbers, or unequal lengths; `TooFewSamples` where no covariance
            exists.

        Examples
        --------
        >>> print(CCA(components=1).estimate([[1.0], [2.0], [3.0], [4.0]], [[1.0], [3.0], [2.0], [4.0]]).kind)
        point estimate
        """
        left, right, found = self._spectrum(x, y)
        unstable = () if self.shrinkage != "none" else instabilities(left, right, found)
        counted = found.significant() if self.components == "significant" else self.components
        return finish(
            found,
            quantity="I(X;Y)",
            estimator="CCA",
            parameters=asdict(self),
            bias_correction=self.bias_correction,
            gaussian=False,
            components=counted,
            doubts=(*doubts(left, right, found, copula=False), *unstable),
        )

    def _spectrum(self, x: Any, y: Any) -> tuple[Columns, Columns, Spectrum]:
        left = columns(x, "x")
        right = columns(y, "y", like=left.values)
        paired(left.values, right.values)
        return left, right, spectrum(left, right, shrinkage=self.shrinkage)
