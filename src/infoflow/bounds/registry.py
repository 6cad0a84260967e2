"""The registry of bounds: their names, what each takes, and what its value means."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from infoflow.bounds import contrastive, density_ratio, divergences, kullback_leibler, log_densities
from infoflow.core.errors import UnknownName

BoundName = Literal[
    "donsker_varadhan",
    "mine",
    "nwj",
    "tuba",
    "jensen_shannon_mi",
    "smile",
    "infonce",
    "anchored_infonce",
    "interpolated",
    "flo",
    "dime",
    "jensen_shannon",
    "squared_hellinger",
    "chi_squared",
    "reverse_kl",
    "wasserstein",
    "club",
    "l1out",
    "barber_agakov",
    "barber_agakov_upper",
    "doe",
]
"""Names of the bounds, for type checkers and editors."""


class Side(StrEnum):
    """Whether a value lies below or above the mutual information in expectation, or belongs to another divergence.

    Examples
    --------
    >>> by_name("club").side
    <Side.UPPER: 'upper bound'>
    """

    LOWER = "lower bound"
    UPPER = "upper bound"
    ESTIMATE = "estimate"
    DIVERGENCE = "lower bound of another divergence"


class Takes(StrEnum):
    """Second argument of a bound, after the scores of the positives.

    Examples
    --------
    >>> by_name("infonce").takes.name
    'NEGATIVE'
    """

    NEGATIVE = "scores of negatives (..., n, m)"
    NEGATIVE_DENSITY = "log q(y_j|x_i) of negatives (..., n, m)"
    SWAPPED_DENSITY = "log p(y_i|x_j) of negatives (..., n, m)"
    NEGATIVE_AND_U = "scores of negatives (..., n, m) and a second score of positives (..., n)"
    ENTROPY = "the entropy of Y"
    MARGINAL = "log r(y_i) (..., n)"


class Free(StrEnum):
    """Part of the critic that the optimum of a bound leaves undetermined.

    Examples
    --------
    >>> by_name("infonce").free
    <Free.FUNCTION_OF_X: 'a function of x'>
    """

    NOTHING = "nothing"
    CONSTANT = "a constant"
    FUNCTION_OF_X = "a function of x"


def _no_ceiling(negatives: int) -> float:
    return math.inf


@dataclass(frozen=True)
class Bound:
    """A bound with its properties; calling it computes the value in nats.

    Parameters
    ----------
    name
        Name in the registry.
    function
        `function(positive, ...)`, the value in nats.
    side
        Side of the mutual information on which the value lies.
    quantity
        Quantity that is bounded.
    takes
        Second argument of `function`.
    objective
        Objective that trains and selects a critic, where it differs from the value.
    ceiling
        `ceiling(m)`, the largest value with m negatives per row, under default options.
    ceiling_name
        Formula of the ceiling.
    row_local
        Whether the value is a mean of one term per row.
    log_ratio
        Converts a score at the optimum into log p(y|x)/p(y), up to what is `free`.
    score
        Inverse of `log_ratio`.
    free
        Part of the critic that the optimum leaves undetermined.
    averaged
        Whether `function` takes an `ExponentialAverage` after the scores, updated with every batch of training.
    many_negatives
        Whether the value gains from every further negative, so that all others of a batch are its default.

    Examples
    --------
    >>> BOUNDS["infonce"].side, round(BOUNDS["infonce"].ceiling(7), 4)
    (<Side.LOWER: 'lower bound'>, 2.0794)
    """

    name: str
    function: Callable[..., Tensor]
    side: Side
    quantity: str = "I(X;Y)"
    takes: Takes = Takes.NEGATIVE
    objective: Callable[..., Tensor] | None = None
    ceiling: Callable[[int], float] = _no_ceiling
    ceiling_name: str = ""
    row_local: bool = True
    log_ratio: Callable[[Tensor], Tensor] | None = None
    score: Callable[[Tensor], Tensor] | None = None
    free: Free = Free.NOTHING
    averaged: bool = False
    many_negatives: bool = False

    def __call__(self, *scores: Tensor, **options: object) -> Tensor:
        """Compute the value in nats, with the leading shape of the scores."""
        return self.function(*scores, **options)

    def training_objective(self, *scores: Tensor, **options: object) -> Tensor:
        """Compute the objective that trains and selects a critic."""
        return (self.objective or self.function)(*scores, **options)

    def __reduce__(self) -> tuple[object, ...]:
        if BOUNDS.get(self.name) is self:  # by its name, since functions of the registry have no name of their own
            return by_name, (self.name,)
        return tuple(super().__reduce_ex__(2))

    @property
    def measures_critics(self) -> bool:
        """Whether scores of pairs alone give the mutual information by this bound."""
        return self.takes is Takes.NEGATIVE and self.quantity == "I(X;Y)"


def _identity(score: Tensor) -> Tensor:
    return score


# Bounds whose optimal score is the log density ratio itself.
_direct = partial(Bound, log_ratio=_identity, score=_identity)
_LOWER, _UPPER, _ESTIMATE, _OTHER = Side.LOWER, Side.UPPER, Side.ESTIMATE, Side.DIVERGENCE

BOUNDS: dict[str, Bound] = {
    bound.name: bound
    for bound in (
        _direct("donsker_varadhan", kullback_leibler.donsker_varadhan, _LOWER, row_local=False, free=Free.CONSTANT),
        _direct("mine", kullback_leibler.mine, _LOWER, row_local=False, free=Free.CONSTANT, averaged=True),
        Bound(
            "nwj",
            kullback_leibler.nwj,
            _LOWER,
            log_ratio=lambda score: score - 1,
            score=lambda ratio: ratio + 1,
        ),
        _direct("tuba", kullback_leibler.tuba, _LOWER),
        _direct(
            "jensen_shannon_mi",
            kullback_leibler.jensen_shannon_mi,
            _LOWER,
            objective=partial(kullback_leibler.jensen_shannon_mi, readout="objective"),
        ),
        _direct(
            "smile",
            kullback_leibler.smile,
            _ESTIMATE,
            objective=partial(kullback_leibler.smile, readout="objective"),
            row_local=False,
        ),
        _direct(
            "infonce",
            contrastive.infonce,
            _LOWER,
            ceiling=lambda negatives: math.log1p(negatives),
            ceiling_name="log(m + 1)",
            free=Free.FUNCTION_OF_X,
            many_negatives=True,
        ),
        _direct(
            "anchored_infonce",
            contrastive.anchored_infonce,
            _ESTIMATE,
            objective=partial(contrastive.anchored_infonce, readout="objective"),
            many_negatives=True,
        ),
        _direct(
            "interpolated",
            contrastive.interpolated,
            _LOWER,
            ceiling=lambda negatives: 1 + math.log(2 * negatives),
            ceiling_name="1 + log(m/α)",
        ),
        _direct("flo", contrastive.flo, _LOWER, takes=Takes.NEGATIVE_AND_U),
        _direct("dime", density_ratio.dime, _ESTIMATE, objective=partial(density_ratio.dime, readout="objective")),
        _direct(
            "jensen_shannon",
            divergences.jensen_shannon,
            _OTHER,
            quantity="2 JSD",
            ceiling=lambda _: 2 * math.log(2),
            ceiling_name="2 log 2",
        ),
        Bound(
            "squared_hellinger",
            divergences.squared_hellinger,
            _OTHER,
            quantity="squared Hellinger distance",
            ceiling=lambda _: 2.0,
            ceiling_name="2",
            log_ratio=lambda score: 2 * score,
            score=lambda ratio: ratio / 2,
        ),
        Bound(
            "chi_squared",
            divergences.chi_squared,
            _OTHER,
            quantity="Pearson χ²",
            # Below T = −2 the ratio would be negative: no density has it, and its logarithm is −∞.
            log_ratio=lambda score: torch.log1p((score / 2).clamp(min=-1.0)),
            score=lambda ratio: 2 * torch.expm1(ratio),
        ),
        _direct("reverse_kl", divergences.reverse_kl, _OTHER, quantity="KL(p(x)p(y) ‖ p(x,y))"),
        Bound("wasserstein", divergences.wasserstein, _OTHER, quantity="Wasserstein-1 distance"),
        Bound("club", log_densities.club, _UPPER, takes=Takes.NEGATIVE_DENSITY),
        Bound("l1out", log_densities.l1out, _UPPER, takes=Takes.SWAPPED_DENSITY),
        Bound("barber_agakov", log_densities.barber_agakov, _LOWER, takes=Takes.ENTROPY),
        Bound("barber_agakov_upper", log_densities.barber_agakov_upper, _UPPER, takes=Takes.MARGINAL),
        Bound("doe", log_densities.doe, _ESTIMATE, takes=Takes.MARGINAL),
    )
}
"""Every bound by name."""


def by_name(name: BoundName | str) -> Bound:
    """Return the bound of this name.

    Parameters
    ----------
    name
        Name of the bound; case is ignored, and hyphens count as underscores.

    Returns
    -------
    Bound
        The bound with its properties.

    Raises
    ------
    UnknownName
        If there is no such bound; the closest name is suggested.

    Examples
    --------
    >>> by_name("Jensen-Shannon").quantity
    '2 JSD'
    """
    key = str(name).strip().lower().replace("-", "_")
    if key not in BOUNDS:
        raise UnknownName("bound", name, BOUNDS)
    return BOUNDS[key]
