"""The review's Table I as one page: its verdict and ours of every row, the plane to open, and why they differ."""

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
from infoflow.core.files import write_atomically
from infoflow_reproductions.harness.seeds import how_many
from infoflow_reproductions.information_plane.judging import STANDS
from infoflow_reproductions.information_plane.rows import TableRow, verdict

FILE = "table-one.html"

_SURVIVAL = {"holds": "yes", "does not hold": "no", "inconclusive": "inconclusive"}

_COLORS = {"reproduced": "good", "differs": "bad"}


def finish(rows: Sequence[TableRow], folders: Mapping[str, Path], target: Path) -> Path:
    """Writes `target`/table-one.html from the results.json of the experiments' folders (name -> folder).

    An experiment that hasn't been run stands there as such. Raises BrokenStore (results that can't be read).
    """
    target.mkdir(parents=True, exist_ok=True)
    found = {row.name: _results(folders.get(row.name)) for row in rows}
    verdicts = Counter(_ours(row, found[row.name])[0] for row in rows)
    head = ["", "paper", "the review says", "found here", "does compression survive the ruler?", "why, and the plane"]
    body = "".join(_line(row, found[row.name], folders.get(row.name), target) for row in rows)
    told = ", ".join(f"{count} {name}" for name, count in verdicts.most_common())
    style = resources("infoflow_reproductions").joinpath("page.css").read_text()
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Table I</title>'
        f'<meta name="viewport" content="width=device-width"><style>{style} main{{max-width:none}} '
        "td{vertical-align:top} td img{max-width:100%}</style>"
        "<main><h1>Table I of the review of information-plane analyses</h1>"
        "<p class=sub>Geiger, On Information Plane Analyses of Neural Network Classifiers: a review (2021). "
        f"{html.escape(told)}.</p>"
        "<p>A row differs where one of its published claims differs, is inconclusive where one is "
        "inconclusive, and is otherwise reproduced. Where the paper doesn't tell enough of its settings, that is the "
        "verdict, and "
        "what the chosen ones give stands behind it. Claims are judged from seeds by the rules on each row's page.</p>"
        "<div class=scroll><table><thead><tr>"
        + "".join(f"<th>{html.escape(name)}</th>" for name in head)
        + f"</tr></thead><tbody>{body}</tbody></table></div></main></html>\n"
    )
    path = target / FILE
    write_atomically(path, lambda part: part.write_text(page))
    return path


def _results(folder: Path | None) -> dict[str, Any] | None:
    if folder is None or not (folder / "results.json").exists():
        return None
    try:
        found: dict[str, Any] = json.loads((folder / "results.json").read_text())
        _ = found["claims"], found["settings"]["scale"], found["figures"], found["notes"]
    except (ValueError, KeyError, TypeError):
        raise BrokenStore(f"{folder / 'results.json'} can't be read; run the experiment again") from None
    return found


def _ours(row: TableRow, results: Mapping[str, Any] | None) -> tuple[str, str]:
    if results is None:
        return "not run", ""
    return verdict(row, [claim["verdict"] for claim in results["claims"] if claim["published"]])


def _line(row: TableRow, results: Mapping[str, Any] | None, folder: Path | None, target: Path) -> str:
    ours, chosen = _ours(row, results)
    badge = f'<span class="verdict {_COLORS.get(ours, "open")}">{html.escape(ours)}</span>'
    if chosen:
        badge += f"<br>as chosen: {html.escape(chosen)}"
    if results is None or folder is None:
        return _cells([html.escape(row.reference), html.escape(row.paper), html.escape(row.review), badge, "", ""])
    badge += f"<br>{html.escape(results['settings']['scale'])} scale, {how_many(results['settings'])}"
    return _cells(
        [
            html.escape(row.reference),
            f'<a href="{html.escape(_link(folder / "report.html", target))}">{html.escape(row.paper)}</a>',
            html.escape(row.review),
            badge,
            _survival(results),
            _why(row, results) + _planes(results, folder),
        ]
    )


def _survival(results: Mapping[str, Any]) -> str:
    """In how many networks the verdicts survive which setting of the estimator."""
    rulers = [claim for claim in results["claims"] if not claim["published"] and STANDS in claim["claim"]]
    if not rulers:
        return "nothing to set"
    counts = Counter(claim["verdict"] for claim in rulers)
    told = ", ".join(f"{word}: {counts[name]}" for name, word in _SURVIVAL.items() if counts[name])
    lines = "".join(
        f"<li>{_SURVIVAL[claim['verdict']]}: {html.escape(claim['claim'].replace(STANDS, ': ', 1))}</li>"
        for claim in rulers
    )
    return f"<details><summary>{told} (of {len(rulers)})</summary><ul>{lines}</ul></details>"


def _why(row: TableRow, results: Mapping[str, Any]) -> str:
    """Claims that don't hold with their evidence, what was chosen, and what is smaller than published."""
    lines = [
        f"<li>{html.escape(claim['verdict'])}: {html.escape(claim['claim'])}. {html.escape(claim['evidence'])}</li>"
        for claim in results["claims"]
        if claim["published"] and claim["verdict"] != "reproduced"
    ]
    if row.chosen:
        lines.append(f"<li>chosen: {html.escape(row.chosen)}</li>")
    lines += [f"<li>{html.escape(note)}</li>" for note in results["notes"] if note.startswith("Other scale")]
    if not lines:
        return "<p>Every published claim holds.</p>"
    return f"<details><summary>why: {len(lines)}</summary><ul>{''.join(lines)}</ul></details>"


def _planes(results: Mapping[str, Any], folder: Path) -> str:
    pictures = []
    for figure in results["figures"]:
        path = folder / f"{figure['name']}.png"
        if figure["name"].startswith("plane") and path.exists():
            source = base64.b64encode(path.read_bytes()).decode()
            caption = html.escape(figure["caption"])
            pictures.append(
                f"<details><summary>{caption}</summary>"
                f'<img loading="lazy" alt="{caption}" src="data:image/png;base64,{source}"></details>'
            )
    return "".join(pictures)


def _link(path: Path, target: Path) -> str:
    return Path(os.path.relpath(path, target)).as_posix()


def _cells(cells: Sequence[str]) -> str:
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
