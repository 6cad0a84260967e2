"""Claims on the theory from its comparison with distributions of known truth; most are counts of violations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from infoflow.theory import FORMS
from infoflow_reproductions.harness.findings import Claim, Row
from infoflow_reproductions.harness.seeds import seed_count
from infoflow_reproductions.harness.trial import Results
from infoflow_reproductions.milc.known_truth import POINTS, SAMPLES

Curves = Mapping[str, Mapping[int, Mapping[str, Any]]]
"""Results of `known_truth.bounds` by kind of labels and number of classes."""

# Bounds that differ by less are equal.
_ROUNDING = 1e-7
# Distance from the closed forms up to which the quadrature of the grid agrees with them.
_AGREES = 1e-6

_BOUNDS = {
    "fano": "Fano's bound",
    "tight": "the corrected bound with curvature 2 / ln 2",
    "corrected": "the corrected bound",
    "weak": "Fano's bound in its weak form",
    "paper": "the paper's bound",
}


def of_channels(results: Results, labels: str) -> tuple[list[Row], list[Claim]]:
    """Return mean distance and violations of every form of the bound for random channels.

    Parameters
    ----------
    results
        Results of the experiment.
    labels
        Kind of labels.

    Returns
    -------
    tuple of list
        Figures and claims.
    """
    found = [one for one in results.of(labels=labels) if "channels" in one]
    count = sum(int(one["channels"]) for one in found)
    rows, claims = [], []
    for form in FORMS:
        gap = [float(one[f"{form}_gap"]) for one in found]
        rows.append(Row(f"{_BOUNDS[form]}, {labels} labels: Bayes error less bound, mean", gap, "probability"))
        violations = sum(int(one[f"{form}_violations"]) for one in found)
        worst = max(float(one[f"{form}_worst"]) for one in found)
        evidence = f"{violations} violations in {count} channels"
        evidence += f", the worst by {worst:.3g}" if violations else ""
        text = f"{_BOUNDS[form]} holds for random channels with {labels} labels"
        claims.append(Claim(text, violations == 0, evidence, published=form == "paper"))
    return rows, claims


def of_empirical(results: Results, labels: str) -> tuple[list[Row], list[Claim]]:
    """Return the error of the entropy of empirical distributions by number of samples, and whether its bounds hold.

    Parameters
    ----------
    results
        Results of the experiment.
    labels
        Kind of labels.

    Returns
    -------
    tuple of list
        Figures and claims.
    """
    found = [one for one in results.of(labels=labels) if "empirical" in one]
    rows = [
        Row(
            f"error of the entropy of {n} {labels} labels, mean",
            [float(one["errors"][str(n)]) for one in found],
            "nats",
        )
        for n in SAMPLES
    ]
    outside, count = (sum(int(one[name]) for one in found) for name in ("outside", "empirical"))
    text = f"the entropy of the empirical distribution of {labels} labels differs from the true one within both bounds"
    return rows, [Claim(text, outside == 0, f"{outside} of {count} distributions outside")]


def of_separation(results: Results, s: float, seeds: int) -> tuple[list[Row], list[Claim]]:
    """Return the information of two Gaussian classes by quadrature, Monte Carlo and the logistic model.

    Parameters
    ----------
    results
        Results of the experiment.
    s
        Separation of the classes.
    seeds
        Number of seeds.

    Returns
    -------
    tuple of list
        Figures and claims.
    """
    found, drawn = ([results[f"{kind}/s={s:g}/seed={i}"] for i in range(seeds)] for kind in ("logistic", "sampled"))
    exact, nats = float(found[0]["exact"]), [float(one["nats"]) for one in found]
    off = max(abs(one - exact) for one in nats)
    sigma = max(float(one["standard_errors"]) for one in drawn)
    rows = [
        Row(f"exact I(X;Y) of the mixture, s = {s:g}", [exact], "nats"),
        Row(f"logistic model trained with the loss, s = {s:g}", nats, "nats"),
    ]
    over = f"over {seed_count(seeds)}"
    claims = [
        Claim(
            f"a logistic model trained with the loss recovers I(X;Y) at s = {s:g} within 0.02 nats",
            off <= 0.02,
            f"at most {off:.4f} nats off {over}",
            published=False,
        ),
        Claim(
            f"Monte Carlo agrees with the quadrature at s = {s:g} within 4 standard errors",
            sigma <= 4,
            f"at most {sigma:.2f} standard errors {over}",
            published=False,
        ),
    ]
    return rows, claims


def of_curves(curves: Curves) -> list[Claim]:
    """Return whether the paper's bound is tighter than Fano's, its value without information, and whether it falls.

    Parameters
    ----------
    curves
        The curves.

    Returns
    -------
    list of Claim
        The claims.
    """
    balanced = curves["balanced"]
    paper = np.concatenate([one["paper"] for one in balanced.values()])
    claims = []
    for form, words in (("weak", "in its weak form, (H − I − 1) / log C"), ("fano", "solved for the error exactly")):
        other = np.concatenate([one[form] for one in balanced.values()])
        below, count = int((paper < other - _ROUNDING).sum()), len(paper)
        evidence = (
            f"balanced labels: below it at {below} of {count} points, mean difference {(paper - other).mean():.3g}"
        )
        claims.append(Claim(f"the paper's bound is tighter than Fano's inequality {words}", below == 0, evidence))
    if 100 in balanced:
        value = float(balanced[100]["paper"][0])
        text = "for 100 classes and no information the paper's bound is about 0.9"
        claims.append(Claim(text, round(value, 1) == 0.9, f"{value:.4g}"))
    steps = wrong = 0
    for of_labels in curves.values():
        for one in of_labels.values():
            bound = np.asarray(one["paper"])
            positive = bound[:-1] > 0
            steps += int(positive.sum())
            wrong += int((positive & (np.diff(bound) >= 0)).sum())
    evidence = f"{wrong} of {steps} steps without a fall, from bounds above 0"
    return [*claims, Claim("the paper's bound on the error falls as I(X;Y) rises", wrong == 0, evidence)]


def of_mixtures(mixtures: Mapping[int, Mapping[str, Any]]) -> list[Claim]:
    """Return whether the bounds on information and error of two Gaussian classes hold.

    Parameters
    ----------
    mixtures
        Results of `gaussian_classes.mixture` by number of dimensions.

    Returns
    -------
    list of Claim
        The claims.
    """
    total, dimensions = 2 * POINTS * len(mixtures), " and ".join(map(str, mixtures))
    paper, added = (sum(int(one[f"outside_{name}"]) for one in mixtures.values()) for name in ("paper", "added"))
    positive = ", ".join(f"{one['positive_lower']} with {n}" for n, one in mixtures.items())
    where = f"of {total} values on the wrong side, dimensions {dimensions}"
    bracket = "bracket the exact information of two Gaussian classes"
    first = next(iter(mixtures.values()))
    gap = np.asarray(first["bayes_error"]) - np.asarray(first["corollary"])
    below = int((gap < -_ROUNDING).sum())
    return [
        Claim(
            f"the paper's bounds {bracket}",
            paper == 0,
            f"{paper} {where}; lower bounds above 0 of {POINTS} each: {positive}",
        ),
        Claim(
            f"the sharper bounds by overlap and divergence {bracket}", added == 0, f"{added} {where}", published=False
        ),
        Claim(
            "the error of two Gaussian classes is at least the bound of the corollary",
            below == 0,
            f"{below} of {POINTS} variances below it, mean distance {gap.mean():.3g}; the bound is above 0 at "
            f"{first['positive_corollary']}",
        ),
    ]


def of_grid(found: Mapping[str, Any]) -> list[Claim]:
    """Return how information and error of two Gaussian classes depend on mean and variance.

    Parameters
    ----------
    found
        Result of `gaussian_classes.gaussian_grid`.

    Returns
    -------
    list of Claim
        The claims.
    """
    counts = {
        name: f"{found[f'{name}_wrong']} of {found[f'{name}_steps']} steps without a fall"
        for name in ("information", "error", "bound")
    }
    off = {name: float(found[f"{name}_off"]) for name in ("information", "error")}
    words = "of two Gaussian classes is lower for a larger mean and for a smaller variance"
    return [
        Claim(
            "two Gaussian classes with a larger variance share less information",
            found["information_wrong"] == 0,
            counts["information"],
        ),
        Claim(f"the Bayes error {words}", found["error_wrong"] == 0, counts["error"]),
        Claim(f"the bound of the corollary on the error {words}", found["bound_wrong"] == 0, counts["bound"]),
        Claim(
            f"quadrature over x agrees with the closed forms of information and error within {_AGREES:g}",
            max(off.values()) <= _AGREES,
            ", ".join(f"{name} at most {value:.2g} off" for name, value in off.items()),
            published=False,
        ),
    ]


def of_entropies(results: Results, seeds: int) -> list[Claim]:
    """Return whether entropies are at most cross-entropies, and whether the bound on the binary entropy holds.

    Parameters
    ----------
    results
        Results of the experiment.
    seeds
        Number of seeds.

    Returns
    -------
    list of Claim
        The claims.
    """
    found = [results[f"cross-entropies/seed={seed}"] for seed in range(seeds)]
    pairs, different, above, unequal, equal = (
        sum(int(one[name]) for one in found) for name in ("pairs", "different", "above", "unequal", "equal")
    )
    lemma = results["binary-entropy"]
    return [
        Claim(
            "the entropy of P is at most the cross-entropy of P and Q, with equality only for Q = P",
            above == unequal == equal == 0,
            f"{above} of {pairs} pairs above it, {unequal} of {pairs} unequal for Q = P, {equal} of {different} pairs "
            "with Q other than P equal",
        ),
        Claim(
            "the binary entropy is at most 1 − 2 (p − ½)² bits",
            lemma["above"] == 0,
            f"{lemma['above']} of {lemma['points']} values of p above it, smallest distance {lemma['least']:.2g} bits",
        ),
    ]
