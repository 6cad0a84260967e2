"""Sums of the soft assignment of activations to fixed random references, per label and fold of documents."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import Integer, check
from infoflow.estimators.streaming import label_tables
from infoflow.estimators.streaming.accumulator import RowAccumulator
from infoflow.estimators.streaming.calibration import calibrated_temperature
from infoflow.estimators.streaming.rows import Rows, checked_rows, directions

# (‖z‖² + ‖c‖²)/‖z − c‖² above which a row is centered before the product, and the smallest ‖z − c‖² for the others.
_LARGEST_RATIO, _SMALLEST = 64.0, 1e-30


class SoftSums(RowAccumulator):
    """Base of what is computed from soft assignments p(w|z) = softmax(⟨z/‖z‖, w⟩/ε): their sums, without readings.

    Parameters
    ----------
    dimensions
        d.
    references
        Number m of random directions.
    seed
        Seed of the references.
    center
        Whether the mean of the first batch is subtracted where no `offset` is given.
    temperature
        ε; None solves for it from m and d.
    offset : Tensor of shape (d,)
        Center to subtract.
    classes
        Number of labels of each label set.
    """

    def __init__(
        self,
        dimensions: int,
        references: int,
        seed: int,
        *,
        center: bool,
        temperature: float | None,
        offset: Tensor | None,
        classes: Mapping[str, int] | None,
    ) -> None:
        dimensions = check(dimensions, "dimensions", Integer(1))
        self.temperature: float = calibrated_temperature(references, dimensions) if temperature is None else temperature
        self._centered = center or offset is not None
        self._classes = {name: check(k, f"classes[{name!r}]", Integer(1)) for name, k in (classes or {}).items()}
        super().__init__(
            {
                "dimensions": dimensions,
                "references": references,
                "seed": seed,
                "center": self._centered,
                "temperature": self.temperature,
            }
        )
        if offset is not None:
            fixed = torch.as_tensor(offset).detach().double()
            if fixed.shape != (dimensions,):
                raise InvalidArgument("offset", f"of shape ({dimensions},)", offset)
            self._fixed["offset"] = fixed
        generator = torch.Generator().manual_seed(seed)
        drawn = torch.randn(references, dimensions, generator=generator)
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
