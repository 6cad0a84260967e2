"""The benchmarks' pages: the introduction of docs/hooks/benchmarks.md with tables of the committed results."""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path
from statistics import mean
from typing import Any

FOLDERS = {"distributions": "Families of distributions", "distributions-neural": "Peers that train networks"}
"""Results of `infoflow bench distributions`, with the titles of their pages."""


def pages(root: Path) -> tuple[list[Any], dict[str, dict[str, str]]]:
    """Navigation and generated files of the benchmarks."""
    results = root / "benchmarks" / "results"
    text = (root / "docs" / "hooks" / "benchmarks.md").read_text(encoding="utf-8")
    text = text.replace("<!-- accuracy -->", _accuracy(results)).replace("<!-- speed -->", _speed(results / "speed"))
    for folder in FOLDERS:
        text = text.replace(f"<!-- {folder} -->", _families(results / folder))
        text = text.replace(f"<!-- {folder}: better -->", _better(results / folder))
    files = {
        "benchmarks/index.md": {"content": text},
        "benchmarks/accuracy.png": {"abs_src_path": str(results / "accuracy" / "default" / "accuracy-n10000.png")},
    }
    for folder in FOLDERS:
        page = (results / folder / "README.md").read_text(encoding="utf-8")
        files[f"benchmarks/{folder}/index.md"] = {"content": page}
        for picture in sorted((results / folder).glob("*.png")):
            files[f"benchmarks/{folder}/{picture.name}"] = {"abs_src_path": str(picture)}
    return ["benchmarks/index.md", *({title: f"benchmarks/{name}/index.md"} for name, title in FOLDERS.items())], files


def _families(folder: Path) -> str:
    """The estimators over all families, the smallest mean error first."""
    lines = [
        "| n | Estimator | mean absolute error, nats | silently wrong | CPU seconds | distributions |",
        "|---|---|---|---|---|---|",
    ]
    rows = [row for row in _rows(folder / "families.csv") if row["family"] == "all"]
    for row in sorted(rows, key=lambda row: (int(row["n"]), float(row["mean_absolute_error"]))):
        error, wrong = float(row["mean_absolute_error"]), 100 * float(row["silently_wrong"])
        start = f"| {row['n']} | `{row['estimator']}` | {error:.3f} | {wrong:.0f} %"
        lines.append(f"{start} | {float(row['cpu_seconds']):.2g} | {row['cells']} |")
    return "\n".join(lines)


def _better(folder: Path) -> str:
    """Cells where another estimator is closer than `auto` by more than 0.02 nats, the largest difference first."""
    lines = ["| n | Distribution | truth, nats | error of `auto` | closest | its error |", "|---|---|---|---|---|---|"]
    rows = _rows(folder / "cells.csv")
    errors = {(row["n"], row["task"], row["estimator"]): row["mean_error"] for row in rows}
    for row in rows:
        if row["behind"] and float(row["behind"]) > 0.02:
            other = float(errors[row["n"], row["task"], row["best"]])
            start = f"| {row['n']} | {row['task']} | {float(row['truth']):.2f} | {float(row['mean_error']):+.3f}"
            lines.append(f"{start} | `{row['best']}` | {other:+.3f} |")
    return "\n".join(lines)


def _accuracy(results: Path) -> str:
    """Mean absolute error and tasks within the tolerance, of the default and of the other estimators."""
    tables = {"auto": _rows(results / "accuracy" / "default" / "accuracy.csv")}
    for row in _rows(results / "accuracy" / "accuracy.csv"):
        if row["estimator"] != "auto":  # of an earlier default
            tables.setdefault(row["estimator"], []).append(row)
    lines = [
        "| Estimator | mean absolute error, nats | estimates within the tolerance | estimates |",
        "|---|---|---|---|",
    ]
    found = []
    for name, rows in tables.items():
        errors = [abs(float(row["error"])) for row in rows if row["error"] and math.isfinite(float(row["error"]))]
        within = sum(abs(float(row["error"])) <= max(0.05, 0.1 * float(row["truth"])) for row in rows if row["error"])
        if errors:
            found.append((mean(errors), f"| `{name}` | {mean(errors):.3f} | {within} | {len(rows)} |"))
    return "\n".join([*lines, *[line for _, line in sorted(found)]])


def _speed(folder: Path) -> str:
    """Every measured case beside its reference."""
    lines = ["| What | Case | Reference | times faster |", "|---|---|---|---|"]
    for path in sorted(folder.glob("*.csv")):
        for row in _rows(path):
            if row["ratio"]:
                case, reference = (re.sub(r"\|", r"\\|", row[name]) for name in ("case", "reference"))
                lines.append(
                    f"| {row['benchmark'].replace('-', ' ')} | {case} | {reference} | {float(row['ratio']):.2g} |"
                )
    return "\n".join(lines)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
