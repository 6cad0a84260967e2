"""The review's Table I as one page: the verdicts of the review and ours, the planes, and why they differ."""

from __future__ import annotations

import base64
import html
import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.resources import files as resources
from pathlib import Path
from typing import Any

from infoflow.core.errors import BrokenStore
from infoflow.core.files import write_text
from infoflow_reproductions.harness.findings import HELD, Verdict
from infoflow_reproductions.harness.seeds import how_many
from infoflow_reproductions.information_plane.claims import STANDS
from infoflow_reproductions.information_plane.row import SMALLER, TableRow, verdict

FILE = "table-one.html"

_COLORS = {Verdict.REPRODUCED: "good", Verdict.DIFFERS: "bad"}
_DEPENDS = {Verdict.HOLDS: "no", Verdict.FAILS: "yes", Verdict.INCONCLUSIVE: "inconclusive"}
"""Verdict on independence -> whether compression depends on the setting."""
_HEADS = ("", "paper", "review", "found here", "does it depend on the setting?", "why, and the plane")
_NOT_RUN = "not run"


def finish(rows: Sequence[TableRow], folders: Mapping[str, Path], target: Path) -> Path:
    """Write `target`/table-one.html from the results.json of the experiments' folders (name -> folder).

    Parameters
    ----------
    rows
        The rows of the table.
    folders
        Folder of each experiment's results; one without results is listed as not run.
    target
        Folder to write to.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    BrokenStore
        If results cannot be read.
    """
    target.mkdir(parents=True, exist_ok=True)
    found = {row.name: _results(folders.get(row.name)) for row in rows}
    verdicts = Counter(_verdict(row, found[row.name])[0] for row in rows)
    body = "".join(_line(row, found[row.name], folders.get(row.name), target) for row in rows)
    total = ", ".join(f"{count} {name}" for name, count in verdicts.most_common())
    style = resources("infoflow_reproductions").joinpath("page.css").read_text(encoding="utf-8")
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Table I</title>'
        f'<meta name="viewport" content="width=device-width"><style>{style} main{{max-width:none}} '
        "td{vertical-align:top} td img{max-width:100%}</style>"
        "<main><h1>Table I of the review of information-plane analyses</h1>"
        "<p class=sub>Geiger, On Information Plane Analyses of Neural Network Classifiers: a review (2021). "
        f"{html.escape(total)}.</p>"
        "<p>A row differs if one of its published claims differs; otherwise it is inconclusive if one of them is, and "
        "reproduced if all hold. If the paper publishes too few settings, the verdict is settings unknown, with the "
        "verdict for the chosen settings after it. Each row's page states the rules for its claims.</p>"
        f"<div class=scroll><table><thead>{_cells(_HEADS, 'th')}</thead><tbody>{body}</tbody></table></div></main>"
        "</html>\n"
    )
    write_text(target / FILE, page)
    return target / FILE


def _results(folder: Path | None) -> dict[str, Any] | None:
    if folder is None or not (folder / "results.json").exists():
        return None
    try:
        found: dict[str, Any] = json.loads((folder / "results.json").read_text(encoding="utf-8"))
        _ = found["claims"], found["settings"]["scale"], found["figures"], found["notes"]
    except (ValueError, KeyError, TypeError):
        raise BrokenStore(f"{folder / 'results.json'} is damaged. Run the experiment again.") from None
    return found


def _verdict(row: TableRow, results: Mapping[str, Any] | None) -> tuple[str, str]:
    if results is None:
        return _NOT_RUN, ""
    return verdict([claim["verdict"] for claim in results["claims"] if claim["published"]], row.settings_known)


def _line(row: TableRow, results: Mapping[str, Any] | None, folder: Path | None, target: Path) -> str:
    ours, chosen = _verdict(row, results)
    reference, paper, review = (html.escape(text) for text in (row.reference, row.paper, row.review))
    color = next((color for name, color in _COLORS.items() if name == ours), "open")
    badge = f'<span class="verdict {color}">{html.escape(ours)}</span>'
    if chosen:
        badge += f"<br>with the chosen settings: {html.escape(chosen)}"
    if results is None or folder is None:
        return _cells([reference, paper, review, badge, "", ""])
    badge += f"<br>{html.escape(results['settings']['scale'])} scale, {how_many(results['settings'])}"
    link = html.escape(Path(os.path.relpath(folder / "report.html", target)).as_posix())
    why = _why(row, results) + _planes(results, folder)
    return _cells([reference, f'<a href="{link}">{paper}</a>', review, badge, _sensitivity(results), why])


def _sensitivity(results: Mapping[str, Any]) -> str:
    """In how many networks the verdicts depend on which setting of the estimator."""
    sweeps = [claim for claim in results["claims"] if not claim["published"] and STANDS in claim["claim"]]
    if not sweeps:
        return "no settings"
    counts = Counter(claim["verdict"] for claim in sweeps)
    total = ", ".join(f"{word}: {counts[name]}" for name, word in _DEPENDS.items() if counts[name])
    lines = [f"{_DEPENDS[Verdict(claim['verdict'])]}: {claim['claim'].replace(STANDS, ': ', 1)}" for claim in sweeps]
    return _details(f"{total} (of {len(sweeps)})", _list(lines))


def _why(row: TableRow, results: Mapping[str, Any]) -> str:
    """Claims that don't hold with their evidence, chosen settings, and settings smaller than published."""
    lines = [
        f"{claim['verdict']}: {claim['claim']}. {claim['evidence']}"
        for claim in results["claims"]
        if claim["published"] and claim["verdict"] not in HELD
    ]
    if row.chosen:
        lines.append(f"chosen: {row.chosen}")
    if row.unlike:
        lines.append(f"unlike Table I: {row.unlike}")
    lines += [note for note in results["notes"] if note.startswith(SMALLER)]
    return _details(f"why: {len(lines)}", _list(lines)) if lines else "<p>Every published claim holds.</p>"


def _planes(results: Mapping[str, Any], folder: Path) -> str:
    pictures = []
    for figure in results["figures"]:
        path = folder / f"{figure['name']}.png"
        if figure["name"].startswith("plane") and path.exists():
            source, caption = base64.b64encode(path.read_bytes()).decode(), html.escape(figure["caption"])
            image = f'<img loading="lazy" alt="{caption}" src="data:image/png;base64,{source}">'
            pictures.append(_details(caption, image))
    return "".join(pictures)


def _cells(cells: Sequence[str], kind: str = "td") -> str:
    return f"<tr>{''.join(f'<{kind}>{cell}</{kind}>' for cell in cells)}</tr>"


def _list(lines: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{html.escape(line)}</li>' for line in lines)}</ul>"


def _details(summary: str, body: str) -> str:
    return f"<details><summary>{summary}</summary>{body}</details>"
