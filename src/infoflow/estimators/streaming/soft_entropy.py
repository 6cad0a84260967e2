"""Soft entropy: information that labels share with a soft assignment of activations to fixed random references."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from torch import Tensor

from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.core.settings import Integer, PositiveFloat, Seed, Settings, check
from infoflow.estimators.streaming import label_tables
from infoflow.estimators.streaming.accumulator import RowAccumulator
from infoflow.estimators.streaming.calibration import RELIABLE_DIMENSIONS, calibrated_temperature
from infoflow.estimators.streaming.label_tables import entropy_of, jackknifed
from infoflow.estimators.streaming.reading import Reading, ReadingKind
from infoflow.estimators.streaming.rows import Rows, checked_rows, directions
from infoflow.estimators.streaming.warnings import few_per_label, left_out_rows, near_ceiling, no_jackknife, null_large

# ‖mean‖²/E‖z‖² above which the offset of the mean, not the arrangement around it, determines the assignments.
_LARGE_OFFSET = 0.5

# (‖z‖² + ‖c‖²)/‖z − c‖² above which a row is centered before the product, and the smallest ‖z − c‖² for the others.
_LARGEST_RATIO, _SMALLEST = 64.0, 1e-30


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


class SoftEntropyAccumulator(RowAccumulator):
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
        dimensions = check(dimensions, "dimensions", Integer(1))
        chosen = settings.temperature
        self.temperature: float = (
            calibrated_temperature(settings.references, dimensions) if isinstance(chosen, str) else float(chosen)
        )
        self._doubtful = isinstance(chosen, str) and dimensions < RELIABLE_DIMENSIONS
        self._centered = settings.center or offset is not None
        self._classes = {name: check(k, f"classes[{name!r}]", Integer(1)) for name, k in (classes or {}).items()}
        super().__init__(
            {
                "dimensions": dimensions,
                "references": settings.references,
                "seed": settings.seed,
                "center": self._centered,
                "temperature": self.temperature,
            }
        )
        if offset is not None:
            center = torch.as_tensor(offset).detach().double()
            if center.shape != (dimensions,):
                raise InvalidArgument("offset", f"of shape ({dimensions},)", offset)
            self._fixed["offset"] = center
        generator = torch.Generator().manual_seed(settings.seed)
        drawn = torch.randn(settings.references, dimensions, generator=generator)
        self.references: Tensor = torch.nn.functional.normalize(drawn, dim=-1)

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
            Label sets by name; a negative label leaves the row out of that set.
        weights : Tensor of shape (...)
            Non-negative weight of each row; 1 without.
        documents : integer Tensor of shape (...)
            Document of each row, numbered over all batches and processes.

        Raises
        ------
        InvalidArgument
            If shapes or types do not fit, or a label is beyond the stated number of classes.
        """
        self.update_checked(checked_rows(t, self.references.shape[1], labels, weights, documents))

    @torch.no_grad()
    def update_checked(self, rows: Rows) -> None:
        """Add rows that `checked_rows` returned.

        Parameters
        ----------
        rows
            Finite rows of shape (n, d).

        Raises
        ------
        InvalidArgument
            If a label is beyond the stated number of classes.
        """
        for name, label in rows.labels.items():
            label_tables.check_labels(label, name, self._classes.get(name))
        self._add("not finite", float(rows.not_finite))
        if len(rows.t) == 0:
            return
        if self._centered and "offset" not in self._fixed:
            self._fixed["offset"] = rows.t.mean(0, dtype=torch.float64)
        cosines, has = self._cosines(rows)
        if not bool(has.all()):
            self._add("zero", float((~has).sum()))
            rows, cosines = rows.select(has), cosines[has]
        if len(cosines) == 0:
            return
        logits = torch.log_softmax(cosines, dim=1)
        p = logits.exp()
        # log_softmax keeps p·log p finite where p underflows.
        spread = (p * logits).sum(1).double().neg_()
        weight = rows.weights
        codes = p.double()
        if rows.weighted:
            codes.mul_(weight[:, None])
        self._add("n", float(len(codes)))
        self._add("mass", weight.sum())
        self._add("codes", codes.sum(0))
        self._add("spread", weight @ spread)
        self._add("first", (weight.to(rows.t) @ rows.t).double())
        self._add("second", weight @ rows.length.double().square())
        generator = rows.generator()
        for name, label in rows.labels.items():
            self._count(name, label, codes, spread, rows, generator)

    def _cosines(self, rows: Rows) -> tuple[Tensor, Tensor]:
        """⟨(z − c)/‖z − c‖, w⟩/ε of each row and reference, (n, m), and which rows have a direction.

        No centered copy of the rows is made: (z − c)·w = z·w − c·w and ‖z − c‖² = ‖z‖² − 2 z·c + ‖c‖². Rows that are
        so close to the center that these differences would lose precision are centered themselves.
        """
        t, square = rows.t, rows.length.square()
        scaled, center = self._columns(t)
        has = torch.ones(len(t), dtype=torch.bool, device=t.device)
        if center is None:
            found = t @ scaled
            exact = square > _SMALLEST
        else:
            both = t @ torch.cat([scaled, center[:, None]], 1)
            found = both[:, :-1] - center @ scaled
            whole = square + center.square().sum()
            square = whole - 2 * both[:, -1]
            exact = (square > whole / _LARGEST_RATIO) & (square > _SMALLEST)
        exact &= square.isfinite()
        found *= square.clamp_min(_SMALLEST).rsqrt()[:, None]
        if not bool(exact.all()):
            others = ~exact
            unit, has[others] = directions(t[others] if center is None else t[others] - center)
            found[others] = unit @ scaled
        return found, has

    def _columns(self, t: Tensor) -> tuple[Tensor, Tensor | None]:
        """References divided by the temperature, (d, m), and the center, in the type and on the device of the rows."""
        scaled = self.references.to(t).T / self.temperature
        return scaled, self._fixed["offset"].to(t) if self._centered else None

    def _count(
        self, name: str, label: Tensor, codes: Tensor, spread: Tensor, rows: Rows, generator: torch.Generator
    ) -> None:
        used = label >= 0
        documents, weight = rows.documents, rows.weights
        if not bool(used.all()):
            label, codes, spread, weight = label[used], codes[used], spread[used], weight[used]
            documents = None if documents is None else documents[used]
        if len(label) == 0:
            return
        known = self._sums.get(f"rows:{name}")
        classes = max(self._classes.get(name, 0), int(label.max()) + 1, 0 if known is None else len(known))
        if name not in self._classes:
            classes = 1 << (classes - 1).bit_length()  # growth by powers of two copies the tables rarely
        seen = torch.zeros(classes, dtype=torch.int64, device=label.device)
        if known is not None:
            seen[: len(known)] = known.to(label.device, torch.int64)
        for part, each in (("label", label), ("null", label_tables.shuffled(label, generator))):
            cell = label_tables.folds_of(each, documents, seen) * classes + each
            shape = (label_tables.FOLDS, classes, codes.shape[1])
            self._grown(f"{part} table:{name}", shape, codes.device).flatten(0, 1).index_add_(0, cell, codes)
            self._grown(f"{part} count:{name}", shape[:2], codes.device).flatten().index_add_(0, cell, weight)
        self._add(f"rows:{name}", torch.bincount(label, minlength=classes))
        self._add(f"spread:{name}", weight @ spread)

    @property
    def labels(self) -> list[str]:
        """Names of the label sets that were seen."""
        return [name.partition(":")[2] for name in self._sums if name.startswith("rows:")]

    @property
    def offset_of_mean(self) -> float:
        """‖mean‖²/E‖t‖² of the activations before centering: near 1 where they share one direction."""
        mass = float(self._sum("mass"))
        second = float(self._sum("second")) / mass if mass > 0 else 0.0
        return float((self._sum("first") / mass).square().sum()) / second if second > 0 else 0.0

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
