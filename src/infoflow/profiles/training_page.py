"""The page of a profile through training: heat map and curves of any quantity, a slider of steps, and single tokens."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import math
import re
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from infoflow.profiles.token_readings import TokenReadings
    from infoflow.profiles.training import TrainingProfile

_COLUMNS = ("value", "null", "ceiling", "se")


def render(profile: TrainingProfile, title: str, tokens: TokenReadings | None = None) -> str:
    """The page as text, which opens without a network; names are escaped."""
    assets = files("infoflow.profiles") / "assets"
    script = (assets / "training.js").read_text(encoding="utf-8").strip()
    hashed = base64.b64encode(hashlib.sha256(f"\n{script}\n".encode()).digest()).decode()
    content = json.dumps(data_of(profile, tokens), separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    parts = {
        "title": html.escape(title),
        "hashes": f"'sha256-{hashed}'",
        "style": (assets / "training.css").read_text(encoding="utf-8"),
        "script": script,
        "data": content,
        "warnings": _warnings(profile),
    }
    template = (assets / "training.html").read_text(encoding="utf-8")
    return re.sub(r"<!--\[(\w+)\]-->", lambda found: parts[found[1]], template)


def data_of(profile: TrainingProfile, tokens: TokenReadings | None) -> dict[str, Any]:
    """The numbers of the page as plain JSON values: tables of layers by steps, None in place of NaN."""
    quantities = {}
    for quantity in profile.quantities:
        rows = profile.frame[profile.frame["quantity"] == quantity]
        tables = {name: profile.table(quantity, name).reindex(profile.layers) for name in _COLUMNS}
        quantities[quantity] = {
            "unit": str(rows["unit"].iloc[0]),
            "kind": str(rows["kind"].iloc[0]),
            **{
                name: [
                    [_number(table.at[layer, step]) if step in table else None for step in profile.steps]
                    for layer in profile.layers
                ]
                for name, table in tables.items()
            },
        }
    metrics = {
        str(name): {int(step): _number(value) for step, value in zip(rows["step"], rows["value"], strict=True)}
        for name, rows in profile.metrics.groupby("metric")
    }
    return {
        "layers": profile.layers,
        "steps": profile.steps,
        "quantities": quantities,
        "metrics": metrics,
        "tokens": None if tokens is None else tokens.to_dict(),
    }


def _number(value: Any) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None


def _warnings(profile: TrainingProfile) -> str:
    """Each kind of warning once, without its numbers, with where it was given."""
    given: dict[str, list[Any]] = {}
    for row in profile.frame.itertuples():
        for text in row.warnings:  # type: ignore[union-attr]
            given.setdefault(re.sub(r"\d[\d.,]*", "…", str(text)), []).append((text, row))
    if not given:
        return "<p>None.</p>"
    found = []
    for rows in given.values():
        names = ", ".join(dict.fromkeys(str(row.quantity) for _, row in rows))
        found.append(f"<li>{html.escape(rows[0][0])} <span>({len(rows)} values: {html.escape(names)})</span></li>")
    return f"<ul>{''.join(found)}</ul>"
