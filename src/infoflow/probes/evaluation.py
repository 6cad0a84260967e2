"""Evaluation of a frozen encoder by many probes in one call, as in table 3 of Deep InfoMax."""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from torch import Tensor

from infoflow.core.errors import InfoflowError, InvalidArgument, UnknownName
from infoflow.core.files import write_text
from infoflow.core.settings import PositiveInt, validated
from infoflow.probes.features import Encoder, Layers, as_module, features
from infoflow.probes.information import InputInformation, NeuralDependency, TotalCorrelation
from infoflow.probes.inputs import Material, Prepare, Problem
from infoflow.probes.linear import LinearSVM
from infoflow.probes.page import overview, page
from infoflow.probes.probe import Probe
from infoflow.probes.reconstruction import Reconstruction
from infoflow.probes.score import Score

log = logging.getLogger(__name__)

_TAKES = ("labels", "features", "inputs", "images", "encoder")


def table3() -> list[Any]:
    """Return the measures of table 3 of Deep InfoMax, and the total correlation.

    Returns
    -------
    list
        Probes with their default settings.

    References
    ----------
    .. [1] R. D. Hjelm et al., "Learning deep representations by mutual information estimation and maximization",
       ICLR 2019.

    Examples
    --------
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


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """Result of `evaluate`: every number with its kind, interval and warnings.

    Parameters
    ----------
    name
        Name of the encoder.
    frame
        Table with a row for each measure and layer. The value of a measure that failed is NaN, and the column
        `warnings` holds the reason.
    scores
        Score of each (measure, layer) that did not fail.

    Examples
    --------
    >>> from infoflow.data import digits, split
    >>> import torch
    >>> evaluate(torch.nn.Flatten(), split(digits()), probes=[TotalCorrelation()], name="pixels")
    Evaluation('pixels', TC = 2...)
    """

    name: str
    frame: pd.DataFrame
    scores: Mapping[tuple[str, str], Score]

    @property
    def row(self) -> pd.DataFrame:
        """One row as in table 3: accuracies by layer, such as "SVM (conv)", and a column for each other measure."""
        return pd.DataFrame([self.frame["value"].tolist()], columns=self.frame["column"].tolist(), index=[self.name])

    def page(self, path: str | os.PathLike[str], *, others: Sequence[Evaluation] = ()) -> None:
        """Write an HTML page that opens offline: an overview and all details.

        Parameters
        ----------
        path
            File to write.
        others
            Further evaluations for the page.

        Raises
        ------
        InvalidArgument
            If the path is a folder.
        """
        if Path(path).is_dir():
            raise InvalidArgument("path", "the name of an HTML file", got_text=f"the folder {str(path)!r}")
        write_text(path, page([self, *others]))

    def __repr__(self) -> str:
        values = zip(self.frame["column"], self.frame["value"], strict=True)
        return f"Evaluation({', '.join([repr(self.name), *(f'{column} = {value:.3g}' for column, value in values)])})"

    def _repr_html_(self) -> str:
        return overview([self])


@validated
def evaluate(
    encoder: Encoder,
    data: Any,
    *,
    layers: Layers = None,
    probes: Sequence[Any] | None = None,
    prepare: Prepare | None = None,
    name: str | None = None,
    batch_size: PositiveInt = 512,
) -> Evaluation:
    """Evaluate a frozen representation: accuracies, information about the input, independence of features.

    Parameters
    ----------
    encoder
        Module or function; it is not changed.
    data
        A `Split` (images in [0, 1]), or ((train_x, train_y), (test_x, test_y)). Probes and decoders are trained on the
        train part; all numbers are measured on the test part, on which the encoder should not have been trained.
    layers
        Layers as in `features`. Measures of one layer use the last.
    probes
        Objects that satisfy `Probe`; None is `table3()`.
    prepare
        Function applied to each batch before the encoder, such as `lambda x: 2 * x - 1` for images in [−1, 1].
    name
        Name of the row; None is the name of the encoder's class.
    batch_size
        Samples per batch of the encoder.

    Returns
    -------
    Evaluation
        Table and scores. If a measure fails (a missing package, too few samples), its value is NaN with the reason in
        its warning, and the other measures are not affected.

    Raises
    ------
    InvalidArgument
        If nothing can be measured: one class, labels that do not fit, NaN, no features; or if an object is no probe.
    TooFewSamples
        If there are no samples.
    UnknownName
        If a layer, or the kind of arguments that a probe takes, does not exist.

    References
    ----------
    .. [1] R. D. Hjelm et al., "Learning deep representations by mutual information estimation and maximization",
       ICLR 2019, table 3.

    Examples
    --------
    >>> from infoflow.data import digits, split
    >>> from infoflow.probes import LinearSVM, NearestNeighbors
    >>> import torch
    >>> found = evaluate(torch.nn.Flatten(), split(digits()), probes=[LinearSVM(runs=1), NearestNeighbors()])
    >>> found.frame[["measure", "layer", "value"]].values.tolist()
    [['SVM', 'Y', 0.9...], ['k-NN', 'Y', 0.9...]]
    """
    chosen = _checked(table3() if probes is None else list(probes))
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
            start = time.perf_counter()
            try:
                given = _arguments(probe.takes, encoder, prepare, material, train[layer], test[layer])
                scores[probe.name, layer] = probe.score(*given)
                warning = ""
            except InfoflowError as error:
                log.warning("%s on %s is not measured and has no value in the result: %s", probe.name, layer, error)
                warning = f"not measured: {error}"
            seconds = time.perf_counter() - start
            rows.append(_row(probe, layer, scores.get((probe.name, layer)), seconds, warning))
    return Evaluation(type(as_module(encoder)).__name__ if name is None else name, pd.DataFrame(rows), scores)


def _checked(probes: Sequence[Any]) -> Sequence[Any]:
    """The probes, if each is one and no two share a name."""
    if not probes:
        raise InvalidArgument("probes", "a sequence of at least one probe", list(probes))
    for probe in probes:
        if not isinstance(probe, Probe):
            raise InvalidArgument("probes", "objects with name, takes and score(...)", probe)
        if probe.takes not in _TAKES:
            raise UnknownName("kind of probe", probe.takes, _TAKES)
    names = [probe.name for probe in probes]
    for name in names:
        if names.count(name) > 1:
            raise InvalidArgument("probes", "of different names", got_text=f"{name!r} twice")
    return probes


def _arguments(
    takes: str, encoder: Encoder, prepare: Prepare | None, data: Material, train: Tensor, test: Tensor
) -> tuple[Any, ...]:
    """What a probe takes, for one layer."""
    match takes:
        case "labels":
            return train, data.train_y, test, data.test_y
        case "features":
            return (test,)
        case "inputs":
            return data.test_x, test
        case "images":
            if not data.has_images:
                raise InvalidArgument("inputs", "images (n, 1 or 3, H, W)", data.test_x)
            return train, data.train_x, test, data.test_x
    train_x, test_x = data.prepared(prepare)
    return encoder, train_x, data.train_y, test_x, data.test_y


def _row(probe: Any, layer: str, score: Score | None, seconds: float, warning: str) -> dict[str, Any]:
    """Row of the table; without a score the value is NaN."""
    interval = None if score is None else score.interval
    return {
        "column": f"{probe.name} ({layer})" if probe.takes == "labels" else probe.name,
        "measure": probe.name,
        "layer": layer,
        "value": math.nan if score is None else score.value,
        "low": math.nan if interval is None else interval.low,
        "high": math.nan if interval is None else interval.high,
        "spans": "" if interval is None else interval.spans,
        "unit": "" if score is None else score.unit,
        "kind": "" if score is None else str(score.kind),
        "runs": 0 if score is None else max(1, len(score.runs)),
        "n": 0 if score is None else score.n,
        "seconds": seconds,
        "settings": "" if score is None else ", ".join(f"{key}={value}" for key, value in score.settings.items()),
        "warnings": warning if score is None else " ".join(score.warnings),
    }
