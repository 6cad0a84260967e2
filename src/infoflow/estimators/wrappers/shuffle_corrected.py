"""Any estimator less its mean over random re-pairings of the samples."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from infoflow.core.errors import TooFewSamples
from infoflow.core.estimate import Estimate, Kind
from infoflow.core.settings import PositiveInt, Seed
from infoflow.estimators.wrappers.family import Wrapper
from infoflow.estimators.wrappers.significance import shuffled_null


@dataclass(frozen=True)
class ShuffleCorrected(Wrapper):
    """An estimate less its mean over random re-pairings of x and y, which are independent.

    Parameters
    ----------
    estimator
        Name or object of the estimator inside.
    permutations
        Number of random re-pairings.
    seed
        Seed of the re-pairings.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range; `UnknownName` for an unknown estimator.

    Notes
    -----
    I(X;Y) − mean of I(X;π(Y)) removes the bias that the estimator has for independent variables with these margins.
    Under dependence the bias is usually smaller, so that the difference is then rather too low.

    Examples
    --------
    >>> import numpy as np
    >>> x, y = np.random.default_rng(0).integers(0, 20, (2, 300))
    >>> from infoflow.estimators.histogram.discrete import Discrete
    >>> Discrete().estimate(x, y).nats > 0.5, abs(ShuffleCorrected("discrete").estimate(x, y).nats) < 0.1
    (True, True)
    """

    permutations: PositiveInt = 20
    seed: Seed = 0

    def estimate(self, x: Any, y: Any) -> Estimate:
        """Estimate I(X;Y) in nats.

        Parameters
        ----------
        x, y : array-like of shape (n, ...)
            Paired samples; one-dimensional integers are classes.

        Returns
        -------
        Estimate
            A point estimate, without an interval.

        Raises
        ------
        InvalidArgument
            As the estimator inside raises.
        """
        found: Estimate = self.inner.estimate(x, y)
        null = shuffled_null(self.inner, x, y, permutations=self.permutations, seed=self.seed)
        if not math.isfinite(null.mean):
            raise TooFewSamples(
                f"The estimate of shuffled samples is {null.mean} nats, so that no bias can be subtracted from these "
                f"{found.n} samples. Use more samples, or an estimator that is finite for independent ones."
            )
        return dataclasses.replace(
            found,
            # Shuffled samples can have negative estimates, which must not lift the difference above the ceiling.
            nats=min(found.nats - null.mean, found.ceiling),
            kind=Kind.POINT,
            estimator=type(self).__name__,
            parameters=self._parameters(),
            interval=None,
            p_value=null.p_value(found.nats),
        )
