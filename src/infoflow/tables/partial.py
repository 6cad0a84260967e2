"""Partial information decomposition: what two variables share, add alone, and add together about a third."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infoflow.core.columns import read
from infoflow.core.protocols import Estimator
from infoflow.core.settings import validated
from infoflow.core.variable import Missing, complete, dropped
from infoflow.estimators.gaussian.gaussian import Gaussian
from infoflow.estimators.registry import resolve
from infoflow.tables.estimating import shared, term

# Alternating projections stop where no cell changes by more, or after so many rounds.
_TOLERANCE, _ROUNDS = 1e-11, 50_000


@dataclass(frozen=True)
class PartialInformation:
    """The parts of I(X1,X2;Y) in nats, which sum up to it.

    Parameters
    ----------
    redundant
        What either of x1 and x2 alone has about y.
    unique_1, unique_2
        What only one of them has.
    synergistic
        What only both together have.
    definition
        "BROJA" or "MMI".
    n
        Number of samples.
    warnings
        Sentences that limit the interpretation.

    Examples
    --------
    >>> found = partial_information([0, 0, 1, 1] * 9, [0, 1, 0, 1] * 9, [0, 1, 1, 0] * 9)
    >>> round(found.synergistic, 3), round(found.total, 3)
    (0.693, 0.693)
    >>> found
    <BROJA: redundant 0.0000, unique 0.0000 and 0.0000, synergistic 0.6931 nats, n = 36>
    """

    redundant: float
    unique_1: float
    unique_2: float
    synergistic: float
    definition: str
    n: int
    warnings: tuple[str, ...] = ()

    @property
    def total(self) -> float:
        """I(X1,X2;Y), the sum of the parts."""
        return self.redundant + self.unique_1 + self.unique_2 + self.synergistic

    def __repr__(self) -> str:
        count = len(self.warnings)
        return (
            f"<{self.definition}: redundant {self.redundant:.4f}, unique {self.unique_1:.4f} and {self.unique_2:.4f}, "
            f"synergistic {self.synergistic:.4f} nats, n = {self.n}"
            f"{f', {count} warning' + 's' * (count != 1) if count else ''}>"
        )


@validated
def partial_information(
    x1: Any, x2: Any, y: Any, estimator: str | Estimator = "auto", *, missing: Missing = "raise", **parameters: Any
) -> PartialInformation:
    """Decompose I(X1,X2;Y) into redundant, unique and synergistic information in nats.

    Parameters
    ----------
    x1, x2, y : array-like of shape (n, ...), column or table
        Samples of numbers or symbols.
    estimator
        For variables that are not all symbols: name or object of an estimator of mutual information. "auto" is a
        Gaussian copula for numbers unless a test rejects it, and otherwise nearest neighbors ("mixed").
    missing
        "raise" raises an error at missing values, "drop" leaves out the rows that have one, with a warning.
    **parameters
        Settings of the named estimator.

    Returns
    -------
    PartialInformation
        The four parts.

    Raises
    ------
    InvalidArgument
        If the samples are neither numbers nor symbols, or their lengths differ.

    Notes
    -----
    Symbols: the definition BROJA, of the observed frequencies. The unique information of X1 is the least I(X1;Y|X2)
    over all distributions with the same pairs (X1,Y) and (X2,Y); it is computed by alternating projections.

    Other variables: minimum mutual information (MMI), redundant = min(I(X1;Y), I(X2;Y)), which for a Gaussian triple
    with one-dimensional y equals BROJA.

    References
    ----------
    Bertschinger, Rauh, Olbrich, Jost, Ay (2014), Quantifying Unique Information, Entropy 16. Banerjee, Rauh, Montúfar
    (2018), Computing the unique information. Barrett (2015), Physical Review E 91 (Gaussian).

    Examples
    --------
    >>> a, b = [0, 0, 1, 1] * 9, [0, 1, 0, 1] * 9
    >>> found = partial_information(a, b, [i & j for i, j in zip(a, b)])  # AND: 0.311 and 0.5 bits
    >>> float(round(found.redundant / np.log(2), 3)), float(round(found.synergistic / np.log(2), 3))
    (0.311, 0.5)
    """
    sides = [read(value, name) for value, name in ((x1, "x1"), (x2, "x2"), (y, "y"))]
    total = len(sides[0])
    sides, count = complete(sides, missing)
    warnings = dropped(count, total)
    chosen, (left, right, target) = shared(sides, estimator if not parameters else resolve(estimator, **parameters))
    if left.symbolic and right.symbolic and target.symbolic:
        table = np.zeros([int(side.codes.max()) + 1 for side in (target, left, right)])
        np.add.at(table, (target.codes, left.codes, right.codes), 1.0 / len(target))
        parts, converged = _broja(table)
        if not converged:
            warnings += (
                f"the projections had not converged after {_ROUNDS} rounds, so the parts are uncertain in the third "
                "digit; merge rare symbols",
            )
        return PartialInformation(*parts, "BROJA", len(target), warnings)
    found = [term(each, target, chosen) for each in (left, right, [left, right])]
    first, second, both = (each.nats for each in found)
    shared_part = min(first, second)
    if isinstance(chosen, Gaussian) and target.columns.shape[1] > 1:
        warnings += ("y has several columns, for which MMI is an upper bound of the redundant information only",)
    warnings += tuple(dict.fromkeys(text for each in found for text in each.warnings))
    parts = (shared_part, first - shared_part, second - shared_part, both - max(first, second))
    return PartialInformation(*parts, "MMI", len(target), warnings)


def _broja(p: NDArray[np.float64]) -> tuple[tuple[float, float, float, float], bool]:
    """Redundant, unique, unique and synergistic nats of p(y, x1, x2), and whether the iteration converged.

    Among distributions q with the pairs (y,x1) and (y,x2) of p, I_q(Y;X1,X2) = min over r of Σ p(y) KL(q(·|y) ‖ r) is
    the least where each q(·|y) is the projection r f_y g_y of r onto its margins and r the mean of q. One step of
    proportional fitting, of f and g, alternates with one of r.
    """
    p = p[p.sum(axis=(1, 2)) > 0]
    weights = p.sum(axis=(1, 2))
    rows, columns = p.sum(axis=2) / weights[:, None], p.sum(axis=1) / weights[:, None]
    reference = np.einsum("y,yi,yj->ij", weights, rows, columns)
    g = (columns > 0).astype(np.float64)
    q, change = p, np.inf
    for _ in range(_ROUNDS):
        f = _ratio(rows, np.einsum("ij,yj->yi", reference, g))
        g = _ratio(columns, np.einsum("ij,yi->yj", reference, f))
        q = reference[None] * f[:, :, None] * g[:, None, :]
        before, reference = reference, np.einsum("y,yij->ij", weights, q)
        change = float(np.abs(reference - before).max())
        if change < _TOLERANCE:
            break
    least = _information((q * weights[:, None, None]).reshape(len(p), -1))
    both = _information(p.reshape(len(p), -1))
    first, second = _information(p.sum(axis=2)), _information(p.sum(axis=1))
    least = min(max(least, first, second), both)
    return (max(0.0, first + second - least), least - second, least - first, both - least), change < _TOLERANCE


def _ratio(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(a, b, out=np.zeros_like(a), where=b > 0)


def _information(p: NDArray[np.float64]) -> float:
    """Mutual information of the axes of a table of probabilities."""
    independent = p.sum(axis=1, keepdims=True) * p.sum(axis=0, keepdims=True)
    seen = p > 0
    return float((p[seen] * np.log(p[seen] / independent[seen])).sum())
