"""The information plane as one image, good enough for a paper: the plane, I(X;T) and accuracy through training.

Everything goes through matplotlib's objects and the Agg canvas: no pyplot, no global state, no rcParams.
"""

from __future__ import annotations

import os
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Colormap, ListedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from infoflow.core.checks import choice
from infoflow.core.errors import InvalidArgument
from infoflow.core.estimate import NATS_PER_BIT
from infoflow.plane.labeling import label_ends, label_points, plain
from infoflow.plane.table import PlaneTable

INK, QUIET, FAINT = "#1c1c1c", "#5f5f5f", "#c4c4c4"
MARKERS = "osD^vP*Xphd<>"
BAND = (0.1, 0.9)
DPI = 300
# Inches. Fixed, so that type has the same size on the page however many networks there are.
COLUMN, LEFT, TOP, BOTTOM, BAR = 2.75, 0.58, 0.84, 0.62, 0.45
ROWS = (2.55, 1.55, 0.95)
ROW_GAPS = (0.62, 0.16)
SMALL, NORMAL, LARGE = 6.5, 7.5, 8.5
LONGEST = 22  # characters of a layer's name that are written out


def draw(
    plane: PlaneTable,
    path: str | os.PathLike[str],
    *,
    estimator: str | None = None,
    units: str = "bits",
    probe: str | None = None,
) -> None:
    """Draws I(T;Y) over I(X;T) of every network, with I(X;T) and accuracy through training, into one image.

    Points are means over seeds, colored by epoch; thin lines are the single seeds, bands reach from their 10 % to
    their 90 % quantile. Dashed lines are the ceilings; a hollow point has reached one of them in at least one
    seed, so it says "at least" (H(Y) makes none hollow, as no I(T;Y) exceeds it). `estimator` is a label of the
    plane (default: its first), `units` "bits" or "nats", `probe` one of the plane's probes (default: its first).
    The file's ending (.png, .pdf, .svg) says the format. Shwartz-Ziv & Tishby, "Opening the black box of deep
    neural networks via information" (2017), figure 2, drew the first of these.

    Raises UnknownName for an estimator, unit or probe that isn't there; InvalidArgument for a file format that
    can't be drawn, a path that is a folder, or an empty plane.
    """
    target = Path(path)
    canvas = _canvas_for(target)
    draw_on(canvas.figure, plane, estimator=estimator, units=units, probe=probe)
    target.parent.mkdir(parents=True, exist_ok=True)
    canvas.print_figure(target, dpi=DPI, facecolor="white")


def draw_on(
    figure: Figure,
    plane: PlaneTable,
    *,
    estimator: str | None = None,
    units: str = "bits",
    probe: str | None = None,
) -> None:
    """What `draw` draws, on an empty figure that somebody else writes; sets its size. Raises likewise."""
    if plane.frame.empty:
        raise InvalidArgument("the plane holds no estimates; want at least one to draw")
    choice(units, "unit", ["bits", "nats"])
    label = choice(estimator or plane.estimators[0], "estimator", plane.estimators)
    probes = list(plane.frame["probe"].unique())
    shown_probe = choice(probe or probes[0], "probe", probes)
    frame = plane.frame[(plane.frame["estimator"] == label) & (plane.frame["probe"] == shown_probe)].copy()
    scale = NATS_PER_BIT if units == "bits" else 1.0
    frame[["nats", "ceiling"]] /= scale
    _compose(figure, plane, frame, label, shown_probe if len(probes) > 1 else "", units)


def _canvas_for(path: Path) -> FigureCanvasAgg:
    canvas = FigureCanvasAgg(Figure())
    formats = canvas.get_supported_filetypes()
    if path.is_dir():
        raise InvalidArgument(f"path is {str(path)!r}, which is a folder; want the name of an image file")
    if path.suffix.lower().lstrip(".") not in formats:
        raise InvalidArgument(f"path is {str(path)!r}; want an ending among {', '.join(sorted(formats))}")
    return canvas


def _compose(figure: Figure, plane: PlaneTable, frame: pd.DataFrame, label: str, probe: str, units: str) -> None:
    networks = [str(name) for name in frame["network"].unique()]
    metrics = _accuracies(plane.metrics)
    rows = ROWS if len(metrics) else ROWS[:2]
    gaps = ROW_GAPS[: len(rows) - 1]
    # Room at the right of every column for the names of its lines.
    gutter = 0.36 + 0.052 * min(LONGEST, max(map(len, frame["layer"].unique())))
    width = LEFT + len(networks) * (COLUMN + gutter) + BAR
    height = TOP + sum(rows) + sum(gaps) + BOTTOM
    figure.set_size_inches(width, height)

    def axes(row: int, column: int) -> Axes:
        left = LEFT + column * (COLUMN + gutter)
        top = TOP + sum(rows[:row]) + sum(gaps[:row])
        return figure.add_axes((left / width, 1 - (top + rows[row]) / height, COLUMN / width, rows[row] / height))

    epochs = sorted(set(frame["epoch"]))
    clock = _Clock(epochs)
    ranges = {axis: _range(frame[frame["axis"] == axis]) for axis in ("input", "label")}
    drawn: dict[tuple[int, int], Axes] = {}
    for column, network in enumerate(networks):
        part = frame[frame["network"] == network]
        top = axes(0, column)
        top.set_xlim(ranges["input"])
        top.set_ylim(ranges["label"])
        _style(top)
        _plain_title(top, network)
        _plane_panel(top, part, clock, units, first=column == 0)
        middle = axes(1, column)
        middle.set_ylim(ranges["input"])
        _style(middle)
        clock.axis(middle, named=len(rows) == 2)
        _curves_panel(middle, part, clock, units, first=column == 0)
        drawn[0, column], drawn[1, column] = top, middle
        if len(metrics):
            bottom = axes(2, column)
            _style(bottom)
            clock.axis(bottom, named=True)
            middle.tick_params(labelbottom=False)
            _accuracy_panel(bottom, metrics, network, clock, first=column == 0)
    _colorbar(figure, drawn[0, len(networks) - 1], clock, width)
    _words(figure, frame, label, probe, width, height, _truths(plane, networks))


class _Clock:
    """Epochs on a logarithmic axis that has room for epoch 0 (before training), and their colors."""

    def __init__(self, epochs: Sequence[int]) -> None:
        positive = [epoch for epoch in epochs if epoch > 0]
        self.first = min(positive, default=1)
        self.last = max(max(positive, default=1), self.first * 2)
        self.zero = self.first / 2 if 0 in epochs else None
        self.norm = LogNorm(self.zero or self.first, self.last)
        self.colors: Colormap = _part("inferno", 0.05, 0.88)

    def place(self, epochs: Any) -> np.ndarray:
        values = np.asarray(epochs, dtype=float)
        return np.where(values > 0, values, self.zero or self.first)

    def ticks(self) -> list[float]:
        powers = [10.0**k for k in range(12) if self.first <= 10.0**k <= self.last * 1.001]
        return ([self.zero] if self.zero else []) + (powers or [float(self.first), float(self.last)])

    def text(self, value: float, _: Any = None) -> str:
        if self.zero and value == self.zero:
            return "0"
        exponent = np.log10(value)
        return f"{value:g}" if value < 1e4 or exponent % 1 else f"$10^{{{int(exponent)}}}$"

    def axis(self, axes: Axes, *, named: bool) -> None:
        axes.set_xscale("log")
        axes.set_xlim((self.zero or self.first) / 1.2, self.last * 1.12)
        axes.xaxis.set_major_locator(FixedLocator(self.ticks()))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(self.text))
        if named:
            axes.set_xlabel("epoch", fontsize=NORMAL, color=INK, labelpad=2)


def _part(name: str, low: float, high: float, count: int = 256) -> ListedColormap:
    return ListedColormap(matplotlib.colormaps[name](np.linspace(low, high, count)))


def depth_colors(count: int) -> list[Any]:
    """A color per layer, dark to light with depth, all dark enough to be read on white."""
    return [tuple(rgba) for rgba in matplotlib.colormaps["viridis"](np.linspace(0.0, 0.74, max(count, 2)))][:count]


def _range(part: pd.DataFrame) -> tuple[float, float]:
    """From zero (or below, if estimates are), so that distances compare, to a little above the ceiling or the data."""
    top = float(part["nats"].max())
    finite = part["ceiling"][np.isfinite(part["ceiling"])]
    # A ceiling far above everything would only squeeze the picture.
    if len(finite) and finite.max() < 3 * max(top, 1e-9):
        top = max(top, float(finite.max()))
    low = min(0.0, float(part["nats"].min()))
    top = top if top > low else low + 1.0
    span = top - low
    return low - 0.03 * span, top + 0.09 * span


def _style(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(QUIET)
        axes.spines[side].set_linewidth(0.6)
    axes.tick_params(labelsize=SMALL, color=QUIET, labelcolor=INK, width=0.6, length=2.5, pad=2)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.yaxis.set_major_locator(MaxNLocator(5))


def _plain_title(axes: Axes, name: str) -> None:
    plain(axes.set_title(name, fontsize=LARGE, color=INK, loc="left", pad=7, fontweight="bold"))


def _named(part: pd.DataFrame, axis: str, units: str) -> str:
    """What the axis shows, of which kind: "H(Q(T)) [bits], plug-in"."""
    rows = part[part["axis"] == axis]
    quantities, kinds = " / ".join(rows["quantity"].unique()), " / ".join(rows["kind"].unique())
    return f"{quantities} [{units}], {kinds}"


def _layers(part: pd.DataFrame) -> list[str]:
    return [str(name) for name in part.sort_values("depth", kind="stable")["layer"].unique()]


def _by_seed(part: pd.DataFrame, axis: str, layer: str) -> pd.DataFrame:
    """Epochs down, seeds across."""
    rows = part[(part["axis"] == axis) & (part["layer"] == layer)]
    return rows.pivot_table(index="epoch", columns="seed", values="nats")


def _plane_panel(axes: Axes, part: pd.DataFrame, clock: _Clock, units: str, *, first: bool) -> None:
    axes.set_xlabel(_named(part, "input", units), fontsize=NORMAL, color=INK, labelpad=2)
    if first:
        axes.set_ylabel(_named(part, "label", units), fontsize=NORMAL, color=INK, labelpad=3)
    _ceilings(axes, part)
    ruled = len(axes.lines)
    layers = _layers(part)
    saturated = part[_at_least(part)].groupby("layer")["epoch"].unique()
    ends: dict[str, tuple[float, float]] = {}
    everything: list[np.ndarray] = []
    for number, layer in enumerate(layers):
        x, y = _by_seed(part, "input", layer), _by_seed(part, "label", layer)
        if x.shape[1] > 1:
            seeds = [np.column_stack([x[s], y[s]]) for s in x.columns if s in y.columns]
            axes.add_collection(LineCollection(seeds, colors=FAINT, linewidths=0.35, alpha=0.6, zorder=1))
        mean = pd.concat([x.mean(axis=1), y.mean(axis=1)], axis=1, keys=["x", "y"]).dropna()
        axes.plot(mean["x"], mean["y"], color=QUIET, linewidth=0.5, zorder=2, alpha=0.7)
        colors = clock.colors(clock.norm(clock.place(mean.index)))
        hollow = mean.index.isin(saturated.get(layer, []))
        axes.scatter(
            mean["x"],
            mean["y"],
            s=11,
            marker=MARKERS[number % len(MARKERS)],
            facecolors=np.where(hollow[:, None], (1.0, 1.0, 1.0, 1.0), colors),
            edgecolors=colors,
            linewidths=0.6,
            zorder=3,
            clip_on=False,
        )
        ends[layer] = (float(mean["x"].iloc[-1]), float(mean["y"].iloc[-1]))
        everything.append(mean.to_numpy())
    # Names keep clear of the ceilings' lines too.
    across, up = axes.get_xlim(), axes.get_ylim()
    for line in axes.lines[:ruled]:
        everything.append(np.column_stack([_along(line.get_xdata(), across), _along(line.get_ydata(), up)]))
    label_points(axes, _shortened(ends), np.concatenate(everything), size=SMALL, color=INK, line=QUIET)


def _at_least(frame: pd.DataFrame) -> pd.Series[bool]:
    """Which rows only say "at least": those at a ceiling, but for H(Y), which no I(T;Y) exceeds."""
    return frame["saturated"] & ~((frame["axis"] == "label") & (frame["ceiling_name"] == "H(Y)"))


def _along(ends: Any, limits: tuple[float, float], count: int = 200) -> np.ndarray:
    """Points along a ruled line: its own place in one direction, the whole axis in the other."""
    first, last = (float(value) for value in ends)
    return np.linspace(*((first, last) if first == last else limits), count)


def _short(name: str) -> str:
    """A long name's end, which tells layers apart (`features.block3.norm`)."""
    return name if len(name) <= LONGEST else "…" + name[1 - LONGEST :]


def _shortened(ends: dict[str, tuple[float, float]]) -> list[tuple[str, tuple[float, float]]]:
    return [(_short(name), place) for name, place in ends.items()]


def _ceilings(axes: Axes, part: pd.DataFrame) -> None:
    for axis, line in (("input", axes.axvline), ("label", axes.axhline)):
        rows = part[(part["axis"] == axis) & np.isfinite(part["ceiling"])]
        for name, ceiling in rows.groupby("ceiling_name")["ceiling"].max().items():
            limits = axes.get_xlim() if axis == "input" else axes.get_ylim()
            if not limits[0] <= ceiling <= limits[1]:
                continue
            line(ceiling, color=QUIET, linewidth=0.7, linestyle=(0, (4, 3)), zorder=0.5)
            words = f"{name} = {ceiling:.2f}"
            if axis == "input":
                where: dict[str, Any] = {"xy": (ceiling, 1.0), "xycoords": axes.get_xaxis_transform()}
                place: dict[str, Any] = {"xytext": (0, 2), "ha": "center", "va": "bottom"}
            else:
                where = {"xy": (0.01, ceiling), "xycoords": axes.get_yaxis_transform()}
                place = {"xytext": (0, 2), "ha": "left", "va": "bottom"}
            plain(axes.annotate(words, **where, **place, textcoords="offset points", fontsize=SMALL, color=QUIET))


def _curves_panel(axes: Axes, part: pd.DataFrame, clock: _Clock, units: str, *, first: bool) -> None:
    if first:
        quantity = " / ".join(part.loc[part["axis"] == "input", "quantity"].unique())
        axes.set_ylabel(f"{quantity} [{units}]", fontsize=NORMAL, color=INK, labelpad=3)
    ceiling = part.loc[(part["axis"] == "input") & np.isfinite(part["ceiling"]), "ceiling"]
    if len(ceiling) and ceiling.max() <= axes.get_ylim()[1]:
        axes.axhline(ceiling.max(), color=QUIET, linewidth=0.7, linestyle=(0, (4, 3)), zorder=0.5)
    layers = _layers(part)
    colors = depth_colors(len(layers))
    heights = []
    for number, (layer, color) in enumerate(zip(layers, colors, strict=False)):
        values = _by_seed(part, "input", layer)
        x = clock.place(values.index)
        mean = values.mean(axis=1)
        if values.shape[1] > 1:
            low, high = (values.quantile(q, axis=1) for q in BAND)
            axes.fill_between(x, low, high, color=color, alpha=0.16, linewidth=0, zorder=1)
        every = max(1, len(x) // 8)
        axes.plot(
            x, mean, color=color, linewidth=1.0, marker=MARKERS[number % len(MARKERS)], markersize=2.8,
            markevery=(number % every, every), zorder=2, clip_on=False,
        )  # fmt: skip
        heights.append(float(mean.iloc[-1]))
    label_ends(axes, [_short(layer) for layer in layers], heights, colors, size=SMALL)


def _accuracies(metrics: pd.DataFrame) -> pd.DataFrame:
    return metrics[metrics["metric"].str.endswith("accuracy")]


def _accuracy_panel(axes: Axes, metrics: pd.DataFrame, network: str, clock: _Clock, *, first: bool) -> None:
    part = metrics[metrics["network"] == network]
    if first:
        axes.set_ylabel("accuracy", fontsize=NORMAL, color=INK, labelpad=3)
    low = float(metrics["value"].min())
    axes.set_ylim(low - 0.05 * (1.0 - low) - 1e-3, 1.0 + 0.05 * (1.0 - low) + 1e-3)
    names, heights, colors = [], [], []
    styles = {"train_accuracy": (0, (3, 1.5)), "test_accuracy": "solid"}
    for name in part["metric"].unique():
        values = part[part["metric"] == name].pivot_table(index="epoch", columns="seed", values="value")
        x = clock.place(values.index)
        color = QUIET if name == "train_accuracy" else INK
        if values.shape[1] > 1:
            low_band, high_band = (values.quantile(q, axis=1) for q in BAND)
            axes.fill_between(x, low_band, high_band, color=color, alpha=0.14, linewidth=0)
        mean = values.mean(axis=1)
        axes.plot(x, mean, color=color, linewidth=0.9, linestyle=styles.get(name, (0, (1, 1))))
        names.append(name.removesuffix("_accuracy"))
        heights.append(float(mean.iloc[-1]))
        colors.append(color)
    label_ends(axes, names, heights, colors, size=SMALL)


def _colorbar(figure: Figure, beside: Axes, clock: _Clock, width: float) -> None:
    box = beside.get_position()
    bar_axes = figure.add_axes((box.x1 + 0.28 / width, box.y0, 0.09 / width, box.height))
    bar = figure.colorbar(ScalarMappable(clock.norm, clock.colors), cax=bar_axes)
    bar.outline.set_visible(False)
    bar.set_ticks(clock.ticks())
    bar.ax.yaxis.set_major_formatter(FuncFormatter(clock.text))
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.ax.tick_params(labelsize=SMALL, color=QUIET, labelcolor=INK, width=0.6, length=2, pad=2)
    bar.ax.set_title("epoch", fontsize=SMALL, color=INK, loc="left", pad=4)


def _truths(plane: PlaneTable, networks: Sequence[str]) -> list[str]:
    """What the true I(X;T) is, where the recordings say so: it is nothing that any of the pictures can show."""
    recordings = plane.provenance.get("recordings", {})
    return list(
        dict.fromkeys(str(recordings[name]["truth"]) for name in networks if recordings.get(name, {}).get("truth"))
    )


def _words(
    figure: Figure, frame: pd.DataFrame, label: str, probe: str, width: float, height: float, truths: Sequence[str]
) -> None:
    samples = " / ".join(str(n) for n in sorted(frame["n"].unique()))
    seeds = int(frame["seed"].nunique())
    facts = [f"N = {samples}", f"{seeds} seeds" if seeds > 1 else "one seed"]
    if probe:
        facts.append(f"probe {probe}")
    title = figure.text(LEFT / width, 1 - 0.2 / height, label, fontsize=LARGE, color=INK, va="top")
    plain(title)
    plain(figure.text(LEFT / width, 1 - 0.36 / height, ", ".join(facts), fontsize=NORMAL, color=QUIET, va="top"))
    if truths:
        words = f"true I(X;T): {' / '.join(truths)}"
        plain(figure.text(LEFT / width, 1 - 0.5 / height, words, fontsize=SMALL, color=QUIET, va="top"))
    notes = ["Hollow: at a ceiling, so “at least”."] if _at_least(frame).any() else []
    if seeds > 1:
        notes.insert(0, "Points and lines: mean over seeds. Thin lines: single seeds; bands: their 10–90 %.")
    if 0 in set(frame["epoch"]):
        notes.append("Epoch 0: before training.")
    size = SMALL - 0.5
    # A letter is about half as wide as it is high; a single panel is narrower than a note.
    letters = int((width - LEFT) * 72 / (0.52 * size))
    told = textwrap.fill(" ".join(notes), letters)
    figure.text(LEFT / width, 0.1 / height, told, fontsize=size, color=QUIET, va="bottom")
