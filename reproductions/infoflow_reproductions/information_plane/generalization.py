"""Claims on the correlation of compression with test accuracy over seeds, which Table I lists as GEN."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.harness.inference import LEVEL, holm
from infoflow_reproductions.information_plane.claims import by_estimator, listed, supported
from infoflow_reproductions.information_plane.reading import Reading
from infoflow_reproductions.information_plane.recipe import OUTPUT

UNCONNECTED = 0.5
"""Correlation below which compression and accuracy count as not connected."""


class Correlation(NamedTuple):
    """A correlation over seeds with Fisher's 95 % interval and the p-value of no correlation.

    >>> str(correlation(0.0, 20))
    'r = 0.00 [-0.44, 0.44]'
    """

    r: float
    low: float
    high: float
    p: float

    def __str__(self) -> str:
        return f"r = {self.r:.2f} [{self.low:.2f}, {self.high:.2f}]"


def correlation(r: float, n: int) -> Correlation | None:
    """Return Fisher's interval of a correlation of n pairs; None if it does not exist."""
    if n < 4 or not math.isfinite(r):
        return None
    z, half = math.atanh(max(-0.999999, min(0.999999, r))), 1.96 / math.sqrt(n - 3)
    return Correlation(r, math.tanh(z - half), math.tanh(z + half), math.erfc(abs(z) * math.sqrt((n - 3) / 2)))


def connected_at_the_softmax(reading: Reading, network: str) -> Claim:
    """Judge whether the lost part of the softmax layer's I(X;T) correlates with test accuracy over seeds."""
    text = f"{network}: over seeds, compression of the softmax layer correlates with test accuracy"

    def judged(estimator: str) -> Claim:
        found = correlation(*reading.correlation(network, OUTPUT, estimator))
        if found is None:
            return Claim(text, None, _NONE)
        claim = Claim(text, True if found.low > 0 else False if found.high < 0 else None, str(found))
        return supported(reading, claim, network, [OUTPUT], estimator)

    return by_estimator(reading, network, judged)


def unconnected(reading: Reading, network: str) -> Claim:
    """Judge whether compression of no hidden layer correlates with test accuracy over seeds."""
    text = (
        f"{network}: over seeds, compression of no hidden layer is connected with test accuracy (|r| < {UNCONNECTED})"
    )

    def judged(estimator: str) -> Claim:
        found = {
            layer: correlation(*reading.correlation(network, layer, estimator)) for layer in reading.hidden(network)
        }
        known = {layer: one for layer, one in found.items() if one is not None}
        holds = none_connected(list(known.values()))
        evidence = listed({layer: str(one) for layer, one in known.items()}) or _NONE
        seeds = len(reading.metric(network, "test_accuracy").columns)
        least = correlation(0.0, seeds)
        if holds is None and least is not None and least.high >= UNCONNECTED:
            evidence += (
                f"; {seeds} seeds can only reject it: even r = 0 has the interval {least.low:.2f} to {least.high:.2f}"
            )
        return supported(reading, Claim(text, holds, evidence), network, list(known), estimator)

    return by_estimator(reading, network, judged)


def none_connected(found: Sequence[Correlation]) -> bool | None:
    """Return whether no layer is connected: all intervals lie within the limit; not if Holm's method finds one.

    >>> none_connected([correlation(0.0, 100), correlation(0.1, 100)]), none_connected([correlation(0.9, 20)])
    (True, False)
    """
    if not found:
        return None
    if min(holm([one.p for one in found])) <= LEVEL:
        return False
    return True if all(one.low > -UNCONNECTED and one.high < UNCONNECTED for one in found) else None


_NONE = "too few seeds, or no variation"
