"""Timestamps of series: regular, and the same in all of them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from infoflow.core.errors import InvalidArgument

_REMEDY = "Sort and resample it, or pass .to_numpy() if the order of rows is right as it is."


def check_times(series: dict[str, Any]) -> None:
    """Raise an error for indices of times that are unsorted, irregular, or different from each other.

    Steps of the calendar such as months and business days are regular.

    >>> import pandas as pd
    >>> months = pd.date_range("2020", periods=5, freq="MS")
    >>> check_times({"source": pd.Series(range(5), index=months), "target": pd.Series(range(5), index=months)})
    """
    first: tuple[str, Any] | tuple[()] = ()
    for name, value in series.items():
        index: Any = getattr(value, "index", None)
        if getattr(getattr(index, "dtype", None), "kind", "") != "M":
            continue
        _check_regular(index, name)
        if not first:
            first = name, index
        elif len(index) == len(first[1]) and not index.equals(first[1]):
            raise InvalidArgument(
                name,
                f"a series of the same times as {first[0]}",
                got_text=f"times from {index[0]} instead of {first[1][0]}",
                remedy="Join both by time, or pass .to_numpy() if their rows belong together as they are.",
            )


def _check_regular(index: Any, name: str) -> None:
    import pandas as pd

    if len(index) < 3:
        return
    steps = np.diff(np.asarray(index).astype("datetime64[ns]").astype(np.int64))
    if (steps <= 0).any():
        raise InvalidArgument(
            name, "a series of regular times", got_text="unsorted or repeated timestamps", remedy=_REMEDY
        )
    if (steps != steps[0]).any() and not _of_calendar(pd.DatetimeIndex(index)):
        raise InvalidArgument(name, "a series of regular times", got_text="irregular timestamps", remedy=_REMEDY)


def _of_calendar(index: Any) -> bool:
    """Whether the steps are months, business days or the like."""
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas announces another type of the answer, of which only None matters here
        return pd.infer_freq(index) is not None
