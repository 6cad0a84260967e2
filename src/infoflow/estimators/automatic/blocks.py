"""Mutual information as a sum over blocks of columns that depend on each other and on nothing else."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import special
from torch import Tensor

from infoflow.core.checks import paired, samples
from infoflow.core.estimate import Estimate
from infoflow.core.settings import Fraction, Settings
from infoflow.estimators.automatic.candidates import adequate_terms
from infoflow.estimators.automatic.chain import Candidate, estimate_of
from infoflow.estimators.neighbors.preparation import normal_scores


@dataclass(frozen=True)
class Blocks(Settings):
    """Mutual information of many columns as the sum over independent blocks, found by tests of all pairs of columns.

    Parameters
    ----------
    level
        Level of the tests, over all pairs together.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range.

    Notes
    -----
    Two columns belong to one block where their normal scores, or the squares of these, correlate significantly
    (Bonferroni over all pairs), or where a chain of such pairs connects them. Each block is estimated as `auto`
    estimates few columns: a Gaussian, unless nearest neighbors contradict it. Dependence that no test finds is left
    out, so that the sum is rather too low.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(500, 20))
    >>> y = rng.normal(size=(500, 20))
    >>> y[:, 3] = x[:, 5] ** 2 + 0.5 * y[:, 3]
    >>> 0.6 < Blocks().estimate(x, y).nats < 1.0  # 0.803
    True
    """

    level: Fraction = 0.01

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
            If the samples are not finite numbers or their lengths differ.
        TooFewSamples
            If there are fewer than 8 samples.
        """
        left, right = (samples(side, name, minimum=8, dtype=torch.float64).cpu() for side, name in ((x, "x"), (y, "y")))
        paired(left, right)
        return estimate_of(self.candidate(left, right), left, right)

    def candidate(self, x: Tensor, y: Tensor) -> Candidate:
        """The sum over blocks of (n, d) columns as a candidate for `auto`.

        Parameters
        ----------
        x, y : Tensor of shape (n, d)
            Columns of float64.

        Returns
        -------
        Candidate
            Terms of shape (n,); zeros where no block joins both sides.

        Examples
        --------
        >>> x = torch.randn(100, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        >>> Blocks().candidate(x, x[:, :1].exp()).name
        'a sum over 1 block'
        """
        total, joined = np.zeros(len(x)), 0
        for left, right in self._blocks(x, y):
            total = total + adequate_terms(x[:, left], y[:, right])
            joined += 1
        return Candidate(f"a sum over {joined} block{'s' * (joined != 1)}", self, total)

    def _blocks(self, x: Tensor, y: Tensor) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Columns of x and of y in each block that has some of both."""
        width = x.shape[1]
        columns = torch.cat([x, y], dim=1)
        varying = (columns.amax(dim=0) > columns.amin(dim=0)).nonzero()[:, 0]
        linked = _linked(columns[:, varying], self.level)
        from scipy.sparse.csgraph import connected_components  # loads linear algebra that other choices do not need

        _, label = connected_components(linked, directed=False)
        members = [varying.numpy()[label == block] for block in range(label.max(initial=-1) + 1)]
        split = [(block[block < width], block[block >= width] - width) for block in members]
        return [(left, right) for left, right in split if len(left) and len(right)]


def _linked(columns: Tensor, level: float) -> NDArray[np.bool_]:
    """Which pairs of columns (n, d) depend: normal scores or their squares correlate."""
    scores = normal_scores(columns)
    features = [_standard(scores), _standard(scores.square())]
    n, d = columns.shape
    correlation = torch.stack([a.mT @ b / n for a in features for b in features]).abs().amax(dim=0)
    tests = len(features) ** 2 * max(1, d * (d - 1) // 2)
    limit = -float(special.ndtri(level / tests / 2)) / math.sqrt(n)
    linked: NDArray[np.bool_] = ((correlation > limit) | (correlation.mT > limit)).numpy()
    return linked


def _standard(values: Tensor) -> Tensor:
    centered = values - values.mean(dim=0)
    return centered / centered.square().mean(dim=0).sqrt().clamp_min(1e-300)
