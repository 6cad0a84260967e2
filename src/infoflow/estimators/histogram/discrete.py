"""Entropy and mutual information of discrete variables, by counting."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from infoflow.core.checks import choice, classes, integer, paired
from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.core.estimate import Estimate, Kind, LayerInformation
from infoflow.entropies import discrete as counted
from infoflow.pairwise.equal_rows import counts, equal_rows, joint_counts


@dataclass(frozen=True)
class Discrete:
    """Entropy and mutual information of integer codes from their counts, with a choice of bias correction.

    I(X;Y) = H(X) + H(Y) - H(X,Y), each by `correction`: "none" (plug-in), "miller-madow", "grassberger", "chao-shen",
    "nsb" or "shrinkage" (see `infoflow.entropies.discrete` for formulas and papers). The plug-in MI is too large by
    about (K_X - 1)(K_Y - 1) / 2N. Shrinkage takes all three entropies from one shrunken joint table (Hausser and
    Strimmer 2009), which keeps I >= 0; the others are clamped at 0 with a warning.

    `alphabet` is the number of possible symbols of `x` (K), where it is known; "nsb" and "shrinkage" otherwise take
    the number of those seen. The joint alphabet is K_X·K_Y.

    The ceiling of an MI is min(H(X), H(Y)) by the same correction; that of an entropy is log K where the alphabet is
    known, or else what N different symbols would give (log N for the plug-in).

    >>> estimator = Discrete()
    >>> estimator.estimate([0, 0, 1, 1], [1, 1, 0, 0]).bits
    1.0
    >>> estimator.entropy([[0, 1], [0, 1], [2, 2], [3, 2]]).bits  # a row is one symbol
    1.5
    """

    correction: str = "none"
    alphabet: int | None = None

    def __post_init__(self) -> None:
        choice(self.correction, "correction", counted.CORRECTIONS)
        if self.alphabet is not None:
            integer(self.alphabet, "alphabet")

    def estimate(self, x: Any, y: Any) -> Estimate:
        """I(X;Y) in nats of integer codes (n,) or (n, d), where a row is one symbol.

        Raises InvalidArgument for floats or other shapes and unequal lengths, TooFewSamples for n < 2.

        >>> Discrete("miller-madow").estimate([0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 0]).nats  # 0.3183 - 1/12 + 1/12
        0.3183
        """
        x_codes, x_count = symbols(x, "x")
        y_codes, y_count = symbols(y, "y")
        paired(x_codes, y_codes)
        return self._information(x_codes, x_count, y_codes.to(x_codes.device), y_count, "I(X;Y)", "H(X)")

    def entropy(self, t: Any) -> Estimate:
        """H(T) in nats of integer codes (n,) or (n, d), where a row is one symbol.

        Raises InvalidArgument for floats or other shapes, TooFewSamples for n < 2.

        >>> Discrete("miller-madow").entropy([0, 0, 1, 1]).nats  # log 2 + 1/8
        0.8181
        """
        return self._entropy(symbols(t, "t")[0])

    def measure(self, t: Any, y: Any, x: Any = None) -> LayerInformation:
        """H(T), which is I(X;T) where T is a function of X, and I(T;Y) for integer codes t and classes y (nats).

        `x` isn't used. Raises like `estimate`.

        >>> Discrete().measure([[0], [1], [2], [3]], [0, 0, 1, 1]).label.bits
        1.0
        """
        t_codes, t_count = symbols(t, "t")
        y_codes, y_count = classes(y, "y")
        paired(t_codes, y_codes, "t", "y")
        label = self._information(t_codes, t_count, y_codes.to(t_codes.device), y_count, "I(T;Y)", "H(T)")
        return LayerInformation(self._entropy(t_codes), label)

    def _entropy(self, codes: Tensor) -> Estimate:
        n = codes.shape[0]
        value = float(counted.entropy(counts(codes), self.correction, self.alphabet))
        if self.alphabet is not None:
            ceiling, name = math.log(self.alphabet), "log K"
        elif self.correction in ("nsb", "shrinkage"):
            ceiling, name = math.log(max(1, counts(codes).numel())), "log K (seen)"
        elif self.correction == "none":
            ceiling, name = math.log(n), "log N"
        else:
            ceiling, name = self._of_singletons(n), "N different symbols"
        return Estimate(
            min(value, ceiling),
            quantity="H(T)",
            kind=self._kind,
            estimator=type(self).__name__,
            n=n,
            parameters=self._parameters(),
            ceiling=ceiling,
            ceiling_name=name,
        )

    def _of_singletons(self, n: int) -> float:
        return float(counted.entropy(torch.ones(n, dtype=torch.int64), self.correction))

    def _information(self, x: Tensor, x_count: int, y: Tensor, y_count: int, quantity: str, x_name: str) -> Estimate:
        pairs = joint_counts(x, y, y_count)
        nx, ny = torch.bincount(x, minlength=x_count), torch.bincount(y, minlength=y_count)
        x_alphabet = self._alphabet(x_count)
        if self.correction == "shrinkage":
            intensity = counted.shrinkage_intensity(pairs, x_alphabet * y_count)
            h_x = float(counted.shrunk_entropy(nx, x_alphabet, intensity))
            h_y = float(counted.shrunk_entropy(ny, y_count, intensity))
            h_xy = float(counted.shrunk_entropy(pairs, x_alphabet * y_count, intensity))
        else:
            h_x = float(counted.entropy(nx, self.correction, x_alphabet))
            h_y = float(counted.entropy(ny, self.correction, y_count))
            h_xy = float(counted.entropy(pairs, self.correction, x_alphabet * y_count))
        value, ceiling = h_x + h_y - h_xy, min(h_x, h_y)
        warnings = []
        if not -1e-9 <= value <= ceiling + 1e-9:
            bound = f"min({x_name}, H(Y))" if value > 0 else "0"
            warnings.append(
                f"the {self.correction} entropies gave {value:.4g} nats, which no mutual information can be; "
                f"{bound} is returned (take more samples)"
            )
        if x_count > 1 and x_count >= 0.9 * x.shape[0]:
            warnings.append(
                f"{x_count} of {x.shape[0]} samples have a symbol of their own, so the estimate says little about "
                "dependence; take more samples or coarser symbols"
            )
        constant = [name for name, count in ((x_name[2], x_count), ("Y", y_count)) if count == 1]
        warnings.extend(f"{name} is constant: its information is 0 by definition" for name in constant)
        return Estimate(
            min(max(value, 0.0), ceiling),
            quantity=quantity,
            kind=self._kind,
            estimator=type(self).__name__,
            n=x.shape[0],
            parameters=self._parameters(),
            ceiling=ceiling,
            ceiling_name=f"{x_name}" if h_x < h_y else "H(Y)",
            warnings=tuple(warnings),
        )

    def _alphabet(self, seen: int) -> int:
        if self.alphabet is None:
            return seen
        if self.alphabet < seen:
            raise InvalidArgument(f"alphabet is {self.alphabet}, but {seen} different symbols were seen")
        return self.alphabet

    @property
    def _kind(self) -> Kind:
        return Kind.PLUG_IN if self.correction == "none" else Kind.POINT

    def _parameters(self) -> dict[str, Any]:
        parameters: dict[str, Any] = {"correction": self.correction}
        if self.alphabet is not None:
            parameters["alphabet"] = self.alphabet
        return parameters


def symbols(value: Any, name: str) -> tuple[Tensor, int]:
    """Codes 0..K-1 of shape (n,), and K, from integers or booleans (n,) or (n, d), where a row is one symbol."""
    tensor = value.detach() if isinstance(value, Tensor) else None
    if tensor is None:
        try:
            array = np.asarray(value)
        except ValueError as error:
            raise InvalidArgument(f"{name} is not a rectangular array: {error}") from None
        if array.dtype.kind not in "biu":
            raise InvalidArgument(f"{name} has dtype {array.dtype}; want integer codes (Binning takes real numbers)")
        tensor = torch.from_numpy(np.ascontiguousarray(array).astype(np.int64, copy=True).reshape(array.shape))
    if tensor.is_floating_point() or tensor.is_complex():
        raise InvalidArgument(f"{name} has dtype {tensor.dtype}; want integer codes (Binning takes real numbers)")
    if tensor.ndim == 0:
        raise InvalidArgument(f"{name} is a single number; want codes of shape (n,) or (n, d)")
    if tensor.shape[0] < 2:
        raise TooFewSamples(f"{name} holds {tensor.shape[0]} samples (shape {tuple(tensor.shape)}); want at least 2")
    if tensor.numel() == 0:
        raise InvalidArgument(f"{name} has shape {tuple(tensor.shape)}; want at least one code per sample")
    return equal_rows(tensor.to(torch.int64).reshape(tensor.shape[0], -1))
