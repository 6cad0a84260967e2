"""Transfer entropy between time series."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from tqdm import tqdm

from infoflow.core.columns import read
from infoflow.core.errors import TooFewSamples
from infoflow.core.estimate import Estimate
from infoflow.core.protocols import Estimator
from infoflow.core.settings import Integer, NonNegativeInt, PositiveInt, Seed, check, validated
from infoflow.core.variable import Missing, Variable, beside, complete, dropped
from infoflow.estimators.conditioning import conditional_mutual_information, like
from infoflow.estimators.wrappers.surrogates import surrogate_rows
from infoflow.tables.times import check_times


@validated
def transfer_entropy(
    source: Any,
    target: Any,
    *,
    lag: Any = 1,
    history: PositiveInt = 1,
    source_history: PositiveInt = 1,
    condition: Any = None,
    estimator: str | Estimator = "auto",
    permutations: NonNegativeInt = 0,
    surrogates: Literal["rotate", "blocks"] = "rotate",
    missing: Missing = "raise",
    seed: Seed = 0,
    progress: bool = False,
    **parameters: Any,
) -> Estimate:
    """Estimate the transfer entropy from one time series to another in nats.

    Parameters
    ----------
    source, target : array-like of shape (n,) or (n, d), column or table
        Series of the same regular times: numbers or symbols, of one or more columns.
    lag
        Steps from the newest value of the source to the target; or several, of which the one with the largest estimate
        is returned, with all estimates in `parameters`.
    history
        Past values of the target that are known.
    source_history
        Past values of the source, from `lag` steps back.
    condition : array-like of shape (n,) or (n, d), column or table, optional
        Further series, of which the value one step back is known.
    estimator
        Name or object, as of `conditional_mutual_information`.
    permutations
        Adds a p-value from so many surrogates of the source. With several lags it is that of the largest estimate.
    surrogates
        "rotate" shifts the source circularly, "blocks" permutes blocks of √n values: both keep its autocorrelation.
    missing
        "raise" raises an error at missing values, "drop" leaves out the times at which a value of the target or of a
        past is missing, with a warning.
    seed
        Seed of the surrogates.
    progress
        Whether to show a progress bar for the surrogates on the standard error stream.
    **parameters
        Settings of the named estimator.

    Returns
    -------
    Estimate
        I(target_t ; source past | target past, condition), of the kind of the estimator.

    Raises
    ------
    InvalidArgument
        For missing values, series of unequal lengths, or indices of times that are unsorted, irregular or different;
        `TooFewSamples` for series shorter than the lags.

    Notes
    -----
    T = I(Y_t ; X_{t−l}, …, X_{t−l−s+1} | Y_{t−1}, …, Y_{t−h}, C_{t−1}). A history that is too short attributes what
    the target's own older past explains to the source. For "auto" the p-value compares counts, a Gaussian copula or
    nearest neighbors, whichever the estimate uses, of residuals given the condition, by the regression of the estimate
    that predicts the target best.

    References
    ----------
    Schreiber (2000), Measuring Information Transfer, Physical Review Letters 85.

    Examples
    --------
    >>> x = np.random.default_rng(0).integers(2, size=1000)
    >>> transfer_entropy(x, np.roll(x, 1), estimator="discrete").bits  # the target copies the source
    1.0
    >>> transfer_entropy(np.roll(x, 1), x, estimator="discrete").bits
    0.0
    """
    lags = [check(each, "lag", Integer(1)) for each in (lag if isinstance(lag, Sequence) else [lag])]
    given = {"source": source, "target": target} | ({} if condition is None else {"condition": condition})
    check_times(given)
    series = [read(value, name) for name, value in given.items()]
    complete(series, missing)
    n, start = len(series[0]), max(history, max(lags) + source_history - 1)
    if n - start < 4:
        raise TooFewSamples("target", f"longer than lag and history ({start}) by at least 4", got_text=f"{n} values")
    now, past = _past(series[1], start, [0], "y"), [_past(series[1], start, range(1, history + 1), "z")]
    past += [_past(each, start, [1], "z") for each in series[2:]]
    z = beside(past, "z")
    sources = [_past(series[0], start, range(each, each + source_history), "x") for each in lags]
    total = len(now)
    (now, z, *sources), count = complete([now, z, *sources], missing)
    found = [_conditional(x, now, z, estimator, parameters) for x in sources]
    best = int(np.argmax([each.nats for each in found]))
    p_value = None
    if permutations:
        rows = surrogate_rows(len(now), permutations, surrogates, np.random.default_rng([seed, 12]))
        bar = tqdm(rows, total=permutations, desc="permutations", unit="estimate", disable=not progress)
        p_value = _p_value(sources, now, z, found[best], estimator, parameters, bar)
    settings = {"lag": lags[best], "history": history, "source_history": source_history}
    if len(lags) > 1:
        settings["nats_by_lag"] = {each: float(nats) for each, nats in zip(lags, found, strict=True)}
    quantity = "T(source→target)" + (" given others" if condition is not None else "")
    return replace(
        found[best],
        quantity=quantity,
        p_value=p_value,
        parameters={**found[best].parameters, **settings},
        warnings=(*found[best].warnings, *dropped(count, total)),
    )


def _conditional(x: Variable, y: Variable, z: Variable, estimator: str | Estimator, parameters: Any) -> Estimate:
    return conditional_mutual_information(x, y, z, estimator, **parameters)


def _past(series: Variable, start: int, lags: Sequence[int] | range, name: str) -> Variable:
    """The values of a series so many steps before each time from `start` on, side by side."""
    rows = np.arange(start, len(series))
    return beside([series.take(rows - lag) for lag in lags], name)


def _p_value(
    sources: list[Variable],
    y: Variable,
    z: Variable,
    found: Estimate,
    estimator: str | Estimator,
    parameters: Any,
    rows: Iterable[Any],
) -> float:
    """Share of surrogates whose largest statistic over the lags reaches that of the sources."""
    if isinstance(estimator, str) and estimator == "auto" and not parameters:
        statistic = like(found, y, z)
    else:

        def statistic(x: Variable) -> float:
            return _conditional(x, y, z, estimator, parameters).nats

    observed = max(statistic(x) for x in sources)
    null = [max(statistic(x.take(row)) for x in sources) for row in rows]
    return (1 + sum(each >= observed for each in null)) / (1 + len(null))
