"""Entropy, total correlation and O-information of columns of any type."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from infoflow.core.columns import read
from infoflow.core.errors import InvalidArgument
from infoflow.core.estimate import Estimate, Kind
from infoflow.core.protocols import Estimator
from infoflow.core.settings import validated
from infoflow.core.variable import Missing, Variable, complete, dropped
from infoflow.estimators.conditioning import by_values
from infoflow.estimators.histogram.discrete import Discrete
from infoflow.estimators.neighbors.kozachenko_leonenko import KozachenkoLeonenko
from infoflow.estimators.registry import Ability, can, resolve
from infoflow.estimators.wrappers.total_correlation import total_correlation as of_numbers
from infoflow.tables.columns import table_of
from infoflow.tables.estimating import shared, summed, term


@validated
def entropy(x: Any, estimator: str | Estimator = "auto", *, missing: Missing = "raise", **parameters: Any) -> Estimate:
    """Estimate the entropy of symbols, or the differential entropy of numbers, in nats.

    Parameters
    ----------
    x : array-like of shape (n, ...), column or table
        Samples. Symbols are text, booleans, categories, and numbers that repeat as in
        `conditional_mutual_information`.
    estimator
        Name or object of an estimator with an entropy. "auto" is "discrete" with Grassberger's correction for symbols
        and "kozachenko-leonenko" for numbers.
    missing
        "raise" raises an error at missing values, "drop" leaves out the rows that have one, with a warning.
    **parameters
        Settings of the named estimator.

    Returns
    -------
    Estimate
        Its quantity is H(X) for an entropy and h(X) for a differential one, which can be negative; of numbers and
        symbols side by side it is H(symbols) + h(numbers | symbols).

    Raises
    ------
    InvalidArgument
        If the estimator has no entropy, or the samples are neither numbers nor symbols.

    Examples
    --------
    >>> entropy(["a", "b", "c", "d"] * 50, "discrete").bits
    2.0
    >>> print(entropy(np.random.default_rng(0).normal(size=5000)).quantity)  # ½ log 2πe = 1.4189
    h(X)
    """
    side = read(x, "x")
    total = len(side)
    (side,), count = complete([side], missing)
    automatic = isinstance(estimator, str) and estimator == "auto"
    if automatic:
        side = by_values(side)
    chosen = (Discrete("grassberger") if side.symbolic else KozachenkoLeonenko()) if automatic else None
    chosen = chosen or resolve(estimator, **parameters)
    if not can(chosen, Ability.ENTROPY):
        raise InvalidArgument("estimator", "one with an entropy, such as 'discrete'", type(chosen).__name__)
    if side.mixed:
        found = _mixed_entropy(side, KozachenkoLeonenko() if automatic else chosen)
    else:
        found = chosen.entropy(side.values)
    quantity = found.quantity.replace("T", "X") if not side.mixed else "H(symbols) + h(numbers | symbols)"
    return replace(found, quantity=quantity, warnings=(*found.warnings, *dropped(count, total)))


def _mixed_entropy(side: Variable, numbers: Any) -> Estimate:
    codes = side.codes
    discrete = Discrete("grassberger").entropy(codes)
    within = []
    for code in range(int(codes.max()) + 1):
        rows = codes == code
        within.append((float(rows.mean()), numbers.entropy(side.columns[rows])))
    return summed([(1.0, replace(discrete, kind=Kind.POINT)), *within], "H + h", discrete.warnings)


@validated
def total_correlation(
    columns: Any, estimator: str | Estimator = "auto", *, missing: Missing = "raise", **parameters: Any
) -> Estimate:
    """Estimate the total correlation of columns of any type in nats, which is 0 where they are independent.

    Parameters
    ----------
    columns : table, mapping or array of shape (n, d)
        Columns of numbers or symbols.
    estimator
        "gaussian", "ksg", "neural", or any estimator of mutual information. "auto" counts symbols, fits a Gaussian
        copula to numbers unless a test rejects it, and otherwise uses nearest neighbors ("mixed").
    missing
        "raise" raises an error at missing values, "drop" leaves out the rows that have one, with a warning.
    **parameters
        Settings of the named estimator.

    Returns
    -------
    Estimate
        Of the kind of the estimator.

    Raises
    ------
    InvalidArgument
        For fewer than two columns, and as the estimator raises.

    Notes
    -----
    TC(X) = Σ H(X_j) − H(X) = Σ_{j>1} I(X_j; X_1, …, X_{j−1}), by the second form.

    References
    ----------
    Watanabe (1960), Information theoretical analysis of multivariate correlation.

    Examples
    --------
    >>> total_correlation({"a": [0, 1] * 50, "b": ["u", "v"] * 50, "c": [1, 0] * 50}).bits
    2.0
    """
    variables, warnings = _complete(columns, missing)
    if isinstance(estimator, str) and estimator != "auto" and not any(v.symbols.shape[1] for v in variables):
        return of_numbers(np.concatenate([each.columns for each in variables], axis=1), estimator, **parameters)
    chosen, variables = shared(variables, estimator if not parameters else resolve(estimator, **parameters))
    parts = [(1.0, term(variables[:j], variables[j], chosen)) for j in range(1, len(variables))]
    return summed(parts, "TC(X)", warnings)


@validated
def o_information(
    columns: Any, estimator: str | Estimator = "auto", *, missing: Missing = "raise", **parameters: Any
) -> Estimate:
    """Estimate the O-information of three or more columns: redundancy where positive, synergy where negative.

    Parameters
    ----------
    columns : table, mapping or array of shape (n, d)
        Columns of numbers or symbols.
    estimator
        Name or object, used for all terms. "auto" is as in `total_correlation`.
    missing
        "raise" raises an error at missing values, "drop" leaves out the rows that have one, with a warning.
    **parameters
        Settings of the named estimator.

    Returns
    -------
    Estimate
        Of the kind of the estimator.

    Raises
    ------
    InvalidArgument
        For fewer than three columns, and as the estimator raises.

    Notes
    -----
    Ω(X) = (d − 2) H(X) + Σ_j [H(X_j) − H(X_{−j})], the total correlation less the dual total correlation. It is
    computed as Σ_{i≥3} [(2 − i) I(X_i; X_{<i}) + Σ_{j<i} I(X_i; X_{<i} without X_j)], a sum of terms that any
    estimator can give; the errors of its terms add up, and cancel in part.

    References
    ----------
    Rosas, Mediano, Gastpar, Jensen (2019), Quantifying high-order interdependencies, Physical Review E 100.

    Examples
    --------
    >>> a, b = [0, 0, 1, 1] * 25, [0, 1, 0, 1] * 25
    >>> o_information({"a": a, "b": b, "xor": [i ^ j for i, j in zip(a, b)]}).bits
    -1.0
    >>> o_information({"a": a, "copy": a, "again": a}).bits
    1.0
    """
    variables, warnings = _complete(columns, missing)
    if len(variables) < 3:
        raise InvalidArgument("columns", "at least three columns", got_text=str(len(variables)))
    chosen, variables = shared(variables, estimator if not parameters else resolve(estimator, **parameters))
    parts = []
    for i in range(2, len(variables)):
        own, before = variables[i], variables[:i]
        parts.append((1.0 - i, term(before, own, chosen)))
        parts += [(1.0, term([*before[:j], *before[j + 1 :]], own, chosen)) for j in range(i)]
    found = summed(parts, "Ω(X)", warnings)
    return replace(found, kind=Kind.POINT if found.kind in (Kind.LOWER_BOUND, Kind.UPPER_BOUND) else found.kind)


def _complete(columns: Any, missing: Missing) -> tuple[list[Variable], tuple[str, ...]]:
    table = table_of(columns)
    if len(table.names) < 2:
        raise InvalidArgument("columns", "at least two columns", got_text=str(len(table.names)))
    variables = [table.read(name) for name in table.names]
    kept, count = complete(variables, missing)
    return kept, dropped(count, len(variables[0]))
