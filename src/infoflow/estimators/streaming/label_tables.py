"""Tables of codes per label and fold, and the information between label and code that follows from them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from infoflow.core.errors import InvalidArgument
from infoflow.estimators.streaming.rows import hashed

FOLDS = 4
"""Folds of documents of the jackknife."""

MOST_LABELS = 1 << 17
"""Largest label of a set whose number of classes was not stated."""

FEWEST_PER_LABEL = 100
"""Rows per label below which the bias of the plug-in may not be small."""


def check_labels(label: Tensor, name: str, classes: int | None) -> None:
    """Raise InvalidArgument where a label is beyond the classes, or beyond what a table can hold.

    Examples
    --------
    >>> check_labels(torch.tensor([0, 7]), "token", 5)
    Traceback (most recent call last):
    ...
    infoflow.core.errors.InvalidArgument: labels['token'] must be smaller than the number of classes (5), got 7.
    """
    largest = int(label.max()) if len(label) else -1
    if classes is not None and largest >= classes:
        raise InvalidArgument(f"labels[{name!r}]", f"smaller than the number of classes ({classes})", largest)
    if largest >= MOST_LABELS:
        remedy = "Map rare labels to one code before the pass."
        raise InvalidArgument(f"labels[{name!r}]", f"smaller than {MOST_LABELS}", largest, remedy=remedy)


def folds_of(label: Tensor, documents: Tensor | None, seen: Tensor) -> Tensor:
    """Fold of each row: by its document, or else in turn among the rows of its label.

    Parameters
    ----------
    label : Tensor of shape (n,)
        Labels.
    documents : Tensor of shape (n,) or None
        Documents.
    seen : Tensor of shape (K,)
        Number of earlier rows of each label.
    """
    if documents is not None:
        return hashed(documents) % FOLDS
    order = label.sort(stable=True).indices
    ordered = label[order]
    counts = torch.bincount(label, minlength=len(seen))
    starts = counts.cumsum(0) - counts
    rank = torch.arange(len(label), device=label.device) - starts[ordered] + seen[ordered]
    folds = torch.empty_like(label)
    folds[order] = rank % FOLDS
    return folds


def tabulated(codes: Tensor, fold: Tensor, label: Tensor, weights: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """Σ weight·code (J, K, m) and Σ weight (J, K) per fold and label; codes (n, m) are multiplied by the weights."""
    cell = fold * classes + label
    table = codes.new_zeros(FOLDS * classes, codes.shape[1], dtype=torch.float64)
    table.index_add_(0, cell, codes)
    count = torch.zeros(FOLDS * classes, dtype=torch.float64, device=codes.device).index_add_(0, cell, weights)
    return table.reshape(FOLDS, classes, -1), count.reshape(FOLDS, classes)


def entropy_of(mass: Tensor) -> Tensor:
    """Entropy of non-negative mass along the last axis, normalized; 0 where there is none."""
    share = mass / mass.sum(-1, keepdim=True).clamp_min(torch.finfo(torch.float64).tiny)
    return -torch.xlogy(share, share).sum(-1)


def plug_in(table: Tensor, count: Tensor) -> float:
    """I = H(Σ_x C_x) − Σ_x N_x/n H(C_x/N_x) of a table (K, m) and counts (K,)."""
    conditional = (count / count.sum() * entropy_of(table)).sum()
    return max(float(entropy_of(table.sum(0)) - conditional), 0.0)


@dataclass(frozen=True)
class Jackknifed:
    """An information with its bias of order 1/n removed.

    Parameters
    ----------
    value
        The corrected value, or the plug-in where `corrected` is False.
    plug_in
        The plug-in of all rows.
    standard_error
        Of the corrected value, over folds.
    corrected
        Whether every fold held rows, and there were enough rows per label.
    """

    value: float
    plug_in: float
    standard_error: float | None
    corrected: bool


def jackknifed(table: Tensor, count: Tensor) -> Jackknifed:
    """Delete-a-fold jackknife of the information of a table (J, K, m), weighted by the size of the folds.

    Parameters
    ----------
    table : Tensor of shape (J, K, m)
        Σ of codes per fold and label.
    count : Tensor of shape (J, K)
        Weight per fold and label.

    References
    ----------
    Busing, Meijer, van der Leeden (1999), Delete-m jackknife for unequal m, Statistics and Computing 9.

    Examples
    --------
    >>> even = torch.eye(2, dtype=torch.float64).expand(4, 2, 2)
    >>> jackknifed(even, even.sum(2)).value  # log 2 in every fold
    0.69314718...
    """
    whole, total = table.sum(0), count.sum(0)
    value = plug_in(whole, total)
    sizes = count.sum(1)
    observed = int((total > 0).sum())
    if bool((sizes <= 0).any()) or float(total.sum()) < len(sizes) * observed:
        return Jackknifed(value, value, None, False)
    parts = torch.tensor([plug_in(whole - table[j], total - count[j]) for j in range(len(sizes))], dtype=torch.float64)
    n, sizes, folds = float(total.sum()), sizes.cpu(), len(sizes)
    corrected = folds * value - float(((1 - sizes / n) * parts).sum())
    ratio = n / sizes
    spread = (ratio * value - (ratio - 1) * parts - corrected).square() / (ratio - 1)
    return Jackknifed(corrected, value, math.sqrt(float(spread.mean())), True)


def shuffled(label: Tensor, generator: torch.Generator) -> Tensor:
    """The labels in random order."""
    return label[torch.randperm(len(label), generator=generator).to(label.device)]
