"""What several seeds say together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import stats


class OverSeeds(NamedTuple):
    """A mean over seeds and the 95 % interval of that mean by Student's t; of one seed the interval is unbounded."""

    mean: float
    low: float
    high: float
    seeds: int

    def __str__(self) -> str:
        if self.seeds < 2:
            return f"{self.mean:.4g} (one seed)"
        return f"{self.mean:.4g} [{self.low:.4g}, {self.high:.4g}]"


def how_many(settings: Mapping[str, Any]) -> str:
    """The number of seeds by a run's settings; variants that take long may have fewer (`at_most`).

    >>> how_many({"seeds": 10, "variants": [{"at_most": 0}, {"at_most": 2}]}), how_many({"seeds": 1})
    ('2 to 10 seeds', '1 seed')
    """
    if "seeds" not in settings:
        return "seeds unknown"
    seeds = int(settings["seeds"])
    variants = [variant for variant in settings.get("variants", ()) if isinstance(variant, Mapping)]
    counts = [min(seeds, variant.get("at_most") or seeds) for variant in variants] or [seeds]
    numbers = f"{min(counts)} to {max(counts)}" if min(counts) < max(counts) else str(max(counts))
    return f"{numbers} seed{'s' * (max(counts) > 1)}"


def over_seeds(values: Sequence[float]) -> OverSeeds:
    """The mean and its interval, m ± t_{.975, n−1} s / √n.

    >>> print(over_seeds([1.0, 2.0, 3.0]))
    2 [-0.4841, 4.484]
    """
    array = np.asarray(values, float)
    mean = float(array.mean()) if len(array) else math.nan
    if len(array) < 2 or not np.isfinite(array).all():
        return OverSeeds(mean, -math.inf, math.inf, len(array))
    half = float(stats.t.ppf(0.975, len(array) - 1) * array.std(ddof=1) / math.sqrt(len(array)))
    return OverSeeds(mean, mean - half, mean + half, len(array))
