"""Geometry of whole sequences: entropy of a prompt's Gram matrix, and curvature of its path."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import PositiveFloat, Settings
from infoflow.entropies.renyi import renyi_entropy
from infoflow.estimators.streaming.accumulator import SequenceAccumulator
from infoflow.estimators.streaming.means import mean_and_error, moments
from infoflow.estimators.streaming.reading import Reading, ReadingKind
from infoflow.estimators.streaming.rows import directions, floating
from infoflow.estimators.streaming.warnings import left_out_rows


def split_sequences(t: Tensor | Sequence[Tensor], mask: Tensor | None, dimensions: int) -> Iterator[tuple[Tensor, int]]:
    """Each sequence (L, d) without masked positions and those that are not finite, and how many were not finite.

    Raises
    ------
    InvalidArgument
        If a shape does not fit.
    """
    if isinstance(t, Tensor) and (t.ndim != 3 or t.shape[2] != dimensions):
        raise InvalidArgument("t", f"of shape (B, L, {dimensions})", t)
    if mask is not None and (not isinstance(t, Tensor) or mask.shape != t.shape[:2]):
        wanted = f"of shape {tuple(t.shape[:2])}" if isinstance(t, Tensor) else "None for a list of sequences"
        raise InvalidArgument("mask", wanted, mask)
    for index, each in enumerate(t):
        if each.ndim != 2 or each.shape[1] != dimensions:
            raise InvalidArgument(f"t[{index}]", f"of shape (L, {dimensions})", each)
        rows = floating(each, f"t[{index}]")
        if mask is not None:
            rows = rows[mask[index].to(rows.device) != 0]
        good = rows.isfinite().all(1)
        yield rows[good], int((~good).sum())


@dataclass(frozen=True)
class PromptEntropy(Settings):
    """Rényi entropy of the Gram matrix of each prompt's activations, averaged over prompts.

    Parameters
    ----------
    order
        Order α; 2 requires no eigenvalues.
    center
        Whether the mean over the positions of a prompt is subtracted.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range.

    Notes
    -----
    Rows are set to length one, and G = Z Zᵀ/L with its signs as they are; S₂ = −ln ‖G‖²_F. It equals the entropy of
    Zᵀ Z/L, which is used where L > d, and does not change under rotation. It is not information.

    References
    ----------
    Skean, Arefin, Zhao, Patel, Naghiyev, LeCun, Shwartz-Ziv (2025), Layer by Layer, ICML.

    Examples
    --------
    >>> prompts = PromptEntropy(center=False).accumulator(dimensions=4)
    >>> prompts.update(torch.eye(4)[None])
    >>> round(prompts.estimate().value, 4)  # log 4
    1.3863
    """

    order: PositiveFloat = 2.0
    center: bool = True

    def accumulator(self, dimensions: int) -> PromptEntropyAccumulator:
        """Create an accumulator for activations of d dimensions.

        Parameters
        ----------
        dimensions
            d.

        Returns
        -------
        PromptEntropyAccumulator
            An empty accumulator.
        """
        return PromptEntropyAccumulator(self, dimensions)


class PromptEntropyAccumulator(SequenceAccumulator):
    """Sums of entropies of prompts; created by `PromptEntropy.accumulator`.

    Parameters
    ----------
    settings
        Order and centering.
    dimensions
        d.

    Examples
    --------
    >>> PromptEntropy().accumulator(dimensions=8).estimates()
    []
    """

    def __init__(self, settings: PromptEntropy, dimensions: int) -> None:
        self._dimensions, self._chosen = dimensions, settings
        super().__init__({"dimensions": dimensions, "order": settings.order, "center": settings.center})

    @torch.no_grad()
    def update(self, t: Tensor | Sequence[Tensor], mask: Tensor | None = None) -> None:
        """Add a batch of prompts; those with fewer than two positions with a direction are left out.

        Parameters
        ----------
        t : Tensor of shape (B, L, d), or sequence of Tensors of shape (L, d)
            Activations.
        mask : Tensor of shape (B, L)
            Nonzero where a position counts.

        Raises
        ------
        InvalidArgument
            If shapes do not fit.
        """
        values, ceilings = [], []
        for rows, bad in split_sequences(t, mask, self._dimensions):
            self._add("not finite", float(bad))
            if len(rows) == 0:
                continue
            unit, has = directions(rows - rows.mean(0) if self._chosen.center else rows)
            unit = unit[has]
            self._add("zero", float((~has).sum()))
            if len(unit) < 2:
                continue
            gram = unit @ unit.T if len(unit) <= self._dimensions else unit.T @ unit
            if self._chosen.order == 2.0:
                value = 2 * math.log(len(unit)) - gram.square().sum(dtype=torch.float64).log()
            else:
                value = renyi_entropy(torch.linalg.eigvalsh(gram.double()) / len(unit), self._chosen.order)
            values.append(value.clamp_min(0))
            ceilings.append(math.log(min(len(unit), self._dimensions)))
        if values:
            found = torch.stack(values)
            self._add("n", float(len(values)))
            self._add("entropies", moments(found))
            self._add("shares", moments(found / torch.tensor(ceilings).to(found).clamp_min(1e-9)))
            self._add("ceilings", math.fsum(ceilings))

    def estimates(self) -> list[Reading]:
        """Return the mean entropy, and the mean of entropy divided by the log of min(L, d) of each prompt."""
        if self.n == 0:
            return []
        name, kind = f"prompt Rényi-{self._chosen.order:g} entropy", ReadingKind.GEOMETRIC
        warnings = tuple(left_out_rows(self.left_out["not finite"]))
        mean, error = mean_and_error(self._sum("entropies"))
        ceiling = float(self._sum("ceilings")) / self.n
        first = Reading(name, "", mean, kind, self.n, ceiling=ceiling, standard_error=error, warnings=warnings)
        mean, error = mean_and_error(self._sum("shares"))
        second = f"{name} / log min(L, d)"
        return [first, Reading(second, "", mean, kind, self.n, "", None, 1.0, error, warnings)]


@dataclass(frozen=True)
class Curvature(Settings):
    """Mean angle between consecutive steps of the path that a sequence takes through the activations.

    Notes
    -----
    Steps are differences of neighboring positions; the angle is between two neighboring steps, with its cosine limited
    to [−1, 1]; steps of length zero are left out. A straight path has 0, independent directions have π/2.

    References
    ----------
    Hosseini, Fedorenko (2023), Large language models implicitly learn to straighten neural sentence trajectories,
    NeurIPS.

    Examples
    --------
    >>> path = Curvature().accumulator(dimensions=2)
    >>> path.update(torch.tensor([[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]]))
    >>> round(path.estimate().value, 4)  # π/2
    1.5708
    """

    def accumulator(self, dimensions: int) -> CurvatureAccumulator:
        """Create an accumulator for activations of d dimensions.

        Parameters
        ----------
        dimensions
            d.

        Returns
        -------
        CurvatureAccumulator
            An empty accumulator.
        """
        return CurvatureAccumulator(dimensions)


class CurvatureAccumulator(SequenceAccumulator):
    """Sums of mean angles of sequences; created by `Curvature.accumulator`.

    Parameters
    ----------
    dimensions
        d.

    Examples
    --------
    >>> CurvatureAccumulator(dimensions=8).estimates()
    []
    """

    def __init__(self, dimensions: int) -> None:
        self._dimensions = dimensions
        super().__init__({"dimensions": dimensions})

    @torch.no_grad()
    def update(self, t: Tensor | Sequence[Tensor], mask: Tensor | None = None) -> None:
        """Add a batch of sequences; those with fewer than two steps are left out.

        Parameters
        ----------
        t : Tensor of shape (B, L, d), or sequence of Tensors of shape (L, d)
            Activations in the order of the sequence.
        mask : Tensor of shape (B, L)
            Nonzero where a position counts.

        Raises
        ------
        InvalidArgument
            If shapes do not fit.
        """
        values = []
        for rows, bad in split_sequences(t, mask, self._dimensions):
            self._add("not finite", float(bad))
            unit, has = directions(rows[1:] - rows[:-1])
            both = has[1:] & has[:-1]
            if bool(both.any()):
                cosine = (unit[1:] * unit[:-1]).sum(1)[both].clamp(-1, 1)
                values.append(cosine.acos().mean())
        if values:
            self._add("n", float(len(values)))
            self._add("angles", moments(torch.stack(values)))

    def estimates(self) -> list[Reading]:
        """Return the mean angle in radians; an empty list before the first sequence."""
        if self.n == 0:
            return []
        mean, error = mean_and_error(self._sum("angles"))
        warnings = tuple(left_out_rows(self.left_out["not finite"]))
        kind = ReadingKind.GEOMETRIC
        return [Reading("curvature", "", mean, kind, self.n, "radians", None, math.pi, error, warnings)]
