"""The pictures of a row: the plane, whether verdicts survive the ruler, and the geometry beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter

from infoflow.core.estimate import NATS_PER_BIT
from infoflow.plane.compression import THRESHOLD
from infoflow.plane.figure import depth_colors, draw_on
from infoflow.plane.truth import INFINITE
from infoflow_reproductions.harness.findings import Figure
from infoflow_reproductions.information_plane.curves import SIDES
from infoflow_reproductions.information_plane.reading import Reading

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

_MEASURES = {
    "saturated": "saturated part",
    "effective_rank": "effective rank",
    "within": "distance within classes",
    "between": "distance between classes",
}
_DPI = 150


def pictures(reading: Reading) -> list[Figure]:
    """All that the reading has the numbers for."""
    truths = {str(result.get("truth", "")) for found in reading.found.values() for result in found}
    aside = " The true I(X;T) is infinite; this measures geometry." if INFINITE in truths else ""
    made = [
        Figure(_name("plane", i), f"The information plane by {estimator}.{aside}", _plane(reading, estimator))
        for i, estimator in enumerate(reading.drawn)
    ]
    made += [
        Figure(
            _name("survival", i),
            f"How much of its peak of I(X;T) each layer has lost at the end, by {ruler.sweep.name} (median over seeds; "
            f"above {THRESHOLD:.0%} it compresses). Hollow: at a ceiling in half of the seeds.",
            _survival(reading, i),
        )
        for i, ruler in enumerate(reading.recipe.rulers)
    ]
    if len(reading.sides):
        made.append(
            Figure(
                "sides",
                "I(X;T) of training inputs (solid) and of as many test inputs (dashed): means over seeds.",
                _sides(reading),
            )
        )
    if len(reading.geometry):
        made.append(Figure("geometry", "Geometry beside the plane: mean over seeds.", _geometry(reading)))
    return made


def _name(kind: str, number: int) -> str:
    return kind if number == 0 else f"{kind}-{number + 1}"


def _plane(reading: Reading, estimator: str) -> Callable[[Canvas], None]:
    def draw(canvas: Canvas) -> None:
        canvas.set_layout_engine("none")
        canvas.set_dpi(_DPI)
        draw_on(canvas, reading.plane, estimator=estimator)

    return draw


def _survival(reading: Reading, number: int) -> Callable[[Canvas], None]:
    ruler = reading.recipe.rulers[number]

    def draw(canvas: Canvas) -> None:
        table = reading.compression.assign(value=reading.compression["estimator"].map(ruler.value_of)).dropna(
            subset=["value"]
        )
        networks = [name for name in reading.networks if (table["network"] == name).any()]
        width = 1.0 + 2.6 * len(networks)
        canvas.set_size_inches(width, 3.4)
        canvas.set_layout_engine("none")
        place = {"left": 0.7 / width, "right": 1 - 0.1 / width, "bottom": 0.15, "top": 0.91, "wspace": 0.1}
        panels = canvas.subplots(1, len(networks), sharey=True, squeeze=False, gridspec_kw=place)[0]
        for panel, network in zip(panels, networks, strict=True):
            layers = reading.layers(network)
            for layer, color in zip(layers, depth_colors(len(layers)), strict=True):
                rows = table[(table["network"] == network) & (table["layer"] == layer)].sort_values("value")
                panel.plot(rows["value"], rows["share"], color=color, linewidth=1, label=layer)
                held = rows["saturated"] >= 0.5
                for part, face in ((rows[held], "white"), (rows[~held], color)):
                    panel.plot(part["value"], part["share"], "o", markersize=4, color=color, markerfacecolor=face)
            panel.axhline(THRESHOLD, color="0.4", linewidth=0.7, linestyle=(0, (4, 3)))
            panel.set_xscale("log")
            panel.set_title(network, fontsize=9)
            panel.set_xlabel(ruler.sweep.name, fontsize=8)
            panel.tick_params(labelsize=7)
            _plain(panel)
        panels[0].set_ylabel("part of the peak lost", fontsize=8)
        panels[-1].legend(fontsize=6, frameon=False)

    return draw


def _sides(reading: Reading) -> Callable[[Canvas], None]:
    def draw(canvas: Canvas) -> None:
        frame = reading.sides[reading.sides["axis"] == "input"]
        networks = [name for name in reading.networks if (frame["network"] == name).any()]
        width = 1.0 + 2.6 * len(networks)
        canvas.set_size_inches(width, 3.4)
        canvas.set_layout_engine("none")
        place = {"left": 0.7 / width, "right": 1 - 0.1 / width, "bottom": 0.15, "top": 0.91, "wspace": 0.25}
        panels = canvas.subplots(1, len(networks), squeeze=False, gridspec_kw=place)[0]
        for panel, network in zip(panels, networks, strict=True):
            part = frame[frame["network"] == network].sort_values("depth", kind="stable")
            layers = list(part["layer"].unique())
            for layer, color in zip(layers, depth_colors(len(layers)), strict=True):
                for side, line in zip(SIDES, ("-", (0, (3, 2))), strict=True):
                    rows = part[(part["layer"] == layer) & (part["probe"] == side)]
                    mean = rows.groupby("epoch")["nats"].mean() / NATS_PER_BIT
                    name = layer if side == SIDES[0] else "_"
                    panel.plot(mean.index + 1, mean.to_numpy(), color=color, linewidth=1, linestyle=line, label=name)
            panel.set_xscale("log")
            panel.set_title(network, fontsize=9)
            panel.set_xlabel("epoch + 1", fontsize=8)
            panel.tick_params(labelsize=7)
            _plain(panel)
        panels[0].set_ylabel("I(X;T), bits", fontsize=8)
        panels[-1].legend(fontsize=6, frameon=False)

    return draw


def _geometry(reading: Reading) -> Callable[[Canvas], None]:
    def draw(canvas: Canvas) -> None:
        frame = reading.geometry
        networks = [name for name in reading.networks if (frame["network"] == name).any()]
        height = 0.9 + 1.7 * len(networks)
        canvas.set_size_inches(9.0, height)
        # Placed by hand: the constrained layout of so many panels takes seconds.
        canvas.set_layout_engine("none")
        place = {"left": 0.07, "right": 0.99, "bottom": 0.5 / height, "top": 1 - 0.3 / height, "wspace": 0.3}
        panels = canvas.subplots(len(networks), len(_MEASURES), squeeze=False, gridspec_kw=place)
        for number, (row, network) in enumerate(zip(panels, networks, strict=True)):
            part = frame[frame["network"] == network].sort_values("depth", kind="stable")
            layers = list(part["layer"].unique())
            for panel, (measure, title) in zip(row, _MEASURES.items(), strict=True):
                for layer, color in zip(layers, depth_colors(len(layers)), strict=True):
                    values = part[(part["layer"] == layer) & (part["measure"] == measure)]
                    mean = values.groupby("epoch")["value"].mean()
                    panel.plot(mean.index + 1, mean.to_numpy(), color=color, linewidth=1, label=layer)
                panel.set_xscale("log")
                panel.tick_params(labelsize=6)
                _plain(panel)
                if number == 0:
                    panel.set_title(title, fontsize=8)
                if number == len(networks) - 1:
                    panel.set_xlabel("epoch + 1", fontsize=7)
            row[0].set_ylabel(network, fontsize=7)
        panels[0][-1].legend(fontsize=5, frameon=False)

    return draw


def _plain(panel: Axes) -> None:
    """Few and plain numbers on the logarithmic axis."""
    panel.xaxis.set_major_locator(LogLocator(10, numticks=5))
    panel.xaxis.set_minor_formatter(NullFormatter())


def bits(nats: float) -> float:
    """Of nats."""
    return nats / NATS_PER_BIT
