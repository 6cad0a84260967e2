"""Variational bounds on mutual information: functions of positive and negative scores, to measure and to train.

Each takes `positive` (..., n), the scores of the positives, and `negative` (..., n, m), for each of them the scores of
m negatives, and returns nats of the leading shape. Leading axes are separate problems; an axis of the negatives that
all problems share may have size 1. `-bound(...)` is a loss.
"""

from __future__ import annotations

from infoflow.bounds.contrastive import anchored_infonce, flo, infonce, interpolated
from infoflow.bounds.density_ratio import dime
from infoflow.bounds.divergences import chi_squared, jensen_shannon, reverse_kl, squared_hellinger, wasserstein
from infoflow.bounds.kullback_leibler import (
    ExponentialAverage,
    donsker_varadhan,
    jensen_shannon_mi,
    mine,
    nwj,
    smile,
    tuba,
)
from infoflow.bounds.log_densities import barber_agakov, barber_agakov_upper, club, doe, l1out
from infoflow.bounds.registry import BOUNDS, Bound, BoundName, Free, Side, Takes, by_name

__all__ = [
    "BOUNDS",
    "Bound",
    "BoundName",
    "ExponentialAverage",
    "Free",
    "Side",
    "Takes",
    "anchored_infonce",
    "barber_agakov",
    "barber_agakov_upper",
    "by_name",
    "chi_squared",
    "club",
    "dime",
    "doe",
    "donsker_varadhan",
    "flo",
    "infonce",
    "interpolated",
    "jensen_shannon",
    "jensen_shannon_mi",
    "l1out",
    "mine",
    "nwj",
    "reverse_kl",
    "smile",
    "squared_hellinger",
    "tuba",
    "wasserstein",
]


def __dir__() -> list[str]:
    return list(__all__)
