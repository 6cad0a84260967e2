"""Held-out linear probes over a bounded sample of the stream: usable information and its value per row."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Self

import torch
from torch import Tensor

from infoflow.core import distributed
from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.core.settings import Integer, Seed, Settings
from infoflow.estimators.streaming import label_tables
from infoflow.estimators.streaming.accumulator import Accumulator, RowAccumulator
from infoflow.estimators.streaming.label_tables import entropy_of
from infoflow.estimators.streaming.linear_fit import LinearFit, fitted
from infoflow.estimators.streaming.reading import Reading, ReadingKind
from infoflow.estimators.streaming.reservoir import Sample, empty_sample, priorities
from infoflow.estimators.streaming.rows import checked_rows, floating, hashed
from infoflow.estimators.streaming.standard_error import clustered
from infoflow.estimators.streaming.warnings import left_out_rows, near_ceiling

# Parts of documents, out of ten, that are reported on, and that choose the penalty.
_REPORTED, _CHOOSING = 3, 1
_FEWEST = 20


@dataclass(frozen=True)
class ProbeInformation(Settings):
    """A held-out lower bound of I(T;X): the entropy of labels less the cross-entropy of a linear probe.

    Parameters
    ----------
    rows
        Largest number of rows that are stored; a random sample of the stream. Memory is rows·(d + 3) numbers.
    seed
        Seed of the sample and of the split.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range.

    Notes
    -----
    Documents are split into those on which the probe is fitted, with several passes, those that choose its penalty, and
    those on which it is reported. The entropy of the labels is that of the counts of all rows: an estimate, too small
    from few rows. What a linear probe cannot decode does not count (V-information).

    References
    ----------
    Xu, Zhao, Song, Stewart, Ermon (2020), A theory of usable information under computational constraints, ICLR.
    Ethayarajh, Choi, Swayamdipta (2022), Understanding dataset difficulty with V-usable information, ICML.

    Examples
    --------
    >>> label = torch.arange(600) % 2
    >>> probe = ProbeInformation().accumulator(2, "class", classes=2)
    >>> probe.update(torch.nn.functional.one_hot(label).float(), {"class": label})
    >>> probe.estimate().value > 0.6  # log 2 at most
    True
    """

    rows: Annotated[int, Integer(10)] = 4096
    seed: Seed = 0

    def accumulator(self, dimensions: int, label: str, *, classes: int) -> ProbeAccumulator:
        """Create an accumulator for one label set.

        Parameters
        ----------
        dimensions
            d.
        label
            Name of the label set.
        classes
            Number K of labels.

        Returns
        -------
        ProbeAccumulator
            An empty accumulator.
        """
        return ProbeAccumulator(self, dimensions, label, classes)


class ProbeAccumulator(RowAccumulator):
    """A sample of rows and the counts of labels; created by `ProbeInformation.accumulator`.

    Parameters
    ----------
    settings
        Size of the sample and seed.
    dimensions
        d.
    label
        Name of the label set.
    classes
        Number of labels.

    Examples
    --------
    >>> ProbeInformation().accumulator(8, "class", classes=3).estimates()
    []
    """

    def __init__(self, settings: ProbeInformation, dimensions: int, label: str, classes: int) -> None:
        self._chosen, self._dimensions, self._label, self._classes = settings, dimensions, label, classes
        shape = {"dimensions": dimensions, "label": label, "classes": classes}
        super().__init__({**shape, "rows": settings.rows, "seed": settings.seed})
        self._sample = empty_sample(dimensions)
        self._fit: LinearFit | None = None

    @torch.no_grad()
    def update(
        self,
        t: Tensor,
        labels: Mapping[str, Tensor] | None = None,
        weights: Tensor | None = None,
        documents: Tensor | None = None,
    ) -> None:
        """Add a batch of rows.

        Parameters
        ----------
        t : Tensor of shape (..., d)
            Activations.
        labels : mapping of str to integer Tensor of shape (...)
            Label sets; that of this accumulator must be among them, and negative labels leave rows out.
        weights
            Rows of weight 0 are left out; other weights are ignored.
        documents : integer Tensor of shape (...)
            Document of each row; a document in several batches gives equal priorities to their first rows.

        Raises
        ------
        InvalidArgument
            If shapes do not fit, the label set is missing, or a label is beyond its classes.
        """
        if labels is None or self._label not in labels:
            raise InvalidArgument("labels", f"a mapping with {self._label!r}", list(labels or {}))
        rows = checked_rows(t, self._dimensions, {self._label: labels[self._label]}, weights, documents)
        label_tables.check_labels(rows.labels[self._label], self._label, self._classes)
        self._add("not finite", float(rows.not_finite))
        rows = rows.select((rows.labels[self._label] >= 0) & (rows.weights > 0))
        label = rows.labels[self._label]
        if len(label) == 0:
            return
        origin = rows.documents
        if origin is None:
            origin = self.n + torch.arange(len(label), device=label.device)
        new = Sample(rows.t, label, origin, priorities(origin, self._chosen.seed)).smallest(self._chosen.rows)
        if len(self._sample.t) == self._chosen.rows:
            # Rows behind the last one in the sample can't enter it, and are not moved between devices.
            enters = new.priority < int(self._sample.priority[-1])
            new = Sample(*(part[enters] for part in new.parts().values()))
        self._sample = self._sample.joined(new, self._chosen.rows)
        self._fit = None
        self._add("n", float(len(label)))
        self._add("labels", torch.bincount(label, minlength=self._classes).double())

    def merge(self, other: Accumulator) -> Self:
        """Add what another accumulator with the same settings saw, and return this one.

        Parameters
        ----------
        other
            The other accumulator; it remains as it is.

        Raises
        ------
        InvalidArgument
            If settings differ.
        """
        super().merge(other)
        if isinstance(other, ProbeAccumulator):
            self._sample = self._sample.joined(other._sample, self._chosen.rows)
        self._fit = None
        return self

    def all_reduce(self, group: distributed.Group = None) -> Self:
        """Let every process hold the sum over all, and return this accumulator.

        Parameters
        ----------
        group : torch.distributed.ProcessGroup or None
            The processes; None is this process alone.

        Raises
        ------
        InvalidArgument
            On every process alike, if settings differ.
        """
        super().all_reduce(group)
        if group is not None:
            device = self._device()
            moved = Sample(*(part.to(device) for part in self._sample.parts().values()))
            whole = moved.reduced(self._chosen.rows, group)
            self._sample = Sample(*(part.cpu() for part in whole.parts().values()))
        self._fit = None
        return self

    def state_dict(self) -> dict[str, Tensor]:
        """Return everything as a flat dictionary of tensors."""
        return super().state_dict() | {f"sample/{name}": part.clone() for name, part in self._sample.parts().items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> Self:
        """Replace what was accumulated by a saved state, and return this accumulator.

        Parameters
        ----------
        state
            What `state_dict` returned.

        Raises
        ------
        InvalidArgument
            If the state is of another class or other settings.
        """
        super().load_state_dict(state)
        self._sample = Sample(*(state[f"sample/{name}"].clone() for name in self._sample.parts()))
        self._fit = None
        return self

    def pointwise(self, t: Tensor, label: Tensor) -> Tensor:
        """Return log q(x|t) − log q(x) in nats of each row: what the probe gains over the frequency of the label.

        Parameters
        ----------
        t : Tensor of shape (..., d)
            Activations; on rows of documents that the probe was fitted on, the values are too large.
        label : integer Tensor of shape (...)
            Labels.

        Returns
        -------
        Tensor of shape (...)
            Nats; NaN where an activation is not finite or the label is negative.

        Raises
        ------
        InvalidArgument
            If shapes do not fit, or too few rows were accumulated.
        """
        rows, code = floating(t, "t").cpu().float(), torch.as_tensor(label).cpu().long()
        if rows.shape[:-1] != code.shape or rows.shape[-1] != self._dimensions:
            raise InvalidArgument("t", f"of shape {(*code.shape, self._dimensions)}", t)
        label_tables.check_labels(code.reshape(-1), self._label, self._classes)
        good = rows.isfinite().all(-1) & (code >= 0)
        count = self._sum("labels").cpu() + 1  # a label that was never seen has a frequency as well
        marginal = (count / count.sum()).log()
        found = torch.full(code.shape, math.nan, dtype=torch.float64)
        picked = self._fitted().log_probability(rows[good]).gather(1, code[good][:, None])[:, 0].double()
        found[good] = picked - marginal[code[good]]
        return found

    def estimates(self) -> list[Reading]:
        """Return the held-out bound; an empty list while a part of the split holds no rows."""
        try:
            fit = self._fitted()
        except TooFewSamples:
            return []
        reported, _ = self._part("reported")
        loss = -fit.log_probability(reported.t).gather(1, reported.label[:, None])[:, 0].double()
        entropy = float(entropy_of(self._sum("labels")))
        value = entropy - float(loss.mean())
        warnings = [*left_out_rows(self.left_out["not finite"]), *near_ceiling(value, entropy)]
        stored = len(self._sample.t)
        if stored < 5 * (self._dimensions + self._classes):
            warnings.append(
                f"The probe was fitted to a part of {stored} rows in {self._dimensions} dimensions with "
                f"{self._classes} labels, so the bound is loose. Store more rows."
            )
        name, kind, error = f"V-information of {self._label}", ReadingKind.HELD_OUT, clustered(loss, reported.document)
        return [Reading(name, self._label, value, kind, self.n, "nats", None, entropy, error, tuple(warnings))]

    def _part(self, which: str) -> tuple[Sample, int]:
        """The rows of the documents that are fitted, choose the penalty, or are reported."""
        tenth = hashed(self._sample.document, self._chosen.seed + 2) % 10
        part = {
            "reported": tenth < _REPORTED,
            "choosing": (tenth >= _REPORTED) & (tenth < _REPORTED + _CHOOSING),
            "fitted": tenth >= _REPORTED + _CHOOSING,
        }[which]
        found = Sample(*(each[part] for each in self._sample.parts().values()))
        return found, len(found.t)

    def _fitted(self) -> LinearFit:
        if self._fit is None:
            (train, n), (choosing, k), (_, m) = (self._part(each) for each in ("fitted", "choosing", "reported"))
            if min(n, m) < _FEWEST or k == 0:
                remedy = "Use more rows, of more documents."
                raise TooFewSamples(
                    "rows", f"at least {_FEWEST} in each part of the split", min(n, k, m), remedy=remedy
                )
            self._fit = fitted(train.t, train.label, choosing.t, choosing.label, self._classes)
        return self._fit
