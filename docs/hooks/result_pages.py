"""A page per paper from the committed results: a picture and a paragraph first, then published figures beside ours."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import summaries
from infoflow_reproductions.harness.registry import PAPERS
from infoflow_reproductions.harness.summary import overview, read


def pages(root: Path) -> tuple[list[Any], dict[str, dict[str, str]]]:
    """Navigation and generated files of the results."""
    folder = root / "reproductions" / "results"
    found = read(folder)
    files: dict[str, dict[str, str]] = {}
    navigation: list[Any] = ["results/index.md"]
    for paper in PAPERS:
        members = [summary for summary in found if summary["settings"]["paper"] == paper]
        if not members:
            continue
        title, text = summaries.PAPERS.get(paper, (paper, ""))
        files[f"results/{paper}.md"] = {"content": _page(title, text, members)}
        navigation.append({title: f"results/{paper}.md"})
        for summary in members:
            for figure in summary["figures"]:
                name = f"{summary['folder']}/{figure['name']}.png"
                files[f"results/{name}"] = {"abs_src_path": str(folder / name)}
    table = re.sub(
        r"\]\(results/(?:[\w-]+/)?README\.md#([\w-]+)\)",
        lambda match: f"]({_page_of(match[1], found)})",
        overview(folder),
    )
    files["results/index.md"] = {"content": "\n".join(["# Results", "", summaries.INTRODUCTION, "", table])}
    return navigation, files


def _page(title: str, text: str, members: list[Mapping[str, Any]]) -> str:
    lead = next((one for one in members if one["figures"]), None)
    page = ["---", "search: {boost: 0.3}", "---", "", f"# {title}", ""]
    if lead:
        page += [*_picture(lead, lead["figures"][0]), ""]
    page += [text, "", _counts(members), ""]
    for summary in members:
        page += [f"## {_plain(summary['title'])} {{ #{_anchor(summary)} }}", "", *_experiment(summary, lead), ""]
    return "\n".join(page)


def _experiment(summary: Mapping[str, Any], lead: Mapping[str, Any] | None) -> list[str]:
    settings, made = summary["settings"], summary["provenance"]
    command = f"infoflow reproduce {settings['paper']} {settings['experiment']} --scale {settings['scale']}"
    lines = []
    figures = summary["figures"][1:] if summary is lead else summary["figures"]
    if figures:
        lines += [*_picture(summary, figures[0]), ""]
    lines += [f"{_counts([summary])} Run it with `{command}` ({float(made['trial_seconds']) / 60:.0f} minutes).", ""]
    if summary["rows"]:
        rows = [
            f"| {_cell(row['what'])} | {_found(row)} | {_published(row)} | {row['verdict']} |"
            for row in summary["rows"]
        ]
        lines += _folded(
            "Published and found figures", ["| What | Found | Published | Verdict |", "|---|---|---|---|", *rows]
        )
    if summary["claims"]:
        rows = [
            f"| {_cell(one['claim'])}{'' if one['published'] else ' (ours)'} "
            f"| {one['verdict']} | {_cell(one['evidence'])} |"
            for one in summary["claims"]
        ]
        lines += _folded("Claims", ["| Claim | Verdict | Evidence |", "|---|---|---|", *rows])
    if len(figures) > 1:
        lines += _folded(
            "Further pictures", [line for figure in figures[1:] for line in [*_picture(summary, figure), ""]]
        )
    if summary["notes"]:
        lines += _folded("Notes", [f"- {_plain(note)}" for note in summary["notes"]])
    return lines


def _counts(members: list[Mapping[str, Any]]) -> str:
    """One sentence: how many published claims and figures are reproduced."""
    claims = Counter(one["verdict"] for summary in members for one in summary["claims"] if one["published"])
    figures = Counter(
        row["verdict"] for summary in members for row in summary["rows"] if row["verdict"] != "not published"
    )
    parts = [
        f"{what}: " + ", ".join(f"{count} {verdict}" for verdict, count in counted.most_common())
        for what, counted in (("Published claims", claims), ("published figures", figures))
        if counted
    ]
    return (
        (". ".join(part[0].upper() + part[1:] for part in parts) + ".")
        if parts
        else "Nothing published to compare with."
    )


def _folded(title: str, lines: list[str]) -> list[str]:
    return [f'??? note "{title}"', "", *[f"    {line}" if line else "" for line in lines], ""]


def _picture(summary: Mapping[str, Any], figure: Mapping[str, Any]) -> list[str]:
    caption = _plain(figure["caption"]).replace("[", "\\[").replace("]", "\\]")
    return [f"![{caption}]({summary['folder']}/{figure['name']}.png)", "", f"*{caption}*"]


def _found(row: Mapping[str, Any]) -> str:
    unit = f" {row['unit']}" if row["unit"] else ""
    spread = "" if isinstance(row["low"], str) else f" [{row['low']:.4g}, {row['high']:.4g}]"
    value = row["found"] if isinstance(row["found"], str) else f"{row['found']:.4g}"
    return f"{value}{unit}{spread}"


def _published(row: Mapping[str, Any]) -> str:
    unit = f" {row['unit']}" if row["unit"] else ""
    return "" if isinstance(row["published"], str) else f"{row['published']:g}{unit}"


def _anchor(summary: Mapping[str, Any]) -> str:
    return f"{summary['settings']['paper']}-{summary['settings']['experiment']}"


def _page_of(anchor: str, found: list[Mapping[str, Any]]) -> str:
    paper = next(one["settings"]["paper"] for one in found if _anchor(one) == anchor)
    return f"{paper}.md#{anchor}"


def _cell(text: str) -> str:
    return _plain(text).replace("|", "\\|")


def _plain(text: str) -> str:
    """Text on one line in which nothing begins a tag, a link or an emphasis."""
    return re.sub(r"([*_\[\]])", r"\\\1", text.replace("\n", " ").replace("<", "&lt;"))
