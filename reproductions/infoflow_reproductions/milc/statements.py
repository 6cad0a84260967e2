"""Where the paper states the claims, and claims that follow from the figures of a table alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.harness.inference import Sample
from infoflow_reproductions.harness.row_claims import Figures, exceeds, not_below
from infoflow_reproductions.milc.losses import title

_TABLES = "'Experimental Results', second paragraph: improvements of large margin over celLoss and its variants"
_NONE = "'Experimental Results', second paragraph: none of LSR, CP and LC shows any improvement in accuracy"
_BATCH = "'Experimental Results', last paragraph: not always higher as B rises, on MNIST and on CIFAR-10; Fig. 5"
_WEIGHT = "'Experimental Results', last paragraph, and Fig. 5: effect of λ"

SENTENCES: Mapping[str, Sequence[tuple[str, str]]] = {
    "mnist": (("any improvement", f"{_NONE}; Table 2"), ("", f"{_TABLES}; Table 2")),
    "mnist-cnn": (("any improvement", f"{_NONE}; Table 2"), ("", f"{_TABLES}; Table 2")),
    "cifar": (("any improvement", f"{_NONE}; Table 3"), ("", f"{_TABLES}; Table 3")),
    "batch-size": (("does not always rise", _BATCH), ("", f"{_TABLES}, at the batch size of Table 2")),
    "batch-size-cifar": (("does not always rise", _BATCH), ("", f"{_TABLES}, at the batch size of Table 3")),
    "weight": (("", _WEIGHT),),
    "weight-cifar": (("", _WEIGHT),),
    "theory": (
        ("paper form", "Theorem 10 (1 in the main text): lower bound on the error probability"),
        ("bracket", "Theorem 12: bounds on the information of two Gaussian classes"),
        ("empirical", "Theorem 8: error of the entropy of the empirical distribution"),
    ),
}
"""Experiment -> parts of claims and the places of their sentences."""


_POINT = 0.01


def no_regularizer_improves(figures: Figures) -> list[Claim]:
    """Return the claims that label smoothing, confidence penalty and label correction do not improve on cross-entropy.

    Parameters
    ----------
    figures
        Figures by name.

    Returns
    -------
    list of Claim
        One claim per network and loss: the loss is not better by a percentage point or more.
    """
    claims = []
    for network in dict.fromkeys(name.partition(": ")[0] for name in figures if ": " in name):
        baseline = figures.get(f"{network}: {title('ce', 0.0)}")
        for loss in ("lsr", "cp", "lc"):
            other = figures.get(f"{network}: {title(loss, 0.0)}")
            if baseline is None or other is None:
                continue
            text = f"{network}: {title(loss, 0.0)} does not show any improvement over cross-entropy"
            claims.append(not_below(text, baseline, other, _POINT, "of test accuracy"))
    return claims


def not_always_rising(figures: Figures) -> list[Claim]:
    """Return the claim that the accuracy of mutual information learning does not always rise with the batch size.

    Parameters
    ----------
    figures
        Figures by name.

    Returns
    -------
    list of Claim
        One claim, on equal numbers of epochs as in the paper.
    """
    found: list[tuple[int, Sample]] = []
    for name, sample in figures.items():
        match = re.match(r"mutual information, λ = [\d.]+, B = (\d+), equal epochs", name)
        if match:
            found.append((int(match[1]), sample))
    if len(found) < 2:
        return []
    found.sort(key=lambda pair: pair[0])
    best, worst = found[0], found[-1]
    text = "equal epochs: the accuracy does not always rise with the batch size (smallest above largest)"
    return [exceeds(text, best[1], worst[1], f"of test accuracy, B = {best[0]} and {worst[0]}")]
