"""The pictures of a row: the plane, the sensitivity of its verdicts to settings, and geometry."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter

from infoflow.core.estimate import NATS_PER_BIT
from infoflow.plane import Plane
from infoflow.plane.compression import THRESHOLD
from infoflow.plane.figure import draw_on
from infoflow.plane.panels import depth_colors
from infoflow.plane.truth import INFINITE
from infoflow_reproductions.harness.findings import Figure
from infoflow_reproductions.information_plane.curves import SIDES
from infoflow_reproductions.information_plane.reading import Reading
from infoflow_reproductions.information_plane.recipe import SettingSweep

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

_MEASURES = {
    "saturated": "saturated part",
    "effective_rank": "effective rank",
    "within": "distance within classes",
    "between": "distance between classes",
}
_DPI = 150

_Draw = Callable[["Canvas"], None]


def pictures(reading: Reading) -> list[Figure]:
    """All pictures that the reading has numbers for."""
    made = [_of_estimator(reading, estimator, _name("plane", i)) for i, estimator in enumerate(reading.drawn)]
    made += [
        Figure(
            _name("survival", i),
            f"Decrease of {_quantity(_swept(reading, sweep))} from its peak to the end of training, relative to the "
            f"peak, against {sweep.sweep.name}: medians over seeds, one line for each layer. Open markers: at least "
            f"half of the seeds are saturated. Dashed: {THRESHOLD:.0%}, above which a layer compresses.",
            _survival(reading, sweep),
        )
        for i, sweep in enumerate(reading.recipe.sweeps)
    ]
    if len(reading.sides):
        what = _quantity(reading.sides)
        caption = f"{what} of training inputs (solid) and of as many test inputs (dashed): means over seeds."
        made.append(Figure("sides", caption, _sides(reading)))
    if len(reading.geometry):
        made.append(Figure("geometry", "Geometry of the activations: means over seeds.", _geometry(reading)))
    return made


def _of_estimator(reading: Reading, estimator: str, name: str) -> Figure:
    """The plane, or where the label axis has no estimator the change on the input axis: the rest is a constant."""
    if reading.has_plane(estimator):
        caption = f"The information plane, estimated with {estimator}.{_remark(reading, estimator)}"
        return Figure(name, caption, _plane(reading, estimator))
    caption = (
        f"Change of {_quantity(_measured(reading, estimator))} since the start of training, estimated with "
        f"{estimator}: means over "
        "seeds, and bands from the lowest to the highest seed."
    )
    return Figure(name, caption, _changes(reading, estimator))


def _remark(reading: Reading, estimator: str) -> str:
    """A sentence on the networks of a plane whose true I(X;T) is infinite, if there are any."""
    if not reading.is_geometric(estimator):
        return ""
    truths = reading.truths(estimator)
    infinite = [network for network, truth in truths.items() if truth == INFINITE]
    if not infinite:
        return ""
    of = "" if len(infinite) == len(truths) else f" of {' and '.join(infinite)}"
    return f" The true I(X;T){of} is infinite; the plane{' then' if of else ''} shows a geometric quantity."


def _quantity(frame: pd.DataFrame) -> str:
    """What the input axis of these rows holds: I(X;T), or what stands for it; of several orders, I_α(X;T)."""
    names = set(frame.loc[frame["axis"] == "input", "quantity"])
    if len(names) > 1:
        names = {re.sub(r"_[\d.]+\(", "_α(", name) for name in names}
    return " or ".join(sorted(names))


def _measured(reading: Reading, estimator: str) -> pd.DataFrame:
    """The plane's rows of one estimator on the input axis."""
    frame = reading.plane.frame
    return frame[(frame["estimator"] == estimator) & (frame["axis"] == "input")]


def _swept(reading: Reading, sweep: SettingSweep) -> pd.DataFrame:
    """The plane's rows of a sweep's estimators."""
    frame = reading.plane.frame
    return frame[frame["estimator"].map(sweep.value_of).notna()]


def _name(kind: str, number: int) -> str:
    return kind if number == 0 else f"{kind}-{number + 1}"


def _plane(reading: Reading, estimator: str) -> _Draw:
    def draw(canvas: Canvas) -> None:
        canvas.set_layout_engine("none")
        canvas.set_dpi(_DPI)
        truths = {network: {"truth": truth} for network, truth in reading.truths(estimator).items()}
        plane = Plane(reading.plane.frame, reading.plane.metrics, {**reading.plane.provenance, "recordings": truths})
        draw_on(canvas, plane, estimator=estimator)

    return draw


def _changes(reading: Reading, estimator: str) -> _Draw:
    frame = _measured(reading, estimator)

    def draw(panel: Axes, network: str) -> None:
        layers = [layer for layer in reading.layers(network) if len(reading.rows(network, layer, estimator))]
        for layer, color in zip(layers, depth_colors(len(layers)), strict=True):
            bits = reading.nats(network, layer, estimator) / NATS_PER_BIT
            change = bits - bits.iloc[0]
            panel.plot(change.index + 1, change.mean(axis=1), color=color, linewidth=1, label=layer)
            panel.fill_between(change.index + 1, change.min(axis=1), change.max(axis=1), color=color, alpha=0.2)
        panel.axhline(0.0, color="0.4", linewidth=0.7, linestyle=(0, (4, 3)))

    return _one_panel_each(reading, frame, draw, "epoch + 1", f"change of {_quantity(frame)}, bits", space=0.25)


def _survival(reading: Reading, sweep: SettingSweep) -> _Draw:
    table = reading.compression.assign(value=reading.compression["estimator"].map(sweep.value_of))
    table = table.dropna(subset=["value"])

    def draw(panel: Axes, network: str) -> None:
        layers = reading.layers(network)
        for layer, color in zip(layers, depth_colors(len(layers)), strict=True):
            rows = table[(table["network"] == network) & (table["layer"] == layer)].sort_values("value")
            panel.plot(rows["value"], rows["share"], color=color, linewidth=1, label=layer)
            held = rows["saturated"] >= 0.5
            for part, face in ((rows[held], "white"), (rows[~held], color)):
                panel.plot(part["value"], part["share"], "o", markersize=4, color=color, markerfacecolor=face)
        panel.axhline(THRESHOLD, color="0.4", linewidth=0.7, linestyle=(0, (4, 3)))

    return _one_panel_each(reading, table, draw, sweep.sweep.name, "relative decrease", space=0.1, sharey=True)


def _sides(reading: Reading) -> _Draw:
    frame = reading.sides[reading.sides["axis"] == "input"]

    def draw(panel: Axes, network: str) -> None:
        part = frame[frame["network"] == network].sort_values("depth", kind="stable")
        layers = list(part["layer"].unique())
        for layer, color in zip(layers, depth_colors(len(layers)), strict=True):
            for side, line in zip(SIDES, ("-", (0, (3, 2))), strict=True):
                rows = part[(part["layer"] == layer) & (part["probe"] == side)]
                mean = rows.groupby("epoch")["nats"].mean() / NATS_PER_BIT
                name = layer if side == SIDES[0] else "_"
                panel.plot(mean.index + 1, mean.to_numpy(), color=color, linewidth=1, linestyle=line, label=name)

    return _one_panel_each(
        reading, frame, draw, "epoch + 1", f"{_quantity(frame)}, bits (dashed: test inputs)", space=0.25
    )


def _one_panel_each(
    reading: Reading,
    table: pd.DataFrame,
    draw: Callable[[Axes, str], None],
    x_label: str,
    y_label: str,
    *,
    space: float,
    sharey: bool = False,
) -> _Draw:
    """A panel for each network of the table, side by side."""

    def on(canvas: Canvas) -> None:
        networks = _networks(reading, table)
        width = 1.0 + 2.6 * len(networks)
        place = {"left": 0.7 / width, "right": 1 - 0.1 / width, "bottom": 0.15, "top": 0.91, "wspace": space}
        panels = _panels(canvas, (1, len(networks)), (width, 3.4), place, sharey=sharey)[0]
        for panel, network in zip(panels, networks, strict=True):
            draw(panel, network)
            _logarithmic(panel, 7)
            panel.set_title(network, fontsize=9)
            panel.set_xlabel(x_label, fontsize=8)
        panels[0].set_ylabel(y_label, fontsize=8)
        labels = [panel.get_legend_handles_labels()[1] for panel in panels]
        for panel, shown, following in zip(panels, labels, [*labels[1:], None], strict=True):
            if shown != following:  # one legend for neighbors with the same layers
                panel.legend(fontsize=6, frameon=False)

    return on


def _geometry(reading: Reading) -> _Draw:
    frame = reading.geometry

    def on(canvas: Canvas) -> None:
        networks = _networks(reading, frame)
        height = 0.9 + 1.7 * len(networks)
        place = {"left": 0.07, "right": 0.99, "bottom": 0.5 / height, "top": 1 - 0.3 / height, "wspace": 0.3}
        panels = _panels(canvas, (len(networks), len(_MEASURES)), (9.0, height), place)
        for row, network in zip(panels, networks, strict=True):
            part = frame[frame["network"] == network].sort_values("depth", kind="stable")
            layers = list(part["layer"].unique())
            for panel, measure in zip(row, _MEASURES, strict=True):
                for layer, color in zip(layers, depth_colors(len(layers)), strict=True):
                    values = part[(part["layer"] == layer) & (part["measure"] == measure)]
                    mean = values.groupby("epoch")["value"].mean()
                    panel.plot(mean.index + 1, mean.to_numpy(), color=color, linewidth=1, label=layer)
                _logarithmic(panel, 6)
            row[0].set_ylabel(network, fontsize=7)
        for first, last, title in zip(panels[0], panels[-1], _MEASURES.values(), strict=True):
            first.set_title(title, fontsize=8)
            last.set_xlabel("epoch + 1", fontsize=7)
        panels[0][-1].legend(fontsize=5, frameon=False)

    return on


def _networks(reading: Reading, table: pd.DataFrame) -> list[str]:
    return [name for name in reading.networks if (table["network"] == name).any()]


def _panels(
    canvas: Canvas,
    grid: tuple[int, int],
    size: tuple[float, float],
    place: Mapping[str, float],
    *,
    sharey: bool = False,
) -> Sequence[Sequence[Axes]]:
    """Panels at fixed places: the constrained layout of so many takes seconds."""
    canvas.set_size_inches(*size)
    canvas.set_layout_engine("none")
    panels: Any = canvas.subplots(*grid, sharey=sharey, squeeze=False, gridspec_kw=dict(place))
    return list(panels)


def _logarithmic(panel: Axes, size: int) -> None:
    """A logarithmic horizontal axis with few and plain numbers."""
    panel.set_xscale("log")
    panel.tick_params(labelsize=size)
    panel.xaxis.set_major_locator(LogLocator(10, numticks=5))
    panel.xaxis.set_minor_formatter(NullFormatter())
