"""Errors of estimators on tasks as one picture: red where they say too much, blue where too little."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import SymLogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from infoflow.core.errors import InvalidArgument

_INK, _QUIET, _FAINT = "#1c1c1c", "#6a6a6a", "#d9d9d9"
_DPI = 200

# Inches; fixed, so that type has the same size however many rows there are.
_ROW, _COLUMN, _NAMES, _TRUTH, _TOP, _BOTTOM, _RIGHT = 0.2, 0.62, 2.2, 0.5, 1.5, 0.72, 1.0

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


def title(task: str) -> str:
    """A task's name as a reader would write it; a name that follows no known pattern stays.

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
    """An estimator's text as a column's heading.

    >>> heading("gaussian:copula=True,shrinkage=oas")
    'gaussian, copula, shrinkage oas'
    """
    return estimator.replace("=True", "").replace(":", ", ").replace(",", ", ").replace(",  ", ", ").replace("=", " ")


def draw(table: pd.DataFrame, path: str | os.PathLike[str]) -> None:
    """Draws the table that `infoflow_benchmarks.run` makes, of one sample size, into a PNG (or PDF, SVG) file.

    Tasks down with their truth, estimators across; the number in a cell is the mean error over seeds in nats, heavy
    where it is within max(0.05 nats, 10 % of the truth), and a dash where the estimator refused the task. The last two
    rows are the mean absolute error and the number of tasks within that tolerance.

    Raises InvalidArgument for an empty table, one of several sample sizes, or a file format that can't be drawn.

    >>> import tempfile
    >>> row = dict(task="1v1-normal-0.75", truth=0.41, estimator="ksg", n=100, seed=0, error=0.02)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     draw(pd.DataFrame([row]), Path(folder) / "map.png")
    """
    if table.empty:
        raise InvalidArgument("the table holds no rows; want at least one to draw")
    if table["n"].nunique() != 1:
        raise InvalidArgument(f"the table holds {table['n'].nunique()} sample sizes; want one")
    target = Path(path)
    figure = Figure()
    canvas = FigureCanvasAgg(figure)
    if target.suffix.lstrip(".") not in canvas.get_supported_filetypes():
        raise InvalidArgument(f"path ends in {target.suffix!r}; want .png, .pdf or .svg")
    truths = table.groupby("task", sort=False)["truth"].first()
    errors = table.pivot_table(
        index="task", columns="estimator", values="error", aggfunc="mean", dropna=False, sort=False
    )
    errors = errors.reindex(index=truths.index, columns=list(dict.fromkeys(table["estimator"])))
    _compose(figure, errors, truths, n=int(table["n"].iloc[0]), seeds=table["seed"].nunique())
    part = target.with_name(f".{target.stem}.{os.getpid()}{target.suffix}")
    try:
        canvas.print_figure(part, dpi=_DPI, facecolor="white")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _compose(figure: Figure, errors: pd.DataFrame, truths: pd.Series[float], *, n: int, seeds: int) -> None:
    rows, columns = errors.shape
    width = max(_NAMES + _TRUTH + columns * _COLUMN + _RIGHT, 5.6)
    height = _TOP + (rows + 2.5) * _ROW + _BOTTOM
    figure.set_size_inches(width, height)
    left, body = _NAMES + _TRUTH, columns * _COLUMN
    axes = figure.add_axes((left / width, _BOTTOM / height, body / width, (rows + 2.5) * _ROW / height), frameon=False)
    axes.set(xlim=(0, columns), ylim=(rows + 2.5, 0), xticks=[], yticks=[])
    norm = SymLogNorm(_LINEAR, linscale=0.5, vmin=-_LARGEST, vmax=_LARGEST, base=10)
    colors = matplotlib.colormaps["RdBu_r"]
    tolerance = np.maximum(0.05, 0.1 * truths.to_numpy())
    values = errors.to_numpy(dtype=float)
    for i in range(rows):
        _text(axes, -_TRUTH / _COLUMN - 0.05, i + 0.5, title(str(errors.index[i])), ha="right")
        _text(axes, -0.1, i + 0.5, f"{truths.iloc[i]:.2f}", ha="right", color=_QUIET)
        for j in range(columns):
            error = values[i, j]
            if np.isnan(error):
                _text(axes, j + 0.5, i + 0.5, "–", ha="center", color=_QUIET)
                continue
            red, green, blue, _ = colors(norm(np.clip(error, -_LARGEST, _LARGEST)))
            axes.add_patch(Rectangle((j, i), 1, 1, facecolor=(red, green, blue), edgecolor="white", linewidth=0.8))
            dark = 0.3 * red + 0.59 * green + 0.11 * blue < 0.55
            right = abs(error) <= tolerance[i]
            _text(
                axes,
                j + 0.5,
                i + 0.5,
                _signed(error),
                ha="center",
                color="white" if dark else _INK,
                weight="bold" if right else "normal",
            )
    axes.plot(
        [-_NAMES / _COLUMN - _TRUTH / _COLUMN + 0.2, columns], [rows + 0.25] * 2, color=_FAINT, lw=0.8, clip_on=False
    )
    _foot(axes, values, tolerance)
    for j, name in enumerate(errors.columns):
        axes.text(j + 0.42, -0.25, heading(str(name)), rotation=38, ha="left", va="bottom", fontsize=7.5, color=_INK)
    _text(axes, -0.1, -0.45, "truth", ha="right", color=_QUIET)
    _words(figure, width, height, n, seeds)
    _bar(figure, width, height, left, body, ScalarMappable(norm, colors))


def _foot(axes: Axes, values: np.ndarray, tolerance: np.ndarray) -> None:
    rows, columns = values.shape
    taken = ~np.isnan(values)
    right = (np.abs(np.nan_to_num(values)) <= tolerance[:, None]) & taken
    _text(axes, -0.1, rows + 1, "mean |error|", ha="right", color=_QUIET)
    _text(axes, -0.1, rows + 2, "tasks within tolerance", ha="right", color=_QUIET)
    for j in range(columns):
        count = int(taken[:, j].sum())
        mean = f"{np.abs(values[taken[:, j], j]).mean():.3f}" if count else "–"
        _text(axes, j + 0.5, rows + 1, mean, ha="center")
        _text(axes, j + 0.5, rows + 2, f"{right[:, j].sum()} / {count}", ha="center")


def _words(figure: Figure, width: float, height: float, n: int, seeds: int) -> None:
    drawn = "one draw of" if seeds == 1 else f"mean of {seeds} draws of"
    figure.text(0.14 / width, 1 - 0.16 / height, "Estimate less truth, in nats", fontsize=10.5, weight="bold", va="top")
    figure.text(
        0.14 / width,
        1 - 0.4 / height,
        f"{drawn} n = {n} samples\nbold: within 0.05 nats or 10 %",
        fontsize=7.5,
        color=_QUIET,
        va="top",
        linespacing=1.4,
    )


def _bar(figure: Figure, width: float, height: float, left: float, body: float, colors: ScalarMappable) -> None:
    length = min(max(body, 2.2), 3.6)
    axes = figure.add_axes((left / width, 0.36 / height, length / width, 0.1 / height))
    ticks = [-1, -0.3, -0.1, 0, 0.1, 0.3, 1]
    bar = figure.colorbar(colors, cax=axes, orientation="horizontal", ticks=ticks)
    bar.ax.set_xticklabels([_signed(t, "g") for t in ticks], fontsize=6.5, color=_QUIET)
    bar.ax.minorticks_off()
    bar.ax.tick_params(length=2, color=_FAINT)
    bar.outline.set_visible(False)
    bar.ax.text(-0.02, 0.5, "too little", ha="right", va="center", fontsize=7, color=_QUIET, transform=bar.ax.transAxes)
    bar.ax.text(1.02, 0.5, "too much", ha="left", va="center", fontsize=7, color=_QUIET, transform=bar.ax.transAxes)


def _signed(value: float, style: str = ".2f") -> str:
    text = f"{abs(value):{style}}"
    if float(text) == 0:
        return text
    return f"{'−' if value < 0 else '+'}{text}"


def _text(axes: Axes, x: float, y: float, text: str, **style: Any) -> None:
    axes.text(x, y, text, va="center", fontsize=7, **{"color": _INK, **style})
