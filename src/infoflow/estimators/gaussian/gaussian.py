"""Mutual information of Gaussian variables, or of variables with a Gaussian copula."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import torch
from scipy import special

from infoflow.core.checks import paired, samples
from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.core.estimate import Estimate, Interval, Kind
from infoflow.core.settings import Settings
from infoflow.estimators.gaussian.canonical_pairs import (
    Columns,
    Shrinkage,
    Spectrum,
    columns,
    correlation,
    spectrum,
)
from infoflow.estimators.gaussian.finish import finish
from infoflow.estimators.gaussian.gaussianity import doubts
from infoflow.estimators.gaussian.stability import instabilities


@dataclass(frozen=True)
class Gaussian(Settings):
    """Mutual information of Gaussian variables in closed form, with the covariance estimated.

    Parameters
    ----------
    shrinkage
        Shrinkage of the joint correlation matrix, for few samples in many dimensions.
    copula
        Map the ranks of each column to a standard normal first, which leaves the information unchanged: only the
        dependence has to be Gaussian then, not the variables (robust against outliers and heavy tails). "smoothed"
        interpolates the scores of every (√n/1.5)-th order statistic: less biased under strong dependence.
    bias_correction
        Subtract the exact bias for Gaussian samples, about dx dy / 2n; without shrinkage only.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range; `UnknownName` for an unknown name.

    Notes
    -----
    I(X;Y) = ½ log |Σx| |Σy| / |Σ|. The interval is a large-sample one: from the spread of the pointwise information
    over the samples, or with a copula from Gaussian theory. Without shrinkage the p-value is Bartlett's test of
    independence. The estimate is unbiased, so independent data give values on both sides of 0. Dependence without
    correlation (y = x²) is not seen.

    References
    ----------
    Cover, Thomas, Elements of Information Theory, eq. 8.56. Bias: Misra et al. (2005). Copula: Ince et al. (2017).

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=10_000)
    >>> y = 0.8 * x + 0.6 * rng.normal(size=10_000)
    >>> Gaussian().estimate(x, y).nats  # 0.5108
    0.51
    >>> Gaussian(copula=True).estimate(np.exp(3 * x), y**3).nats
    0.51
    """

    shrinkage: Shrinkage = "none"
    copula: bool | Literal["smoothed"] = False
    bias_correction: bool = True

    def estimate(self, x: Any, y: Any) -> Estimate:
        """Estimate I(X;Y) in nats.

        Parameters
        ----------
        x, y : array-like of shape (n, ...)
            Paired continuous samples. Constant columns are dropped and linearly dependent ones left out, both with a
            warning.

        Returns
        -------
        Estimate
            A point estimate with interval and p-value.

        Raises
        ------
        InvalidArgument
            For classes, samples that are not finite numbers, or unequal lengths; `TooFewSamples` where no covariance
            exists.

        Examples
        --------
        >>> Gaussian().estimate([1.0, 2.0, 3.0, 4.0, 5.0], [2.0, 1.0, 4.0, 3.0, 5.0]).p_value
        0.110
        """
        return self._estimate("I(X;Y)", x, y)

    def conditional(self, x: Any, y: Any, z: Any) -> Estimate:
        """Estimate I(X;Y|Z) = ½ log |Σxz| |Σyz| / (|Σz| |Σxyz|) in nats.

        Parameters
        ----------
        x, y, z : array-like of shape (n, ...)
            Continuous samples.

        Returns
        -------
        Estimate
            A point estimate: the information of the residuals of x and y given z.

        Raises
        ------
        InvalidArgument
            For classes, samples that are not finite numbers, or unequal lengths; `TooFewSamples` where no covariance
            exists.

        Examples
        --------
        >>> import numpy as np
        >>> z = np.random.default_rng(0).normal(size=(3, 10_000)) + np.random.default_rng(1).normal(size=10_000)
        >>> Gaussian().conditional(z[0], z[1], z[2]).nats  # correlation 1/3 is left: -½ log(1 - 1/9) = 0.0589
        0.055
        """
        return self._estimate("I(X;Y|Z)", x, y, z)

    def _estimate(self, quantity: str, x: Any, y: Any, z: Any = None) -> Estimate:
        left = columns(x, "x", copula=self.copula)
        right = columns(y, "y", copula=self.copula, like=left.values)
        paired(left.values, right.values)
        given = None
        if z is not None:
            given = columns(z, "z", copula=self.copula, like=left.values)
            paired(left.values, given.values, y_name="z")
        found = spectrum(left, right, given, shrinkage=self.shrinkage)
        return finish(
            found,
            quantity=quantity,
            estimator="Gaussian",
            parameters=asdict(self),
            bias_correction=self.bias_correction,
            gaussian=bool(self.copula),
            doubts=() if given is not None else self._doubts(left, right, found),
        )

    def _doubts(self, x: Columns, y: Columns, found: Spectrum) -> tuple[str, ...]:
        unstable = () if self.shrinkage != "none" else instabilities(x, y, found)
        return (*doubts(x, y, found, copula=bool(self.copula)), *unstable)

    def entropy(self, t: Any) -> Estimate:
        """Estimate the differential entropy h(T) = ½ log det(2πe Σ) in nats.

        Parameters
        ----------
        t : array-like of shape (n, ...)
            Continuous samples.

        Returns
        -------
        Estimate
            An upper bound: the largest entropy that this covariance allows.

        Raises
        ------
        InvalidArgument
            With `copula`, since ranks lose the scale that h(T) depends on, and for constant or linearly dependent
            columns, for which h(T) is −∞; `TooFewSamples` where no covariance exists.

        Examples
        --------
        >>> import numpy as np
        >>> Gaussian().entropy(np.random.default_rng(0).normal(size=10_000)).nats  # ½ log 2πe = 1.4189
        1.42
        """
        if self.copula:
            raise InvalidArgument("copula", "False for an entropy", True, remedy="Ranks lose the scale of the columns.")
        values = samples(t, "t", dtype=torch.float64)
        n, dimension = values.shape
        side = columns(values, "t")
        if side.values.shape[1] < dimension:
            raise InvalidArgument("t has constant columns, so its differential entropy is −∞. Drop them.")
        if self.shrinkage == "none" and n < dimension + 2:
            raise TooFewSamples(
                "t",
                f"at least {dimension + 2} samples for {dimension} columns",
                n,
                remedy="Set shrinkage='oas' to use fewer.",
            )
        eigenvalues = torch.linalg.eigvalsh(correlation(side.values, self.shrinkage))
        if float(eigenvalues[0]) <= 10 * dimension * torch.finfo(eigenvalues.dtype).eps:
            raise InvalidArgument("t has linearly dependent columns, so its differential entropy is −∞. Drop them.")
        centered = values - (values / n).sum(dim=0)
        largest = centered.abs().amax(dim=0)  # squares of the values themselves can overflow or vanish
        scale = ((centered / largest).std(dim=0, correction=0).log() + largest.log()).sum()
        nats = float(0.5 * eigenvalues.log().sum() + scale) + 0.5 * dimension * math.log(2 * math.pi * math.e)
        if self.bias_correction and self.shrinkage == "none":
            freedom = n - 1
            nats -= 0.5 * float(
                special.digamma((freedom - np.arange(dimension)) / 2).sum() + dimension * math.log(2 / n)
            )
        half = 1.96 * math.sqrt(dimension / (2 * n))
        return Estimate(
            nats,
            quantity="h(T)",
            kind=Kind.UPPER_BOUND,
            estimator="Gaussian",
            n=n,
            parameters=asdict(self),
            interval=Interval(nats - half, nats + half, spans="samples (Gaussian theory)"),
        )
