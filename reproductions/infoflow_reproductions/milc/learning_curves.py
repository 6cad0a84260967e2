"""The paper's sentences on its learning curves: the time to converge, and the connection of information and error."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.harness.inference import CORRELATION
from infoflow_reproductions.milc.classifier import CLASSES
from infoflow_reproductions.milc.recipe import AT_PAPERS

Seeds = Sequence[Mapping[str, Any]]
"""Results of `classifier.run` for every seed."""

STRONG = 0.8
"""Rank correlation from which a connection counts as very strong."""

# Part of the smaller of two final gains over guessing to which both are timed.
_CONVERGED = 0.95
# A run whose accuracy gains less over guessing has not learned enough for a comparison.
_LEAST_GAIN = 0.05
_FEWEST = 3


def epochs_to_reach(run: Mapping[str, Any], accuracy: float) -> float:
    """Return the epoch at which the test accuracy first reaches a value.

    Parameters
    ----------
    run
        Result of `classifier.run`.
    accuracy
        The accuracy, at most the highest of the run.

    Returns
    -------
    float
        Interpolated between the epochs that were measured.

    Examples
    --------
    >>> epochs_to_reach({"curve_epoch": [0, 10, 20], "curve_test_accuracy": [0.1, 0.5, 0.9]}, 0.6)
    12.5
    """
    epochs, reached = (np.asarray(run[name], float) for name in ("curve_epoch", "curve_test_accuracy"))
    first = int(np.argmax(reached >= accuracy))
    around = slice(max(0, first - 1), first + 1)
    return float(np.interp(accuracy, reached[around], epochs[around]))


def longer(network: str, ours: Seeds, base: Seeds, *, published: bool = True) -> list[Claim]:
    """Return the claim that mutual information learning takes more epochs to converge than cross-entropy.

    Parameters
    ----------
    network
        Name of the network.
    ours, base
        Runs of mutual information learning and cross-entropy, seed by seed.
    published
        Whether the network is one of the paper's.

    Returns
    -------
    list of Claim
        One claim; none without curves.

    Notes
    -----
    Both are timed to the same accuracy, since a run that is still rising in the last epoch would seem to converge
    whenever training ends: 95 % of the smaller of their final gains over guessing.
    """
    if not all("curve_epoch" in one for one in (*ours, *base)):
        return []
    text = f"{network}: {AT_PAPERS} mutual information learning takes longer to converge"
    chance, more = 1 / CLASSES, []
    for pair in zip(ours, base, strict=True):
        gain = min(float(one["curve_test_accuracy"][-1]) for one in pair) - chance
        if gain < _LEAST_GAIN:
            reason = "not judged: some runs stayed near the accuracy of guessing to the last epoch"
            return [Claim(text, None, reason, published)]
        mine, other = (epochs_to_reach(one, chance + _CONVERGED * gain) for one in pair)
        more.append(mine - other)
    return [Claim.above(text, more, unit="epochs to the same accuracy", published=published)]


def connection(
    network: str, compared: Sequence[Seeds], every: Sequence[Seeds], *, published: bool = True
) -> list[Claim]:
    """Return the claims that test information and test error are very strongly connected.

    Parameters
    ----------
    network
        Name of the network.
    compared
        Runs at the paper's learning rate and λ, one group for each loss.
    every
        All runs, one group for each setting.
    published
        Whether the network is one of the paper's.

    Returns
    -------
    list of Claim
        The paper's, over the epochs of the compared runs, and the same over all trained networks, which the paper does
        not claim. Both rest on one rank correlation for every seed.
    """
    along = [
        _correlation([pair for one in runs for pair in _pairs(one, "curve_")]) for runs in zip(*compared, strict=True)
    ]
    after = [_correlation([pair for one in runs for pair in _pairs(one, "")]) for runs in zip(*every, strict=True)]
    words = f"{network}: very strong connection of mutual information and test error"
    how = f"rank correlation with the accuracy above {STRONG:g}"
    found = []
    for text, values, paper in (
        (f"{words} over training ({how})", along, published),
        (f"{words} over trained networks of all settings ({how})", after, False),
    ):
        if not any(map(math.isnan, values)):
            found.append(Claim.above(text, values, STRONG, published=paper, span=CORRELATION))
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
