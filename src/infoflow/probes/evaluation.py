"""One call: a row of Deep InfoMax's Table 3 for anybody's encoder."""

from __future__ import annotations

import html
import logging
import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import pandas as pd
from torch import Tensor

from infoflow.core.checks import integer
from infoflow.core.errors import InfoflowError, InvalidArgument, UnknownName
from infoflow.probes.features import Encoder, Layers, as_module, features
from infoflow.probes.information import InputInformation, NeuralDependency, TotalCorrelation
from infoflow.probes.linear import LinearSVM
from infoflow.probes.material import Material
from infoflow.probes.problem import Problem
from infoflow.probes.reconstruction import Reconstruction
from infoflow.probes.score import Score

log = logging.getLogger(__name__)

TAKES = ("labels", "features", "inputs", "images", "encoder")
COLUMNS = (
    "column",
    "measure",
    "layer",
    "value",
    "low",
    "high",
    "spans",
    "unit",
    "kind",
    "runs",
    "n",
    "seconds",
    "settings",
    "warnings",
)


@runtime_checkable
class Probe(Protocol):
    """Anything with a name, a `score`, and `takes`, which says what `score` is called with.

    "labels": (train features, labels, test features, labels), on every layer. On the last layer: "features": (test
    features); "inputs": (test inputs, test features); "images": (train features, images, test features, images);
    "encoder": (encoder, train inputs, labels, test inputs, labels).
    """

    @property
    def name(self) -> str: ...

    @property
    def takes(self) -> str: ...

    score: Callable[..., Score]


def table3() -> list[Any]:
    """The measures of the paper's Table 3, and the total correlation.

    >>> [probe.name for probe in table3()]
    ['SVM', 'MS-SSIM', 'Î(X;Y)', 'NDM', 'NDM (sigmoid)', 'TC']
    """
    return [
        LinearSVM(),
        Reconstruction(),
        InputInformation(),
        NeuralDependency(),
        NeuralDependency(sigmoid=True),
        TotalCorrelation(),
    ]


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` found: every number with its kind, interval and warnings.

    >>> from infoflow.data import digits, split
    >>> import torch
    >>> found = evaluate(torch.nn.Flatten(), split(digits()), probes=[TotalCorrelation()], name="pixels")
    >>> found.row.columns.tolist()
    ['TC']
    """

    name: str
    frame: pd.DataFrame
    """A row for each measure and layer; a value that could not be had is NaN, and `warnings` says why."""
    scores: Mapping[tuple[str, str], Score]
    """(measure, layer) -> score."""

    @property
    def row(self) -> pd.DataFrame:
        """One row as in Table 3: accuracies by layer, "SVM (conv)", and a column for each other measure."""
        return pd.DataFrame([self.frame["value"].tolist()], columns=self.frame["column"].tolist(), index=[self.name])

    def page(self, path: str | os.PathLike[str], *, others: Sequence[Evaluation] = ()) -> None:
        """Writes the row (with those of `others` beneath) and all details as one HTML page that opens offline."""
        target = Path(path)
        if target.is_dir():
            raise InvalidArgument(f"path is {str(target)!r}, which is a folder; want the name of an HTML file")
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.{os.getpid()}.part")
        part.write_text(_page([self, *others]), encoding="utf-8")
        part.replace(target)


def evaluate(
    encoder: Encoder,
    data: Any,
    *,
    layers: Layers = None,
    probes: Sequence[Any] | None = None,
    prepare: Callable[[Tensor], Tensor] | None = None,
    name: str | None = None,
    batch_size: int = 512,
) -> Evaluation:
    """How good is a frozen representation: accuracies of probes, what it keeps of the input, how independent it is.

    - `encoder`: a module or a function; it is left as it was. `layers` as in `features`: by default the ones that the
      encoder names itself (`encoder.layers`), else what it returns. Measures that look at one layer take the last.
    - `data`: a `Split` (images in [0, 1]), or ((train_x, train_y), (test_x, test_y)). Probes and decoders train on
      train; everything is reported on test, on samples that the encoder should not have been trained on.
    - `probes`: default `table3()`. Any object as in `Probe`.
    - `prepare`: applied to each batch before the encoder (`lambda x: 2 * x - 1` for images in [−1, 1]).

    A measure that fails (a package that is missing, too few samples) leaves the others alone: its value is NaN and its
    warning says why.

    Raises InvalidArgument for data and encoders that nothing can be measured on (one class, mismatched labels, NaN,
    nothing returned), TooFewSamples, UnknownName. Hjelm et al. (2019), Table 3.

    >>> from infoflow.data import digits, split
    >>> from infoflow.probes import LinearSVM, NearestNeighbors
    >>> import torch
    >>> found = evaluate(torch.nn.Flatten(), split(digits()), probes=[LinearSVM(runs=1), NearestNeighbors()])
    >>> found.frame[["measure", "layer", "value"]].values.tolist()
    [['SVM', 'Y', 0.9...], ['k-NN', 'Y', 0.9...]]
    """
    integer(batch_size, "batch_size")
    chosen = table3() if probes is None else list(probes)
    if not chosen:
        raise InvalidArgument("probes is empty; want at least one")
    for probe in chosen:
        if not isinstance(probe, Probe):
            raise InvalidArgument(f"{probe!r} is no probe; want name, takes and score(...)")
        if probe.takes not in TAKES:
            raise UnknownName("kind of probe", probe.takes, TAKES)
    material = Material.of(data)
    train, test = (
        features(encoder, x, layers, prepare=prepare, batch_size=batch_size)
        for x in (material.train_x, material.test_x)
    )
    for layer in train:
        Problem.of(train[layer], material.train_y, test[layer], material.test_y)
    rows: list[dict[str, Any]] = []
    scores: dict[tuple[str, str], Score] = {}
    for probe in chosen:
        for layer in train if probe.takes == "labels" else [list(train)[-1]]:
            if (probe.name, layer) in scores:
                raise InvalidArgument(f"two probes are called {probe.name!r}; want different names")
            start = time.perf_counter()
            try:
                score = _scored(probe, encoder, material, train[layer], test[layer], prepare)
                scores[probe.name, layer] = score
                row = _columns(score)
            except InfoflowError as error:
                log.warning("%s on %s could not be measured: %s", probe.name, layer, error)
                row = {"value": math.nan, "n": 0, "runs": 0, "warnings": f"not measured: {error}"}
            column = f"{probe.name} ({layer})" if probe.takes == "labels" else probe.name
            seconds = time.perf_counter() - start
            rows.append({"column": column, "measure": probe.name, "layer": layer, **row, "seconds": seconds})
    frame = pd.DataFrame(rows, columns=list(COLUMNS)).fillna({"spans": "", "unit": "", "kind": "", "settings": ""})
    return Evaluation(type(as_module(encoder)).__name__ if name is None else str(name), frame, scores)


def _scored(
    probe: Any,
    encoder: Encoder,
    material: Material,
    train: Tensor,
    test: Tensor,
    prepare: Callable[[Tensor], Tensor] | None,
) -> Score:
    score: Score
    if probe.takes == "labels":
        score = probe.score(train, material.train_y, test, material.test_y)
    elif probe.takes == "features":
        score = probe.score(test)
    elif probe.takes == "inputs":
        score = probe.score(material.test_x, test)
    elif probe.takes == "images":
        if not material.has_images:
            raise InvalidArgument(f"inputs have shape {tuple(material.test_x.shape)}; want images (n, 1 or 3, H, W)")
        score = probe.score(train, material.train_x, test, material.test_x)
    else:
        inputs = material.prepared(prepare)
        score = probe.score(encoder, inputs[0], material.train_y, inputs[1], material.test_y)
    return score


def _columns(score: Score) -> dict[str, Any]:
    interval = score.interval
    return {
        "value": score.value,
        "low": math.nan if interval is None else interval.low,
        "high": math.nan if interval is None else interval.high,
        "spans": "" if interval is None else interval.spans,
        "unit": score.unit,
        "kind": str(score.kind),
        "runs": max(1, len(score.runs)),
        "n": score.n,
        "settings": ", ".join(f"{key}={value}" for key, value in score.settings.items()),
        "warnings": "; ".join(score.warnings),
    }


_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #888; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0 2rem; display: block; overflow-x: auto; }
th, td { text-align: left; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
small { color: var(--soft); }
"""


def _page(evaluations: Sequence[Evaluation]) -> str:
    """The table in front, then every number with what there is to know about it."""
    columns = list(dict.fromkeys(column for each in evaluations for column in each.row.columns))
    head = "".join(f'<th class="number">{html.escape(column)}</th>' for column in columns)
    body = "".join(
        f"<tr><th>{html.escape(each.name)}</th>{''.join(_cells(each, columns))}</tr>" for each in evaluations
    )
    parts = [f"<table><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table>"]
    for each in evaluations:
        rows = "".join(_detail(row) for row in each.frame.to_dict("records"))
        parts.append(
            f"<h2>{html.escape(each.name)}</h2><table><thead><tr><th>measure</th><th>layer</th>"
            '<th class="number">value</th><th>interval</th><th>kind</th><th class="number">n</th>'
            f"<th>settings</th><th>be careful of</th></tr></thead><tbody>{rows}</tbody></table>"
        )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>How good is the representation</title><style>{_STYLE}</style></head><body>"
        "<h1>How good is the representation</h1><p>Accuracies in per cent, higher is better. Information in nats. "
        "MS-SSIM: 1 is a perfect reconstruction. NDM and TC: 0 is independent features.</p>"
        f"{''.join(parts)}</body></html>\n"
    )


def _number(value: float, unit: str) -> str:
    if not math.isfinite(value):
        return "–" if math.isnan(value) else "∞"
    return f"{100 * value:.2f} %" if unit == "fraction" else f"{value:.3f}"


def _cells(evaluation: Evaluation, columns: Sequence[str]) -> list[str]:
    values = dict(zip(evaluation.row.columns, evaluation.frame.to_dict("records"), strict=True))
    cells = []
    for column in columns:
        row = values.get(column)
        text = "" if row is None else _number(row["value"], row["unit"])
        if row is not None and not math.isnan(row["low"]):
            half = (row["high"] - row["low"]) / 2
            text += f"<br><small>± {_number(half, row['unit'])}</small>"
        cells.append(f'<td class="number">{text}</td>')
    return cells


def _detail(row: Mapping[Any, Any]) -> str:
    interval = ""
    if not math.isnan(row["low"]):
        interval = f"{_number(row['low'], row['unit'])} to {_number(row['high'], row['unit'])}, over {row['spans']}"
    cells = [
        ("", row["measure"]),
        ("", row["layer"]),
        ("number", f"{_number(row['value'], row['unit'])} {row['unit'] if row['unit'] == 'nats' else ''}"),
        ("", interval),
        ("", row["kind"]),
        ("number", str(row["n"])),
        ("", row["settings"]),
        ("", row["warnings"]),
    ]
    return "<tr>" + "".join(f'<td class="{kind}">{html.escape(str(text))}</td>' for kind, text in cells) + "</tr>"
