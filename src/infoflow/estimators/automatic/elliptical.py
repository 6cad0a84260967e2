"""Elliptical dependence: a Gaussian part, and a scale that both sides share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor

from infoflow.core.checks import paired, samples
from infoflow.core.estimate import Estimate
from infoflow.core.settings import Settings
from infoflow.estimators.automatic.candidates import adequate_terms, gaussian
from infoflow.estimators.automatic.chain import Candidate, estimate_of, varies
from infoflow.estimators.automatic.ties import tied_share
from infoflow.estimators.gaussian.canonical_pairs import columns, refuse_classes, whitening
from infoflow.estimators.gaussian.gaussian import Gaussian

# A share of repeated values from which on a variable is not continuous.
_MOST_TIES = 0.05


@dataclass(frozen=True)
class Elliptical(Settings):
    """Mutual information of an elliptical distribution: the Gaussian part, and that between two radii.

    Parameters
    ----------
    copula
        Whether the Gaussian part is of normal scores (True), of smoothed ones ("smoothed") or of the values.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range.

    Notes
    -----
    Under a common random scale, as of a multivariate t distribution, x and the part of y that is uncorrelated with it
    are dependent through their lengths only. The estimate is the Gaussian information, plus that between log |u|² and
    log |e|² on a line and a line, u the whitened x and e the whitened residual of y. For the t distribution the second
    part is exact and does not depend on the correlations (Arellano-Valle et al. 2013, Scandinavian Journal of
    Statistics 40); normal scores approximate it.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> z = rng.normal(size=(4000, 6)) / np.sqrt(rng.chisquare(2, size=(4000, 1)) / 2)  # t, 2 degrees of freedom
    >>> 0.25 < Elliptical().estimate(z[:, :3], z[:, 3:]).nats < 0.35  # 0.302
    True
    """

    copula: bool | Literal["smoothed"] = "smoothed"

    def estimate(self, x: Any, y: Any) -> Estimate:
        """Estimate I(X;Y) in nats.

        Parameters
        ----------
        x, y : array-like of shape (n, ...)
            Paired samples of numbers.

        Returns
        -------
        Estimate
            A point estimate with an interval.

        Raises
        ------
        InvalidArgument
            If the samples are not finite numbers, their lengths differ, or a side holds classes.
        TooFewSamples
            If there are fewer samples than a covariance needs.
        """
        for side, name in ((x, "x"), (y, "y")):
            refuse_classes(side, name)
        left, right = (samples(side, name, dtype=torch.float64).cpu() for side, name in ((x, "x"), (y, "y")))
        paired(left, right)
        model = gaussian(left, right, copula=self.copula)
        if model is None:  # too few samples, or equal columns, of which the Gaussian part is infinite
            alone = Gaussian(copula=self.copula).estimate(left, right)
            return replace(alone, estimator=type(self).__name__, parameters={"copula": self.copula})
        found = estimate_of(self.candidate(left, right, model), left, right)
        ties = [_ties(name, tied_share(side)) for side, name in ((left, "x"), (right, "y"))]
        return replace(found, warnings=(*found.warnings, *filter(None, ties)))

    def candidate(self, x: Tensor, y: Tensor, model: Candidate) -> Candidate:
        """The Gaussian candidate with the information between radii added.

        Parameters
        ----------
        x, y : Tensor of shape (n, d)
            Columns of float64.
        model
            The Gaussian candidate of the same samples.

        Returns
        -------
        Candidate
            Terms of shape (n,).

        Examples
        --------
        >>> x, y = torch.randn(2, 100, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        >>> Elliptical().candidate(x, y, gaussian(x, y)).name
        'an elliptical distribution'
        """
        if not varies(x) or not varies(y):
            return replace(model, name="an elliptical distribution", estimator=self)
        sides = [columns(side, name, copula=self.copula).values for side, name in ((x, "x"), (y, "y"))]
        u = _white(sides[0])
        e = _white(sides[1] - u @ (u.mT @ sides[1]) / len(u))
        if e.shape[1] == 0:  # y is a function of x
            return replace(model, name="an elliptical distribution", estimator=self)
        radii = [side.square().sum(dim=1, keepdim=True).clamp_min(1e-300).log() for side in (u, e)]
        if not varies(radii[0]) or not varies(radii[1]):  # such as that of a column of two values that are as frequent
            return replace(model, name="an elliptical distribution", estimator=self)
        terms = model.terms + adequate_terms(radii[0], radii[1])
        return Candidate("an elliptical distribution", self, terms)


def _ties(name: str, share: float) -> str:
    """The warning about a side of which this share is repeated values, or no text."""
    if share <= _MOST_TIES:
        return ""
    return (
        f"{share:.0%} of the values in {name} repeat, so the radii of the two sides determine each other and the "
        "estimate grows with the number of samples; use an estimator for mixed variables"
    )


def _white(values: Tensor) -> Tensor:
    covariance = values.mT @ values / len(values)
    return values @ whitening(covariance, 1e-9)  # of columns of variance 1 and less
