"""Does a verdict on compression survive a change of the ruler? One setting of an estimator, swept over decades."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from infoflow.core.checks import integer, positive
from infoflow.core.errors import InvalidArgument
from infoflow.estimators.registry import create
from infoflow.plane.compression import COMPRESSES, DOES_NOT, VARIES, compression
from infoflow.plane.labels import label
from infoflow.plane.table import PlaneTable

SURVIVES = "compresses at every setting"
NEVER = "compresses at no setting"
DEPENDS = "depends on the setting"
UNSURE = "varies by seed at some setting"
CANT_TELL = "can't tell"

# A sweep in which fewer than this part of the settings can be judged says nothing of the others.
_JUDGED = 0.5

COLUMNS = ["network", "probe", "sweep", "layer", "depth", "settings", "judged", "compressing", "from", "to", "verdict"]


@dataclass(frozen=True)
class Sweep:
    """An estimator by name at several values of one of its settings, such as binning at widths over two decades.

    `fixed` are its other arguments. Raises InvalidArgument for fewer than two values or equal ones; UnknownName for
    the estimator.

    >>> sweep = Sweep.over("binning", "width", 0.01, 1.0, count=5)
    >>> [round(value, 3) for value in sweep.values], sweep.decades
    ([0.01, 0.032, 0.1, 0.316, 1.0], 2.0)
    """

    estimator: str
    setting: str
    values: tuple[float, ...]
    fixed: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if len(set(self.values)) < 2 or len(set(self.values)) != len(self.values):
            raise InvalidArgument(f"values is {self.values}; want two or more, each once")
        self.estimators()

    @classmethod
    def over(cls, estimator: str, setting: str, low: float, high: float, *, count: int = 7, fixed: Any = None) -> Sweep:
        """Values evenly spaced in the logarithm from `low` to `high`, rounded to three digits."""
        positive(low, "low")
        if positive(high, "high") <= low:
            raise InvalidArgument(f"high is {high} and low {low}; want high above low")
        spaced = np.geomspace(low, high, integer(count, "count", minimum=2))
        return cls(estimator, setting, tuple(float(f"{value:.3g}") for value in spaced), fixed)

    @property
    def name(self) -> str:
        """Estimator and setting."""
        return f"{self.estimator} {self.setting}"

    @property
    def decades(self) -> float:
        """From the least to the greatest value, in powers of ten."""
        return math.log10(max(self.values) / min(self.values))

    def estimators(self) -> list[Any]:
        """One for each value, for `infoflow.plane.analyse`."""
        return [create(self.estimator, **{**(self.fixed or {}), self.setting: value}) for value in self.values]


def sensitivity(plane: PlaneTable, sweeps: Sequence[Sweep]) -> pd.DataFrame:
    """Whether each layer's verdict on compression survives each sweep: a row for each network, probe, sweep and layer.

    A setting is judged where `compression` says "compresses", "does not compress" or "varies by seed"; where it is
    saturated or nothing was learnt, it can't be. The verdict is the first that applies:

    1. "can't tell" - fewer than half of the settings can be judged;
    2. "compresses at every setting", "compresses at no setting" - all that can be judged agree;
    3. "depends on the setting" - some compress and some don't;
    4. "varies by seed at some setting" - the rest.

    `settings`, `judged` and `compressing` count; `from` and `to` are the least and the greatest value that compresses
    (NaN for none). Raises InvalidArgument for a sweep that the plane wasn't analyzed with.

    >>> sweep = Sweep("binning", "width", (0.1, 1.0))
    >>> frame = pd.DataFrame([
    ...     dict(network="net", probe="probe", layer="tanh1", depth=0, seed=0, epoch=epoch, estimator=name, axis=axis,
    ...          quantity="", kind="plug-in", nats=nats, ceiling=9.0, ceiling_name="", saturated=False, low=None,
    ...          high=None, spans="", n=100, warnings="")
    ...     for name, last in (("Binning(width=0.1)", 4.0), ("Binning(width=1.0)", 2.0))
    ...     for epoch, axis, nats in ((0, "input", 4), (1, "input", last), (0, "label", 0), (1, "label", 8))])
    >>> sensitivity(PlaneTable(frame), [sweep])[["from", "to", "verdict"]].values.tolist()
    [[1.0, 1.0, 'depends on the setting']]
    """
    found = compression(plane.frame)
    rows = []
    for sweep in sweeps:
        values = {label(estimator): value for estimator, value in zip(sweep.estimators(), sweep.values, strict=True)}
        missing = [name for name in values if name not in plane.estimators]
        if missing:
            raise InvalidArgument(
                f"the plane holds no {missing[0]}; want it analyzed with all of the sweep {sweep.name}"
            )
        swept = found[found["estimator"].isin(values)]
        for key, group in swept.groupby(["network", "probe", "depth", "layer"], sort=False):
            network, probe, depth, layer = key
            rows.append(
                {
                    "network": network,
                    "probe": probe,
                    "sweep": sweep.name,
                    "layer": layer,
                    "depth": depth,
                    **_judged({values[name]: verdict for name, verdict in zip(*_columns(group), strict=True)}),
                }
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def _columns(group: pd.DataFrame) -> tuple[list[str], list[str]]:
    return group["estimator"].tolist(), group["verdict"].tolist()


def _judged(verdicts: Mapping[float, str]) -> dict[str, Any]:
    judged = {value: verdict for value, verdict in verdicts.items() if verdict in (COMPRESSES, DOES_NOT, VARIES)}
    compressing = [value for value, verdict in judged.items() if verdict == COMPRESSES]
    kinds = set(judged.values())
    if len(judged) < _JUDGED * len(verdicts) or not judged:
        verdict = CANT_TELL
    elif kinds == {COMPRESSES}:
        verdict = SURVIVES
    elif kinds == {DOES_NOT}:
        verdict = NEVER
    elif {COMPRESSES, DOES_NOT} <= kinds:
        verdict = DEPENDS
    else:
        verdict = UNSURE
    return {
        "settings": len(verdicts),
        "judged": len(judged),
        "compressing": len(compressing),
        "from": min(compressing, default=math.nan),
        "to": max(compressing, default=math.nan),
        "verdict": verdict,
    }
