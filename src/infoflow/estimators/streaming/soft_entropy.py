"""Soft entropy: information that labels share with a soft assignment of activations to fixed random references."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from torch import Tensor

from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.core.settings import Integer, PositiveFloat, Seed, Settings
from infoflow.estimators.streaming.calibration import RELIABLE_DIMENSIONS
from infoflow.estimators.streaming.label_tables import entropy_of, jackknifed
from infoflow.estimators.streaming.reading import Reading, ReadingKind
from infoflow.estimators.streaming.soft_sums import SoftSums
from infoflow.estimators.streaming.warnings import few_per_label, left_out_rows, near_ceiling, no_jackknife, null_large

# ‖mean‖²/E‖z‖² above which the offset of the mean, not the arrangement around it, determines the assignments.
_LARGE_OFFSET = 0.5


@dataclass(frozen=True)
class SoftEntropy(Settings):
    """Entropy of a soft assignment W of activations T to fixed references, and a lower bound of I(X;T) for labels X.

    Parameters
    ----------
    references
        Number m of random directions.
    seed
        Seed of the references.
    center
        Whether a fixed center is subtracted: the mean of the first batch, unless one is passed to `accumulator`.
        Without it a common offset of all activations determines the result.
    temperature
        ε; "calibrated" solves for it from m and d.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range.

    Notes
    -----
    p(w|z) = softmax(⟨z/‖z‖, w⟩/ε) and I(X;W) = H(W) − H(W|X) ≤ I(X;T), as X → T → W is a Markov chain. The bound is
    loose: it orders layers and checkpoints, and does not measure I(X;T).

    References
    ----------
    Conklin (2025), Learning is Forgetting, ICLR 2026.

    Examples
    --------
    >>> import torch
    >>> codes = SoftEntropy().accumulator(dimensions=128)
    >>> codes.update(torch.eye(128)[:16].repeat(200, 1), {"token": torch.arange(16).repeat(200)})
    >>> round(float(codes.entropy()), 4), round(float(codes.information("token")), 4)
    (3.9507, 2.1242)
    """

    references: Annotated[int, Integer(2)] = 100
    seed: Seed = 0
    center: bool = False
    temperature: PositiveFloat | Literal["calibrated"] = "calibrated"

    def accumulator(
        self, dimensions: int, *, offset: Tensor | None = None, classes: Mapping[str, int] | None = None
    ) -> SoftEntropyAccumulator:
        """Create an accumulator for activations of d dimensions.

        Parameters
        ----------
        dimensions
            d.
        offset : Tensor of shape (d,)
            Center to subtract; required for centering on several processes, where each would have another first batch.
        classes
            Number of labels of each label set; sets that are not named grow with their largest label.

        Returns
        -------
        SoftEntropyAccumulator
            An empty accumulator.

        Raises
        ------
        InvalidArgument
            If `offset` is not of shape (d,), or d < 3 with a calibrated temperature.
        """
        return SoftEntropyAccumulator(self, dimensions, offset, classes)


class SoftEntropyAccumulator(SoftSums):
    """Sums of soft assignments, per label and fold of documents; created by `SoftEntropy.accumulator`.

    Parameters
    ----------
    settings
        References, seed, centering and temperature.
    dimensions
        d.
    offset : Tensor of shape (d,)
        Center to subtract.
    classes
        Number of labels of each label set.

    Notes
    -----
    A label set of K labels takes 2·4·(K·m + K) numbers: four folds, and as many with shuffled labels. With `documents`
    all numbers are the same however batches are spread over processes; without, the jackknife differs slightly.

    Examples
    --------
    >>> SoftEntropy(references=25).accumulator(dimensions=128).temperature
    0.0332...
    """

    def __init__(
        self,
        settings: SoftEntropy,
        dimensions: int,
        offset: Tensor | None = None,
        classes: Mapping[str, int] | None = None,
    ) -> None:
        chosen = None if isinstance(settings.temperature, str) else float(settings.temperature)
        super().__init__(
            dimensions,
            settings.references,
            settings.seed,
            center=settings.center,
            temperature=chosen,
            offset=offset,
            classes=classes,
        )
        self._doubtful = chosen is None and self.references.shape[1] < RELIABLE_DIMENSIONS

    def entropy(self) -> Reading:
        """Return H(W), with log m as its ceiling.

        Raises
        ------
        InvalidArgument
            If nothing was accumulated.
        """
        self._require_rows()
        value = float(entropy_of(self._sum("codes")))
        ceiling = math.log(len(self.references))
        return Reading(
            "H(W)", "", min(value, ceiling), ReadingKind.GEOMETRIC, self.n, ceiling=ceiling, warnings=self._warnings()
        )

    def code_information(self) -> Reading:
        """Return I(Z;W) = H(W) − E H(W|z) of the assignment itself, the ceiling of every label's information.

        Raises
        ------
        InvalidArgument
            If nothing was accumulated.
        """
        self._require_rows()
        value = max(float(entropy_of(self._sum("codes")) - self._sum("spread") / self._sum("mass")), 0.0)
        ceiling = math.log(len(self.references))
        return Reading("I(T;W)", "", value, ReadingKind.GEOMETRIC, self.n, ceiling=ceiling, warnings=self._warnings())

    def conditional_entropy(self, label: str) -> float:
        """Return H(W|X) in nats, the plug-in over the rows of that label set."""
        table, count = self._tables("label", label)
        count = count.sum(0)
        return float((count / count.sum() * entropy_of(table.sum(0))).sum())

    def plug_in(self, label: str) -> float:
        """Return I(X;W) in nats without correction of its bias."""
        return jackknifed(*self._tables("label", label)).plug_in

    def information(self, label: str) -> Reading:
        """Return I(X;W), corrected by a jackknife over documents, with its null and ceiling.

        Parameters
        ----------
        label
            Name of the label set.

        Returns
        -------
        Reading
            At most the ceiling min(I(T;W), H(X)) of the rows of that label set.

        Raises
        ------
        UnknownName
            If no batch had that label set.
        """
        table, count = self._tables("label", label)
        found, null = jackknifed(table, count), jackknifed(*self._tables("null", label))
        total = count.sum(0)
        assigned = entropy_of(table.sum((0, 1))) - self._sum(f"spread:{label}") / total.sum()
        ceiling = max(min(float(assigned), float(entropy_of(total))), 0.0)
        rows = self._sum(f"rows:{label}")
        n, observed = round(float(rows.sum())), int((rows > 0).sum())
        value = min(found.value, ceiling)
        warnings = [
            *no_jackknife(found.corrected, n / observed),
            *few_per_label(n, observed),
            *near_ceiling(value, ceiling),
            *null_large(value, null.value, found.standard_error),
            *self._warnings(),
        ]
        return Reading(
            f"I({label};W)",
            label,
            value,
            ReadingKind.POPULATION_BOUND,
            n,
            null=null.value,
            ceiling=ceiling,
            standard_error=found.standard_error,
            warnings=tuple(warnings),
        )

    def estimates(self) -> list[Reading]:
        """Return H(W), I(T;W) and the information of each label set; an empty list before the first row."""
        if self.n == 0:
            return []
        return [self.entropy(), self.code_information(), *(self.information(label) for label in self.labels)]

    def _tables(self, part: str, label: str) -> tuple[Tensor, Tensor]:
        if f"{part} table:{label}" not in self._sums:
            raise UnknownName("label set", label, self.labels)
        return self._sums[f"{part} table:{label}"], self._sums[f"{part} count:{label}"]

    def _require_rows(self) -> None:
        if self.n == 0:
            raise InvalidArgument("No rows were accumulated. Call update(...) with activations first.")

    def _warnings(self) -> tuple[str, ...]:
        found = list(left_out_rows(**{name.replace(" ", "_"): count for name, count in self.left_out.items()}))
        offset = self.offset_of_mean
        if not self._centered and offset > _LARGE_OFFSET:
            found.append(
                f"The mean holds {offset:.0%} of the squared length of the activations, so most assignments are to the "
                "references near it and changes may be those of the mean. Use center=True."
            )
        if self._doubtful:
            found.append(
                f"The temperature is calibrated by a bound that is loose below {RELIABLE_DIMENSIONS} dimensions, so "
                "assignments may be too sharp. Set the temperature."
            )
        return tuple(found)
