"""Claims on figures over the size of networks, judged from a table: Figures 1, 3 and 6, and Table 1."""

from __future__ import annotations

import re
from collections.abc import Iterator

from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.harness.inference import Sample, difference
from infoflow_reproductions.harness.row_claims import Figures, exceeds, within
from infoflow_reproductions.harness.seeds import seed_count
from infoflow_reproductions.information_dropout.judging import at_most, over
from infoflow_reproductions.information_dropout.reporting import POINTS

ALIKE = 0.25
"""Largest relative difference of the transmitted information that counts as hardly varying."""
FOLLOWS = 0.1
"""Largest Kolmogorov distance at which a distribution counts as approximately the prior."""
MARGIN = 2.0
"""Nats between two bounds that count as similar performance."""
LATENTS = ("Gaussian latent", "information dropout")
"""Names of the two autoencoders in the table."""

# Name of a method in the table, its words, whether the paper compares with it, and whether by size.
_OTHERS = (
    (r"(binary dropout, rate [\d.]+)", r"\1", True, True),
    (r"constant log-normal, unit mean", "constant log-normal noise of unit mean", True, False),
    (r"constant log-normal, (mean [\d.]+)", r"constant log-normal noise of \1", False, False),
    (r"constant log-normal, α chosen", "constant log-normal noise with a chosen α", False, False),
    (r"binary dropout, rate chosen", "binary dropout with a chosen rate", True, True),
    (r"no dropout", "no dropout", False, False),
)
# Activation, name of the distance in the table after "Kolmogorov distance from the ", claimed prior, and what it is.
_PRIORS = (
    ("relu", "log-uniform prior", "log-uniform", "a log-uniform between the 1 % and 99 % quantiles of the same ones"),
    ("softplus", "log-normal prior", "log-normal", "a log-normal fitted to the same ones"),
    ("softplus", "learned log-normal prior", "log-normal", "the layer's learned prior"),
)


def of_mlp(figures: Figures) -> list[Claim]:
    """Return the comparisons of Figure 3 (a).

    Parameters
    ----------
    figures
        Figures by name.

    Returns
    -------
    list of Claim
        Those of `lower_errors`.
    """
    return lower_errors(figures, "At the smallest width ({:g})")


def of_cifar(figures: Figures) -> list[Claim]:
    """Return the comparisons of Figure 3 (b).

    Parameters
    ----------
    figures
        Figures by name.

    Returns
    -------
    list of Claim
        Those of `lower_errors`.
    """
    return lower_errors(figures, "Width {:g}:")


def lower_errors(figures: Figures, smallest: str) -> list[Claim]:
    """Return the claims that information dropout has a lower error than other methods at each width.

    Parameters
    ----------
    figures
        Figures by name.
    smallest
        Beginning of the claims at the smallest width.

    Returns
    -------
    list of Claim
        For each width one per method, then, for binary dropout, that its disadvantage is largest at the smallest width.
    """
    by_method = {name: dict(over(figures, f"test error, {name}", "width ")) for name in _methods(figures)}
    ours = next((found for name, found in by_method.items() if name.startswith("information dropout")), {})
    compared = list(_compared(by_method))
    widths = sorted(ours)
    claims = []
    for width in widths:
        start = (smallest if width == widths[0] else "Width {:g}:").format(width)
        claims += [
            exceeds(
                f"{start} information dropout has a lower error than {words}",
                other[width],
                ours[width],
                "%",
                published=published,
            )
            for words, other, published, _ in compared
        ]
    if len(widths) < 2:
        return claims
    for words, other, published, by_size in compared:
        if by_size:
            small, large = (difference(other[width], ours[width]) for width in (widths[0], widths[-1]))
            text = f"Its advantage over {words} is larger at the smallest width than at the largest"
            claims.append(exceeds(text, small, large, POINTS, published=published))
    return claims


def _methods(figures: Figures) -> list[str]:
    """Return the names of the methods whose errors the table has."""
    found = (re.fullmatch(r"test error, (.+), width [\d.]+", name) for name in figures)
    return list(dict.fromkeys(match[1] for match in found if match))


def _compared(by_method: dict[str, dict[float, Sample]]) -> Iterator[tuple[str, dict[float, Sample], bool, bool]]:
    """Yield the words for each other method, its errors by width, and the last two entries of `_OTHERS`."""
    for pattern, words, published, by_size in _OTHERS:
        for name, errors in by_method.items():
            if match := re.fullmatch(pattern, name):
                yield match.expand(words), errors, published, by_size


def of_vae(figures: Figures) -> list[Claim]:
    """Return the claims that the bounds of the two autoencoders are similar.

    Parameters
    ----------
    figures
        Figures by name.

    Returns
    -------
    list of Claim
        One per size, judged by the mean of the signed difference.
    """
    gaussian, information = (dict(over(figures, f"bound on log p(x), {name}", "k = ")) for name in LATENTS)
    claims = []
    for k in sorted(gaussian.keys() & information.keys()):
        pair = dict(zip(LATENTS, (gaussian[k], information[k]), strict=True))
        lower, higher = sorted(pair, key=lambda name: pair[name].mean)
        gap, seeds = difference(pair[lower], pair[higher]), min(one.n for one in pair.values())
        evidence = (
            f"differ by {abs(gap.mean):.3g} nats on average, limit {MARGIN:g}, in favor of the {higher} "
            f"({gaussian[k].mean:.4g} against {information[k].mean:.4g}); lower − higher {gap.text()}, "
            f"{seed_count(seeds)}"
        )
        text = f"k = {k:g}: the two bounds lie within {MARGIN:g} nats of each other"
        claims.append(within(text, gap, MARGIN, evidence, seeds=seeds))
    return claims


def of_sizes(figures: Figures) -> list[Claim]:
    """Return the claims of Figures 1 and 6 that the table decides.

    Parameters
    ----------
    figures
        Figures by name.

    Returns
    -------
    list of Claim
        On the total information, on activations of the two layers, and on priors.
    """
    return [*hardly_varies(figures), *activations_of_second_layer(figures), *follow_priors(figures)]


def hardly_varies(figures: Figures) -> list[Claim]:
    """Return the claim that the total information hardly varies with the share of filters.

    Parameters
    ----------
    figures
        Figures by name.

    Returns
    -------
    list of Claim
        One claim on the ratio at the smallest and the largest share, if the table has the values of their seeds.
    """
    path = over(figures, "nats per image, all layers", "width ")
    if len(path) < 2 or not path[0][1].values or len(path[0][1].values) != len(path[-1][1].values):
        return []
    (small, few), (large, many) = path[0], path[-1]
    ratio = Sample.of([one / other for one, other in zip(few.values, many.values, strict=True)])
    change = Sample.of([value - 1 for value in ratio.values])
    evidence = (
        f"width {small:g} over width {large:g}: {ratio.text()}, which differs from 1 by {abs(change.mean):.2g} on "
        f"average, limit {ALIKE:g}, {seed_count(ratio.n)}"
    )
    text = "The total information hardly varies with the share of filters"
    return [within(text, change, ALIKE, evidence, seeds=ratio.n)]


def activations_of_second_layer(figures: Figures) -> list[Claim]:
    """Return the claims that an activation of the second dropout layer transmits more than one of the first.

    Parameters
    ----------
    figures
        Figures by name.

    Returns
    -------
    list of Claim
        One per width.

    Notes
    -----
    A channel of the second layer has a fourth of the places of one of the first, so that where figures are given per
    channel four times its nats are compared.
    """
    layers = [dict(over(figures, f"nats per activation, dropout{layer}", "width ")) for layer in (1, 2)]
    unit = "nats per activation"
    if not all(layers):
        first, second = (dict(over(figures, f"nats per unit and image, dropout{layer}", "width ")) for layer in (1, 2))
        layers = [first, {width: found.times(4) for width, found in second.items()}]
        unit = "nats per channel and as many places as the first layer has"
    return [
        exceeds(
            f"Width {width:g}: an activation of the second layer transmits more on average than one of the first",
            layers[1][width],
            first,
            unit,
        )
        for width, first in layers[0].items()
        if width in layers[1]
    ]


def follow_priors(figures: Figures) -> list[Claim]:
    """Return the claims that noisy activations follow their priors.

    Parameters
    ----------
    figures
        Figures by name.

    Returns
    -------
    list of Claim
        One per activation that the table has.
    """
    claims = []
    for activation, name, kind, prior in _PRIORS:
        found = figures.get(f"Kolmogorov distance from the {name}, {activation}")
        if found is not None:
            text = f"{activation}: noisy activations follow the {kind} prior approximately (Kolmogorov distance)"
            evidence = f"distance {found.text()} of activations from {prior}, limit {FOLLOWS:g}, {seed_count(found.n)}"
            claims.append(at_most(text, found, FOLLOWS, evidence))
    return claims
