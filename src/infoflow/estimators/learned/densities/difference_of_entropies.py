"""Difference of entropies: two cross-entropies, each minimized by a density of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import nn

from infoflow.core.settings import PositiveInt
from infoflow.estimators.learned.densities.autoregressive import AutoregressiveMixture
from infoflow.estimators.learned.densities.networks import NetworkDensities


@dataclass(frozen=True, kw_only=True)
class DifferenceOfEntropies(NetworkDensities):
    """I(X;Y) as the cross-entropy of Y minus that of Y given X, each minimized by a density of its own.

    Parameters
    ----------
    folds
        Number of folds; each is reported on once, by densities that were not fitted or preprocessed with it.
    validation
        Share of the samples outside of a fold that stops and selects.
    preprocessing
        Transform of each dimension, learned on the training samples; "gaussianize" only standardizes a dimension that
        a normal distribution fits already, because ranks would add noise.
    level
        Level of the interval.
    seed
        Random seed; the same seed gives the same estimate.
    hidden
        Widths of the masked layers of each density.
    batch_size
        Samples in a batch.
    max_epochs
        Largest number of epochs.
    patience
        Epochs without progress on the validation samples after which training ends.
    learning_rate
        Learning rate of AdamW.
    weight_decay
        Weight decay of AdamW.
    device
        The torch device of the computation.
    components
        Components of the mixture in each dimension.
    family
        Distribution of a component.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range.

    Notes
    -----
    Î = min_q CE(Y; q) − min_q CE(Y|X; q) = E[log q(y|x)] − E[log q(y)].

    The estimate is not a bound on I(X;Y), because it is a difference of two upper bounds, but it has no ceiling near
    log n either, and is made for large information. Each density is a linear Gaussian model (a regression of the rank
    and covariance that do best on the validation samples) whose residuals have an autoregressive mixture density.

    The interval is Student's over the folds, at least as wide as the standard error of the samples' pointwise values;
    it does not cover what the densities cannot fit. If X or Y are classes, the other one has the densities. A
    difference below 0 is reported as 0.

    References
    ----------
    McAllester and Stratos (2020), "Formal limitations on the measurement of mutual information", AISTATS, Eq. 3.

    Examples
    --------
    >>> import torch
    >>> x, noise = torch.randn(2, 2000, 1, generator=torch.Generator().manual_seed(0))
    >>> e = DifferenceOfEntropies(max_epochs=5).estimate(x, x + 0.001 * noise)  # ½ log(1 + 10⁶) = 6.91
    >>> e.kind, 6.7 < e.nats < 7.1
    (<Kind.DIFFERENCE_OF_BOUNDS: 'difference of bounds'>, True)
    """

    components: PositiveInt = 8
    family: Literal["gaussian", "logistic"] = "gaussian"

    def _network(self, features: int, dimensions: int, seed: int) -> nn.Module:
        return AutoregressiveMixture(features, dimensions, self.hidden, self.components, self.family, seed)
