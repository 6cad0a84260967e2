"""Where the paper states the claims, and claims on losses that follow from the figures of a table alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.harness.row_claims import Figures, exceeds, not_below
from infoflow_reproductions.milc.losses import LOSSES, title
from infoflow_reproductions.milc.recipe import AT_PAPERS

_RESULTS = "'Experimental Results', paragraph on"
_TABLES = f"{_RESULTS} Tables 2 and 3: improvements of large margin over celLoss and its variants, here any improvement"
_NONE = f"{_RESULTS} Tables 2 and 3: none of LSR, CP and LC shows any improvement in accuracy, here a point or more"
_TEN = "abstract: an improvement that can exceed 10 % of test accuracy; 'Experimental Results', Table 3"
_SMALL = "introduction, third paragraph: the extremely small training loss in practice"
_OVERFITTING = "abstract: cross-entropy leads to severe overfitting, and MILCs generalize far better"
_LAST = "'Experimental Results', last paragraph"
_BATCH = f"{_LAST}: the accuracy does not always go up with the batch size, on MNIST and on CIFAR-10; Fig. 5"
_UNLIKE = f"{_LAST}, same sentence, subordinate clause: unlike what is expected of CELCs; Fig. 5"
_WEIGHT = f"{_LAST}: announces the effect of λ in Fig. 5 and states no outcome"
# Results of an earlier version count claims on these networks among the paper's.
_NOT_IN_TABLE_3 = "'Experimental Results', on the networks of Table 3, of which this is none"


def _comparison(table: int, figures: str) -> tuple[tuple[str, str], ...]:
    curves = f"{_RESULTS} the learning curves"
    return (
        ("longer to converge", f"{curves}: MILCs seem to take longer to converge; {figures}"),
        ("very strong connection", f"{curves}: a very strong connection of mutual information and error; {figures}"),
        ("by more than 10 points", _TEN),
        ("training loss is extremely small", _SMALL),
        ("overfits more", _OVERFITTING),
        ("less than one point", f"{_NONE}; Table {table}"),
        ("", f"{_TABLES}; Table {table}"),
    )


_MNIST, _CIFAR = _comparison(2, "Fig. 14 and 15"), _comparison(3, "Fig. 16 and 17")


_BATCH_SIZES = (("than that of cross-entropy", _UNLIKE), ("does not always rise", _BATCH))

SENTENCES: Mapping[str, Sequence[tuple[str, str]]] = {
    "mnist": _MNIST,
    "mnist-cnn": _MNIST,
    "cifar": (("mlp: ", _NOT_IN_TABLE_3), ("cnn: ", _NOT_IN_TABLE_3), *_CIFAR),
    "batch-size": _BATCH_SIZES,
    "batch-size-cifar": _BATCH_SIZES,
    "weight": (("", _WEIGHT),),
    "weight-cifar": (("", _WEIGHT),),
    "theory": (
        ("than Fano", "introduction, fifth paragraph: tighter than Fano's inequality"),
        ("100 classes", "'Error Probability Lower Bounds via Mutual Information', after Theorem 4: about 0.9"),
        ("falls as I(X;Y) rises", "after Theorem 4: the lower bound decreases when I(X;Y) increases; Fig. 11"),
        ("larger variance", "after Theorem 5 and Appendix H: a larger variance gives less information; Fig. 12 and 13"),
        ("larger mean", "after Corollary 1: a lower error for a larger mean and a smaller variance"),
        ("corollary", "Corollary 2 (1 in the main text): lower bound on the error for two Gaussian classes"),
        ("holds for random channels", "Theorem 10 (4 in the main text): lower bound on the error probability"),
        ("bracket", "Theorem 12 (5 in the main text): bounds on the information of two Gaussian classes"),
        ("empirical", "Theorem 8 (3 in the main text): error of the entropy of the empirical distribution"),
        ("at most the cross-entropy", "Theorem 7 (2 in the main text): H(P) is at most the cross-entropy of P and Q"),
        ("binary entropy", "Lemma 9: upper bound on the binary entropy; Fig. 7"),
    ),
}
"""Experiment -> parts of claims and the places of their sentences."""


_POINT = 0.01

# The variants of cross-entropy that the paper compares with (Table 1).
VARIANTS = ("lsr", "cp", "lc")
# Begin of the name of mutual information learning, whatever its weight.
_OURS = title("mil").removesuffix("0")


def of_losses(figures: Figures, networks: Collection[str]) -> list[Claim]:
    """Return the claims on the losses at the paper's learning rate and λ.

    Parameters
    ----------
    figures
        Figures by name.
    networks
        The paper's networks; claims on others are this reproduction's.

    Returns
    -------
    list of Claim
        Those of `best_of_others` and `no_regularizer_improves`.
    """
    return [*best_of_others(figures, networks), *no_regularizer_improves(figures, networks)]


def best_of_others(figures: Figures, networks: Collection[str]) -> list[Claim]:
    """Return the claims that mutual information learning outperforms other losses than cross-entropy.

    Parameters
    ----------
    figures
        Figures by name.
    networks
        The paper's networks.

    Returns
    -------
    list of Claim
        For each network the paper's, against the best of its variants of cross-entropy, and that against the best of
        all losses where there are others, which is this reproduction's.
    """
    claims = []
    for network in _networks(figures):
        ours = next((one for name, one in figures.items() if name.startswith(f"{network}: {_OURS}")), None)
        rivals = {
            loss: figures.get(f"{network}: {title(loss)}") for loss in LOSSES if not loss.startswith(("ce", "mil"))
        }
        found = {loss: sample for loss, sample in rivals.items() if sample is not None}
        variants = {loss: sample for loss, sample in found.items() if loss in VARIANTS}
        if ours is None:
            continue
        for group, words, paper in (
            (variants, "the best of the paper's variants", network in networks),
            (found if len(found) > len(variants) else {}, "the best other loss", False),
        ):
            if group:
                loss, sample = max(group.items(), key=lambda pair: pair[1].mean)
                text = f"{network}: {AT_PAPERS} it outperforms {words}, {title(loss)}"
                claims.append(exceeds(text, ours, sample, "of test accuracy", published=paper))
    return claims


def no_regularizer_improves(figures: Figures, networks: Collection[str]) -> list[Claim]:
    """Return the claims that label smoothing, confidence penalty and label correction do not improve on cross-entropy.

    Parameters
    ----------
    figures
        Figures by name.
    networks
        The paper's networks.

    Returns
    -------
    list of Claim
        One claim per network and loss: the loss is not better by a percentage point or more.
    """
    claims = []
    for network in _networks(figures):
        baseline = figures.get(f"{network}: {title('ce', 0.0)}")
        for loss in VARIANTS:
            other = figures.get(f"{network}: {title(loss, 0.0)}")
            if baseline is None or other is None:
                continue
            text = f"{network}: {title(loss, 0.0)} improves on cross-entropy by less than one point"
            published = network in networks
            claims.append(not_below(text, baseline, other, _POINT, "of test accuracy", published=published))
    return claims


def _networks(figures: Figures) -> list[str]:
    return list(dict.fromkeys(name.partition(": ")[0] for name in figures if ": " in name))
