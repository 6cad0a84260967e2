"""Claims of appendix A.5 on the neural dependency measure over β, from the figures of the table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from math import sqrt

from infoflow_reproductions.deep_infomax.dependence import supported
from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.harness.inference import Sample, difference, is_paired
from infoflow_reproductions.harness.row_claims import Figures, descends, exceeds
from infoflow_reproductions.harness.seeds import seed_count

SIMILAR = 0.25
"""Share of the fall from the smallest to the largest β up to which differences count as small."""

_STATED, _ADDED = ("NDM", "NDM (samples)"), "NDM (sigmoid)"
_EQUAL = (0.5, 1.0)
"""Weights that the paper itself calls similar, so that NDM need not fall from one to the other."""

Values = Mapping[float, Sample]
"""β -> figure."""


def dependence(figures: Figures) -> list[Claim]:
    """Return the claims on NDM over β.

    Parameters
    ----------
    figures
        Figures of the table.

    Returns
    -------
    list of Claim
        Those on NDM of σ(latent) are not the paper's, which applies the sigmoid to DIM alone.
    """
    claims = []
    for name in (*_STATED, _ADDED):
        found = {
            float(match[1]): figures[what]
            for what in figures
            if (match := re.fullmatch(rf"β = ([\d.]+): {re.escape(name)}", what))
        }
        if len(found) > 1:
            ordered = {beta: found[beta] for beta in sorted(found)}
            about = _stated(name, ordered) if name in _STATED else _added(name, ordered)
            sides = [one.values or (one.mean,) for one in ordered.values()]
            claims += [supported(claim, *sides) for claim in about]
    return claims


def _stated(name: str, found: Values) -> list[Claim]:
    low, high = min(found), max(found)
    claims = [
        falling(f"{name} falls as β rises", found),
        exceeds(f"{name} is lower at β = {high:g} than at β = {low:g}", found[low], found[high], "nats"),
    ]
    if set(_EQUAL) <= set(found):
        claims.append(similar(name, found))
    return claims


def _added(name: str, found: Values) -> list[Claim]:
    low, high = min(found), max(found)
    text = f"{name} is lower at β = {high:g} than at β = {low:g}"
    return [
        descends(f"{name} falls as β rises", list(found.values()), "nats", published=False),
        exceeds(text, found[low], found[high], "nats", published=False),
    ]


def falling(text: str, found: Values) -> Claim:
    """Return the claim that NDM falls, where β = 0.5 and β = 1 count as one point, their mean.

    Parameters
    ----------
    text
        The claim.
    found
        Figures by β, in increasing order.

    Returns
    -------
    Claim
        As `row_claims.descends`.
    """
    if not set(_EQUAL) <= set(found) or len(found) < 3:
        return descends(text, list(found.values()), "nats")
    together = _mean(*(found[beta] for beta in _EQUAL))
    path = [together if beta == _EQUAL[0] else one for beta, one in found.items() if beta != _EQUAL[1]]
    claim = descends(text, path, "nats")
    note = f"β = {_EQUAL[0]:g} and {_EQUAL[1]:g} as their mean, since the paper calls them similar"
    return replace(claim, evidence=f"{claim.evidence}; {note}")


def _mean(one: Sample, other: Sample) -> Sample:
    if is_paired(one, other):
        return Sample.of([(a + b) / 2 for a, b in zip(one.values, other.values, strict=True)])
    n = min(one.n, other.n)
    error = sqrt(one.deviation**2 / one.n + other.deviation**2 / other.n) / 2
    return Sample((one.mean + other.mean) / 2, error * sqrt(n), n)


def similar(name: str, found: Values) -> Claim:
    """Return the claim that NDM at β = 0.5 differs from that at β = 1 by less than a share of the whole fall.

    Parameters
    ----------
    name
        Name of the measure.
    found
        Figures by β, both among them.

    Returns
    -------
    Claim
        It holds where the 95 % interval of the difference lies within the share of the fall on both sides, and does
        not hold where it lies outside on one. The sample is the distance to the side that is reached first.
    """
    low, high = min(found), max(found)
    fall = difference(found[low], found[high])
    limit = fall.times(SIMILAR)
    one, other = (found[beta] for beta in _EQUAL)
    gap = difference(one, other)
    distances = [difference(limit, gap), difference(limit, difference(other, one))]
    sample = min(distances, key=lambda distance: (distance.above is not False, distance.interval[0]))
    seeds = min(figure.n for figure in found.values())
    text = (
        f"{name} is similar at β = {_EQUAL[0]:g} and {_EQUAL[1]:g} (within {SIMILAR:g} of the fall from β = {low:g} to "
        f"{high:g})"
    )
    evidence = f"difference {gap.text()} nats, limit ±{SIMILAR:g} of the fall of {fall.mean:.4g}, {seed_count(seeds)}"
    return Claim(text, sample.above, evidence, sample=sample, seeds=seeds)
