"""Squared Euclidean distances in blocks, with an error bound at the scales of the kernels that use them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from infoflow.pairwise.rounding import single_is_exact

# exp(-_NEGLIGIBLE) times the number of samples is below every tolerance used here.
_NEGLIGIBLE = 25.0

# Recomputing one pair by differences costs about as much as a few hundred pairs of a matrix product.
_FEW = 1 / 400

# Below this many features the float64 product costs less than the passes that follow it.
_NARROW = 32

# Numbers that are converted to float64 at a time.
_PART = 1 << 18


class SquaredDistances:
    """Squared distances between samples, block by block, for use in exp(-s D_ij).

    Parameters
    ----------
    x : Tensor of shape (n, d)
        Samples, floating and finite.
    scales
        Factors s > 0 of the distances in the exponent.
    dtype
        Type of the blocks.
    tolerance
        Largest error of s·D wherever exp(-s D) > 1e-10.
    order : Tensor of shape (m,), optional
        Indices of the samples that the rows of the blocks stand for; by default all samples in turn.

    Attributes
    ----------
    scales : list of float
        The factors s for the distances in the units that `block` returns.

    Notes
    -----
    ‖a‖² + ‖b‖² - 2ab loses the digits of a small distance between long vectors: in float32 the exponent s·D may be
    wrong by more than 1 although the kernel's value matters (for example for activations of scale 20 with s = 500). The
    rounding error of a block is bounded by (√d + 4) u (‖a‖² + ‖b‖²) with u = 2^-24 or 2^-53. Pairs for which both this
    error and the kernel's value matter at any scale are computed again by float64 differences where they are few.
    Otherwise the block is computed again by a float64 product, or finally by differences.

    The data is centered and scaled by a power of two first, so that nothing overflows.

    Examples
    --------
    >>> rows = torch.tensor([[0.0], [1.0], [3.0]])
    >>> distances = SquaredDistances(rows, [0.5], dtype=torch.float64, tolerance=1e-10)
    >>> distances.block(slice(0, 1), slice(0, 3)) * distances.scales[0]  # ½‖x_i − x_j‖²
    tensor([[0.0000, 0.5000, 4.5000]], dtype=torch.float64)
    """

    def __init__(
        self,
        x: Tensor,
        scales: Sequence[float],
        *,
        dtype: torch.dtype,
        tolerance: float,
        order: Tensor | None = None,
    ) -> None:
        self._x = x
        self._order = torch.arange(len(x), device=x.device) if order is None else order
        # In parts, since torch's own mean in float64 makes a float64 copy of everything.
        self._mean = torch.zeros_like(x[0], dtype=torch.float64)
        for part in _parts(x):
            self._mean += part.sum(0, dtype=torch.float64)
        self._mean /= len(x)
        reach = max(float(x.amax(0).sub(self._mean).abs().max()), float(x.amin(0).sub(self._mean).abs().max()))
        self._unit = 2.0 ** -math.frexp(reach)[1] if reach > 0 else 1.0
        # Beyond 1e37 only distances of 0 are left; more would overflow float32.
        self.scales = [min(s / self._unit / self._unit, 1e37) for s in scales]
        self._dtype = dtype
        self._tolerance = tolerance
        self._narrow = x.shape[1] <= _NARROW
        single = dtype == torch.float32 and not self._narrow and single_is_exact()
        self._single = self._centered(slice(None), torch.float32) if single else None
        # In float64 mode, or with few features, one centered copy serves all blocks.
        self._double = self._centered(slice(None), torch.float64) if not single else None
        kept = self._single if self._single is not None else self._double
        assert kept is not None
        self._norms = _squared_norms(kept)
        self._factors = self._product_factors() if self._narrow else None

    def _centered(self, rows: slice, dtype: torch.dtype) -> Tensor:
        order = self._order[rows]
        centered = torch.empty((len(order), self._x.shape[1]), dtype=dtype, device=self._x.device)
        # Subtracted in the wider of both precisions, some rows at a time.
        mean = self._mean.to(torch.promote_types(dtype, self._x.dtype))
        for part, chosen in zip(_parts(centered), _split(order, self._x.shape[1]), strict=True):
            part.copy_(self._x[chosen].to(mean.dtype).sub_(mean).mul_(self._unit))
        return centered

    def block(self, rows: slice, columns: slice, out: Tensor | None = None) -> Tensor:
        """Compute the squared distances between some rows and some columns.

        Parameters
        ----------
        rows
            Positions in `order`.
        columns
            Positions in `order`.
        out
            Memory for the result, which may or may not be used.

        Returns
        -------
        Tensor of shape (rows, columns)
            Squared distances >= 0, in units in which the data is about 1.
        """
        if self._single is not None:
            a, b = self._single[rows], self._single[columns]
            d, error = self._product(a, b, self._norms[rows], self._norms[columns], 2.0**-24, out)
            if self._repaired(d, error, rows, columns):
                return d
        if self._double is not None:
            a, b = self._double[rows], self._double[columns]
            a_norms, b_norms = self._norms[rows], self._norms[columns]
        else:
            a, b = self._centered(rows, torch.float64), self._centered(columns, torch.float64)
            a_norms, b_norms = _squared_norms(a), _squared_norms(b)
        memory = out if self._dtype == torch.float64 else None
        if self._factors is not None:
            d = torch.mm(self._factors[0][rows], self._factors[1][columns].T, out=memory).clamp_min_(0.0)
            error = self._rounding(a_norms, b_norms, 2.0**-53)
        else:
            d, error = self._product(a, b, a_norms, b_norms, 2.0**-53, memory)
        if not self._repaired(d, error, rows, columns):
            d = torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist").square_()
        if d.dtype == self._dtype:
            return d
        return d.to(self._dtype) if out is None else out.copy_(d)

    def _product(
        self, a: Tensor, b: Tensor, a_norms: Tensor, b_norms: Tensor, roundoff: float, out: Tensor | None
    ) -> tuple[Tensor, float]:
        """Squared distances by a matrix product, and the bound of their rounding error."""
        d = torch.addmm(b_norms.to(a.dtype), a, b.T, alpha=-2.0, out=out)
        d.add_(a_norms.to(a.dtype)[:, None]).clamp_min_(0.0)
        return d, self._rounding(a_norms, b_norms, roundoff)

    def _rounding(self, a_norms: Tensor, b_norms: Tensor, roundoff: float) -> float:
        return (math.sqrt(self._x.shape[1]) + 4) * roundoff * float(a_norms.max() + b_norms.max())

    def _product_factors(self) -> tuple[Tensor, Tensor]:
        """Rows (a, ‖a‖², 1) and (-2a, 1, ‖a‖²), whose products are the squared distances: one pass over a block."""
        assert self._double is not None
        norms, ones = self._norms[:, None], torch.ones_like(self._norms[:, None])
        return torch.cat([self._double, norms, ones], dim=1), torch.cat([-2 * self._double, ones, norms], dim=1)

    def _repaired(self, d: Tensor, error: float, rows: slice, columns: slice) -> bool:
        """Replace the pairs whose error matters by exact ones; return False where these are too many."""
        at_risk = [s for s in self.scales if s * error > self._tolerance]
        if not at_risk:
            return True
        reach = error + _NEGLIGIBLE / min(at_risk)
        if rows != columns and float(d.amin()) >= reach:
            return True
        near = d < reach
        if rows == columns:
            near.fill_diagonal_(False)
        count = int(near.count_nonzero())
        if count > max(16.0, _FEW * d.numel()):
            return False
        if count:
            i, j = near.nonzero(as_tuple=True)
            first, second = self._order[rows], self._order[columns]
            step = max(1, (1 << 21) // self._x.shape[1])
            for start in range(0, count, step):
                one, two = i[start : start + step], j[start : start + step]
                difference = self._x[first[one]].to(torch.float64).sub_(self._x[second[two]]).mul_(self._unit)
                d[one, two] = difference.square_().sum(dim=1).to(d.dtype)
        return True


def _squared_norms(x: Tensor) -> Tensor:
    """Squared norms of the rounded numbers: those before rounding would not cancel the product."""
    norms = torch.empty(len(x), dtype=torch.float64, device=x.device)
    # Into memory made before: new small results between the float64 copies would fragment the heap.
    for rows, found in zip(_parts(x), _split(norms, x.shape[1]), strict=True):
        torch.linalg.vector_norm(rows, dim=1, dtype=torch.float64, out=found)
    return norms.square_()


def _parts(x: Tensor) -> Sequence[Tensor]:
    """The rows in parts of at most _PART numbers."""
    return _split(x, x.shape[1])


def _split(x: Tensor, width: int) -> Sequence[Tensor]:
    parts: Sequence[Tensor] = x.split(max(1, _PART // width))  # type: ignore[no-untyped-call]
    return parts
