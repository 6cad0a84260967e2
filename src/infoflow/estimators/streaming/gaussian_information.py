"""Information between classes and activations if those of each class are Gaussian with one covariance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import PositiveInt, Seed, Settings
from infoflow.estimators.streaming import label_tables
from infoflow.estimators.streaming.accumulator import RowAccumulator
from infoflow.estimators.streaming.label_tables import entropy_of
from infoflow.estimators.streaming.reading import Reading, ReadingKind
from infoflow.estimators.streaming.rows import checked_rows, thinned
from infoflow.estimators.streaming.warnings import left_out_rows, near_ceiling

# Relative size of the smallest eigenvalue of the covariance that counts as a direction.
_SMALLEST = 1e-10


@dataclass(frozen=True)
class GaussianInformation(Settings):
    """Estimate ½ log det Σ_T − ½ log det Σ_{T|X} from streamed moments, less its bias.

    Parameters
    ----------
    every
        One of so many rows is used, at random by the content of the batch.
    seed
        Seed of the choice of rows.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range.

    Notes
    -----
    The plug-in is too large by about r (K − 1)/2n, r the rank of the covariance, which is subtracted. The number
    is I(X;T) for jointly Gaussian T and linear codes of X, and otherwise describes how far class means lie apart; the
    entropy of the labels limits it.

    Examples
    --------
    >>> label = torch.arange(4000) % 2
    >>> t = torch.randn(4000, 3, generator=torch.Generator().manual_seed(0))
    >>> moments = GaussianInformation(every=1).accumulator(3, "class", classes=2)
    >>> moments.update(t, {"class": label})
    >>> abs(moments.estimate().value) < 0.01
    True
    """

    every: PositiveInt = 8
    seed: Seed = 0

    def accumulator(self, dimensions: int, label: str, *, classes: int) -> GaussianInformationAccumulator:
        """Create an accumulator for one label set.

        Parameters
        ----------
        dimensions
            d; the sums take d² + 2·K·d numbers.
        label
            Name of the label set.
        classes
            Number K of labels.

        Returns
        -------
        GaussianInformationAccumulator
            An empty accumulator.
        """
        return GaussianInformationAccumulator(self, dimensions, label, classes)


class GaussianInformationAccumulator(RowAccumulator):
    """Second moments, and first moments per label; created by `GaussianInformation.accumulator`.

    Parameters
    ----------
    settings
        Which rows.
    dimensions
        d.
    label
        Name of the label set.
    classes
        Number of labels.

    Examples
    --------
    >>> GaussianInformation().accumulator(8, "class", classes=3).estimates()
    []
    """

    def __init__(self, settings: GaussianInformation, dimensions: int, label: str, classes: int) -> None:
        self._chosen, self._dimensions, self._label, self._classes = settings, dimensions, label, classes
        shape = {"dimensions": dimensions, "label": label, "classes": classes}
        super().__init__({**shape, "every": settings.every, "seed": settings.seed})

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
        weights : Tensor of shape (...)
            Non-negative weight of each row; 1 without.
        documents
            Ignored, so that one call serves every accumulator of rows.

        Raises
        ------
        InvalidArgument
            If shapes do not fit, the label set is missing, or a label is beyond its classes.
        """
        if labels is None or self._label not in labels:
            raise InvalidArgument("labels", f"a mapping with {self._label!r}", list(labels or {}))
        rows = checked_rows(t, self._dimensions, {self._label: labels[self._label]}, weights)
        self._add("not finite", float(rows.not_finite))
        label_tables.check_labels(rows.labels[self._label], self._label, self._classes)
        rows = thinned(rows.select(rows.labels[self._label] >= 0), self._chosen.every, self._chosen.seed)
        if len(rows.t) == 0:
            return
        label, z = rows.labels[self._label], rows.t.double()
        weighted = z * rows.weights[:, None]
        shuffled = label_tables.shuffled(label, rows.generator(self._chosen.seed + 1))
        self._add("n", float(len(z)))
        self._add("second", weighted.T @ z)
        for part, each in (("label", label), ("null", shuffled)):
            empty = z.new_zeros(self._classes, self._dimensions)
            self._add(f"{part} first", empty.index_add(0, each, weighted))
            self._add(f"{part} count", z.new_zeros(self._classes).index_add(0, each, rows.weights))

    def estimates(self) -> list[Reading]:
        """Return the information of the label set; an empty list before the first row."""
        if self.n < 2:
            return []
        value, rank = self._information("label")
        null, _ = self._information("null")
        count = self._sum("label count")
        ceiling = float(entropy_of(count))
        value = min(value, ceiling)
        warnings = [*left_out_rows(self.left_out["not finite"]), *near_ceiling(value, ceiling)]
        observed = int((count > 0).sum())
        if self.n < 10 * (rank + observed):
            warnings.append(
                f"There are {self.n} rows for {rank} directions and {observed} labels, so the correction of the bias "
                f"is rough. Use at least {10 * (rank + observed)} rows, or a smaller every."
            )
        name, kind = f"Gaussian I({self._label};T)", ReadingKind.MODEL
        return [Reading(name, self._label, value, kind, self.n, "nats", null, ceiling, None, tuple(warnings))]

    def _information(self, part: str) -> tuple[float, int]:
        first, count = self._sum(f"{part} first"), self._sum(f"{part} count")
        mass = count.sum()
        mean = first.sum(0) / mass
        total = self._sum("second") / mass - torch.outer(mean, mean)
        means = first / count.clamp_min(1e-300)[:, None] - mean
        between = (means * (count / mass)[:, None]).T @ means
        values, vectors = torch.linalg.eigh(total)
        largest = float(self._sum("second").diagonal().sum() / mass)
        kept = values > _SMALLEST * max(largest, 1e-300)
        rank = int(kept.sum())
        if rank == 0:
            return 0.0, 0
        white = vectors[:, kept] / values[kept].sqrt()
        # det Σ_{T|X} / det Σ_T in the directions that vary.
        shares = torch.linalg.eigvalsh(white.T @ between @ white).clamp(0, 1 - 1e-12)
        bias = rank * (int((count > 0).sum()) - 1) / (2 * self.n)
        return float(-torch.log1p(-shares).sum() / 2) - bias, rank
