"""Mutual information between all pairs of columns of a table."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from joblib import Parallel, delayed
from tqdm import tqdm

from infoflow.core.errors import InfoflowError, InvalidArgument
from infoflow.core.files import write_text
from infoflow.core.protocols import Estimator
from infoflow.core.settings import NonNegativeInt, PositiveInt, Seed, validated
from infoflow.core.variable import Missing, Variable, complete
from infoflow.estimators.wrappers.surrogates import Surrogates
from infoflow.tables.columns import Table, check_length, chosen_names, table_of
from infoflow.tables.estimating import information
from infoflow.tables.independence import independence, q_values
from infoflow.tables.times import check_times

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class InformationMatrix:
    """Nats between columns.

    Parameters
    ----------
    frame : pandas.DataFrame
        Nats by name of row and column; NaN on the diagonal without a lag, and where a pair cannot be estimated. With
        windows its rows are (first row of the window, name).
    p_values, q_values : pandas.DataFrame or None
        In the same shape, if permutations were asked for.
    warnings
        Warnings by pair of names.

    Examples
    --------
    >>> float(information_matrix({"a": [0, 1] * 50, "b": [1, 0] * 50}).frame.loc["a", "b"])  # log 2
    0.69
    """

    frame: pd.DataFrame
    p_values: pd.DataFrame | None
    q_values: pd.DataFrame | None
    warnings: dict[tuple[Any, ...], tuple[str, ...]]

    def __repr__(self) -> str:
        count = len(self.warnings)
        note = f"\n{count} pairs have warnings, in `warnings`" if count else ""
        return f"Information in nats between columns\n{self.frame.round(4)}{note}"

    def plot(self, ax: Axes | None = None, *, clustered: bool = True) -> Axes:
        """Draw a heat map, in which columns that share information are next to each other; the first window only.

        Parameters
        ----------
        ax
            Axes to draw on; new ones by default.
        clustered
            Whether to sort the columns; a matrix with a lag remains as it is.

        Returns
        -------
        matplotlib.axes.Axes
            The axes.

        Examples
        --------
        >>> information_matrix({"a": [0, 1] * 50, "b": [1, 0] * 50}).plot().get_images()[0].get_array().shape
        (2, 2)
        """
        from infoflow.tables.figures import heat_map

        frame = self.frame if self.frame.index.nlevels == 1 else self.frame.loc[self.frame.index[0][0]]
        values = frame.to_numpy(dtype=float)
        return heat_map(frame, ax, clustered=clustered and np.array_equal(values, values.T, equal_nan=True))

    def to_csv(self, path: str | Path) -> None:
        """Write the nats as CSV.

        Parameters
        ----------
        path
            File to write. It is replaced whole, or not at all.

        Examples
        --------
        >>> import tempfile
        >>> information_matrix({"a": [0, 1] * 50, "b": [1, 0] * 50}).to_csv(tempfile.mkdtemp() + "/matrix.csv")
        """
        write_text(Path(path), self.frame.to_csv())


@validated
def information_matrix(
    table: Any,
    *,
    columns: list[Any] | None = None,
    estimator: str | Estimator = "auto",
    lag: NonNegativeInt = 0,
    window: PositiveInt | None = None,
    step: PositiveInt | None = None,
    permutations: NonNegativeInt = 0,
    surrogates: Surrogates = "shuffle",
    missing: Missing = "drop",
    seed: Seed = 0,
    n_jobs: PositiveInt | Literal[-1] = 1,
    progress: bool = False,
) -> InformationMatrix:
    """Estimate the mutual information between all pairs of columns of a table in nats.

    Parameters
    ----------
    table : table, mapping, array of shape (n, d), or path of a Parquet file
        Columns of numbers, text, booleans or categories.
    columns
        Names of the columns to use; by default all.
    estimator
        Name or object, as of `mutual_information`.
    lag
        Rows by which the column of the matrix is later than its row: I(row_t ; column_{t+lag}), which is not symmetric.
    window
        Rows of a sliding window; by default all rows are one.
    step
        Rows between windows; by default half a window.
    permutations
        Number of permutations for p-values; 0 for none.
    surrogates
        "shuffle" permutes single rows; "rotate" and "blocks" keep the order within series.
    missing
        "drop" leaves out, for each pair, the rows where one of both has no value; "raise" raises an error.
    seed
        Seed of the permutations.
    n_jobs
        Processes at once; -1 means one for each processor.
    progress
        Whether to show a progress bar on the standard error stream.

    Returns
    -------
    InformationMatrix
        Nats, p-values, q-values (Benjamini and Hochberg over all pairs), heat map and CSV.

    Raises
    ------
    InvalidArgument
        If lag or window exceed the rows, lengths differ, or times of a lag or window are unsorted or irregular;
        `UnknownName` for an unknown column. A column that cannot be used is NaN, and `warnings` states why.

    Examples
    --------
    >>> x, noise = np.random.default_rng(0).normal(size=(2, 500))
    >>> found = information_matrix({"x": x, "y": np.roll(x, 1) + noise}, lag=1, estimator="gaussian")
    >>> bool(found.frame.loc["x", "y"] > 0.3 > found.frame.loc["y", "x"])  # x precedes y
    True
    """
    import pandas as pd

    opened = table_of(table)
    names = chosen_names(opened, columns)
    if lag or window is not None:
        check_times({"table": table})
    variables = [_read(opened, name) for name in names]
    usable = [variable for variable in variables if isinstance(variable, Variable)]
    if not usable:
        raise InvalidArgument(str(variables[0]) if variables else "table must have columns, got none.")
    for variable in usable[1:]:
        check_length(variable, usable[0])
    n = len(usable[0])
    if window is not None and window > n:
        raise InvalidArgument("window", f"at most the number of rows ({n})", window)
    length = window or n
    if lag > length - 4:
        raise InvalidArgument("lag", f"at most the rows of a window less 4 ({length - 4})", lag)
    starts = range(0, n - length + 1, step or max(1, length // 2))
    pairs = list(combinations(range(len(names)), 2)) if lag == 0 else list(product(range(len(names)), repeat=2))
    tasks = [(start, i, j) for start in starts for i, j in pairs]

    def run(start: int, i: int, j: int) -> tuple[float, float, tuple[str, ...]]:
        one, other = variables[i], variables[j]
        if isinstance(one, str) or isinstance(other, str):
            return np.nan, np.nan, tuple(text for text in (one, other) if isinstance(text, str))
        first = one.take(np.arange(start, start + length - lag))
        second = other.take(np.arange(start + lag, start + length))
        return _pair(first, second, estimator, permutations, surrogates, missing, seed)

    bar = tqdm(tasks, desc="estimating", unit="pair", disable=not progress)
    found = [run(*task) for task in bar] if n_jobs == 1 else Parallel(n_jobs=n_jobs)(delayed(run)(*t) for t in bar)
    nats, p_values = (np.full((len(starts), len(names), len(names)), np.nan) for _ in range(2))
    warnings: dict[tuple[Any, ...], tuple[str, ...]] = {}
    for (start, i, j), (value, p_value, texts) in zip(tasks, found, strict=True):
        place = starts.index(start)
        for a, b in ((i, j),) if lag else ((i, j), (j, i)):
            nats[place, a, b], p_values[place, a, b] = value, p_value
        if texts:
            warnings[(names[i], names[j]) if window is None else (start, names[i], names[j])] = texts
    order = tuple(np.array([(starts.index(start), i, j) for start, i, j in tasks]).T)
    adjusted = np.full_like(p_values, np.nan)
    adjusted[order] = q_values(p_values[order])
    if not lag:
        adjusted[order[0], order[2], order[1]] = adjusted[order]

    def frame(values: np.ndarray) -> pd.DataFrame:
        flat = values.reshape(-1, len(names))
        index: Any = list(names) if window is None else pd.MultiIndex.from_product([starts, names])
        return pd.DataFrame(flat, index=index, columns=list(names))

    tested = permutations > 0
    return InformationMatrix(
        frame(nats), frame(p_values) if tested else None, frame(adjusted) if tested else None, warnings
    )


def _read(table: Table, name: Any) -> Variable | str:
    """The column, or why it cannot be used."""
    try:
        return table.read(name)
    except InfoflowError as error:
        return str(error)


def _pair(
    x: Variable,
    y: Variable,
    estimator: str | Estimator,
    permutations: int,
    surrogates: Surrogates,
    missing: Missing,
    seed: int,
) -> tuple[float, float, tuple[str, ...]]:
    """Nats, p-value and warnings of one pair; a pair that cannot be estimated is NaN, with the reason."""
    try:
        (left, right), _ = complete([x, y], missing)
        found = information(left, right, estimator)
        p_value = np.nan
        if permutations:
            p_value = independence([left], right, permutations, surrogates=surrogates, seed=seed)
    except InfoflowError as error:
        if missing == "raise" and "missing=" in str(error):
            raise
        return np.nan, np.nan, (str(error),)
    return found.nats, p_value, found.warnings
