"""The columns of a table in the order of their information about a target."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from joblib import Parallel, delayed
from tqdm import tqdm

from infoflow.core.errors import InvalidArgument
from infoflow.core.files import write_text
from infoflow.core.protocols import Estimator
from infoflow.core.settings import NonNegativeInt, PositiveInt, Seed, validated
from infoflow.core.variable import Missing, Variable, complete
from infoflow.estimators.registry import resolve
from infoflow.estimators.wrappers.surrogates import Surrogates
from infoflow.tables.columns import Table, chosen_names, table_of, target_of
from infoflow.tables.independence import q_values
from infoflow.tables.rows import COLUMNS, Row, constant
from infoflow.tables.selection import GREEDY, Terms, greedy, pairs

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class Ranking:
    """Columns of a table, sorted by their information about a target.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row for each column, the best first: column, nats, kind, low and high (ends of an interval), p_value,
        q_value (Benjamini and Hochberg), n (complete rows), estimator, warnings. The methods other than "univariate"
        add partner or score.
    target
        Name of the target.
    method
        How the columns were sorted.

    Examples
    --------
    >>> ranking = rank({"a": [0, 1] * 50, "b": [0, 0, 1, 1] * 25, "y": [0, 1] * 50}, "y")
    >>> ranking.names
    ['a', 'b']
    """

    frame: pd.DataFrame
    target: str
    method: str

    @property
    def names(self) -> list[Any]:
        """Names of the columns, the best first."""
        return self.frame["column"].tolist()

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        return f"Ranking of {len(self)} columns for {self.target}, {self.method}\n{self.frame.drop(columns='warnings')}"

    def plot(self, ax: Axes | None = None, *, columns: int = 30) -> Axes:
        """Draw bars of nats with intervals, columns with q > 0.05 in gray.

        Parameters
        ----------
        ax
            Axes to draw on; new ones by default.
        columns
            Number of columns to draw at most.

        Returns
        -------
        matplotlib.axes.Axes
            The axes.

        Examples
        --------
        >>> rank({"a": [0, 1] * 50, "y": [0, 1] * 50}, "y").plot().get_xlabel()
        'nats about y'
        """
        from infoflow.tables.figures import bars

        return bars(self.frame.head(columns), f"nats about {self.target}", ax)

    def to_csv(self, path: str | Path) -> None:
        """Write the table as CSV.

        Parameters
        ----------
        path
            File to write. It is replaced whole, or not at all.

        Examples
        --------
        >>> import tempfile
        >>> rank({"a": [0, 1] * 50, "y": [0, 1] * 50}, "y").to_csv(tempfile.mkdtemp() + "/ranking.csv")
        """
        written = self.frame.assign(warnings=self.frame["warnings"].map("; ".join))
        write_text(Path(path), written.to_csv(index=False))


@validated
def rank(
    table: Any,
    target: Any,
    *,
    method: Literal["univariate", "pairs", "jmi", "mrmr", "cmim"] = "univariate",
    estimator: str | Estimator = "by-type",
    permutations: NonNegativeInt = 0,
    surrogates: Surrogates | None = None,
    missing: Missing = "drop",
    columns: list[Any] | None = None,
    screen: PositiveInt = 60,
    seed: Seed = 0,
    n_jobs: PositiveInt | Literal[-1] = 1,
    progress: bool | Callable[[Iterable[Any], int], Iterable[Any]] = False,
) -> Ranking:
    """Rank the columns of a table by their mutual information with a target.

    Parameters
    ----------
    table : table, mapping, array of shape (n, d), or path of a Parquet file
        Columns of numbers, text, booleans or categories. A Parquet file is read column by column.
    target
        Name of a column, or its values.
    method
        "univariate": each column alone. "pairs": the largest information of a column together with any other one, which
        finds synergy such as XOR. "jmi", "mrmr", "cmim": greedy selection, each next column by what it adds to those
        selected before.
    estimator
        Name or object. "by-type" has one estimator for each pair of types, so that columns are compared alike and
        fast: counts for symbols, nearest neighbors within classes for a symbol and numbers, `KSG` with five neighbors
        for numbers. "auto" is that of `mutual_information`, which chooses anew for each column and takes longer. With
        both, the methods other than "univariate" have one estimator for all terms: counts for symbols, `MixedKSG`
        otherwise.
    permutations
        Number of permutations of the target for p-values; 0 for none.
    surrogates
        "rotate" or "blocks" keep the order within series. By default samples are shuffled, but rotated where target
        and column are autocorrelated.
    missing
        "drop" leaves out, for each column, the rows where it or the target has no value; "raise" raises an error.
    columns
        Names of the columns to rank; by default all but the target.
    screen
        Number of columns, the best univariate ones, that "pairs" and the greedy methods look at; the others follow.
    seed
        Seed of the permutations.
    n_jobs
        Processes at once; -1 means one for each processor.
    progress
        Whether to show a progress bar on the standard error stream; or a function of an iterable and its length that
        returns the iterable with a bar of its own.

    Returns
    -------
    Ranking
        Table, plot and CSV.

    Raises
    ------
    InvalidArgument
        For a target without variation or an unsuitable table; `UnknownName` for an unknown column.

    Notes
    -----
    A column that cannot be used (constant, without values, dates) has a row that states why, and the rest is ranked.

    p-values are those of `infoflow.tables.independence`: a permutation test of binned codes, valid for columns of any
    type, whatever the estimator. For "pairs" it covers the search over partners.

    Greedy scores, with S the selected columns: mrmr I(X;Y) − mean I(X;S_j); jmi mean I(X,S_j;Y); cmim
    min I(X;Y|S_j). Their first step is univariate, so pure synergy escapes them; use "pairs".

    References
    ----------
    Peng, Long, Ding (2005), mRMR. Yang, Moody (1999), JMI. Fleuret (2004), CMIM. Brown et al. (2012), JMLR 13.
    Benjamini, Hochberg (1995).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> size, noise = rng.normal(size=(2, 300))
    >>> city = np.array(["Rome", "Oslo"])[(size + 0.5 * rng.normal(size=300) > 0).astype(int)]
    >>> ranking = rank({"size": size, "noise": noise, "city": city}, "city", permutations=99)
    >>> ranking.names, float(ranking.frame["p_value"][0])
    (['size', 'noise'], 0.01)
    """
    import pandas as pd

    opened = table_of(table)
    y, names = target_of(opened, target)
    wanted = tuple(columns) if columns is not None else names
    if columns is not None:
        chosen_names(opened, columns)
        if any(name not in names for name in wanted):
            raise InvalidArgument("columns", "without the target", got_text=repr(target))
    if not wanted:
        raise InvalidArgument("table", "a table with at least one column other than the target")
    if not len(y):
        raise InvalidArgument("table", "a table with rows", got_text="none")
    if missing == "raise":
        complete([y], missing)
    present = y.take(~y.missing)
    if not len(present) or constant(present):
        raise InvalidArgument("target", "a variable with at least two different values", got_text="one value or none")
    if present.symbolic and int(present.codes.max()) + 1 == len(present):
        raise InvalidArgument(
            "target",
            "symbols of which one occurs at least twice",
            got_text=f"{len(present)} different symbols in {len(present)} samples",
            remedy="Merge them, or pass numbers if they are quantities or times.",
        )
    row = Row(opened, y, resolve(estimator), estimator, permutations, surrogates, missing, seed)
    work = _with_bar(wanted, progress)
    if n_jobs == 1:
        rows = [row(name) for name in work]
    else:
        rows = Parallel(n_jobs=n_jobs)(delayed(replace(row, table=opened.only(name)))(name) for name in work)
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    frame = frame.sort_values("nats", ascending=False, kind="stable", na_position="last")
    if method != "univariate":
        usable = [name for name, nats in zip(frame["column"], frame["nats"], strict=True) if np.isfinite(nats)][:screen]
        frame = _together(frame, usable, opened, y, method, estimator, missing, row, n_jobs)
    frame["q_value"] = q_values(frame["p_value"].to_numpy(dtype=float))
    label = target if isinstance(target, str | int) else "the target"
    return Ranking(frame.reset_index(drop=True), str(label), method)


def _with_bar(columns: Sequence[Any], progress: bool | Callable[[Iterable[Any], int], Iterable[Any]]) -> Iterable[Any]:
    if callable(progress):
        return progress(columns, len(columns))
    bar: Iterable[Any] = tqdm(columns, desc="estimating", unit="column", disable=not progress)
    return bar


def _together(
    frame: Any,
    usable: list[Any],
    table: Table,
    y: Variable,
    method: str,
    estimator: str | Estimator,
    missing: Missing,
    row: Row,
    n_jobs: int,
) -> Any:
    """The ranking by pairs or by greedy selection, on the rows that are complete in all columns that it uses."""
    if len(usable) < 2:
        return frame
    read, _ = complete([*(table.read(name) for name in usable), y], missing)
    variables, target = read[:-1], read[-1]
    terms = Terms(variables, target, estimator)
    if method in GREEDY:
        order, scores = greedy(terms, method)
        frame = frame.set_index("column", drop=False)
        chosen = [usable[i] for i in order]
        rest = [name for name in frame.index if name not in set(chosen)]
        frame = frame.loc[[*chosen, *rest]]
        frame["score"] = [*scores, *[np.nan] * len(rest)]
        return frame
    best = pairs(terms, n_jobs)
    frame = frame.set_index("column", drop=False)
    frame["partner"] = None
    for i, (nats, partner) in best.items():
        frame.loc[usable[i], "nats"] = nats
        frame.loc[usable[i], "n"] = len(target)
        frame.loc[usable[i], ["low", "high"]] = np.nan
        frame.loc[usable[i], "estimator"] = type(terms.joint_estimator).__name__
        frame.at[usable[i], "partner"] = usable[partner]
        if row.permutations:
            together = [(variables[i], other) for j, other in enumerate(variables) if j != i]
            frame.loc[usable[i], "p_value"] = row.p_value(together, variables[i], target)[0]
    return frame.sort_values("nats", ascending=False, kind="stable", na_position="last")
