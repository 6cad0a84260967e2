"""Claims that follow from the figures of a table alone, so that stored figures are judged too."""

from __future__ import annotations

import re
from collections.abc import Sequence

from infoflow_reproductions.deep_infomax.published import LAYERS
from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.harness.inference import Sample, difference
from infoflow_reproductions.harness.row_claims import Figures, exceeds, not_below, shared_seeds, within

INSENSITIVE = 1.0
"""Largest loss or difference in percentage points that counts as insensitive; the paper states no limit."""

CLOSE = 2.0
"""Percentage points below another classifier that count as close to it; the paper states no limit."""

SMALL = 0.1
"""Largest weight that counts as a small amount of a term."""

_LOCAL, _LOCAL_NCE, _GLOBAL, _BOTH = "DIM(L) JSD", "DIM(L) InfoNCE", "DIM(G)", "DIM(L+G)"
_OTHERS = (_GLOBAL, "VAE", "AAE", "BiGAN", "NAT")


def negatives(figures: Figures) -> list[Claim]:
    """Return the claims on few negatives, and on how much fewer negatives cost each bound."""
    found: dict[str, dict[int, str]] = {}
    for name in figures:
        match = re.fullmatch(r"DIM\(L\) (JSD|InfoNCE), (\d+) negatives?: Y", name)
        if match:
            found.setdefault(match[1], {})[int(match[2])] = name
    if set(found) != {"JSD", "InfoNCE"}:
        return []
    few, many = min(found["JSD"]), max(found["JSD"])
    jsd_few, jsd_many = figures[found["JSD"][few]], figures[found["JSD"][many]]
    counted = f"{few} negative{'s' * (few > 1)}"
    loss = difference(jsd_many, jsd_few)
    margin = Sample(INSENSITIVE - loss.mean, loss.deviation, loss.n)
    low, high = loss.interval
    sensitive = None if low < INSENSITIVE < high else high <= INSENSITIVE
    evidence = (
        f"from {many} negatives to {counted} it loses {loss.mean:.3g} [{low:.3g}, {high:.3g}] points; limit − loss "
        f"{margin.mean:.3g} [{margin.interval[0]:.3g}, {margin.interval[1]:.3g}], {shared_seeds(jsd_many, jsd_few)}"
    )
    between = [number for number in sorted(found["JSD"]) if few < number < many]
    return [
        exceeds(
            f"with few negatives ({few}) Jensen–Shannon outperforms InfoNCE on Y",
            jsd_few,
            figures[found["InfoNCE"][few]],
            "%",
        ),
        Claim(
            f"Jensen–Shannon is relatively insensitive to the number of negatives (on Y, it loses at most "
            f"{INSENSITIVE:g} point, a limit of this reproduction)",
            sensitive,
            evidence,
            sample=margin,
            seeds=jsd_few.n,
        ),
        *(
            _loses_more(
                many,
                number,
                *(figures[found[bound][n]] for bound in ("InfoNCE", "JSD") for n in (many, number)),
            )
            for number in between
            if number in found["InfoNCE"]
        ),
    ]


def _loses_more(
    many: int, number: int, nce_many: Sample, nce_fewer: Sample, jsd_many: Sample, jsd_fewer: Sample
) -> Claim:
    """Judge whether InfoNCE loses more than Jensen–Shannon from many negatives to fewer."""
    text = f"from {many} negatives to {number}, InfoNCE loses more on Y than Jensen–Shannon"
    return _gains_more(text, (nce_many, nce_fewer), (jsd_many, jsd_fewer))


def _gains_more(text: str, more: tuple[Sample, Sample], less: tuple[Sample, Sample]) -> Claim:
    """Judge whether one difference of two figures lies above another, in points."""
    gains = [difference(*pair) for pair in (more, less)]
    sample = difference(*gains)
    low, high = sample.interval
    seeds = min(one.n for one in (*more, *less))
    evidence = (
        f"{gains[0].mean:.3g} against {gains[1].mean:.3g} points, difference {sample.mean:.3g} [{low:.3g}, "
        f"{high:.3g}], {shared_seeds(*more, *less)}"
    )
    return Claim(text, sample.above, evidence, sample=sample, seeds=seeds)


def ablation(figures: Figures) -> list[Claim]:
    """Return the claims on a small global term and a small prior term, each beside the local term.

    A weight above `SMALL` supports none: where α is half of β or more, it is no small amount.
    """
    found = {}
    for name in figures:
        match = re.fullmatch(r"α = ([\d.]+), β = ([\d.]+), γ = ([\d.]+): Y", name)
        if match:
            alpha, beta, gamma = (float(part) for part in match.groups())
            found[alpha, beta, gamma] = figures[name]
    alphas = sorted({alpha for alpha, _, _ in found if 0 < alpha <= SMALL})
    gammas = sorted({gamma for _, _, gamma in found if 0 < gamma <= SMALL})
    claims = []
    for beta in sorted({beta for _, beta, _ in found if beta > 0}):
        if alphas:
            for gamma in sorted({gamma for _, _, gamma in found}):
                text = f"a small amount of α ({alphas[0]:g}) helps on Y, at β = {beta:g}, γ = {gamma:g}"
                claims.append(exceeds(text, found[alphas[0], beta, gamma], found[0.0, beta, gamma], "%"))
        if gammas and (0.0, beta, 0.0) in found:
            text = f"a small amount of the prior term ({gammas[0]:g}) helps on Y, at α = 0, β = {beta:g}"
            claims.append(exceeds(text, found[0.0, beta, gammas[0]], found[0.0, beta, 0.0], "%"))
    return claims


def classes(figures: Figures, best: str) -> list[Claim]:
    """Return the claims on accuracies that concern other layers than Y, InfoNCE, and a supervised classifier.

    Parameters
    ----------
    figures
        Figures of the table.
    best
        Layer on which DIM(L) with InfoNCE is compared with the supervised classifier: its best one in the paper, so
        that no test accuracy of this reproduction chooses it.

    Returns
    -------
    list of Claim
        Those that the figures decide.
    """
    claims = [
        exceeds(f"{local} is above {other} on {layer}", figures[f"{local}: {layer}"], figures[f"{other}: {layer}"], "%")
        for local, layers in ((_LOCAL, ("conv", "fc")), (_LOCAL_NCE, LAYERS))
        for layer in layers
        for other in _OTHERS
        if {f"{local}: {layer}", f"{other}: {layer}"} <= set(figures)
    ]
    return [*claims, *_supervised(figures, best)]


def classes_of_cifar(figures: Figures, best: str) -> list[Claim]:
    """Return `classes`, and whether DIM(G) is competitive with the method that it is competitive with in Table 1."""
    mine, other = (figures.get(f"{method}: Y") for method in (_GLOBAL, "NAT"))
    if mine is None or other is None:
        return classes(figures, best)
    text = f"{_GLOBAL} is competitive with some models (not {CLOSE:g} points or more below NAT on Y)"
    return [*classes(figures, best), not_below(text, mine, other, CLOSE, "%")]


def best_layer(row: Sequence[float]) -> str:
    """Return the layer of the highest published accuracy.

    Parameters
    ----------
    row
        Published accuracies on conv, fc and Y, and others after them.

    Returns
    -------
    str
        Name of the layer.

    Examples
    --------
    >>> best_layer((75.21, 75.57, 69.13))
    'fc'
    """
    return max(zip(row, LAYERS, strict=False))[1]


def _supervised(figures: Figures, best: str) -> list[Claim]:
    """Whether the best local objective approaches a supervised classifier."""
    own, layer = (figures.get(name) for name in ("supervised: its own accuracy", f"{_LOCAL_NCE}: {best}"))
    if own is None or layer is None:
        return []
    text = (
        f"{_LOCAL_NCE} approaches or surpasses a supervised classifier (within {CLOSE:g} points, on {best}, its best "
        "layer in the paper)"
    )
    return [not_below(text, layer, own, CLOSE, "%")]


def tasks(figures: Figures) -> list[Claim]:
    """Return the claims that the further tasks of Table 4 help the vector more than the last convolution."""
    claims = []
    for name in figures:
        match = re.fullmatch(r"((?:\d+ epochs, )?)DIM \+ (coordinates|occlusion|both): Y", name)
        needed = (
            [f"{match[1]}DIM{task}: {layer}" for layer in ("Y", "conv") for task in (f" + {match[2]}", "")]
            if match
            else []
        )
        if match and set(needed) <= set(figures):
            with_y, y, with_conv, conv = (figures[one] for one in needed)
            text = {
                "coordinates": "coordinates help",
                "occlusion": "occlusion helps",
                "both": "coordinates and occlusion together help",
            }[match[2]]
            claims.append(_gains_more(f"{match[1]}{text} more on Y than on conv", (with_y, y), (with_conv, conv)))
    return claims


def choices(figures: Figures) -> list[Claim]:
    """Return the claim that the layer of the map does not matter to the global objective."""
    last, before = (figures.get(f"{_GLOBAL}{which}: Y") for which in ("", ", next-to-last map"))
    if last is None or before is None:
        return []
    text = (
        f"the global objective is insensitive to the layer (the mean accuracies on Y differ by less than "
        f"{INSENSITIVE:g} point, a limit of this reproduction)"
    )
    return [alike(text, last, before, INSENSITIVE, "points")]


def alike(text: str, one: Sample, other: Sample, limit: float, unit: str) -> Claim:
    """Return the claim that two means differ by less than a limit.

    Parameters
    ----------
    text
        The claim.
    one, other
        The figures.
    limit
        Difference from which on they differ.
    unit
        Unit of both.

    Returns
    -------
    Claim
        As by `row_claims.within`.
    """
    found = difference(one, other)
    evidence = f"difference {found.text()}, limit ±{limit:g} {unit}, {shared_seeds(one, other)}"
    return within(text, found, limit, evidence, seeds=min(one.n, other.n))


def estimates(figures: Figures) -> list[Claim]:
    """Return the claims on the estimates of information and the similarity of reconstructions."""
    pairs = (
        ("Î(X;Y)", "Î(X;Y) by MINE: the combined terms DIM(L+G) score above DIM(L)", _BOTH, _LOCAL),
        ("Î(X;Y)", "Î(X;Y) by MINE: the combined terms DIM(L+G) score above DIM(G)", _BOTH, _GLOBAL),
        ("Î(X;Y)", "Î(X;Y) by MINE: the combined terms DIM(L+G) score above VAE", _BOTH, "VAE"),
        ("Î(X;Y)", "Î(X;Y) by MINE: reconstruction (VAE) scores above DIM(L)", "VAE", _LOCAL),
        (
            "MS-SSIM",
            "MS-SSIM: the global objective DIM(G) reconstructs better than the local one DIM(L)",
            _GLOBAL,
            _LOCAL,
        ),
        (
            "MS-SSIM",
            "MS-SSIM: a small amount of β improves reconstruction, DIM(L+G) above DIM(G)",
            _BOTH,
            _GLOBAL,
        ),
    )
    return [
        exceeds(
            text, figures[f"{more}: {measure}"], figures[f"{less}: {measure}"], "nats" if "MINE" in text else measure
        )
        for measure, text, more, less in pairs
        if {f"{more}: {measure}", f"{less}: {measure}"} <= set(figures)
    ]
