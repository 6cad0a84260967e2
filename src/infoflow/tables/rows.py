"""The row of one column in a ranking: its estimate, p-value and warnings, or why it cannot be used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from infoflow.core.errors import InfoflowError, TooFewSamples
from infoflow.core.variable import Missing, Variable, complete
from infoflow.estimators.wrappers.surrogates import Surrogates, autocorrelated, effective_samples, is_series
from infoflow.tables.columns import Table, check_length
from infoflow.tables.estimating import information
from infoflow.tables.independence import independence

COLUMNS = ("column", "nats", "kind", "low", "high", "p_value", "q_value", "n", "estimator", "warnings")


@dataclass(frozen=True)
class Row:
    """What a ranking states of one column, computed in any process."""

    table: Table
    y: Variable
    estimator: Any
    named: Any
    permutations: int
    surrogates: Surrogates | None
    missing: Missing
    seed: int

    def __call__(self, name: Any) -> dict[str, Any]:
        nothing = dict.fromkeys(COLUMNS, np.nan) | {"column": name, "kind": "", "estimator": "", "n": 0}
        try:
            column = self.table.read(name)
        except InfoflowError as error:
            return nothing | {"warnings": (str(error),)}
        check_length(column, self.y)
        try:
            (x, y), dropped = complete([column, self.y], self.missing)
            if constant(x):
                return nothing | {"nats": 0.0, "n": len(x), "p_value": self._one(), "warnings": ("constant column",)}
            if constant(y):
                raise TooFewSamples("the target is constant where this column has values")
            found = information(x, y, self.estimator)
            warnings = [*found.warnings, *_crowded(x)]
            if dropped:
                warnings.append(f"{dropped} rows with missing values were left out")
            p_value, caution = self.p_value([x], x, y)
        except InfoflowError as error:
            if self.missing == "raise" and "missing=" in str(error):
                raise
            return nothing | {"warnings": (str(error),)}
        interval = found.interval
        return {
            "column": name,
            "nats": found.nats,
            "kind": str(found.kind),
            "low": interval.low if interval else np.nan,
            "high": interval.high if interval else np.nan,
            "p_value": p_value,
            "n": found.n,
            "estimator": found.estimator,
            "warnings": (*dict.fromkeys((*warnings, *caution)),),
        }

    def p_value(self, candidates: list[Any], x: Variable, y: Variable) -> tuple[float, tuple[str, ...]]:
        """The p-value, and the warning about autocorrelated samples."""
        effective = effective_samples(_as_numbers(x), _as_numbers(y))
        series = is_series(effective, len(y))
        caution = (autocorrelated(effective, len(y)),) if series and self.surrogates is None else ()
        if not self.permutations:
            return np.nan, caution
        how = self.surrogates or ("rotate" if series else "shuffle")
        return independence(candidates, y, self.permutations, surrogates=how, seed=self.seed), caution

    def _one(self) -> float:
        return 1.0 if self.permutations else np.nan


def _as_numbers(variable: Variable) -> np.ndarray:
    if not variable.symbols.shape[1]:
        return variable.columns
    return np.concatenate([variable.columns, variable.symbols], axis=1)


def constant(variable: Variable) -> bool:
    """Whether all samples are equal.

    >>> from infoflow.core.columns import read
    >>> constant(read(["a", "a"], "x")), constant(read([1.0, 2.0], "x"))
    (True, False)
    """
    values = _as_numbers(variable)
    return all(bool((part == values[:1]).all()) for part in (values[:100], values))  # most differ soon


def _crowded(x: Variable) -> tuple[str, ...]:
    count = int(x.codes.max()) + 1 if x.symbolic else 0
    if 5 * count <= len(x):
        return ()
    return (f"{count} categories are many for {len(x)} samples, so the estimate is uncertain; merge rare categories",)
