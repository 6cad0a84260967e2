"""Entropy of labels and information between two label sets, from streamed counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import PositiveInt, Settings
from infoflow.estimators.streaming import label_tables
from infoflow.estimators.streaming.accumulator import RowAccumulator
from infoflow.estimators.streaming.label_tables import entropy_of, jackknifed
from infoflow.estimators.streaming.reading import Reading, ReadingKind
from infoflow.estimators.streaming.rows import checked_rows, content_generator
from infoflow.estimators.streaming.warnings import few_per_label, near_ceiling, no_jackknife, null_large


@dataclass(frozen=True)
class LabelInformation(Settings):
    """Information I(X;Y) between two label sets, such as current and next token, from their joint counts.

    Parameters
    ----------
    classes
        Number K of labels of the first set.
    other_classes
        Number L of labels of the second set.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range.

    Notes
    -----
    The counts take 2·4·(K·L + K) numbers: four folds of the jackknife, and as many with shuffled labels.

    Examples
    --------
    >>> counts = LabelInformation(2, 2).accumulator("current", "next")
    >>> same = torch.arange(800) % 2
    >>> counts.update(None, {"current": same, "next": same})
    >>> round(counts.estimate().value, 4)  # log 2
    0.6931
    """

    classes: PositiveInt
    other_classes: PositiveInt

    def accumulator(self, label: str, other: str) -> LabelInformationAccumulator:
        """Create an accumulator for two label sets.

        Parameters
        ----------
        label, other
            Names of the label sets.

        Returns
        -------
        LabelInformationAccumulator
            An empty accumulator.
        """
        return LabelInformationAccumulator(self, label, other)


class LabelInformationAccumulator(RowAccumulator):
    """Joint counts of two label sets; created by `LabelInformation.accumulator`.

    Parameters
    ----------
    settings
        Numbers of labels.
    label, other
        Names of the label sets.

    Examples
    --------
    >>> LabelInformation(3, 3).accumulator("current", "next").estimates()
    []
    """

    def __init__(self, settings: LabelInformation, label: str, other: str) -> None:
        self._names, self._classes = (label, other), (settings.classes, settings.other_classes)
        super().__init__({"labels": list(self._names), "classes": list(self._classes)})

    @torch.no_grad()
    def update(
        self,
        t: Tensor | None,
        labels: Mapping[str, Tensor] | None = None,
        weights: Tensor | None = None,
        documents: Tensor | None = None,
    ) -> None:
        """Add a batch of labels.

        Parameters
        ----------
        t
            Ignored; may be None.
        labels : mapping of str to integer Tensor of shape (...)
            Both label sets; a negative label in either leaves the row out.
        weights : Tensor of shape (...)
            Non-negative weight of each row; 1 without.
        documents : integer Tensor of shape (...)
            Document of each row.

        Raises
        ------
        InvalidArgument
            If a label set is missing, or a label is beyond its classes.
        """
        missing = [name for name in self._names if name not in (labels or {})]
        if labels is None or missing:
            raise InvalidArgument(
                "labels", f"a mapping with {' and '.join(map(repr, self._names))}", list(labels or {})
            )
        chosen = {name: torch.as_tensor(labels[name]) for name in self._names}
        stand_in = torch.zeros(*chosen[self._names[0]].shape, 1, device=chosen[self._names[0]].device)
        rows = checked_rows(stand_in, 1, chosen, weights, documents)
        for name, classes in zip(self._names, self._classes, strict=True):
            label_tables.check_labels(rows.labels[name], name, classes)
        rows = rows.select((rows.labels[self._names[0]] >= 0) & (rows.labels[self._names[1]] >= 0))
        label, other = (rows.labels[name] for name in self._names)
        if len(label) == 0:
            return
        codes = one_hot(other, self._classes[1]).double() * rows.weights[:, None]
        seen = self._sums.get("rows", torch.zeros(self._classes[0], dtype=torch.float64)).to(label.device, torch.int64)
        generator = content_generator(torch.stack([label, other], 1))
        for part, each in (("label", label), ("null", label_tables.shuffled(label, generator))):
            fold = label_tables.folds_of(each, rows.documents, seen)
            table, count = label_tables.tabulated(codes, fold, each, rows.weights, self._classes[0])
            self._add(f"{part} table", table)
            self._add(f"{part} count", count)
        self._add("rows", torch.bincount(label, minlength=self._classes[0]).double())
        self._add("n", float(len(label)))

    def estimates(self) -> list[Reading]:
        """Return I(X;Y), H(X) and H(Y); an empty list before the first row."""
        if self.n == 0:
            return []
        table, count = self._sum("label table"), self._sum("label count")
        found, null = jackknifed(table, count), jackknifed(self._sum("null table"), self._sum("null count"))
        first, second = float(entropy_of(count.sum(0))), float(entropy_of(table.sum((0, 1))))
        ceiling = min(first, second)
        value = min(found.value, ceiling)
        # The table has a cell for each observed pair of labels, and each adds to the bias.
        cells = int((table.sum(0) > 0).sum())
        warnings = [
            *no_jackknife(found.corrected, self.n / max(int((count.sum(0) > 0).sum()), 1)),
            *few_per_label(self.n, max(int((count.sum(0) > 0).sum()), cells // 10)),
            *near_ceiling(value, ceiling),
            *null_large(value, null.value, found.standard_error),
        ]
        x, y = self._names
        kind = ReadingKind.PLUG_IN
        joint = Reading(
            f"I({x};{y})", x, value, kind, self.n, "nats", null.value, ceiling, found.standard_error, tuple(warnings)
        )
        return [joint, Reading(f"H({x})", x, first, kind, self.n), Reading(f"H({y})", y, second, kind, self.n)]
