"""Where the paper states the claims, and claims that follow from the figures of a table alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.harness.inference import Sample, difference
from infoflow_reproductions.harness.row_claims import Figures, exceeds, not_below

_CLASSES = "section 4.2, 'Classification comparisons': DIM(L) outperforms all models on all data sets and layers"

_TABLE1 = (
    ("InfoNCE is above DIM(L) JSD", "appendix A.2: with many negatives NCE outperforms JSD on many tasks; Table 1"),
    ("approaches", "caption of Table 1: DIM(L) approaches or surpasses a supervised classifier"),
    ("is above DIM(G)", "caption of Table 1: DIM(G) falls short of generative models and DIM(L) on CIFAR-100"),
    ("", _CLASSES),
)
_TABLE4 = (("", "section 4.3: these additions improve classification results; Table 4"),)

SENTENCES: Mapping[str, Sequence[tuple[str, str]]] = {
    "table1": tuple(one for one in _TABLE1 if "CIFAR-100" not in one[1]),
    "table1-cifar100": _TABLE1,
    "table2": (("", "caption of Table 2: on Tiny ImageNet the local objective outperforms all others by far"),),
    "table2-stl10": (
        ("fine-tuning", "Table 2, column SS: 76.96 for DIM(L) against 51.36 to 74.77 for the others"),
        ("", _CLASSES),
    ),
    "table3": (
        ("linear classifier", "Table 3, SVM (Y)"),
        ("combined terms", "section 4.2, 'Extended comparisons': local and global terms together score very high"),
        ("MS-SSIM", "section 4.2, 'Extended comparisons': MS-SSIM correlates with the estimate of MINE"),
        ("than BiGAN", "section 4.2, 'Extended comparisons': all models showed much lower dependence than BiGAN"),
        ("reconstruction", "section 4.2, 'Extended comparisons': VAE and AAE have high scores"),
    ),
    "table4": _TABLE4,
    "table4-cifar100": _TABLE4,
    "ablation": (
        ("local term", "appendix A.4: good classification depends highly on the local term"),
        ("small amount of α", "appendix A.4: a small amount of α helps in classification accuracy"),
        ("prior term", "appendix A.4, 'The effect of the prior': a small amount of it helps classification"),
    ),
    "negatives": (
        ("insensitive", "caption of Figure 8: JSD is relatively insensitive to the number of negatives"),
        ("few negatives", "section 3.1 and appendix A.2: JSD outperforms NCE with few negatives"),
        ("", "caption of Figure 8: NCE declines as the number of negatives falls"),
    ),
    "generator": (
        ("does not surpass", "appendix A.9, text on Table 10: the method did not surpass NS-GAN-CP or WGAN-GP"),
    ),
    "ablation-maps": (
        ("local term alone", "appendix A.4: good classification depends highly on the local term"),
        ("global term alone", "appendix A.4: good reconstruction depends highly on the global term"),
        ("small amount of α", "appendix A.4: a small amount of α helps in classification accuracy"),
        ("small amount of β", "appendix A.4: a small amount of β improves reconstruction"),
        ("by MINE", "appendix A.4: a combination of α and β yielded higher MINE estimates"),
        ("NDM", "appendix A.4, 'The effect of the prior': γ is necessary for low dependence as measured by NDM"),
    ),
    "neighbors": (
        ("many", "appendix A.3: many of the nearest neighbors share patterns but not class"),
        ("", "caption of Figure 7: the neighbors from DIM(L) are much more interpretable"),
    ),
    "occlusion": (
        ("", "caption of Figure 13: the loss tends to be highest where receptive fields overlap the occluded region"),
    ),
    "overlap": (
        ("", "appendix A.7 and Figure 14: lack of overlap between both modes is symptomatic of poor training"),
    ),
    "table10": (
        ("does not surpass", "appendix A.9, text on Table 10: the method did not surpass NS-GAN-CP or WGAN-GP"),
        ("", "appendix A.9, text on Table 10: the method came reasonably close"),
    ),
    "ndm": (
        ("is similar", "appendix A.5: β = 0.5 and β = 1.0 give similar numbers"),
        ("is consistent", "appendix A.5: the variance over estimates and models is relatively low"),
        ("", "appendix A.5: a strong downward trend of NDM as β rises"),
    ),
    "priors": (("", "section 4.2: a uniform prior worked better in practice than Gaussian, unit ball or unit sphere"),),
}
"""Experiment -> parts of claims and the places of their sentences."""

INSENSITIVE = 1.0
"""Largest loss in percentage points that counts as relatively insensitive."""


CLOSE = 2.0
"""Percentage points below a supervised classifier that count as approaching it."""


def negatives(figures: Figures) -> list[Claim]:
    """Return the claims on few negatives."""
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
    low, high = loss.interval
    sensitive = None if low < INSENSITIVE < high else high <= INSENSITIVE
    evidence = (
        f"from {many} negatives to {counted} it loses {loss.mean:.3g} [{low:.3g}, {high:.3g}] points, allowed "
        f"{INSENSITIVE:g}, {jsd_few.n} seeds each"
    )
    return [
        exceeds(
            f"with few negatives ({few}) Jensen–Shannon outperforms InfoNCE on Y",
            jsd_few,
            figures[found["InfoNCE"][few]],
            "%",
        ),
        Claim(
            "Jensen–Shannon is relatively insensitive to the number of negatives (on Y)",
            sensitive,
            evidence,
            sample=Sample(INSENSITIVE - loss.mean, loss.deviation, loss.n),
            seeds=jsd_few.n,
        ),
    ]


def ablation(figures: Figures) -> list[Claim]:
    """Return the claims on a small global term and a small prior term, each beside the local term."""
    found = {}
    for name in figures:
        match = re.fullmatch(r"α = ([\d.]+), β = ([\d.]+), γ = ([\d.]+): Y", name)
        if match:
            alpha, beta, gamma = (float(part) for part in match.groups())
            found[alpha, beta, gamma] = figures[name]
    alphas = sorted({alpha for alpha, _, _ in found if alpha > 0})
    gammas = sorted({gamma for _, _, gamma in found if gamma > 0})
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


def supervised(figures: Figures) -> list[Claim]:
    """Return the claim that the best local objective approaches a supervised classifier, on its best layer."""
    own = figures.get("supervised: its own accuracy")
    layers = [figures[name] for name in figures if name.startswith("DIM(L) InfoNCE: ")]
    if own is None or not layers:
        return []
    best = max(layers, key=lambda one: one.mean)
    text = f"DIM(L) InfoNCE approaches or surpasses a supervised classifier (within {CLOSE:g} points, best layer)"
    return [not_below(text, best, own, CLOSE, "%")]


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
