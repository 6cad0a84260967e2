"""Difference of entropies: two cross-entropies, each minimized by a density of its own."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from infoflow.core import checks
from infoflow.estimators.learned.densities.autoregressive import FAMILIES, AutoregressiveMixture
from infoflow.estimators.learned.densities.learned import LearnedDensities


@dataclass(frozen=True)
class DifferenceOfEntropies(LearnedDensities):
    """I(X;Y) as the cross-entropy of Y less that of Y given X, each the least that a density of its own reaches.

        Î = min_q CE(Y; q) − min_q CE(Y|X; q) = E[log q(y|x)] − E[log q(y)]

    No bound on I, for it is a difference of two upper bounds, but no lower bound's ceiling near log n either: made for
    large information. Each density is a linear Gaussian model (regression of the rank and covariance of the kind that
    do best on the second part), whose residuals an autoregressive mixture of `components` Gaussians or logistics
    (`family`) a dimension goes on with: masked layers `hidden` for the conditional one, and others for the marginal.

    Each of `folds` folds is reported on by densities that saw nothing of it: `validation` of the others' samples choose
    and stop early, and `preprocessing` ("gaussianize", "asinh", "standardize", "none") of each dimension is learned on
    the fit part ("gaussianize" only standardizes a dimension that a normal distribution fits already: ranks are noise).
    The interval is Student's over the folds, no narrower than the standard error of the samples' own
    contributions; it says nothing of what the densities can't fit. If X or Y are classes, the other gets the densities.
    A difference below 0 is reported as 0. Same seed, same answer.

    Takes (n, ...) and (n, ...) with n >= 40; raises InvalidArgument or TooFewSamples for what doesn't fit, and
    DidNotConverge where a density never was finite. McAllester and Stratos (2020), Eq. 3.

    >>> import torch
    >>> x, noise = torch.randn(2, 2000, 1, generator=torch.Generator().manual_seed(0))
    >>> e = DifferenceOfEntropies(max_epochs=5).estimate(x, x + 0.001 * noise)  # ½ log(1 + 10⁶) = 6.91
    >>> e.kind, 6.7 < e.nats < 7.1
    (<Kind.DIFFERENCE_OF_BOUNDS: 'difference of bounds'>, True)
    """

    components: int = 8
    family: str = "gaussian"

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.integer(self.components, "components")
        checks.choice(self.family, "family", FAMILIES)

    def _network(self, features: int, dimensions: int, seed: int) -> nn.Module:
        return AutoregressiveMixture(features, dimensions, self.hidden, self.components, self.family, seed)
