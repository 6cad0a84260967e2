"""Where the paper states the claims, and claims that follow from the figures of a table alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.harness.inference import Sample, difference
from infoflow_reproductions.harness.row_claims import Figures, exceeds, not_below
from infoflow_reproductions.harness.seeds import seed_count
from infoflow_reproductions.milc.classifier import CLASSES
from infoflow_reproductions.milc.losses import LOSSES, title

_TABLES = (
    "'Experimental Results', paragraph on Tables 2 and 3: improvements of large margin over celLoss and its variants"
)
_NONE = "'Experimental Results', paragraph on Tables 2 and 3: none of LSR, CP and LC shows any improvement in accuracy"
_CURVES = "'Experimental Results', paragraph on the learning curves"
_TEN = "abstract: an improvement that can exceed 10 % of test accuracy; 'Experimental Results', Table 3"
_BATCH = (
    "'Experimental Results', last paragraph: not always higher as B rises, on MNIST and on CIFAR-10, unlike what is "
    "expected of cross-entropy; Fig. 5"
)
_WEIGHT = "'Experimental Results', last paragraph: announces the effect of λ in Fig. 5 and states no outcome"

_COMPARISON = (
    ("longer to converge", f"{_CURVES}: MILCs seem to take longer to converge; Fig. 17"),
    ("very strong connection", f"{_CURVES}: a very strong connection of mutual information and error rate; Fig. 17"),
    ("by more than 10 points", _TEN),
)

SENTENCES: Mapping[str, Sequence[tuple[str, str]]] = {
    "mnist": (*_COMPARISON, ("any improvement", f"{_NONE}; Table 2"), ("", f"{_TABLES}; Table 2")),
    "mnist-cnn": (*_COMPARISON, ("any improvement", f"{_NONE}; Table 2"), ("", f"{_TABLES}; Table 2")),
    "cifar": (*_COMPARISON, ("any improvement", f"{_NONE}; Table 3"), ("", f"{_TABLES}; Table 3")),
    "batch-size": (("than that of cross-entropy", _BATCH), ("", f"{_TABLES}, at the batch size of Table 2")),
    "batch-size-cifar": (("than that of cross-entropy", _BATCH), ("", f"{_TABLES}, at the batch size of Table 3")),
    "weight": (("", _WEIGHT),),
    "weight-cifar": (("", _WEIGHT),),
    "theory": (
        ("than Fano", "introduction, fifth paragraph: tighter than Fano's inequality"),
        ("100 classes", "'Error Probability Lower Bounds via Mutual Information', after Theorem 4: about 0.9"),
        ("corollary", "Corollary 2 (1 in the main text): lower bound on the error for two Gaussian classes"),
        ("paper form", "Theorem 10 (4 in the main text): lower bound on the error probability"),
        ("bracket", "Theorem 12 (5 in the main text): bounds on the information of two Gaussian classes"),
        ("empirical", "Theorem 8 (3 in the main text): error of the entropy of the empirical distribution"),
    ),
}
"""Experiment -> parts of claims and the places of their sentences."""


_POINT = 0.01
# A network whose accuracy exceeds that of guessing by no more has not learned enough for a comparison.
NEAR_CHANCE = 0.05


# The variants of cross-entropy that the paper compares with (Table 1).
VARIANTS = ("lsr", "cp", "lc")
# Begin of the name of mutual information learning, whatever its weight.
_OURS = title("mil").removesuffix("0")


def of_losses(figures: Figures) -> list[Claim]:
    """Return the claims on the losses at the paper's settings.

    Parameters
    ----------
    figures
        Figures by name.

    Returns
    -------
    list of Claim
        Those of `best_of_others` and `no_regularizer_improves`.
    """
    return [*best_of_others(figures), *no_regularizer_improves(figures)]


def best_of_others(figures: Figures) -> list[Claim]:
    """Return the claims that mutual information learning outperforms other losses than cross-entropy.

    Parameters
    ----------
    figures
        Figures by name.

    Returns
    -------
    list of Claim
        For each network the paper's, against the best of its variants of cross-entropy, and that against the best of
        all losses where there are others, which is this reproduction's.
    """
    claims = []
    for network in dict.fromkeys(name.partition(": ")[0] for name in figures if ": " in name):
        ours = next((one for name, one in figures.items() if name.startswith(f"{network}: {_OURS}")), None)
        rivals = {
            loss: figures.get(f"{network}: {title(loss)}") for loss in LOSSES if not loss.startswith(("ce", "mil"))
        }
        found = {loss: sample for loss, sample in rivals.items() if sample is not None}
        variants = {loss: sample for loss, sample in found.items() if loss in VARIANTS}
        if ours is None:
            continue
        for group, words, paper in (
            (variants, "the best of the paper's variants", True),
            (found if len(found) > len(variants) else {}, "the best other loss", False),
        ):
            if group:
                loss, sample = max(group.items(), key=lambda pair: pair[1].mean)
                text = f"{network}: at the paper's settings it outperforms {words}, {title(loss)}"
                claims.append(exceeds(text, ours, sample, "of test accuracy", published=paper))
    return claims


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
        for loss in VARIANTS:
            other = figures.get(f"{network}: {title(loss, 0.0)}")
            if baseline is None or other is None:
                continue
            text = f"{network}: {title(loss, 0.0)} does not show any improvement over cross-entropy"
            claims.append(not_below(text, baseline, other, _POINT, "of test accuracy"))
    return claims


def less_gain_from_larger_batches(figures: Figures) -> list[Claim]:
    """Return the claims on the accuracy at the largest batch size against that at the smallest.

    Parameters
    ----------
    figures
        Figures by name.

    Returns
    -------
    list of Claim
        The paper's: at equal epochs mutual information learning gains less, or loses more, than cross-entropy. As a
        control the same at equal steps, since larger batches take fewer steps in equal epochs, and whether
        cross-entropy alone rises at equal epochs.
    """
    claims = []
    for budget in ("epochs", "steps"):
        ours, base = (
            _by_batch_size(figures, loss, budget) for loss in (r"mutual information, λ = [\d.]+", "cross-entropy")
        )
        sizes = sorted(ours.keys() & base.keys())
        if len(sizes) < 2:
            continue
        smallest, largest = sizes[0], sizes[-1]
        claims.append(_contrast(budget, (smallest, largest), ours, base))
        if budget == "epochs":
            text = "equal epochs: cross-entropy's accuracy does not always rise either (smallest above largest B)"
            unit = f"of test accuracy, B = {smallest} and {largest}"
            claims.append(exceeds(text, base[smallest], base[largest], unit, published=False))
    return claims


def _by_batch_size(figures: Figures, loss: str, budget: str) -> dict[int, Sample]:
    matches = ((re.match(rf"{loss}, B = (\d+), equal {budget}", name), sample) for name, sample in figures.items())
    return {int(match[1]): sample for match, sample in matches if match}


def _contrast(budget: str, sizes: tuple[int, int], ours: Mapping[int, Sample], base: Mapping[int, Sample]) -> Claim:
    """Return the claim that the accuracy of `ours` falls by more than that of `base`, by Welch's test."""
    smallest, largest = sizes
    text = (
        f"equal {budget}: from the smallest to the largest batch size the accuracy of mutual information learning "
        "falls by more, or rises by less, than that of cross-entropy"
    )
    four = [one[size] for one in (ours, base) for size in sizes]
    found = difference(difference(*four[:2]), difference(*four[2:]))
    low, high = found.interval
    seeds = min(one.n for one in four)
    evidence = (
        f"B = {smallest} → {largest}: mutual information {four[0].mean:.4g} → {four[1].mean:.4g}, cross-entropy "
        f"{four[2].mean:.4g} → {four[3].mean:.4g}; difference of the falls {found.mean:.4g} [{low:.4g}, {high:.4g}], "
        f"{seed_count(seeds)} each"
    )
    published = budget == "epochs"
    worst = min(one.mean for one in four)
    if worst <= 1 / CLASSES + NEAR_CHANCE:
        reason = f"not judged: an accuracy of {worst:.4g} is near that of guessing, {1 / CLASSES:g}"
        return Claim(text, None, f"{evidence}; {reason}", published)
    return Claim(text, found.above, evidence, published, sample=found, seeds=seeds)
