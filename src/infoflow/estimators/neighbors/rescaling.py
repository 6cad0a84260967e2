"""Samples made ready for nearest neighbors, whose answer depends on the scale of the columns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from infoflow.core.checks import classes, samples

RESCALINGS = ("normal-scores", "standard", "none")

# Codes of classes are names, not quantities: any two must be farther apart than samples ever are.
_APART = 1e6


@dataclass(frozen=True)
class Rescaled:
    """Columns that vary, rescaled, (n, d) in float64; what was wrong with the others; and log |det| of the map."""

    values: Tensor
    warnings: tuple[str, ...]
    log_scale: float
    """Σ log of the columns' divisors: what a differential entropy of the values lacks ("standard" and "none")."""

    @property
    def constant(self) -> bool:
        """Whether no column varies."""
        return self.values.shape[1] == 0


def rescaled(
    value: Any,
    name: str,
    *,
    how: str,
    minimum: int = 2,
    noise: float = 0.0,
    rng: np.random.Generator | None = None,
    device: torch.device | None = None,
) -> Rescaled:
    """Checked samples, column by column rescaled, which leaves mutual information as it is.

    "normal-scores" maps each column's ranks to a standard normal; "standard" divides it by its standard deviation;
    "none" leaves it. Constant columns are dropped with a warning. `noise` adds Gaussian noise of that many standard
    deviations.

    Raises InvalidArgument or TooFewSamples as `infoflow.core.checks.samples` does.

    >>> rescaled([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0]], "x", how="standard").warnings
    ('x has 1 constant column: dropped, for nothing varies there',)
    """
    tensor = samples(value, name, minimum=minimum, dtype=torch.float64)
    if device is not None:
        tensor = tensor.to(device)
    warnings: tuple[str, ...] = ()
    varies = tensor.amax(0) > tensor.amin(0)
    if not bool(varies.all()):
        constant = int((~varies).sum())
        plural = "s" * (constant > 1)
        warnings = (f"{name} has {constant} constant column{plural}: dropped, for nothing varies there",)
        tensor = tensor[:, varies]
    if tensor.shape[1] == 0:
        return Rescaled(tensor, warnings, 0.0)
    tensor = tensor - tensor.mean(0)
    largest = tensor.abs().amax(0)  # first to [-1, 1], so that no square overflows
    deviation = largest * (tensor / largest).square().mean(0).sqrt()
    if noise > 0 and rng is not None:
        drawn = torch.from_numpy(rng.normal(size=tuple(tensor.shape))).to(tensor.device)
        tensor = tensor + noise * deviation * drawn
    if how == "none":
        return Rescaled(tensor, warnings, 0.0)
    if how == "normal-scores":
        return Rescaled(normal_scores(tensor), warnings, math.nan)
    return Rescaled(tensor / deviation, warnings, float(deviation.log().sum()))


def noise_generator(seed: int) -> np.random.Generator:
    """The generator of added noise. Its stream is its own: samples drawn by `default_rng(seed)` must not meet
    themselves as their noise.

    >>> noise_generator(0).normal() == np.random.default_rng(0).normal()
    False
    """
    return np.random.default_rng([seed, 6])


def class_column(value: Any, name: str, *, minimum: int = 1, device: torch.device | None = None) -> Rescaled:
    """Classes as one column for a joint distance, in which two classes are farther apart than any rescaled samples.

    Raises InvalidArgument or TooFewSamples as `infoflow.core.checks.classes` does.

    >>> class_column([7, 3, 7], "y").values.T.tolist()
    [[1000000.0, 0.0, 1000000.0]]
    """
    codes, count = classes(value, name, minimum=minimum)
    column = _APART * codes.to(torch.float64)[:, None]
    return Rescaled(column.to(device or codes.device)[:, : min(1, count - 1)], (), 0.0)


def normal_scores(values: Tensor) -> Tensor:
    """Φ⁻¹(rank / (n + 1)) of each column of floating values (n, d); equal values share their mean rank.

    Monotone maps of single columns leave mutual information as it is (Ince et al. 2017, Human Brain Mapping 38,
    section 2.4).

    >>> normal_scores(torch.tensor([[1.0], [100.0], [10.0]], dtype=torch.float64)).T
    tensor([[-0.6745,  0.6745,  0.0000]], dtype=torch.float64)
    """
    columns = values.T.contiguous()
    ordered, order = columns.sort(1)
    n = columns.shape[1]
    ranks = torch.arange(1, n + 1, dtype=values.dtype, device=values.device)
    # One table for all columns: the sort is the whole cost.
    scores = torch.empty_like(columns).scatter_(1, order, torch.special.ndtri(ranks / (n + 1)).expand_as(columns))
    repeats = (ordered[:, 1:] == ordered[:, :-1]).any(1)
    if bool(repeats.any()):
        ordered, columns = ordered[repeats], columns[repeats]
        below = torch.searchsorted(ordered, columns)
        ranks = (below + torch.searchsorted(ordered, columns, right=True) + 1).to(values.dtype) / 2.0
        scores[repeats] = torch.special.ndtri(ranks / (n + 1))
    return scores.T.contiguous()
