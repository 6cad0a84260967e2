"""Claims on figures over β, judged from a table: cluttered digits, occluded images, Figure 5, and nats by layer."""

from __future__ import annotations

import re
from dataclasses import replace

from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.harness.inference import Sample, difference
from infoflow_reproductions.harness.row_claims import Figures, descends, exceeds, not_below
from infoflow_reproductions.harness.seeds import seed_count
from infoflow_reproductions.information_dropout.judging import over

# Percentage points by which the accuracy on the main task may drop.
_MARGIN = 2.0
DRASTIC = 10.0
"""Percentage points over the error at the smallest β that count as a drastic increase."""
# Nats below which a network of ten classes, ln 10 = 2.3 nats, can only guess.
_GUESS = 0.1
# Values of β of the recipe whose epochs were set after a result.
_LENGTHENED = (0.01, 1.0)
_OVERFITS = "training error below half the test error"


def of_cluttered(figures: Figures) -> list[Claim]:
    """Return the claims that the share inside the box rises, by β and by depth, and that error and information fall.

    Parameters
    ----------
    figures
        Figures by name.

    Returns
    -------
    list of Claim
        All but the last are the paper's.
    """
    return [
        *share_rises(figures),
        *deeper_selects(figures),
        *error_falls(figures),
        *_information_falls(figures, "The transmitted information falls with β"),
    ]


def share_rises(figures: Figures) -> list[Claim]:
    """Return the claim that the share of the information inside the digit's box rises with β.

    Parameters
    ----------
    figures
        Figures by name.

    Returns
    -------
    list of Claim
        One claim, if there are two values of β or more.
    """
    path = [share for _, share in over(figures, "share of the nats inside the digit's box")]
    if len(path) < 2:
        return []
    text = "The share of the information inside the digit's box rises with β"
    fallen = descends(text, [share.times(-1) for share in path], "%")
    shown = " → ".join(f"{share.mean:.4g}" for share in path)
    risen = difference(path[-1], path[0])
    return [replace(fallen, evidence=f"{shown} %; last − first {risen.text()}, {seed_count(path[0].n)}")]


def deeper_selects(figures: Figures) -> list[Claim]:
    """Return the claim that at the largest β the last dropout layer is more selective than the first.

    Parameters
    ----------
    figures
        Figures by name.

    Returns
    -------
    list of Claim
        One claim, if there are two layers or more.
    """
    names = [re.fullmatch(r"share inside the box, (dropout\d+), β = .+", name) for name in figures]
    layers = list(dict.fromkeys(match[1] for match in names if match))
    if len(layers) < 2:
        return []
    (beta, first), (_, last) = (
        over(figures, f"share inside the box, {layer}")[-1] for layer in (layers[0], layers[-1])
    )
    text = (
        f"At β = {beta:g} the last dropout layer is more selective than the first: a larger share of its nats lies "
        "inside the box"
    )
    return [exceeds(text, last, first, "%")]


def of_occluded(figures: Figures) -> list[Claim]:
    """Return the claims that the main task improves and that information falls.

    Parameters
    ----------
    figures
        Figures by name.

    Returns
    -------
    list of Claim
        Those of `main_task_improves`, which are the paper's, that on information and those of `retained`.
    """
    information = _information_falls(figures, "The transmitted information falls with β")
    return [*main_task_improves(figures), *information, *retained(figures)]


def retained(figures: Figures) -> list[Claim]:
    """Return the claims on the main task without noise, for results that do not have its error with noise.

    Parameters
    ----------
    figures
        Figures by name.

    Returns
    -------
    list of Claim
        Two claims that the paper does not make. The second compares a nuisance with noise with a task without it.
    """
    errors, nuisance = (over(figures, name) for name in ("test error, object", "test accuracy on the digit"))
    if over(figures, "test error with noise, object") or min(len(errors), len(nuisance)) < 2:
        return []
    (first, weak), (last, strong) = errors[0], errors[-1]
    text = (
        f"From β = {first:g} to {last:g} the accuracy on the main task, without noise, drops by less than {_MARGIN:g} "
        "points"
    )
    kept = not_below(text, weak, strong, _MARGIN, "%", published=False)
    rise = difference(strong, weak)
    more = difference(difference(nuisance[0][1], nuisance[-1][1]), rise)
    seeds = min(weak.n, strong.n)
    return [
        replace(
            kept,
            evidence=f"error {weak.mean:.4g} % → {strong.mean:.4g} %; first − last {difference(weak, strong).text()}, "
            f"required above {-_MARGIN:g}, {seed_count(seeds)}",
        ),
        Claim(
            "The accuracy on the nuisance drops by more than the accuracy on the main task, without noise",
            more.above,
            f"accuracy on the nuisance {nuisance[0][1].mean:.4g} % → {nuisance[-1][1].mean:.4g} %, error on the main "
            f"task {weak.mean:.4g} % → {strong.mean:.4g} %; difference of the drops {more.text()} points, "
            f"{seed_count(seeds)}",
            published=False,
            sample=more,
            seeds=seeds,
        ),
    ]


def main_task_improves(figures: Figures) -> list[Claim]:
    """Return the claims that the error of the main task is lower at the largest β than at the smallest.

    Parameters
    ----------
    figures
        Figures by name.

    Returns
    -------
    list of Claim
        One claim without noise, the paper's (D), and one with it, (N), if there are two values of β or more.
    """
    claims = []
    for beginning, noise in (
        ("test error, object", "without noise (D)"),
        ("test error with noise, object", "with noise (N)"),
    ):
        path = over(figures, beginning)
        if len(path) < 2:
            continue
        (first, weak), (last, strong) = path[0], path[-1]
        text = f"The main task improves {noise}: lower error at β = {last:g} than at β = {first:g}"
        claim = exceeds(text, weak, strong, "%")
        if (first, last) == _LENGTHENED:
            history = "24 epochs, set after the error had risen by 3.4 points with 8"
            claim = replace(claim, evidence=f"{claim.evidence}; {history}")
        claims.append(claim)
    return claims


def of_disentangling(figures: Figures) -> list[Claim]:
    """Return the claims that the test error falls, that it rises where β is too large, and that information falls.

    Parameters
    ----------
    figures
        Figures by name.

    Returns
    -------
    list of Claim
        All but the last are the paper's.
    """
    return [
        *overfitting_falls(figures),
        *drastic(figures),
        *_information_falls(figures, "The total KL falls with β"),
    ]


def overfitting_falls(figures: Figures) -> list[Claim]:
    """Return the claim that the test error falls as β rises, judged where the smallest β overfits.

    Parameters
    ----------
    figures
        Figures by name.

    Returns
    -------
    list of Claim
        One claim, if there are two values of β or more. It is not judged where the table has no training error or that
        at the smallest β is half the test error or more, since the paper explains the fall by less overfitting.
    """
    training, test = over(figures, "training error"), over(figures, "test error")
    text = f"The test error falls as β rises, where the smallest β overfits ({_OVERFITS})"
    claims = [replace(claim, text=text) for claim in error_falls(figures)]
    if not claims:
        return []
    if training and 2 * training[0][1].mean < test[0][1].mean:
        found = f"training error at β = {training[0][0]:g}: {training[0][1].mean:.4g} %"
        return [replace(claim, evidence=f"{claim.evidence}; {found}") for claim in claims]
    known = f"the training error is {training[0][1].mean:.4g} %" if training else "no training error is stored"
    why = (
        f"not judged: at β = {test[0][0]:g} {known}, so that no overfitting is shown that a larger β could prevent; "
        "this condition was added after a run in which the error rose"
    )
    return [replace(claim, holds=None, sample=None, steps=(), evidence=f"{claim.evidence}; {why}") for claim in claims]


def drastic(figures: Figures) -> list[Claim]:
    """Return the claim that the test error at the largest β, which is too large, is drastically higher.

    Parameters
    ----------
    figures
        Figures by name.

    Returns
    -------
    list of Claim
        One claim, if there is a β that is too large. Its evidence has the nats that are left there.
    """
    usual, large = (over(figures, "test error", symbol) for symbol in ("β = ", "too large β = "))
    left = dict(over(figures, "nats per image, all layers", "too large β = "))
    if not usual or not large:
        return []
    (first, weak), (last, strong) = usual[0], large[-1]
    text = (
        f"At β = {last:g}, too large, the test error is drastically higher than at β = {first:g}, by more than "
        f"{DRASTIC:g} points"
    )
    # An increase by more than a limit is a difference that is not below it.
    claim = not_below(text, strong, weak, -DRASTIC, "%")
    if last not in left:
        return [claim]
    nats = left[last].mean
    kept = f"{nats:.2g} nats are left at β = {last:g}"
    if nats < _GUESS:
        kept += f", less than {_GUESS:g}, so that the network can only guess and the claim follows from the choice of β"
    return [replace(claim, evidence=f"{claim.evidence}; {kept}")]


def error_falls(figures: Figures) -> list[Claim]:
    """Return the claim that the test error falls as β rises, as long as β is not too large.

    Parameters
    ----------
    figures
        Figures by name.

    Returns
    -------
    list of Claim
        One claim, if there are two values of β or more.
    """
    path = over(figures, "test error")
    if len(path) < 2:
        return []
    return [descends("The test error falls as β rises", [one for _, one in path], "%")]


def of_flow(figures: Figures) -> list[Claim]:
    """Return the claim that the second dropout layer transmits less information than the first, at every β.

    Parameters
    ----------
    figures
        Figures by name.

    Returns
    -------
    list of Claim
        One claim per β. The paper's figure has Softplus, which the experiment "sizes" judges.
    """
    layers: list[dict[float, Sample]] = [dict(over(figures, f"nats per image, dropout{layer}")) for layer in (1, 2)]
    return [
        exceeds(
            f"The second layer transmits less than the first, at β = {beta:g}",
            first,
            layers[1][beta],
            "nats",
            published=False,
        )
        for beta, first in layers[0].items()
        if beta in layers[1]
    ]


def _information_falls(figures: Figures, text: str) -> list[Claim]:
    path = over(figures, "nats per image, all layers")
    return [descends(text, [one for _, one in path], "nats", published=False)] if len(path) > 1 else []
