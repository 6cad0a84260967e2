"""Errors of estimators on tasks as a heat map: red for too large estimates, blue for too small ones."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.colors import SymLogNorm
from matplotlib.figure import Figure
from matplotlib.textpath import TextPath

from infoflow.core.errors import InvalidArgument
from infoflow.core.files import write_atomically

_INK, _QUIET, _FAINT = "#1c1c1c", "#6a6a6a", "#d9d9d9"
_DPI = 200

# Inches; fixed, so that the text has the same size for any number of rows. Long names widen the last three.
_ROW, _COLUMN, _TRUTH, _BOTTOM = 0.2, 0.62, 0.5, 0.72
_NAMES, _TOP, _RIGHT = 2.2, 1.5, 1.0

# Points of the names of rows and of the headings, which are turned by so many degrees.
_SIZE, _HEADING, _TURN = 7.0, 7.5, 38

# Errors are colored linearly up to the first and logarithmically up to the second.
_LINEAR, _LARGEST = 0.05, 1.0

_PLAIN = (
    (r"1v1-normal-(.+)", r"Normal 1×1"),
    (r"multinormal-dense-(\d+)-(\d+)-.+", r"Normal \1×\2, dense"),
    (r"multinormal-sparse-(\d+)-(\d+)-(\d+)-.+", r"Normal \1×\2, \3 pairs"),
    (r"student-identity-(\d+)-(\d+)-(.+)", r"Student \1×\2, ν = \3"),
    (r"1v1-additive-(.+)", r"Uniform + noise ±\1"),
    (r"1v1-bimodal-.+", "Bimodal 1×1"),
)
_MAPS = {
    "normal_cdf": "Φ",
    "half_cube": "half-cube",
    "asinh": "asinh",
    "wiggly": "wiggly",
    "spiral": "spiral",
    "swissroll_x": "Swiss roll",
}


def tolerance(truth: Any) -> Any:
    """Return the error in nats up to which an estimate counts as right: 0.05 or 10 % of the truth, the larger.

    Examples
    --------
    >>> tolerance(np.array([0.1, 2.0])).tolist()
    [0.05, 0.2]
    """
    return np.maximum(0.05, 0.1 * truth)


def title(task: str) -> str:
    """Return a readable name of a task; a name of unknown form stays as it is.

    Examples
    --------
    >>> title("spiral-normal_cdf-multinormal-sparse-5-5-2-2.0")
    'Normal 5×5, 2 pairs · Φ · spiral'
    """
    prefix, _, rest = task.partition("-")
    if prefix in _MAPS:
        return f"{title(rest)} · {_MAPS[prefix]}"
    for pattern, plain in _PLAIN:
        if re.fullmatch(pattern, task):
            return re.sub(pattern, plain, task)
    return task


def heading(estimator: str) -> str:
    """Return an estimator's name with parameters as the heading of a column.

    Examples
    --------
    >>> heading("gaussian:copula=True,shrinkage=oas")
    'gaussian, copula, shrinkage oas'
    """
    return estimator.replace("=True", "").replace(":", ", ").replace(",", ", ").replace(",  ", ", ").replace("=", " ")


def draw(table: pd.DataFrame, path: str | os.PathLike[str]) -> None:
    """Draw the errors of one sample size as a heat map into a PNG, PDF or SVG file.

    Parameters
    ----------
    table
        Table that `infoflow_benchmarks.run` returned, with rows of one sample size.
    path
        File to write; its ending chooses the format.

    Raises
    ------
    InvalidArgument
        If the table is empty or has several sample sizes, or the file format is unknown.

    Notes
    -----
    The tasks are the rows, with their truth, and the estimators the columns. The number in a cell is the mean error
    over seeds in nats, in bold where it is within `tolerance`, and a dash where there is no estimate. The last two
    rows are the mean absolute error and the number of tasks within the tolerance.

    Examples
    --------
    >>> import tempfile
    >>> row = dict(task="1v1-normal-0.75", truth=0.41, estimator="ksg", n=100, seed=0, error=0.02)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     draw(pd.DataFrame([row]), Path(folder) / "map.png")
    """
    if table["n"].nunique() != 1:
        raise InvalidArgument("table", "of one sample size", got_text=f"{table['n'].nunique()} sample sizes")
    target = Path(path)
    if target.suffix.lstrip(".") not in FigureCanvasBase.get_supported_filetypes():
        raise InvalidArgument("path", "a file that ends in .png, .pdf or .svg", str(path))
    truths = table.groupby("task", sort=False)["truth"].first()
    errors = table.pivot_table(
        index="task", columns="estimator", values="error", aggfunc="mean", dropna=False, sort=False
    )
    errors = errors.reindex(index=truths.index, columns=list(dict.fromkeys(table["estimator"])))
    figure = _compose(errors, truths, n=int(table["n"].iloc[0]), seeds=table["seed"].nunique())
    write_atomically(target, lambda part: figure.savefig(part, dpi=_DPI, facecolor="white"))


def _compose(errors: pd.DataFrame, truths: pd.Series[float], *, n: int, seeds: int) -> Figure:
    rows, columns = errors.shape
    turn, headings = math.radians(_TURN), [_inches(heading(str(name)), _HEADING) for name in errors.columns]
    names = max(_NAMES, *(_inches(title(str(task)), _SIZE) + 0.2 for task in truths.index))
    beyond = (inches * math.cos(turn) - (columns - j - 0.42) * _COLUMN + 0.2 for j, inches in enumerate(headings))
    left, body, right_margin = names + _TRUTH, columns * _COLUMN, max(_RIGHT, *beyond)
    # The title takes three lines above the headings.
    top_margin = max(_TOP, max(headings) * math.sin(turn) + 0.9)
    width, height = max(left + body + right_margin, 5.6), top_margin + (rows + 2.5) * _ROW + _BOTTOM
    figure = Figure((width, height))
    axes = figure.add_axes((left / width, _BOTTOM / height, body / width, (rows + 2.5) * _ROW / height), frameon=False)
    axes.set(xlim=(0, columns), ylim=(rows + 2.5, 0), xticks=[], yticks=[])
    values = errors.to_numpy(dtype=float)
    right = np.abs(np.nan_to_num(values, nan=np.inf)) <= tolerance(truths.to_numpy())[:, None]
    norm = SymLogNorm(_LINEAR, linscale=0.5, vmin=-_LARGEST, vmax=_LARGEST, base=10)
    cells = axes.pcolormesh(
        np.clip(values, -_LARGEST, _LARGEST), cmap="RdBu_r", norm=norm, edgecolor="white", linewidth=0.8
    )
    red, green, blue, _ = np.moveaxis(cells.to_rgba(np.clip(values, -_LARGEST, _LARGEST)), -1, 0)
    dark = 0.3 * red + 0.59 * green + 0.11 * blue < 0.55
    for i, (task, truth) in enumerate(truths.items()):
        _text(axes, -_TRUTH / _COLUMN - 0.05, i + 0.5, title(str(task)), ha="right")
        _text(axes, -0.1, i + 0.5, f"{truth:.2f}", ha="right", color=_QUIET)
    for (i, j), error in np.ndenumerate(values):
        if np.isnan(error):
            _text(axes, j + 0.5, i + 0.5, "–", color=_QUIET)
        else:
            style: dict[str, Any] = {
                "color": "white" if dark[i, j] else _INK,
                "weight": "bold" if right[i, j] else "normal",
            }
            _text(axes, j + 0.5, i + 0.5, _signed(error), **style)
    axes.plot([-left / _COLUMN + 0.2, columns], [rows + 0.25] * 2, color=_FAINT, lw=0.8, clip_on=False)
    _text(axes, -0.1, rows + 1, "mean |error|", ha="right", color=_QUIET)
    _text(axes, -0.1, rows + 2, "tasks within tolerance", ha="right", color=_QUIET)
    for j, name in enumerate(errors.columns):
        found = values[~np.isnan(values[:, j]), j]
        _text(axes, j + 0.5, rows + 1, f"{np.abs(found).mean():.3f}" if len(found) else "–")
        _text(axes, j + 0.5, rows + 2, f"{right[:, j].sum()} / {len(found)}")
        axes.text(
            j + 0.42, -0.25, heading(str(name)), rotation=_TURN, ha="left", va="bottom", fontsize=_HEADING, color=_INK
        )
    _text(axes, -0.1, -0.45, "truth", ha="right", color=_QUIET)
    top: dict[str, Any] = {"x": 0.14 / width, "va": "top"}
    figure.text(y=1 - 0.16 / height, s="Estimate minus truth, in nats", fontsize=10.5, weight="bold", **top)
    drawn = f"{'one draw' if seeds == 1 else f'mean of {seeds} draws'} of n = {n} samples"
    small: dict[str, Any] = {"fontsize": 7.5, "color": _QUIET, "linespacing": 1.4}
    figure.text(y=1 - 0.4 / height, s=f"{drawn}\nbold: within 0.05 nats or 10 %", **top, **small)
    _color_bar(figure, (left / width, 0.36 / height, min(max(body, 2.2), 3.6) / width, 0.1 / height), cells)
    return figure


def _color_bar(figure: Figure, box: tuple[float, float, float, float], cells: Any) -> None:
    ticks = [-1, -0.3, -0.1, 0, 0.1, 0.3, 1]
    bar = figure.colorbar(cells, cax=figure.add_axes(box), orientation="horizontal", ticks=ticks)
    bar.ax.set_xticklabels([_signed(t, "g") for t in ticks], fontsize=6.5, color=_QUIET)
    bar.ax.minorticks_off()
    bar.ax.tick_params(length=2, color=_FAINT)
    bar.outline.set_visible(False)
    for x, text, side in ((-0.02, "too small", "right"), (1.02, "too large", "left")):
        _text(bar.ax, x, 0.5, text, ha=side, color=_QUIET, transform=bar.ax.transAxes)


def _inches(text: str, points: float) -> float:
    """The width of a text."""
    return float(TextPath((0, 0), text, size=points).get_extents().width) / 72


def _signed(value: float, style: str = ".2f") -> str:
    text = f"{abs(value):{style}}"
    if float(text) == 0:
        return text
    return f"{'−' if value < 0 else '+'}{text}"


def _text(axes: Axes, x: float, y: float, text: str, **style: Any) -> None:
    axes.text(x, y, text, va="center", fontsize=_SIZE, **{"color": _INK, "ha": "center", **style})
