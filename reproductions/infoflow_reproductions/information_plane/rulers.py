"""One setting of an estimator over decades, as a recipe holds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from infoflow.estimators.registry import named_parameters
from infoflow.plane.labels import label
from infoflow.plane.sweeps import Sweep


@dataclass(frozen=True)
class Ruler:
    """`estimator` (a name, or name:parameter=value,... for what stays) at these values of `setting`.

    >>> Ruler("binning", "width", (0.1, 1.0)).texts
    ['binning:width=0.1', 'binning:width=1.0']
    >>> Ruler("kernel-density:bound=lower", "variance", (0.1, 1.0)).texts[0]
    'kernel-density:bound=lower,variance=0.1'
    """

    estimator: str
    setting: str
    values: tuple[float, ...]
    few: bool = False
    """Whether to take the smaller probe, as an estimator is slow."""

    @property
    def texts(self) -> list[str]:
        """One line for each value, as `infoflow.estimators.parse` takes it."""
        joint = "," if ":" in self.estimator else ":"
        return [f"{self.estimator}{joint}{self.setting}={value!r}" for value in self.values]

    @property
    def sweep(self) -> Sweep:
        """The same, for `infoflow.plane.sensitivity`."""
        name, fixed = named_parameters(self.estimator)
        return Sweep(name, self.setting, self.values, fixed)

    def value_of(self, estimator: str) -> float | None:
        """The value behind an estimator's label in a plane's table."""
        known: dict[str, Any] = {
            label(one): value for one, value in zip(self.sweep.estimators(), self.values, strict=True)
        }
        return known.get(estimator)
