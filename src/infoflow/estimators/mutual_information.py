"""The mutual information between two variables, by any estimator."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

import numpy as np

from infoflow.core.columns import read
from infoflow.core.estimate import Estimate
from infoflow.core.protocols import Estimator
from infoflow.core.settings import NonNegativeInt, Seed, validated
from infoflow.core.variable import Missing, complete, dropped
from infoflow.estimators.automatic.mixed import described
from infoflow.estimators.automatic.policy import Auto
from infoflow.estimators.automatic.variables import as_type
from infoflow.estimators.neighbors.mixed import MixedKSG
from infoflow.estimators.registry import Ability, can, named_parameters, resolve, takes
from infoflow.estimators.wrappers.extrapolation import extrapolated
from infoflow.estimators.wrappers.mixed_types import arranged
from infoflow.estimators.wrappers.significance import Method, shuffled_null
from infoflow.estimators.wrappers.significance import interval as resampled
from infoflow.estimators.wrappers.surrogates import Surrogates, autocorrelated, effective_samples, is_series


@validated
def mutual_information(
    x: Any,
    y: Any,
    estimator: str | Estimator = "auto",
    *,
    discrete_x: bool | None = None,
    discrete_y: bool | None = None,
    missing: Missing = "raise",
    interval: Method | Literal["extrapolation"] | None = None,
    permutations: NonNegativeInt = 0,
    surrogates: Surrogates | None = None,
    seed: Seed = 0,
    n_jobs: int = 1,
    progress: bool = False,
    **parameters: Any,
) -> Estimate:
    """Estimate the mutual information I(X;Y) in nats from paired samples.

    Parameters
    ----------
    x, y : array-like of shape (n, ...), column or table
        Paired samples: arrays, tensors, or columns and tables of pandas, polars or pyarrow. Text, booleans and
        categories are symbols. "auto" decides by the values which numbers are symbols; for other estimators
        one-dimensional integers are classes.
    estimator
        Name, with settings as keywords or in the text ("ksg:k=5"), or an estimator object. "auto" compares estimates
        from coarse to fine (see `Auto`), and takes "mixed" where a side holds numbers and symbols.
    discrete_x, discrete_y
        Whether a side holds symbols (True) or numbers (False), whatever its type.
    missing
        "raise" raises an error at missing values, "drop" leaves out the pairs that have one, with a warning.
    interval
        Adds a confidence interval by resampling, in place of the estimator's own: "subsampling", "blocks" for samples
        in order of time, "bootstrap" or "jackknife" (see `interval`). "extrapolation" also replaces the number by that
        for infinitely many samples, or adds a warning where a line in 1/N does not describe it (see `extrapolate`).
    permutations
        Adds a p-value from so many permutations of y, in place of the estimator's own. Estimators that learn permute
        held-out samples and fit once; the others estimate again for every permutation. With "auto" this is the
        estimator that was chosen for the samples. The choice is not repeated, since it costs many times an estimate:
        where a fine estimator was chosen by chance, the p-value is too small. Of 120 independent normal samples
        (n = 100), 5 % had p ≤ 0.05 and 12 % p ≤ 0.1. For a level that holds exactly, name the estimator.
    surrogates
        "shuffle" permutes single samples; "rotate" and "blocks" keep the order within series. By default samples are
        shuffled, but rotated, with a warning, where both sides are autocorrelated.
    seed
        Seed of the selections and permutations, and of the estimator if it has one.
    n_jobs
        Processes at once for interval and permutations; -1 means one for each processor.
    progress
        Whether to show a progress bar for interval and permutations on the standard error stream.
    **parameters
        Settings of the named estimator.

    Returns
    -------
    Estimate
        The number with its kind, ceiling, interval, warnings, and with "auto" the reason of the choice (`why`).

    Raises
    ------
    UnknownName
        For an unknown estimator or setting.
    InvalidArgument
        If the samples are neither finite numbers nor symbols, values are missing, or lengths differ, and as the
        estimator raises.

    Examples
    --------
    >>> import numpy as np
    >>> x, noise = np.random.default_rng(0).normal(size=(2, 1000))
    >>> found = mutual_information(x, x + noise, interval="subsampling", permutations=99)
    >>> 0.3466 in found.interval, found.p_value  # ½ log 2
    (True, 0.01)
    """
    if seed and isinstance(estimator, str) and takes(named_parameters(estimator)[0], "seed"):
        parameters = {"seed": seed, **parameters}
    chosen = resolve(estimator, **parameters)
    sides = [read(x, "x"), read(y, "y")]
    total = len(sides[0])
    sides, count = complete(sides, missing)
    automatic = isinstance(chosen, Auto)
    chosen, (x, y) = arranged(chosen, sides)
    discrete_x, discrete_y = (
        True if side.symbolic and asked is None else asked
        for side, asked in zip(sides, (discrete_x, discrete_y), strict=True)
    )

    def run(estimator: Estimator, x: Any, y: Any) -> Estimate:
        if permutations and can(estimator, Ability.PERMUTATION_TEST):
            tested: Estimate = estimator.tested(  # type: ignore[attr-defined]
                x, y, permutations=permutations, seed=seed
            )
            return tested
        return estimator.estimate(x, y)

    if isinstance(chosen, Auto):
        asked = {"discrete_x": discrete_x, "discrete_y": discrete_y}
        chosen = dataclasses.replace(chosen, **{name: value for name, value in asked.items() if value is not None})
        choice = chosen.choose(x, y, run)  # chosen once for all selections
        chosen, x, y, found = choice.estimator, choice.x, choice.y, choice.estimate
    else:
        x, y = as_type(x, "x", discrete_x), as_type(y, "y", discrete_y)
        found = run(chosen, x, y)
        if automatic and isinstance(chosen, MixedKSG):
            found = described(found, chosen, *sides)
    observed = found.nats
    if interval == "extrapolation":
        found = extrapolated(found, chosen, x, y, seed=seed, n_jobs=n_jobs)
    elif interval is not None:
        again = resampled(chosen, x, y, interval, seed=seed, n_jobs=n_jobs, estimate=found, progress=progress)
        found = dataclasses.replace(found, interval=again)
    warnings = [*found.warnings, *dropped(count, total)]
    if permutations or interval is not None:
        effective = effective_samples(*(np.concatenate([side.columns, side.symbols], axis=1) for side in sides))
        series = is_series(effective, len(sides[0]))
        uncorrected = surrogates is None and (permutations > 0 or interval != "blocks")
        if series and uncorrected and not any("autocorrelated" in text for text in warnings):
            warnings.append(autocorrelated(effective, len(sides[0])))
        if permutations and not can(chosen, Ability.PERMUTATION_TEST):
            how = surrogates or ("rotate" if series else "shuffle")
            null = shuffled_null(
                chosen, x, y, permutations=permutations, surrogates=how, seed=seed, n_jobs=n_jobs, progress=progress
            )
            found = dataclasses.replace(found, p_value=null.p_value(observed))
    return dataclasses.replace(found, warnings=tuple(warnings))
