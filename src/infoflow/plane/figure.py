"""The information plane as one image of print quality: the plane, I(X;T) and accuracy through training.

All is drawn with matplotlib's objects and the Agg canvas: no pyplot, no global state, no rcParams.
"""

from __future__ import annotations

import os
import textwrap
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.core.estimate import NATS_PER_BIT
from infoflow.core.files import write_atomically
from infoflow.core.settings import OneOf, check, validated
from infoflow.plane import panels
from infoflow.plane.epoch_axis import EpochAxis
from infoflow.plane.naming import find
from infoflow.plane.panels import COLUMN, INK, LARGE, LEFT, NORMAL, QUIET, SMALL, Drawing
from infoflow.plane.table import PlaneTable
from infoflow.plane.text_placement import fit, plain, width

DPI = 300
ALL = "all"
"""The name that stands for every estimator of the plane."""
# Inches, as in `panels`.
TOP, BOTTOM, BAR, NOTE_LINE = 0.94, 0.52, 0.5, 0.1
ROWS = (2.55, 1.55, 0.95)
ROW_GAPS = (0.62, 0.16)
MOST_ACROSS = 4
"""Networks next to each other; more begin a new row of panels."""


def draw(
    plane: PlaneTable,
    path: str | os.PathLike[str],
    *,
    estimator: str | None = None,
    units: Literal["bits", "nats"] = "bits",
    probe: str | None = None,
) -> None:
    """Draw I(T;Y) over I(X;T) of every network, with I(X;T) and accuracy through training, into one image.

    Parameters
    ----------
    plane : Plane
        The plane.
    path
        Image file; its ending (.png, .pdf, .svg) sets the format.
    estimator
        Estimator of the plane, by its name there ("Binning(width=0.07)") or as it was passed ("binning:width=0.07");
        "all" draws every one, one below the other. None for the first; the image then names the others.
    units
        "bits" or "nats".
    probe
        Name of a probe in the plane; None for the first.

    Raises
    ------
    UnknownName
        If estimator, units or probe do not exist.
    InvalidArgument
        If the format cannot be drawn, the path is a folder, or the plane is empty.

    Notes
    -----
    Points are means over seeds, colored by epoch; thin lines are single seeds, and bands reach from their 10 % to their
    90 % quantile. Dashed lines are ceilings; a hollow point has reached one of them in at least one seed, so it is a
    lower bound only (H(Y) makes no point hollow, as no I(T;Y) exceeds it). An estimator of I(T;Y) alone is drawn by
    depth. Names that are too long are shortened. More than 12 layers are drawn as one band by depth, thick at the last
    snapshot and thin at a few earlier ones; every few layers are named.

    References
    ----------
    R. Shwartz-Ziv and N. Tishby, "Opening the black box of deep neural networks via information" (2017), figure 2.
    """
    target = Path(path)
    canvas = _canvas_for(target)
    draw_on(canvas.figure, plane, estimator=estimator, units=units, probe=probe)
    write_atomically(target, lambda part: canvas.print_figure(part, dpi=DPI, facecolor="white"))


@validated
def draw_on(
    figure: Figure,
    plane: PlaneTable,
    *,
    estimator: str | None = None,
    units: Literal["bits", "nats"] = "bits",
    probe: str | None = None,
) -> None:
    """Draw what `draw` draws on an empty figure that the caller owns; its size is set, and it is not written.

    Parameters
    ----------
    figure
        Empty figure.
    plane : Plane
        The plane.
    estimator
        Estimator of the plane, as in `draw`; None for the first.
    units
        "bits" or "nats".
    probe
        Name of a probe in the plane; None for the first.

    Raises
    ------
    UnknownName
        If estimator, units or probe do not exist.
    InvalidArgument
        If the plane is empty.
    """
    if plane.frame.empty:
        raise InvalidArgument("plane", "a plane with estimates", got_text="an empty one")
    shown = check(probe or plane.probes[0], "probe", OneOf(tuple(plane.probes)))
    blocks: list[_Block] = []
    for name in _chosen(plane, estimator):
        frame = plane.frame[(plane.frame["estimator"] == name) & (plane.frame["probe"] == shown)].copy()
        frame[["nats", "ceiling"]] /= NATS_PER_BIT if units == "bits" else 1.0
        networks = [str(network) for network in frame["network"].unique()]
        for start in range(0, len(networks), MOST_ACROSS):
            blocks.append(_Block(figure, plane, frame, name, networks[start : start + MOST_ACROSS], units))
    notes = _notes(plane, blocks, estimator)
    wide = LEFT + max(len(block.networks) * (COLUMN + block.gutter) for block in blocks) + BAR
    # A letter is about half as wide as high; a note may be wider than a single panel.
    lines = textwrap.wrap(notes, int((wide - LEFT) * 72 / (0.52 * (SMALL - 0.5))))
    figure.set_size_inches(wide, sum(block.height for block in blocks) + BOTTOM + NOTE_LINE * len(lines))
    top = 0.0
    for block in blocks:
        block.draw(top, shown if len(plane.probes) > 1 else "")
        top += block.height
    wide, high = figure.get_size_inches()
    figure.text(LEFT / wide, 0.08 / high, "\n".join(lines), fontsize=SMALL - 0.5, color=QUIET, va="bottom")


def _chosen(plane: PlaneTable, estimator: str | None) -> list[str]:
    """Names of the estimators to draw."""
    if estimator == ALL:
        return plane.estimators
    if estimator is None:
        return plane.estimators[:1]
    found = find(estimator, plane.estimators)
    if found is None:
        raise UnknownName("estimator", estimator, plane.estimators)
    return [found]


def _canvas_for(path: Path) -> FigureCanvasAgg:
    canvas = FigureCanvasAgg(Figure())
    formats = canvas.get_supported_filetypes()
    if path.is_dir():
        raise InvalidArgument("path", "the name of an image file", got_text=f"the folder {str(path)!r}")
    if path.suffix.lower().lstrip(".") not in formats:
        raise InvalidArgument("path", f"the name of a file that ends in {', '.join(sorted(formats))}", str(path))
    return canvas


class _Block:
    """The panels of one estimator for a few networks, next to each other."""

    def __init__(
        self, figure: Figure, plane: PlaneTable, frame: pd.DataFrame, name: str, networks: list[str], units: str
    ) -> None:
        self.figure, self.plane, self.frame, self.name, self.networks, self.units = (
            figure,
            plane,
            frame,
            name,
            networks,
            units,
        )
        metrics = plane.metrics[plane.metrics["metric"].str.endswith("accuracy")]
        self.metrics = metrics[metrics["network"].isin(networks)]
        self.planar = "input" in set(frame["axis"])
        shown = frame[frame["network"].isin(networks)]
        layers = shown["layer"].unique()
        self.deepest = int(shown.groupby("network")["layer"].nunique().max())
        names = [panels.short(str(layer)) for layer in layers]
        names += [panels.short(str(metric).removesuffix("_accuracy")) for metric in self.metrics["metric"].unique()]
        longest = max(width(figure, each, SMALL) for each in names)
        # At the right of every column, the names of its lines.
        self.gutter = 0.5 + longest
        rows = ROWS if len(self.metrics) else ROWS[:2]
        # Below a panel by depth, long names of layers are upright, as they would reach beyond the figure otherwise.
        self.angle = 40.0 if longest < LEFT else 90.0
        gaps = (ROW_GAPS[0] if self.planar else 0.3 + longest, ROW_GAPS[1])
        self.rows = rows
        self.tops = [TOP + sum(rows[:i]) + sum(gaps[:i]) for i in range(len(rows))]
        self.height = self.tops[-1] + rows[-1] + 0.1

    def draw(self, above: float, probe: str) -> None:
        """Draw all panels below this height, in inches from the figure's upper end."""
        epochs = EpochAxis(sorted(set(self.frame["epoch"])))
        drawing = Drawing(self.figure, self.frame, self.units, epochs, self.plane.time, above)
        axis = "input" if drawing.planar else "label"
        ranges = {side: panels.limits(self.frame[self.frame["axis"] == side]) for side in {axis, "label"}}
        top: Axes | None = None
        for column, network in enumerate(self.networks):
            part, first = self.frame[self.frame["network"] == network], column == 0
            top, *lower = (
                drawing.axes(LEFT + column * (COLUMN + self.gutter), start, height)
                for start, height in zip(self.tops, self.rows, strict=True)
            )
            title = top.set_title(network, fontsize=LARGE, color=INK, loc="left", pad=14, fontweight="bold")
            fit(plain(title), COLUMN + self.gutter - 0.1)
            top.set_ylim(ranges["label"])
            if drawing.planar:
                top.set_xlim(ranges["input"])
                panels.plane_panel(top, drawing, part, first=first)
            else:
                panels.depth_panel(top, drawing, part, first=first, angle=self.angle)
            lower[0].set_ylim(ranges[axis])
            for axes in lower:
                epochs.apply(axes)
                axes.tick_params(labelbottom=axes is lower[-1])
            lower[-1].set_xlabel(drawing.time, fontsize=NORMAL, color=INK, labelpad=2)
            panels.curves_panel(lower[0], drawing, part, first=first)
            if len(self.metrics):
                panels.accuracy_panel(lower[1], drawing, self.metrics, network, first=first)
        assert top is not None
        panels.colorbar(drawing, top, self.deepest)
        self._facts(drawing, probe)

    def _facts(self, drawing: Drawing, probe: str) -> None:
        """Estimator, samples, seeds and the true I(X;T) above the panels."""
        frame = self.frame[self.frame["network"].isin(self.networks)]
        seeds = int(frame["seed"].nunique())
        counts = " / ".join(map(str, sorted(frame["n"].unique())))
        facts = [f"N = {counts}", f"{seeds} seeds" if seeds > 1 else "one seed"]
        drawing.text(0.2, self.name, LARGE, INK)
        drawing.text(0.36, ", ".join([*facts, f"probe {probe}"] if probe else facts), NORMAL, QUIET)
        recordings: Any = self.plane.provenance.get("recordings", {})
        truths = [recordings.get(network, {}).get("truth") for network in self.networks]
        if known := list(dict.fromkeys(str(truth) for truth in truths if truth)):
            drawing.text(0.5, f"true I(X;T): {' / '.join(known)}", SMALL, QUIET)


def _notes(plane: PlaneTable, blocks: list[_Block], estimator: str | None) -> str:
    """How to read the panels."""
    frames = pd.concat([block.frame for block in blocks])
    notes = []
    if frames["seed"].nunique() > 1:
        notes.append("Points and lines: mean over seeds. Thin lines: single seeds; bands: their 10–90 %.")
    if any(block.planar and block.deepest > panels.MOST_NAMED for block in blocks):
        notes.append(f"Bands: all layers at one {plane.time}, colored by depth; the thick one is the last.")
    if panels.at_least(frames).any():
        notes.append("Hollow points: at a ceiling, lower bound only.")
    if 0 in set(frames["epoch"]):
        notes.append(f"{plane.time.capitalize()} 0: before training.")
    if not all(block.planar for block in blocks):
        notes.append("I(X;T) was not estimated; lines over depth are colored by " + plane.time + ".")
    others = [name for name in plane.estimators if name not in {block.name for block in blocks}]
    if estimator is None and others:
        listed = ", ".join(others if len(others) < 4 else [*others[:3], "..."])
        notes.append(f"Not drawn: {listed} (estimator=... selects one, 'all' draws every one).")
    return " ".join(notes)
