"""The Markdown page of one paper: a paragraph, a picture, its claims with verdicts, and everything else folded."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import FAILED, HELD, Claim, Verdict
from infoflow_reproductions.harness.page import effect, order
from infoflow_reproductions.harness.records import claim_of, corrected
from infoflow_reproductions.harness.seeds import how_many
from infoflow_reproductions.harness.totals import WITH_HOLM, counted

_SIZES = {"cpu-published": ", near the published size", "full": ", at the published size"}

_SMALLER = {"paper": "Smaller than in the paper", "full": "Differences from the recipe full"}

Summary = Mapping[str, Any]
"""The content of one results.json, with its `folder`, `command` and `reduced_from` (see `Experiment.compared_with`)."""


def paper_page(
    title: str,
    paragraph: str,
    picture: tuple[str, str] | None,
    summaries: Sequence[Summary],
    missing: Sequence[Experiment] = (),
) -> str:
    """Return the page of a paper.

    Parameters
    ----------
    title
        Title of the paper.
    paragraph
        What was found, in a few sentences.
    picture
        File name within the paper's folder and caption of the picture at the top.
    summaries
        Its experiments.
    missing
        Experiments that have no results.

    Returns
    -------
    str
        Markdown whose links are relative to the paper's folder.
    """
    found = [(summary, claim_of(record)) for summary in summaries for record in summary["claims"]]
    holm = corrected([claim for _, claim in found])
    lines = [(claim, verdict, summary) for (summary, claim), verdict in zip(found, holm, strict=True)]
    lines.sort(key=lambda line: order(line[0]))
    published = [line for line in lines if line[0].published]
    others = [line for line in lines if not line[0].published]
    parts = [f"# {title}", "", paragraph, ""]
    if picture is not None:
        parts += [_image(picture[1], picture[0]), ""]
    parts += ["## What the paper states", "", _totals(published), ""]
    parts += [*_claims(published, place=True), ""]
    if others:
        parts += [*_folded(f"{_number(others, 'claim')} of this reproduction", _claims(others, place=False)), ""]
    parts += ["## The experiments", ""]
    for summary in summaries:
        parts += _experiment(summary)
    if missing:
        parts += [
            "## Without results",
            "",
            "These experiments have recipes but no results yet; no claim of theirs is above.",
        ]
        parts += ["", *(f"- {one.title}: `infoflow reproduce {one.paper} {one.name}`" for one in missing)]
    return "\n".join(parts).rstrip() + "\n"


def _totals(lines: Sequence[tuple[Claim, Verdict | None, Summary]]) -> str:
    if not lines:
        return "No claim of the paper could be judged."
    listed = counted((claim.verdict, holm) for claim, holm, _ in lines)
    return (
        f"{_number(lines, 'claim')}: {listed}. Those that fail come first. The effect is in standard deviations over "
        f"seeds. {WITH_HOLM}"
    )


def _claims(lines: Sequence[tuple[Claim, Verdict | None, Summary]], *, place: bool) -> list[str]:
    heads = ["Verdict", "Claim", "Effect", "With Holm", "Evidence", *(["Stated in"] if place else [])]
    table = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for claim, holm, summary in lines:
        link = f"[{within_paper(summary)}](#{anchor(summary)})"
        changed = "" if holm is None else "the same" if holm == claim.verdict else str(holm)
        few = " (contradicted, but too few seeds to reject it)" if claim.holds is False and claim.too_few else ""
        cells = [_bold(claim) + few, f"{link}: {claim.text}", effect(claim), changed, claim.evidence]
        table.append("| " + " | ".join(map(_cell, [*cells, *([claim.place] if place else [])])) + " |")
    return table


def _number(of: Sequence[object], noun: str) -> str:
    return f"{len(of)} {noun}{'s' * (len(of) != 1)}"


def _bold(claim: Claim) -> str:
    verdict = claim.verdict
    return f"**{verdict}**" if verdict in FAILED or verdict in HELD else str(verdict)


def _experiment(summary: Summary) -> list[str]:
    settings, made = summary["settings"], summary["provenance"]
    reduced = summary.get("reduced", "")
    parts = [f'<a id="{anchor(summary)}"></a>', "", f"### {titled(summary)}", ""]
    parts += [
        f"`{summary['command']}`: {how_many(settings)}{_planned(settings)}, {made['device']}, {made['trials']} trials "
        f"in {made['trial_seconds']} s, infoflow {made['infoflow']}, torch {made['torch']}.",
        "",
    ]
    if reduced:
        parts += _folded(_SMALLER.get(str(summary.get("reduced_from", "")), _SMALLER["paper"]), [reduced])
    compared = [row for row in summary["rows"] if row["verdict"] != Verdict.NOT_PUBLISHED]
    others = [row for row in summary["rows"] if row["verdict"] == Verdict.NOT_PUBLISHED]
    if compared:
        table = ["| Figure | Found | Published | Verdict |", "|---|---|---|---|"]
        table += [
            f"| {_cell(row['what'])} | {_found(row)} | {_published(row)} | {row['verdict']} |" for row in compared
        ]
        reasons = list(dict.fromkeys(row["why"] for row in compared if row["why"]))
        title = f"{_number(compared, 'figure')} with a published counterpart"
        parts += _folded(title, [*table, "", *(f"- {why}" for why in reasons)])
    if others:
        table = ["| Figure | Found |", "|---|---|", *(f"| {_cell(row['what'])} | {_found(row)} |" for row in others)]
        parts += _folded(_number(others, "further figure"), table)
    if summary["notes"]:
        parts += _folded("Notes", [f"- {note}" for note in summary["notes"]])
    pictures = []
    for figure in summary["figures"]:
        pictures += [_image(figure["caption"], f"{within_paper(summary)}/{figure['name']}.png"), ""]
    if pictures:
        parts += _folded(_number(summary["figures"], "picture"), pictures)
    return parts


def _folded(title: str, content: Sequence[str]) -> list[str]:
    return ['<details markdown="1">', f"<summary>{html.escape(title)}</summary>", "", *content, "", "</details>", ""]


def _image(caption: str, path: str) -> str:
    return f"![{caption.replace(']', chr(92) + ']')}]({path})"


def _found(row: Mapping[str, Any]) -> str:
    value, low, high = (float(row[name]) for name in ("found", "low", "high"))
    spread = f" [{low:.4g}, {high:.4g}]" if math.isfinite(low) and math.isfinite(high) else ""
    return f"{value:.4g}{' ' * bool(row['unit'])}{row['unit']}{spread}"


def _published(row: Mapping[str, Any]) -> str:
    return f"{float(row['published']):g}{' ' * bool(row['unit'])}{row['unit']}"


def anchor(summary: Summary) -> str:
    """Return the name of an experiment's place on a page.

    Parameters
    ----------
    summary
        The experiment's results.

    Returns
    -------
    str
        Name of the anchor.
    """
    return f"{summary['settings']['paper']}-{within_paper(summary)}"


def within_paper(summary: Summary) -> str:
    """Return the name of an experiment's folder, which contains the scale where there are several.

    Parameters
    ----------
    summary
        The experiment's results.

    Returns
    -------
    str
        Such as "mnist".
    """
    return str(summary["folder"]).rpartition("/")[2]


def titled(summary: Summary) -> str:
    """Return the title of an experiment, which contains the scale where it is not the usual one.

    Parameters
    ----------
    summary
        The experiment's results.

    Returns
    -------
    str
        The title.
    """
    return f"{summary['title']}{_SIZES.get(summary['settings']['scale'], '')}"


def _planned(settings: Mapping[str, Any]) -> str:
    """Return in parentheses how a number of seeds came about that is not the recipe's."""
    planned = settings.get("planned_seeds")
    if not planned:
        return ""
    if settings["seeds"] == 1:
        return f" of {planned} planned (the one that ran first)"
    if settings["seeds"] < planned:
        return f" of {planned} planned (those that ran first; intervals hold at any number of seeds)"
    return f" ({planned} were planned; the others were added after looking)"


def _cell(text: str) -> str:
    return re.sub(r"\s*\n\s*", " ", text.replace("|", "\\|"))
