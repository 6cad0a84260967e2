"""The Markdown pages on all committed reproductions, generated from their files, and the verdicts by today's rules."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from infoflow.core.errors import BrokenStore, MissingData
from infoflow.core.files import write_text
from infoflow.core.provenance import plain
from infoflow_reproductions.harness.commands import command
from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Findings, Row, Verdict
from infoflow_reproductions.harness.found import Found
from infoflow_reproductions.harness.helping import HELP, HELP_PAGE, helps
from infoflow_reproductions.harness.page import claims_table, figures_table
from infoflow_reproductions.harness.paper_page import anchor, paper_page, titled, within_paper
from infoflow_reproductions.harness.paragraphs import PARAGRAPHS, PICTURES
from infoflow_reproductions.harness.records import claim_of, record_of
from infoflow_reproductions.harness.reductions import with_fewer_seeds
from infoflow_reproductions.harness.registry import PAPERS, experiments
from infoflow_reproductions.harness.row_claims import figures_of_records
from infoflow_reproductions.harness.totals import WITH_HOLM, counted, judged

BEGIN, END = "<!-- reproductions: begin -->", "<!-- reproductions: end -->"
"""The two lines of a page between which the overview stands."""


def read(folder: Path) -> list[dict[str, Any]]:
    """Return the content of every `PAPER/EXPERIMENT/results.json` below a folder.

    Parameters
    ----------
    folder
        Folder of the results.

    Returns
    -------
    list of dict
        Summaries in the order of the registry, each with its `folder`.

    Raises
    ------
    MissingData
        If there is none.
    BrokenStore
        If one cannot be read.
    """
    found = []
    for path in sorted(folder.glob("*/*/results.json")):
        try:
            summary = json.loads(path.read_text(encoding="utf-8"))
            _ = summary["settings"]["paper"], summary["claims"], summary["rows"], summary["provenance"]
        except (ValueError, KeyError, TypeError):
            raise BrokenStore(
                f"{path} is not a summary of a reproduction. Remove it, or run the experiment again."
            ) from None
        found.append({**_judged(summary), "folder": path.parent.relative_to(folder).as_posix()})
    if not found:
        raise MissingData(f"no PAPER/EXPERIMENT/results.json below {folder}. `infoflow reproduce` writes such files.")
    return sorted(found, key=_place)


def _judged(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return a summary whose claims have places and verdicts by today's rules, with those that follow from figures."""
    stored = summary["settings"]
    experiment = experiments(stored["paper"])[stored["experiment"]]
    # The number of today's recipe may be younger than the results; one that is given as planned is not.
    scale = stored["scale"]
    planned = experiment.planned(scale, stored.get("seeds")) if scale in experiment.planned_seeds else {}
    settings = {**stored, **planned}
    reduced = summary.get("reduced", "")
    if experiment.smaller is None and "smaller" not in settings:
        reduced = with_fewer_seeds(reduced, settings.get("seeds"), getattr(experiment.recipe("full"), "seeds", None))
    further = experiment.further(figures_of_records(summary["rows"]))
    # Earlier versions stored some of these claims without their mark.
    anew = {claim.text for claim in further}
    known = [
        claim
        for claim in map(claim_of, summary["claims"])
        if not (claim.of_figures or claim.text in anew or any(part in claim.text for part in experiment.superseded))
    ]
    known = [
        replace(claim, published=claim.published and not any(part in claim.text for part in experiment.own), place="")
        for claim in known
    ]
    remarks = experiment.remarks(settings) if experiment.remarks else ()
    findings = Findings(claims=[*known, *further]).placed(
        experiment.place, reduced=reduced, anytime="planned_seeds" in settings
    )
    return {
        **summary,
        "settings": settings,
        "reduced": reduced,
        "rows": [_with_interval(row) for row in summary["rows"]],
        "claims": [record_of(claim) for claim in findings.claims],
        "notes": list(dict.fromkeys([*summary["notes"], *remarks])),
    }


def _with_interval(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored figure with today's interval, where no verdict rests on it."""
    if row["verdict"] != Verdict.NOT_PUBLISHED or "values" not in row:
        return dict(row)
    values = [float(value) for value in row["values"]]
    found = Row(row["what"], values, row["unit"], ceiling=float(row.get("ceiling", math.inf))).found
    return {**row, "low": found.low, "high": found.high}


def _place(summary: Mapping[str, Any]) -> tuple[int, int, str]:
    paper, experiment = summary["settings"]["paper"], summary["settings"]["experiment"]
    return list(PAPERS).index(paper), list(experiments(paper)).index(experiment), summary["folder"]


def collect(folder: Path) -> str:
    """Judge all results again, and write the pages: one per paper, an index, and the overview in a README above.

    Parameters
    ----------
    folder
        Folder of the results.

    Returns
    -------
    str
        The overview.

    Raises
    ------
    MissingData
        If there are no results.
    BrokenStore
        If a result cannot be read.
    """
    for summary in read(folder):
        target = folder / summary["folder"]
        stored = {name: value for name, value in summary.items() if name != "folder"}
        write_text(target / "results.json", json.dumps(plain(stored), indent=2, allow_nan=False) + "\n")
        if summary["rows"]:
            write_text(target / "table.csv", figures_table(summary["rows"]).to_csv(index=False))
        if summary["claims"]:
            write_text(target / "claims.csv", claims_table(summary["claims"]).to_csv(index=False))
    for name, text in pages(folder).items():
        write_text(folder / name, text)
    for parent in folder.resolve().parents:
        page = parent / "README.md"
        if page.exists() and BEGIN in (text := page.read_text(encoding="utf-8")):
            found = overview(folder.resolve(), parent)
            write_text(page, between_marks(text, found))
            return found
    return overview(folder)


def pages(folder: Path) -> dict[str, str]:
    """Return all Markdown pages of a folder of results.

    Parameters
    ----------
    folder
        Folder of the results.

    Returns
    -------
    dict
        Text by file name relative to the folder: a page per paper, one across papers, and the index.
    """
    summaries = [
        {**one, "command": command(one), "reduced_from": _reduced_from(one)} for one in map(_escaped, read(folder))
    ]
    by_paper = {
        paper: [one for one in summaries if one["settings"]["paper"] == paper]
        for paper in PAPERS
        if any(one["settings"]["paper"] == paper for one in summaries)
    }
    found = {f"{paper}/README.md": _page_of(paper, some) for paper, some in by_paper.items()}
    if set(HELP) <= set(by_paper):
        with suppress(MissingData):  # not all experiments have results
            found[HELP_PAGE] = helps({paper: Found(some) for paper, some in by_paper.items()})
    found["README.md"] = _index(by_paper, helps=HELP_PAGE in found)
    return found


def _page_of(paper: str, summaries: Sequence[Mapping[str, Any]]) -> str:
    found = Found(summaries)
    try:
        paragraph = PARAGRAPHS[paper](found)
    except MissingData:  # not all experiments have results
        paragraph = "Not all experiments of this paper have results yet."
    name, _, figure = PICTURES[paper].partition("/")
    captions = [
        one["caption"]
        for summary in summaries
        if within_paper(summary) == name
        for one in summary["figures"]
        if one["name"] == figure
    ]
    picture = (f"{PICTURES[paper]}.png", captions[0]) if captions else None
    return paper_page(PAPERS[paper][1], paragraph, picture, summaries, _missing(paper, summaries))


def _missing(paper: str, summaries: Sequence[Mapping[str, Any]]) -> list[Experiment]:
    """Return the experiments of a paper that have no results."""
    done = {summary["settings"]["experiment"] for summary in summaries}
    return [experiment for name, experiment in experiments(paper).items() if name not in done]


_RULES = """\
A claim of a paper is *reproduced* or *differs* where the 95 % interval over seeds excludes the opposite, and
*inconclusive* otherwise; *at reduced scale* where networks, data or training are smaller than published. Intervals stay
within the range of the quantity. Fewer than four seeds never suffice for *differs*. The number of seeds is fixed
beforehand in the recipe; where another number ran, intervals are used that are valid at any number of seeds. Claims
that the paper does not make are listed apart (*holds*, *does not hold*). Each claim has its effect. In an information
plane, layers that are saturated or whose estimates contradict each other, I(T;Y) > I(X;T), support no verdict."""


def _index(by_paper: Mapping[str, Sequence[Mapping[str, Any]]], *, helps: bool) -> str:
    lines = ["# Reproductions", "", "Generated by `infoflow reproduce --collect`; the verdicts follow by rule.", ""]
    lines += [_RULES, "", WITH_HOLM, "", "| Paper | Experiments with results | Published claims |", "|---|---|---|"]
    for paper, summaries in by_paper.items():
        known = experiments(paper)
        done = len(known) - len(_missing(paper, summaries))
        total = counted(itertools.chain.from_iterable(judged(summaries)))
        lines.append(f"| [{PAPERS[paper][1]}]({paper}/README.md) | {done} of {len(known)} | {total} |")
    if helps:
        lines += ["", f"Across papers: [When does training with information help?]({HELP_PAGE})"]
    return "\n".join(lines) + "\n"


def overview(folder: Path, start: Path | None = None) -> str:
    """Return a Markdown table with a line per experiment, and what its counts mean.

    Parameters
    ----------
    folder
        Folder of the results.
    start
        Folder of the page that shows the table, to which its links are relative; by default the folder's parent.

    Returns
    -------
    str
        The table.
    """
    path = folder.relative_to(start or folder.parent).as_posix()
    lines = ["| Experiment | Command | Published claims | Published figures |", "|---|---|---|---|"]
    summaries = list(map(_escaped, read(folder)))
    by_paper = [list(some) for _, some in itertools.groupby(summaries, lambda one: one["settings"]["paper"])]
    verdicts = itertools.chain.from_iterable(map(judged, by_paper))
    for summary, claims in zip(summaries, verdicts, strict=True):
        rows = Counter(row["verdict"] for row in summary["rows"] if row["verdict"] != "not published")
        link = f"[{titled(summary)}]({path}/{summary['settings']['paper']}/README.md#{anchor(summary)})"
        lines.append(f"| {link} | `{command(summary)}` | {counted(claims)} | {_counted(rows)} |")
    return "\n".join([*lines, "", WITH_HOLM]) + "\n"


def between_marks(page: str, content: str) -> str:
    """Return a page with the text between the two marks replaced.

    Parameters
    ----------
    page
        Markdown that contains both marks.
    content
        New text between them.

    Returns
    -------
    str
        The page.

    Raises
    ------
    BrokenStore
        If a mark is missing.

    Examples
    --------
    >>> between_marks(f"a {BEGIN} old {END} b", "new")
    'a <!-- reproductions: begin -->\\nnew<!-- reproductions: end --> b'
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise BrokenStore(f"the page lacks the marks {BEGIN} and {END}, between which the overview belongs.")
    return f"{before}{BEGIN}\n{content}{END}{after}"


def _reduced_from(summary: Mapping[str, Any]) -> str:
    """Return what the results' text on smaller settings compares with; for results that do not say, by their text."""
    settings, stored = summary["settings"], summary["provenance"].get("reduced_from")
    experiment = experiments(settings["paper"])[settings["experiment"]]
    recipe = experiment.recipe(settings["scale"])
    if stored is not None:
        return str(stored)
    stated = isinstance(settings.get("smaller"), str) or summary.get("reduced") == experiment.reduced(recipe)
    return experiment.compared_with(recipe) if stated else "full"


def _counted(verdicts: Mapping[str, int]) -> str:
    return ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in Verdict if verdicts.get(verdict))


def _escaped(value: Any) -> Any:
    """The same content, in which no text begins a tag of HTML, a link of Markdown, or a line."""
    if isinstance(value, dict):
        return {_escaped(name): _escaped(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_escaped(each) for each in value]
    if not isinstance(value, str):
        return value
    without_tags = re.sub(r"<(?=[A-Za-z/!?])", "&lt;", " ".join(value.splitlines()))
    # After an even number of backslashes a bracket is not escaped yet.
    without_links = re.sub(r"(?<!\\)((?:\\\\)*)\](?=\s*\()", r"\1\\]", without_tags)
    return re.sub(r"^\s*\[(?=[^\]]*\]:)", r"\\[", without_links)
