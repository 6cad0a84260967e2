"""Where the paper states the claims, and claims that follow from the figures of a table alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.harness.inference import Sample, difference
from infoflow_reproductions.harness.row_claims import Figures, descends, exceeds, not_below
from infoflow_reproductions.harness.seeds import seed_count

_FIG2 = "section 8, 'Cluttered MNIST', and caption of Figure 2"

_FIG3A = "caption of Figure 3 (a): information dropout outperforms "
_FIG3B = "section 8, 'MNIST and CIFAR-10': comparable to or better than binary dropout; Figure 3 (b)"
_SMALLER = "section 8, 'MNIST and CIFAR-10': especially on smaller networks; Figure 3"

_FIG6B = "caption of Figure 6 (b): units of the top layer contain more information on average"
# Percentage points by which the accuracy on the main task may drop.
_MARGIN = 2.0

SENTENCES: Mapping[str, Sequence[tuple[str, str]]] = {
    "mlp": (
        ("advantage over binary dropout, rate", f"{_SMALLER} (a)"),
        ("lower error than binary dropout, rate", f"{_FIG3A}binary dropout, especially on smaller networks"),
        ("lower error than constant", f"{_FIG3A}constant log-normal noise with the same variance"),
    ),
    "cifar": (
        ("advantage over binary dropout", f"{_SMALLER} (b)"),
        ("lower error than binary dropout", _FIG3B),
    ),
    "cluttered": (
        ("test error", f"{_FIG2}: a larger β builds a better representation for the task"),
        ("inside", f"{_FIG2}: with larger β only information on the object passes"),
    ),
    "occluded": (
        ("main task improves", "caption of Figure 4: larger β improves the main task by preventing overfitting"),
        ("classifier of the nuisance", "section 8, 'Occluded CIFAR', and caption of Figure 4"),
    ),
    "vae": (("two bounds", "section 8, 'VAE', and Table 1: similar performance"),),
    "disentangling": (
        ("too large", "section 8, 'Disentangling', and caption of Figure 5: where β is too large, a drastic increase"),
        ("test error", "section 8, 'Disentangling': as β rises the test error improves; caption of Figure 5"),
        ("correlation", "section 8, 'Disentangling': as β rises the total correlation diminishes; caption of Figure 5"),
    ),
    "sizes": (
        ("second layer transmits less", "caption of Figure 6 (a): the second layer transmits less than the first"),
        ("hardly varies", "caption of Figure 6 (a): the total hardly varies with the number of filters"),
        ("each unit transmits", "caption of Figure 6 (b): with fewer filters each unit lets more information flow"),
        ("activation of the second", f"{_FIG6B}, a unit being one activation"),
        ("prior", "caption of Figure 1: the empirical distribution approximately follows the proposed prior"),
    ),
    "flow": (("second layer", "caption of Figure 6 (a): the second layer transmits less than the first, as expected"),),
}
"""Experiment -> parts of claims and the places of their sentences."""


def over_beta(figures: Figures, beginning: str) -> list[tuple[float, Sample]]:
    """Return the figures of one quantity in the order of β.

    Parameters
    ----------
    figures
        Figures by name.
    beginning
        Beginning of the names, before ", β = ...".

    Returns
    -------
    list of (float, Sample)
        β and figure.
    """
    found = []
    for name, sample in figures.items():
        match = re.fullmatch(re.escape(beginning) + r", β = ([\d.]+)", name)
        if match:
            found.append((float(match[1]), sample))
    return sorted(found, key=lambda pair: pair[0])


def of_cluttered(figures: Figures) -> list[Claim]:
    """Return the claims that test error and information fall.

    Parameters
    ----------
    figures
        Figures by name.

    Returns
    -------
    list of Claim
        The first is the paper's.
    """
    return [*error_falls(figures), *_information_falls(figures, "The transmitted information falls with β")]


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
    errors, nuisance = (over_beta(figures, name) for name in ("test error, object", "test accuracy on the digit"))
    if over_beta(figures, "test error with noise, object") or min(len(errors), len(nuisance)) < 2:
        return []
    (first, weak), (last, strong) = errors[0], errors[-1]
    text = f"From β = {first:g} to {last:g} the accuracy on the main task drops by less than {_MARGIN:g} %"
    more = difference(difference(nuisance[0][1], nuisance[-1][1]), difference(strong, weak))
    seeds = min(weak.n, strong.n)
    return [
        not_below(text, weak, strong, _MARGIN, "%", published=False),
        Claim(
            "The accuracy on the nuisance drops by more than the accuracy on the main task",
            more.above,
            f"difference {more.text()} points, the main task without noise, {seed_count(seeds)}",
            published=False,
            sample=more,
            seeds=seeds,
        ),
    ]


def of_disentangling(figures: Figures) -> list[Claim]:
    """Return the claims that test error and information fall.

    Parameters
    ----------
    figures
        Figures by name.

    Returns
    -------
    list of Claim
        The first is the paper's.
    """
    return [*error_falls(figures), *_information_falls(figures, "The total KL falls with β")]


def _information_falls(figures: Figures, text: str) -> list[Claim]:
    path = over_beta(figures, "nats per image, all layers")
    return [descends(text, [one for _, one in path], "nats", published=False)] if len(path) > 1 else []


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
    path = over_beta(figures, "test error")
    if len(path) < 2:
        return []
    return [descends("The test error falls as β rises", [one for _, one in path], "%")]


def main_task_improves(figures: Figures) -> list[Claim]:
    """Return the claims that the error of the main task is lower at the largest β than at the smallest.

    Parameters
    ----------
    figures
        Figures by name.

    Returns
    -------
    list of Claim
        One claim without noise and one with it, if there are two values of β or more.
    """
    claims = []
    for beginning, noise in (("test error, object", ""), ("test error with noise, object", " with noise")):
        path = over_beta(figures, beginning)
        if len(path) > 1:
            (first, weak), (last, strong) = path[0], path[-1]
            text = f"The main task improves{noise}: lower error at β = {last:g} than at β = {first:g}"
            claims.append(exceeds(text, weak, strong, "%"))
    return claims


def second_transmits_less(figures: Figures) -> list[Claim]:
    """Return the claim that the second dropout layer transmits less information than the first, at every β.

    Parameters
    ----------
    figures
        Figures by name.

    Returns
    -------
    list of Claim
        One claim per β.
    """
    layers = [dict(over_beta(figures, f"nats per image, dropout{layer}")) for layer in (1, 2)]
    return [
        exceeds(f"The second layer transmits less than the first, at β = {beta:g}", first, layers[1][beta], "nats")
        for beta, first in layers[0].items()
        if beta in layers[1]
    ]


def units_of_second_layer(figures: Figures) -> list[Claim]:
    """Return the claims that a unit of the second dropout layer transmits more than one of the first.

    Parameters
    ----------
    figures
        Figures by name.

    Returns
    -------
    list of Claim
        For each width the paper's, where a unit is an activation, and that where it is a channel summed over its
        places. The first is left out where figures are given per activation, which the report has judged then.

    Notes
    -----
    A channel of the second layer has a fourth of the places of one of the first, so that per activation four times its
    nats are compared.
    """
    claims = []
    for name, first in figures.items():
        match = re.fullmatch(r"nats per unit and image, dropout1, width (.+)", name)
        second = figures.get(name.replace("dropout1", "dropout2"))
        if match is None or second is None:
            continue
        text = f"Width {match[1]}: %s of the second layer transmits more on average than one of the first"
        if name.replace("unit and image", "activation") not in figures:
            fourfold = replace(second, mean=4 * second.mean, deviation=4 * second.deviation)
            unit = "nats per channel and as many places as the first layer has"
            claims.append(exceeds(text % "an activation", fourfold, first, unit))
        claims.append(
            exceeds(text % "a unit", second, first, "nats per channel, summed over its places", published=False)
        )
    return claims
