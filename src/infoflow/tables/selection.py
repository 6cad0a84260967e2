"""Feature selection that sees redundancy and synergy: pairs of columns, and greedy scores."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from joblib import Parallel, delayed

from infoflow.core.protocols import Estimator
from infoflow.core.variable import Variable
from infoflow.estimators.automatic.policy import Auto
from infoflow.estimators.conditioning import by_values
from infoflow.estimators.histogram.discrete import Discrete
from infoflow.estimators.neighbors.mixed import MixedKSG
from infoflow.estimators.registry import resolve
from infoflow.tables.estimating import term

GREEDY = ("jmi", "mrmr", "cmim")


@dataclass
class Terms:
    """Information among columns and a target, each pair computed once, by one estimator.

    >>> from infoflow.core.columns import read
    >>> terms = Terms([read([0, 1] * 50, "x"), read([0, 0, 1, 1] * 25, "z")], read([0, 1, 1, 0] * 25, "y"))
    >>> round(terms.joint(0, 1), 2)  # XOR
    0.69
    """

    columns: list[Variable]
    target: Variable
    estimator: str | Estimator = "auto"
    _known: dict[tuple[str, int, int], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.columns = [by_values(column) for column in self.columns]
        self.target = by_values(self.target)
        self.joint_estimator = self._choose()

    def _choose(self) -> Estimator:
        chosen: Estimator = resolve(self.estimator)
        if not isinstance(chosen, Auto):
            return chosen
        symbols = all(column.symbolic for column in [*self.columns, self.target])
        return Discrete("grassberger") if symbols else MixedKSG(k=5)

    def relevance(self, i: int) -> float:
        """I(X_i;Y)."""
        return self._term("relevance", i, i)

    def redundancy(self, i: int, j: int) -> float:
        """I(X_i;X_j)."""
        return self._term("redundancy", min(i, j), max(i, j))

    def joint(self, i: int, j: int) -> float:
        """I(X_i,X_j;Y)."""
        return self._term("joint", min(i, j), max(i, j))

    def _term(self, kind: str, i: int, j: int) -> float:
        key = (kind, i, j)
        if key not in self._known:
            if kind == "redundancy":
                found = term(self.columns[i], self.columns[j], self.joint_estimator)
            else:
                sides = [self.columns[i]] if i == j else [self.columns[i], self.columns[j]]
                found = term(sides, self.target, self.joint_estimator)
            self._known[key] = found.nats
        return self._known[key]


def greedy(terms: Terms, method: str) -> tuple[list[int], list[float]]:
    """Positions in the order of selection, and the score of each when it was selected."""
    left = list(range(len(terms.columns)))
    order: list[int] = []
    scores: list[float] = []
    while left:
        values = [_score(terms, method, i, order) for i in left]
        best = int(np.argmax(values))
        scores.append(values[best])
        order.append(left.pop(best))
    return order, scores


def _score(terms: Terms, method: str, i: int, selected: list[int]) -> float:
    if not selected:
        return terms.relevance(i)
    if method == "mrmr":
        return terms.relevance(i) - float(np.mean([terms.redundancy(i, j) for j in selected]))
    if method == "jmi":
        return float(np.mean([terms.joint(i, j) for j in selected]))
    return min(terms.joint(i, j) - terms.relevance(j) for j in selected)


def pairs(terms: Terms, n_jobs: int = 1) -> dict[int, tuple[float, int]]:
    """For each position the largest information of its pairs, and the partner."""
    every = list(combinations(range(len(terms.columns)), 2))
    if n_jobs == 1:
        found = [terms.joint(i, j) for i, j in every]
    else:
        found = Parallel(n_jobs=n_jobs)(delayed(terms.joint)(i, j) for i, j in every)
    best: dict[int, tuple[float, int]] = {}
    for (i, j), nats in zip(every, found, strict=True):
        for own, other in ((i, j), (j, i)):
            if own not in best or nats > best[own][0]:
                best[own] = (nats, other)
    return best
