"""The files of a reproduction: table, claims, pictures, and one page with all of them that needs no network."""

from __future__ import annotations

import base64
import html
import json
import math
import platform
from collections.abc import Collection, Mapping, Sequence
from importlib.resources import files as resources
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from infoflow.core.files import write_atomically, write_text
from infoflow.core.provenance import plain
from infoflow_reproductions.harness.findings import FAILED, HELD, Claim, Figure, Findings, Row, Verdict
from infoflow_reproductions.harness.records import record_of
from infoflow_reproductions.harness.seeds import how_many
from infoflow_reproductions.harness.trial import Results

_COLORS: dict[Verdict, str] = {**dict.fromkeys(HELD, "good"), **dict.fromkeys(FAILED, "bad")}


def table(rows: Sequence[Row]) -> pd.DataFrame:
    """Return a table with a line per figure.

    Parameters
    ----------
    rows
        The figures.

    Returns
    -------
    DataFrame
        Mean, confidence interval, published figure and verdict of each.
    """
    return pd.DataFrame(
        [
            {
                "what": row.what,
                "unit": row.unit,
                "found": row.found.mean,
                "low": row.found.low,
                "high": row.found.high,
                "seeds": row.found.seeds,
                "published": math.nan if row.published is None else row.published,
                "tolerance": math.nan if row.tolerance is None else row.tolerance,
                "verdict": str(row.verdict),
                "why": row.why,
            }
            for row in rows
        ]
    )


def figures_table(records: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return a table with a line per stored figure.

    Parameters
    ----------
    records
        Rows of results.json.

    Returns
    -------
    DataFrame
        As `table`.
    """
    names = ("what", "unit", "found", "low", "high", "seeds", "published", "tolerance", "verdict", "why")
    found = pd.DataFrame([{name: record[name] for name in names} for record in records])
    # JSON holds NaN and infinity as text.
    return found.astype(dict.fromkeys(("found", "low", "high", "published", "tolerance"), float))


def claims(found: Sequence[Claim]) -> pd.DataFrame:
    """Return a table with a line per claim.

    Parameters
    ----------
    found
        The claims.

    Returns
    -------
    DataFrame
        Claim, verdict, effect, p-value, evidence, whether the paper makes it and where.
    """
    return claims_table([record_of(claim) for claim in found])


def claims_table(records: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return a table with a line per stored claim.

    Parameters
    ----------
    records
        What `record_of` returns.

    Returns
    -------
    DataFrame
        As `claims`.
    """
    names = ("claim", "verdict", "effect", "p", "evidence", "published", "place")
    return pd.DataFrame([{name: record[name] for name in names} for record in records])


def write(
    title: str,
    settings: Mapping[str, Any],
    findings: Findings,
    results: Results,
    provenance: Mapping[str, Any],
    folder: Path,
) -> dict[str, Path]:
    """Write table.csv, claims.csv, trials.csv, results.json, a PNG per picture and report.html.

    Parameters
    ----------
    title
        Title of the experiment.
    settings
        Every setting of the run.
    findings
        What was found.
    results
        Results of the trials.
    provenance
        Versions, device, time and run time.
    folder
        Folder to write to.

    Returns
    -------
    dict
        Paths by file name.
    """
    pictures = [(figure, _drawn(figure)) for figure in findings.figures]
    summary = {
        "title": title,
        "settings": settings,
        "provenance": provenance,
        "reduced": findings.reduced,
        "rows": [
            {
                **line,
                "values": list(row.values),
                **({} if math.isinf(row.ceiling) else {"ceiling": row.ceiling}),
            }
            for line, row in zip(table(findings.rows).to_dict("records"), findings.rows, strict=True)
        ],
        "claims": [record_of(claim) for claim in findings.claims],
        "figures": [{"name": figure.name, "caption": figure.caption} for figure in findings.figures],
        "notes": list(findings.notes),
    }
    texts = {
        **({"table.csv": table(findings.rows).to_csv(index=False)} if findings.rows else {}),
        **({"claims.csv": claims(findings.claims).to_csv(index=False)} if findings.claims else {}),
        "trials.csv": results.frame.to_csv(index=False),
        "results.json": json.dumps(plain(summary), indent=2, allow_nan=False) + "\n",
        "report.html": _html(title, settings, findings, pictures, provenance),
    }
    for name, text in texts.items():
        write_text(folder / name, text)
    images = {f"{figure.name}.png": picture for figure, picture in pictures}
    for name, picture in images.items():
        write_atomically(folder / name, lambda part, picture=picture: part.write_bytes(picture))  # type: ignore[misc]
    return {name: folder / name for name in (*texts, *images)}


def as_text(findings: Findings) -> str:
    """Return figures, claims and notes as plain text.

    Parameters
    ----------
    findings
        What was found.

    Returns
    -------
    str
        A line per figure, claim and note.
    """
    lines = []
    for row in findings.rows:
        unit = f" {row.unit}" if row.unit else ""
        published = "" if row.published is None else f", published {row.published:g}{unit}"
        why = f" ({row.why})" if row.why else ""
        lines.append(f"{row.what}: {row.found}{unit}{published}: {row.verdict}{why}")
    if findings.claims:
        lines += ["", *(f"{claim.verdict}: {claim.text} ({claim.evidence})" for claim in findings.claims)]
    if findings.notes:
        lines += ["", *findings.notes]
    return "\n".join(lines)


def device_name(device: torch.device) -> str:
    """Return the name of a device for the provenance.

    Parameters
    ----------
    device
        The device.

    Returns
    -------
    str
        Name of the GPU, or device type and machine.
    """
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type} ({platform.machine()})"


def order(claim: Claim) -> tuple[bool, int]:
    """Return the rank of a claim on a page: the paper's before others, those that fail first.

    Parameters
    ----------
    claim
        The claim.

    Returns
    -------
    tuple
        Sorts claims.
    """
    return not claim.published, 0 if claim.verdict in FAILED else 2 if claim.verdict in HELD else 1


def effect(claim: Claim) -> str:
    """Return the standardized effect of a claim as text.

    Parameters
    ----------
    claim
        The claim.

    Returns
    -------
    str
        Such as "2.1 σ", in standard deviations over seeds; empty where there is none.
    """
    found = math.nan if claim.sample is None else claim.sample.effect
    return "" if not math.isfinite(found) else f"{found:.2g} σ" if abs(found) < 10 else f"{found:.0f} σ"


def _drawn(figure: Figure) -> bytes:
    # Imported here because only the last step draws; the trials' processes do not.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(7.0, 4.2), dpi=110, layout="constrained")
    FigureCanvasAgg(canvas)
    figure.draw(canvas)
    buffer = BytesIO()
    # Without a software version in the file the same results give the same bytes.
    canvas.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _number(value: float) -> str:
    return "" if not math.isfinite(value) else f"{value:.4g}"


def _html(
    title: str,
    settings: Mapping[str, Any],
    findings: Findings,
    pictures: Sequence[tuple[Figure, bytes]],
    provenance: Mapping[str, Any],
) -> str:
    body = [f"<h1>{html.escape(title)}</h1>", f"<p class=sub>{_inline(_head(settings, provenance))}</p>"]
    if findings.claims:
        body.append("<h2>Claims</h2>")
        cells = [
            [_verdict(c.verdict), _inline(c.text), effect(c), _inline(c.evidence), _inline(c.place) or "ours"]
            for c in sorted(findings.claims, key=order)
        ]
        body.append(_table(["verdict", "claim", "effect", "evidence", "where"], cells))
    if findings.rows:
        body.append("<h2>Figures and published figures</h2>")
        body.append(
            _table(
                ["what", "found", "95 % interval", "seeds", "published", "verdict", ""],
                [_cells(row) for row in findings.rows],
                numeric={1, 2, 3, 4},
            )
        )
    for figure, picture in pictures:
        source = base64.b64encode(picture).decode()
        caption = html.escape(figure.caption)
        image = f'<img alt="{caption}" src="data:image/png;base64,{source}">'
        body.append(f"<figure>{image}<figcaption>{caption}</figcaption></figure>")
    if findings.notes:
        body.append("<h2>Notes</h2><ul>" + "".join(f"<li>{_inline(note)}</li>" for note in findings.notes) + "</ul>")
    for name, values in (("Settings", settings), ("Provenance", provenance)):
        cells = [[_inline(key), _inline(json.dumps(value))] for key, value in plain(values).items()]
        body.append(f"<details><summary>{name}</summary>{_table(['', ''], cells)}</details>")
    style = resources("infoflow_reproductions").joinpath("page.css").read_text(encoding="utf-8")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{style}</style>'
        f"<main>{''.join(body)}</main></html>\n"
    )


def _head(settings: Mapping[str, Any], provenance: Mapping[str, Any]) -> str:
    return (
        f"{settings['paper']} · {settings['experiment']} · scale {settings['scale']} · {how_many(settings)} · "
        f"{provenance['device']} · {provenance['trials']} trials, {provenance['trial_seconds']} s · "
        f"infoflow {provenance['infoflow']}, torch {provenance['torch']} · {provenance['time']}"
    )


def _cells(row: Row) -> list[str]:
    found = row.found
    interval = f"{_number(found.low)} – {_number(found.high)}" if math.isfinite(found.low) else ""
    unit = f" {row.unit}" if row.unit else ""
    return [
        _inline(row.what),
        f"{_number(found.mean)}{_inline(unit)}",
        interval,
        str(found.seeds),
        "" if row.published is None else f"{row.published:g}",
        _verdict(row.verdict),
        _inline(row.why),
    ]


def _verdict(verdict: Verdict) -> str:
    return f'<span class="verdict {_COLORS.get(verdict, "open")}">{html.escape(verdict)}</span>'


def _inline(text: str) -> str:
    return html.escape(text)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, numeric: Collection[int] = ()) -> str:
    top = "".join(f"<th>{html.escape(head)}</th>" for head in heads)
    lines = "".join(
        "<tr>" + "".join(f"<td{' class=n' if i in numeric else ''}>{cell}</td>" for i, cell in enumerate(row)) + "</tr>"
        for row in rows
    )
    return f"<div class=scroll><table><thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table></div>"
