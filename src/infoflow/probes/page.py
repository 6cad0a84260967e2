"""Evaluations as an HTML page that opens offline."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from infoflow.probes.evaluation import Evaluation

_STYLE = """
:root { color-scheme: light dark; --line: #8884; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0 2rem; display: block; overflow-x: auto; }
th, td { text-align: left; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td { font-variant-numeric: tabular-nums; }
"""
_NOTE = (
    "Accuracies in per cent; higher is better. Information in nats. MS-SSIM: 1 is a perfect reconstruction. "
    "NDM and TC: 0 means independent features. ± is half the 95 % interval."
)


def page(evaluations: Sequence[Evaluation]) -> str:
    """Overview of all evaluations, then every number with its interval, settings and warnings."""
    title = "Evaluation of representations"
    parts = [f"<h1>{title}</h1><p>{_NOTE}</p>", overview(evaluations)]
    for each in evaluations:
        parts.append(f"<h2>{html.escape(each.name)}</h2>")
        parts.append(
            _table(
                ["measure", "layer", "value", "interval", "kind", "n", "settings", "warnings"],
                (_details(row) for row in each.frame.to_dict("records")),
            )
        )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )


def overview(evaluations: Sequence[Evaluation]) -> str:
    """Table with a row per evaluation and a column per measure."""
    columns = list(dict.fromkeys(column for each in evaluations for column in each.frame["column"]))
    rows = []
    for each in evaluations:
        found = {row["column"]: row for row in each.frame.to_dict("records")}
        rows.append([each.name, *(_cell(found.get(column)) for column in columns)])
    return _table(["", *columns], rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    def line(tag: str, cells: Sequence[str]) -> str:
        return f"<tr>{''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in cells)}</tr>"

    body = "".join(line("td", row) for row in rows)
    return f"<table><thead>{line('th', head)}</thead><tbody>{body}</tbody></table>"


def _number(value: float, unit: str) -> str:
    if not math.isfinite(value):
        return "–" if math.isnan(value) else "∞"
    return f"{100 * value:.2f} %" if unit == "fraction" else f"{value:.3f}"


def _cell(row: Mapping[Any, Any] | None) -> str:
    if row is None:
        return ""
    half = (row["high"] - row["low"]) / 2
    spread = "" if math.isnan(half) else f" ± {_number(half, row['unit'])}"
    return _number(row["value"], row["unit"]) + spread


def _details(row: Mapping[Any, Any]) -> list[str]:
    unit = row["unit"]
    value = f"{_number(row['value'], unit)} {unit if unit == 'nats' else ''}".rstrip()
    interval = ""
    if not math.isnan(row["low"]):
        interval = f"{_number(row['low'], unit)} to {_number(row['high'], unit)}, over {row['spans']}"
    return [row["measure"], row["layer"], value, interval, row["kind"], str(row["n"]), row["settings"], row["warnings"]]
