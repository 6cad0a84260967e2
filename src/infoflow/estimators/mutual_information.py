"""The information between two variables, by any estimator: what people call first."""

from __future__ import annotations

import dataclasses
from typing import Any

from infoflow.core.estimate import Estimate
from infoflow.core.protocols import Estimator
from infoflow.core.settings import NonNegativeInt, validated
from infoflow.estimators.recommend import Auto
from infoflow.estimators.registry import Ability, can, named_parameters, resolve, takes
from infoflow.estimators.wrappers.significance import interval as resampled
from infoflow.estimators.wrappers.significance import shuffled_null


@validated
def mutual_information(
    x: Any,
    y: Any,
    estimator: str | Estimator = "auto",
    *,
    interval: str | None = None,
    permutations: NonNegativeInt = 0,
    seed: int = 0,
    n_jobs: int = 1,
    **parameters: Any,
) -> Estimate:
    """Estimates the mutual information I(X;Y) in nats from paired samples.

    `x` and `y` are array-likes of shape (n, ...); a one-dimensional integer array means classes. `estimator` is a name
    (parameters follow as keywords) or an estimator object; "auto" lets `recommend` choose. `interval` ("subsampling",
    "bootstrap", "jackknife") adds an interval and `permutations` a p-value from that many shuffles of y, replacing what
    the estimator itself says of either; both on `n_jobs` processes. Estimators that learn shuffle held-out samples and
    fit once (`tested`), where others estimate again for every shuffle. `seed` is theirs, and the estimator's if any.

    Raises UnknownName for an unknown estimator or parameter, and what the estimator raises.

    >>> import numpy as np
    >>> x, noise = np.random.default_rng(0).normal(size=(2, 1000))
    >>> found = mutual_information(x, x + noise, interval="subsampling", permutations=99)
    >>> 0.3466 in found.interval, found.p_value  # ½ log 2
    (True, 0.01)
    """
    if seed and isinstance(estimator, str) and takes(named_parameters(estimator)[0], "seed"):
        parameters = {"seed": seed, **parameters}
    chosen = resolve(estimator, **parameters)

    def run(estimator: Estimator) -> Estimate:
        if permutations and can(estimator, Ability.PERMUTATION_TEST):
            tested: Estimate = estimator.tested(  # type: ignore[attr-defined]
                x, y, permutations=permutations, seed=seed
            )
            return tested
        return estimator.estimate(x, y)

    if isinstance(chosen, Auto):
        chosen, found = chosen.settle(x, y, run)  # once, and not again for every selection of the samples
    else:
        found = run(chosen)
    if interval is not None:
        again = resampled(chosen, x, y, interval, seed=seed, n_jobs=n_jobs, estimate=found)
        found = dataclasses.replace(found, interval=again)
    if permutations and not can(chosen, Ability.PERMUTATION_TEST):
        null = shuffled_null(chosen, x, y, permutations=permutations, seed=seed, n_jobs=n_jobs)
        found = dataclasses.replace(found, p_value=null.p_value(found.nats))
    return found
