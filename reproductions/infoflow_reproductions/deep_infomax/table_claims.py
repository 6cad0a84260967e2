"""Claims that follow from the figures of a table alone, so that stored figures are judged too."""

from __future__ import annotations

import re

from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.harness.inference import Sample, difference
from infoflow_reproductions.harness.row_claims import Figures, descends, exceeds, not_below
from infoflow_reproductions.harness.seeds import seed_count

INSENSITIVE = 1.0
"""Largest loss in percentage points that counts as relatively insensitive; the paper states no limit."""

CLOSE = 2.0
"""Percentage points below another classifier that count as close to it; the paper states no limit."""

SMALL = 0.1
"""Largest weight that counts as a small amount of a term."""

_LOCAL, _GLOBAL = "DIM(L) JSD", "DIM(G)"
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
        f"{margin.mean:.3g} [{margin.interval[0]:.3g}, {margin.interval[1]:.3g}], {seed_count(jsd_few.n)} each"
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
        f"{high:.3g}], {seed_count(seeds)} each"
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


def classes(figures: Figures) -> list[Claim]:
    """Return the claims on accuracies that concern other layers than Y, DIM(G) and a supervised classifier."""
    claims = [
        exceeds(
            f"{_LOCAL} is above {other} on {layer}", figures[f"{_LOCAL}: {layer}"], figures[f"{other}: {layer}"], "%"
        )
        for layer in ("conv", "fc")
        for other in _OTHERS
        if {f"{_LOCAL}: {layer}", f"{other}: {layer}"} <= set(figures)
    ]
    return [*claims, *_supervised(figures)]


def classes_of_cifar(figures: Figures) -> list[Claim]:
    """Return `classes`, and whether DIM(G) is competitive with the method that it is competitive with in Table 1."""
    mine, other = (figures.get(f"{method}: Y") for method in (_GLOBAL, "NAT"))
    if mine is None or other is None:
        return classes(figures)
    text = f"{_GLOBAL} is competitive with some models (not {CLOSE:g} points or more below NAT on Y)"
    return [*classes(figures), not_below(text, mine, other, CLOSE, "%")]


def _supervised(figures: Figures) -> list[Claim]:
    """Whether the best local objective approaches a supervised classifier, on its best layer."""
    own = figures.get("supervised: its own accuracy")
    layers = [figures[name] for name in figures if name.startswith("DIM(L) InfoNCE: ")]
    if own is None or not layers:
        return []
    best = max(layers, key=lambda one: one.mean)
    text = f"DIM(L) InfoNCE approaches or surpasses a supervised classifier (within {CLOSE:g} points, best layer)"
    return [not_below(text, best, own, CLOSE, "%")]


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


def dependence(figures: Figures) -> list[Claim]:
    """Return the claims on NDM of σ(latent) over β, which are not the paper's: it applies the sigmoid to DIM alone."""
    found = {
        float(match[1]): figures[name]
        for name in figures
        if (match := re.fullmatch(r"β = ([\d.]+): NDM \(sigmoid\)", name))
    }
    if len(found) < 2:
        return []
    betas = sorted(found)
    low, high = betas[0], betas[-1]
    text = f"NDM (sigmoid) is lower at β = {high:g} than at β = {low:g}"
    return [
        descends("NDM (sigmoid) falls as β rises", [found[beta] for beta in betas], "nats", published=False),
        exceeds(text, found[low], found[high], "nats", published=False),
    ]


def estimates(figures: Figures) -> list[Claim]:
    """Return the claims on the estimates of information and the similarity of reconstructions."""
    values = {name: figures.get(f"{name}: Î(X;Y)") for name in ("VAE", "DIM(L) JSD", "DIM(L+G)")}
    vae, local, both = values.values()
    claims = []
    if both is not None and local is not None:
        claims.append(exceeds("Î(X;Y) by MINE: the combined terms DIM(L+G) score above DIM(L)", both, local, "nats"))
    if vae is not None and local is not None:
        claims.append(exceeds("Î(X;Y) by MINE: reconstruction (VAE) scores above DIM(L)", vae, local, "nats"))
    return claims
