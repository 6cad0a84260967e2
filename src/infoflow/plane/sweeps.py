"""Whether a verdict on compression depends on a setting of the estimator, varied over decades."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import pandas as pd

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import Integer, PositiveFloat, validated
from infoflow.estimators.registry import create
from infoflow.plane.compression import COMPRESSES, DOES_NOT, VARIES, compression
from infoflow.plane.naming import display_name
from infoflow.plane.table import PlaneTable

SURVIVES = "compresses at every setting"
NEVER = "compresses at no setting"
DEPENDS = "depends on the setting"
UNSURE = "varies by seed at some setting"
INCONCLUSIVE = "inconclusive"

# A sweep in which fewer than this share of the settings can be judged is inconclusive.
_JUDGED = 0.5

COLUMNS = ["network", "probe", "sweep", "layer", "depth", "settings", "judged", "compressing", "from", "to", "verdict"]


@dataclass(frozen=True)
class Sweep:
    """An estimator at several values of one of its settings, such as binning at widths over two decades.

    Parameters
    ----------
    estimator
        Name in the registry.
    setting
        Name of the setting that varies.
    values
        Its values: at least two, all different.
    fixed
        Other settings of the estimator.

    Raises
    ------
    InvalidArgument
        If there are fewer than two values or equal ones; `UnknownName` for an unknown estimator or setting.

    Examples
    --------
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
            raise InvalidArgument("values", "at least two different numbers", self.values)
        self.estimators()

    @classmethod
    @validated
    def over(
        cls,
        estimator: str,
        setting: str,
        low: PositiveFloat,
        high: PositiveFloat,
        *,
        count: Annotated[int, Integer(2)] = 7,
        fixed: Mapping[str, Any] | None = None,
    ) -> Sweep:
        """Values spaced evenly in the logarithm, rounded to three digits.

        Parameters
        ----------
        estimator
            Name in the registry.
        setting
            Name of the setting that varies.
        low
            Smallest value.
        high
            Largest value.
        count
            Number of values.
        fixed
            Other settings of the estimator.

        Returns
        -------
        Sweep
            The sweep.

        Raises
        ------
        InvalidArgument
            If `high` is not above `low`.
        """
        if high <= low:
            raise InvalidArgument("high", f"> low ({low:g})", high)
        return cls(estimator, setting, tuple(float(f"{value:.3g}") for value in np.geomspace(low, high, count)), fixed)

    @property
    def name(self) -> str:
        """Estimator and setting."""
        return f"{self.estimator} {self.setting}"

    @property
    def decades(self) -> float:
        """The ratio of the largest to the smallest value, in powers of ten."""
        return math.log10(max(self.values) / min(self.values))

    def estimators(self) -> list[Any]:
        """One estimator per value, for `infoflow.plane.analyse`."""
        return [create(self.estimator, **{**(self.fixed or {}), self.setting: value}) for value in self.values]


def sensitivity(plane: PlaneTable, sweeps: Sequence[Sweep]) -> pd.DataFrame:
    """Judge for every layer whether its verdict on compression depends on the settings that were swept.

    Parameters
    ----------
    plane : Plane
        Plane that was analyzed with the estimators of all sweeps.
    sweeps
        Sweeps to judge by.

    Returns
    -------
    pandas.DataFrame
        One row per network, probe, sweep and layer. `settings`, `judged` and `compressing` are counts of settings;
        `from` and `to` are the smallest and largest value at which the layer compresses (NaN for none).

    Raises
    ------
    InvalidArgument
        If the plane was not analyzed with an estimator of a sweep.

    Notes
    -----
    A setting is judged where `infoflow.plane.compression.compression` returns "compresses", "does not compress" or
    "varies by seed"; saturated or unfitted layers cannot be judged. The verdict is the first that applies:

    1. "inconclusive": fewer than half of the settings can be judged;
    2. "compresses at every setting", "compresses at no setting": all judged settings agree;
    3. "depends on the setting": some compress and some do not;
    4. "varies by seed at some setting": the rest.

    Examples
    --------
    >>> from infoflow.plane import Plane
    >>> sweep = Sweep("binning", "width", (0.1, 1.0))
    >>> frame = pd.DataFrame([
    ...     dict(network="net", probe="probe", layer="tanh1", depth=0, seed=0, epoch=epoch, estimator=name, axis=axis,
    ...          quantity="", kind="plug-in", nats=nats, ceiling=9.0, ceiling_name="", saturated=False, low=None,
    ...          high=None, spans="", n=100, warnings="")
    ...     for name, last in (("Binning(width=0.1)", 4.0), ("Binning(width=1.0)", 2.0))
    ...     for epoch, axis, nats in ((0, "input", 4), (1, "input", last), (0, "label", 0), (1, "label", 8))])
    >>> sensitivity(Plane(frame), [sweep])[["from", "to", "verdict"]].values.tolist()
    [[1.0, 1.0, 'depends on the setting']]
    """
    found = compression(plane.frame)
    rows = []
    for sweep in sweeps:
        values = {display_name(each): value for each, value in zip(sweep.estimators(), sweep.values, strict=True)}
        if missing := [name for name in values if name not in plane.estimators]:
            raise InvalidArgument(
                "plane", f"analyzed with all estimators of the sweep {sweep.name}", got_text=f"one without {missing[0]}"
            )
        swept = found[found["estimator"].isin(values)]
        keys = ["network", "probe", "depth", "layer"]
        for key, group in swept.groupby(keys, sort=False):
            verdicts = {values[str(name)]: str(verdict) for name, verdict in group[["estimator", "verdict"]].values}
            rows.append(dict(zip(keys, key, strict=True)) | {"sweep": sweep.name} | _judged(verdicts))
    return pd.DataFrame(rows, columns=COLUMNS)


def _judged(verdicts: Mapping[float, str]) -> dict[str, Any]:
    judged = {value: verdict for value, verdict in verdicts.items() if verdict in (COMPRESSES, DOES_NOT, VARIES)}
    compressing = [value for value, verdict in judged.items() if verdict == COMPRESSES]
    kinds = set(judged.values())
    rules = (
        (INCONCLUSIVE, not judged or len(judged) < _JUDGED * len(verdicts)),
        (SURVIVES, kinds == {COMPRESSES}),
        (NEVER, kinds == {DOES_NOT}),
        (DEPENDS, {COMPRESSES, DOES_NOT} <= kinds),
        (UNSURE, True),
    )
    return {
        "settings": len(verdicts),
        "judged": len(judged),
        "compressing": len(compressing),
        "from": min(compressing, default=math.nan),
        "to": max(compressing, default=math.nan),
        "verdict": next(verdict for verdict, applies in rules if applies),
    }
