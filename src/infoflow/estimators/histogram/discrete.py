"""Entropy and mutual information of discrete variables, by counting."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import torch
from torch import Tensor

from infoflow.core.arrays import real
from infoflow.core.checks import paired
from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.core.estimate import Estimate, Kind
from infoflow.core.settings import OneOf, PositiveInt
from infoflow.entropies import discrete as counted
from infoflow.estimators.histogram.family import sparse_cells
from infoflow.estimators.layer_estimator import Ceiling, Labels, LayerEstimator
from infoflow.pairwise.equal_rows import counts, equal_rows, joint_counts


@dataclass(frozen=True)
class Discrete(LayerEstimator):
    """Entropy and mutual information of integer codes from their counts, with a choice of bias correction.

    Parameters
    ----------
    correction
        "none" (plug-in), "miller-madow", "grassberger", "chao-shen", "nsb" or "shrinkage"; formulas and references are
        in `infoflow.entropies.discrete`.
    alphabet
        Number K of possible symbols of x, if known. "nsb" and "shrinkage" otherwise take the number of observed ones.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range; `UnknownName` for an unknown correction.

    Notes
    -----
    I(X;Y) = H(X) + H(Y) − H(X,Y), each entropy by the same correction, from codes of shape (n,) or (n, d), where a row
    is one symbol. The plug-in is too large by about (K_X − 1)(K_Y − 1)/2N. Shrinkage takes all three entropies from one
    shrunken joint table, which gives I ≥ 0; estimates by the others are raised to 0, with a warning. The joint alphabet
    is K_X·K_Y.

    The ceiling of the information is min(H(X), H(Y)) by the same correction; that of the entropy is log K where the
    alphabet is known, and otherwise the entropy of N different symbols (log N for the plug-in).

    References
    ----------
    Hausser, Strimmer (2009), Entropy inference and the James-Stein estimator, JMLR 10.

    Examples
    --------
    >>> Discrete().estimate([0, 0, 1, 1], [1, 1, 0, 0]).bits
    1.0
    >>> Discrete("miller-madow").entropy([0, 0, 1, 1]).nats  # log 2 + 1/8
    0.8181
    >>> Discrete().entropy([[0, 1], [0, 1], [2, 2], [3, 2]]).bits  # a row is one symbol
    1.5
    """

    correction: Annotated[str, OneOf(counted.CORRECTIONS)] = "none"
    alphabet: PositiveInt | None = None

    _stated: ClassVar[tuple[str, ...]] = ("correction",)

    def conditional(self, x: Any, y: Any, z: Any) -> Estimate:
        """Estimate I(X;Y|Z) = H(X,Z) + H(Y,Z) − H(X,Y,Z) − H(Z) in nats.

        Parameters
        ----------
        x, y, z : array-like of shape (n,) or (n, d)
            Integer codes, where a row is one symbol.

        Returns
        -------
        Estimate
            Of the same kind as the information. A sample with a symbol of z of its own adds 0.

        Raises
        ------
        InvalidArgument
            If the samples are not integers, or their lengths differ.

        Examples
        --------
        >>> Discrete().conditional([1, 1, 0, 0], [0, 0, 1, 1], [0, 1, 0, 0]).nats  # ¾ of H(1/3)
        0.4774
        """
        (a, count_x), (b, count_y), (c, count_z) = symbols(x, "x"), symbols(y, "y"), symbols(z, "z")
        paired(a, c, "x", "z")
        paired(b, c, "y", "z")
        xz, yz = a * count_z + c, b * count_z + c
        tables = (counts(xz), counts(yz), joint_counts(xz, b, count_y), counts(c))
        sizes = (count_x * count_z, count_y * count_z, count_x * count_y * count_z, count_z)
        h_xz, h_yz, h_xyz, h_z = (
            float(counted.entropy(table, self.correction, size)) for table, size in zip(tables, sizes, strict=True)
        )
        nats, n = h_xz + h_yz - h_xyz - h_z, len(c)
        ceiling: Ceiling = (h_xz - h_z, "H(X|Z)") if h_xz < h_yz else (h_yz - h_z, "H(Y|Z)")
        if self.correction != "none":  # corrected entropies need not be consistent with each other
            ceiling = min(math.log(count_x), math.log(count_y)), "log K"
        warnings: tuple[str, ...] = ()
        if 4 * tables[2].numel() > n:
            warnings = (
                f"{n} samples fall into {tables[2].numel()} different combinations of x, y and z, so the estimate is "
                "uncertain and the plug-in too large; merge rare symbols or use more samples",
            )
        return self._made(min(max(nats, 0.0), ceiling[0]), "I(X;Y|Z)", n, ceiling, warnings, kind=self._kind)

    def _samples(self, value: Any, name: str) -> Tensor:
        return symbols(value, name)[0]

    def _labels(self, y: Any) -> Labels:
        return Labels(*symbols(y, "y"))

    def _estimates(self, layer: Tensor, labels: Labels | None, side: str) -> list[Estimate]:
        found = [self._entropy(layer, side)]
        if labels is not None:
            found.append(self._information(layer, labels, side))
        return found

    def _entropy(self, codes: Tensor, side: str) -> Estimate:
        n, occurring = len(codes), counts(codes)
        nats = float(counted.entropy(occurring, self.correction, self.alphabet))
        ceiling: Ceiling
        if self.alphabet is not None:
            ceiling = math.log(self.alphabet), "log K"
        elif self.correction in ("nsb", "shrinkage"):
            ceiling = math.log(max(1, occurring.numel())), "log K (seen)"
        elif self.correction == "none":
            ceiling = math.log(n), "log N"
        else:
            different = float(counted.entropy(torch.ones(n, dtype=torch.int64), self.correction))
            ceiling = different, "N different symbols"
        return self._made(min(nats, ceiling[0]), f"H({side})", n, ceiling, kind=self._kind)

    def _information(self, x: Tensor, labels: Labels, side: str) -> Estimate:
        n, seen, y = len(x), int(x.max()) + 1, labels.codes.to(x.device)
        alphabet = self._alphabet(seen)
        tables = (torch.bincount(x), torch.bincount(y), joint_counts(x, y, labels.number))
        alphabets = (alphabet, labels.number, alphabet * labels.number)
        if self.correction == "shrinkage":
            intensity = counted.shrinkage_intensity(tables[2], alphabets[2])
            entropies = [counted.shrunk_entropy(*each, intensity) for each in zip(tables, alphabets, strict=True)]
        else:
            entropies = [
                counted.entropy(table, self.correction, size) for table, size in zip(tables, alphabets, strict=True)
            ]
        h_x, h_y, h_xy = map(float, entropies)
        nats, ceiling = h_x + h_y - h_xy, (h_x, f"H({side})") if h_x < h_y else (h_y, "H(Y)")
        warnings: tuple[str, ...] = ()
        if not -1e-9 <= nats <= ceiling[0] + 1e-9:
            bound = f"min(H({side}), H(Y))" if nats > 0 else "0"
            warnings += (
                f"the {self.correction} entropies gave {nats:.4g} nats, which no mutual information can be, so {bound} "
                "is returned; use more samples",
            )
        if max(seen, labels.number) >= 0.9 * n and min(seen, labels.number) > 1:
            warnings += (
                f"{max(seen, labels.number)} of {n} samples have a symbol of their own, so the estimate hardly depends "
                "on the dependence; use more samples or coarser symbols",
            )
        elif self.correction == "none":
            warnings += sparse_cells(tables[2].numel(), seen, labels.number, n, nats)
        constant = [name for name, count in ((side, seen), ("Y", labels.number)) if count == 1]
        warnings += tuple(f"{name} is constant, so its information is 0" for name in constant)
        nats = min(max(nats, 0.0), ceiling[0])
        return self._made(nats, f"I({side};Y)", n, ceiling, warnings, kind=self._kind)

    def _alphabet(self, seen: int) -> int:
        if self.alphabet is not None and self.alphabet < seen:
            raise InvalidArgument("alphabet", f"at least the {seen} different symbols of the samples", self.alphabet)
        return self.alphabet or seen

    @property
    def _kind(self) -> Kind:
        return Kind.PLUG_IN if self.correction == "none" else Kind.POINT


def symbols(value: Any, name: str) -> tuple[Tensor, int]:
    """Codes 0..K-1 of shape (n,), and K, from integers or booleans (n,) or (n, d), where a row is one symbol."""
    tensor = real(value, name)
    if tensor.is_floating_point():
        dtype = str(tensor.dtype)
        raise _not_codes(name, dtype if isinstance(value, Tensor) else dtype.removeprefix("torch."))
    if tensor.ndim == 0:
        raise InvalidArgument(name, "codes of shape (n,) or (n, d)", got_text="a single number")
    shape = tuple(tensor.shape)
    if tensor.shape[0] < 2:
        raise TooFewSamples(name, "an array of at least 2 samples", got_text=f"{tensor.shape[0]} (shape {shape})")
    if tensor.numel() == 0:
        raise InvalidArgument(name, "an array with at least one code per sample", got_text=f"shape {shape}")
    return equal_rows(tensor.to(torch.int64).reshape(tensor.shape[0], -1))


def _not_codes(name: str, dtype: object) -> InvalidArgument:
    remedy = "Binning takes real numbers."
    return InvalidArgument(name, "an array of integer codes", got_text=f"dtype {dtype}", remedy=remedy)
