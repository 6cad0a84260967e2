"""The paper's sentences on its learning curves: the time to converge, and the connection of information and error."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.harness.seeds import differences
from infoflow_reproductions.milc.classifier import CLASSES

Seeds = Sequence[Mapping[str, Any]]
"""Results of `classifier.run` for every seed."""

STRONG = 0.8
"""Rank correlation from which a connection counts as very strong."""

# A run has converged where its accuracy has this part of its final gain over guessing.
_CONVERGED = 0.95
# A run whose accuracy gains less over guessing has not converged to anything.
_LEAST_GAIN = 0.05
_FEWEST = 3


def epochs_to_converge(run: Mapping[str, Any]) -> float:
    """Return the epoch at which the test accuracy has 95 % of its final gain over guessing.

    Parameters
    ----------
    run
        Result of `classifier.run`.

    Returns
    -------
    float
        Interpolated between the epochs that were measured; NaN for a run that diverged or stayed near guessing.

    Examples
    --------
    >>> epochs_to_converge({"curve_epoch": [0, 10, 20], "curve_test_accuracy": [0.1, 0.5, 0.9]})
    19.0
    """
    if "curve_epoch" not in run:
        return math.nan
    epochs, gain = np.asarray(run["curve_epoch"], float), np.asarray(run["curve_test_accuracy"], float) - 1 / CLASSES
    if gain[-1] < _LEAST_GAIN:
        return math.nan
    level = _CONVERGED * gain[-1]
    first = int(np.argmax(gain >= level))
    if first == 0:
        return float(epochs[0])
    return float(np.interp(level, gain[first - 1 : first + 1], epochs[first - 1 : first + 1]))


def longer(network: str, ours: Seeds, base: Seeds) -> list[Claim]:
    """Return the claim that mutual information learning takes more epochs to converge than cross-entropy.

    Parameters
    ----------
    network
        Name of the network.
    ours, base
        Runs of mutual information learning and cross-entropy.

    Returns
    -------
    list of Claim
        One claim; none without curves.
    """
    if not all("curve_epoch" in one for one in (*ours, *base)):
        return []
    text = f"{network}: at the paper's settings mutual information learning takes longer to converge"
    found = [[epochs_to_converge(one) for one in runs] for runs in (ours, base)]
    if any(map(math.isnan, (*found[0], *found[1]))):
        return [Claim(text, None, "not judged: some runs stayed near the accuracy of guessing to the last epoch")]
    claim = Claim.above(text, differences(*found), unit=f"epochs to {_CONVERGED:.0%} of the final gain over guessing")
    return [claim]


def connection(network: str, published: Sequence[Seeds], every: Sequence[Seeds]) -> list[Claim]:
    """Return the claims that test information and test error are very strongly connected.

    Parameters
    ----------
    network
        Name of the network.
    published
        Runs at the paper's settings, one group for each loss.
    every
        All runs, one group for each setting.

    Returns
    -------
    list of Claim
        The paper's, over the epochs of the runs at its settings, and the same over all trained networks. Both rest on
        one rank correlation for every seed.
    """
    along = [
        _correlation([pair for one in runs for pair in _pairs(one, "curve_")]) for runs in zip(*published, strict=True)
    ]
    after = [_correlation([pair for one in runs for pair in _pairs(one, "")]) for runs in zip(*every, strict=True)]
    words = f"{network}: very strong connection of mutual information and test error"
    how = f"rank correlation with the accuracy above {STRONG:g}"
    found = []
    for text, values, paper in (
        (f"{words} over training ({how})", along, True),
        (f"{words} over trained networks of all settings ({how})", after, False),
    ):
        if not any(map(math.isnan, values)):
            found.append(Claim.above(text, values, STRONG, published=paper, span=(-1.0, 1.0)))
    return found


def _pairs(run: Mapping[str, Any], prefix: str) -> list[tuple[float, float]]:
    """Return mutual information and accuracy on test images; none for a run that diverged."""
    names = (f"{prefix}test_mutual_information", f"{prefix}test_accuracy")
    if names[0] not in run:
        return []
    information, accuracy = (np.atleast_1d(np.asarray(run[name], float)) for name in names)
    return list(zip(information.tolist(), accuracy.tolist(), strict=True))


def _correlation(pairs: Sequence[tuple[float, float]]) -> float:
    values: NDArray[np.float64] = np.array([pair for pair in pairs if all(map(math.isfinite, pair))]).reshape(-1, 2)
    if len(values) < _FEWEST or (np.ptp(values, axis=0) == 0).any():
        return math.nan
    return float(stats.spearmanr(values[:, 0], values[:, 1]).statistic)
