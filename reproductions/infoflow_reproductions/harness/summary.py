"""What all committed reproductions found, as Markdown made from their files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from infoflow.core.errors import BrokenStore, MissingData
from infoflow.plane.provenance import plain
from infoflow_reproductions.harness.registry import PAPERS, experiments
from infoflow_reproductions.harness.seeds import how_many

BEGIN, END = "<!-- reproductions: begin -->", "<!-- reproductions: end -->"
"""Between these two lines a page keeps the overview."""


def read(folder: Path) -> list[dict[str, Any]]:
    """The summaries `PAPER/EXPERIMENT/results.json` below the folder, in the order of the registry.

    Raises MissingData (none there), BrokenStore (one that can't be read).
    """
    found = []
    for path in sorted(folder.glob("*/*/results.json")):
        try:
            summary = json.loads(path.read_text())
            _ = summary["settings"]["paper"], summary["claims"], summary["rows"], summary["provenance"]
        except (ValueError, KeyError, TypeError):
            raise BrokenStore(
                f"{path} is no summary of a reproduction; remove it, or run the experiment again"
            ) from None
        found.append({**summary, "folder": path.parent.relative_to(folder).as_posix()})
    if not found:
        raise MissingData(f"no PAPER/EXPERIMENT/results.json below {folder}; want what `infoflow reproduce` wrote")
    return sorted(found, key=_place)


def _place(summary: Mapping[str, Any]) -> tuple[int, int]:
    paper, experiment = summary["settings"]["paper"], summary["settings"]["experiment"]
    return list(PAPERS).index(paper), list(experiments(paper)).index(experiment)


def overview(folder: Path) -> str:
    """A Markdown table with a line for each experiment; links are relative to the folder's parent."""
    lines = ["| Experiment | Command | Published claims | Published figures |", "|---|---|---|---|"]
    for summary in read(folder):
        claims = Counter(claim["verdict"] for claim in summary["claims"] if claim["published"])
        rows = Counter(row["verdict"] for row in summary["rows"] if row["verdict"] != "not published")
        link = f"[{summary['title']}]({folder.name}/README.md#{_anchor(summary)})"
        lines.append(f"| {link} | `{_command(summary)}` | {_counted(claims)} | {_counted(rows)} |")
    return "\n".join(lines) + "\n"


def whole(folder: Path) -> str:
    """A Markdown page with every claim, figure, note and picture."""
    parts = ["# What is reproduced, and what isn't", ""]
    parts += ["Made by `infoflow reproduce --collect`; verdicts follow by rule from the figures.", ""]
    for summary in read(folder):
        made = summary["provenance"]
        parts += [f'<a id="{_anchor(summary)}"></a>', "", f"## {summary['title']}", ""]
        parts += [
            f"`{_command(summary)}`: {how_many(summary['settings'])}, {made['device']}, "
            f"{made['trials']} trials of {made['trial_seconds']} s altogether, "
            f"infoflow {made['infoflow']}, torch {made['torch']}.",
            "",
        ]
        if summary["claims"]:
            parts += ["| Verdict | Claim | Evidence |", "|---|---|---|"]
            parts += [
                f"| {claim['verdict']} | {_cell(claim['claim'])}{'' if claim['published'] else ' (ours)'} "
                f"| {_cell(claim['evidence'])} |"
                for claim in summary["claims"]
            ]
            parts.append("")
        if summary["rows"]:
            parts += ["| What | Found | Published | Verdict |", "|---|---|---|---|", *map(_row, summary["rows"]), ""]
        parts += [f"- {note}" for note in summary["notes"]] + [""]
        parts += [
            f"![{figure['caption']}]({summary['folder']}/{figure['name']}.png)\n" for figure in summary["figures"]
        ]
    return "\n".join(parts).rstrip() + "\n"


def between_marks(page: str, content: str) -> str:
    """The page with what stands between the two marks replaced. Raises BrokenStore where it lacks them.

    >>> between_marks(f"a {BEGIN} old {END} b", "new")
    'a <!-- reproductions: begin -->\\nnew<!-- reproductions: end --> b'
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise BrokenStore(f"the page lacks {BEGIN} ... {END}; want both, to know what to replace")
    return f"{before}{BEGIN}\n{content}{END}{after}"


def _command(summary: Mapping[str, Any]) -> str:
    """What makes the results again: settings that aren't the recipe's are options, or told of where no option can."""
    settings = summary["settings"]
    usual = plain(asdict(experiments(settings["paper"])[settings["experiment"]].recipe(settings["scale"])))
    words = [f"infoflow reproduce {settings['paper']} {settings['experiment']} --scale {settings['scale']}"]
    untold = []
    for name, value in settings.items():
        if name not in usual or usual[name] == value:
            continue
        values = value if isinstance(value, list) else [value]
        if any(isinstance(one, dict | list) for one in values):
            untold.append(name)
        else:
            words.append(f"--recipe.{name.replace('_', '-')} {' '.join(map(str, values))}")
    if untold:
        words.append(f"# an earlier recipe, of other {', '.join(untold)}")
    return " ".join(words)


def _anchor(summary: Mapping[str, Any]) -> str:
    return f"{summary['settings']['paper']}-{summary['settings']['experiment']}"


def _counted(verdicts: Mapping[str, int]) -> str:
    order = ["reproduced", "differs", "can't tell", "settings unknown", "other scale"]
    return ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in order if verdicts.get(verdict))


def _row(row: Mapping[str, Any]) -> str:
    unit = f" {row['unit']}" if row["unit"] else ""
    spread = "" if isinstance(row["low"], str) else f" [{row['low']:.4g}, {row['high']:.4g}]"
    found = row["found"] if isinstance(row["found"], str) else f"{row['found']:.4g}"
    published = "" if isinstance(row["published"], str) else f"{row['published']:g}{unit}"
    why = f" ({row['why']})" if row["why"] else ""
    return f"| {_cell(row['what'])} | {found}{unit}{spread} | {published} | {row['verdict']}{_cell(why)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
