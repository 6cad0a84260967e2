"""Figure 12: the neural dependency measure over the β of a β-VAE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from infoflow_reproductions.deep_infomax.dependence import supported
from infoflow_reproductions.deep_infomax.learning import trial
from infoflow_reproductions.deep_infomax.recipes import CPU, FULL, SMOKE, smaller
from infoflow_reproductions.deep_infomax.settings import Learning
from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.figures import curves
from infoflow_reproductions.harness.findings import Claim, Findings, Row
from infoflow_reproductions.harness.lists import Entries
from infoflow_reproductions.harness.seeds import differences
from infoflow_reproductions.harness.trial import Results, Trial

# Claims on NDM (sigmoid) follow from the figures, see `table_claims.dependence`.
_STATED = ("NDM", "NDM (samples)")
_DEPENDENCE = ("NDM", "NDM (sigmoid)", "NDM (samples)")
SIMILAR = 0.25
"""Share of the fall from the smallest to the largest β up to which two measures count as similar."""


@dataclass(frozen=True)
class Recipe:
    """Weights β of the divergence.

    Parameters
    ----------
    learning
        How all are trained and measured.
    betas
        Weights in increasing order.
    seeds
        Number of seeds.
    """

    learning: Learning
    betas: tuple[float, ...] = (0.1, 0.5, 1.0, 1.5, 2.0, 4.0)
    seeds: int = 5


def trials(recipe: Recipe) -> Sequence[Trial]:
    """Return the trials of every weight and seed."""
    return [
        trial(
            recipe.learning,
            "vae",
            seed,
            options={"beta": beta},
            measures=["ndm", "ndm-samples", "tc"],
            label=f"beta={beta:g}",
        )
        for beta in recipe.betas
        for seed in range(recipe.seeds)
    ]


def report(recipe: Recipe, results: Results) -> Findings:
    """Report NDM of the latent's means and samples and their Gaussian total correlation, and whether NDM falls."""

    def over_betas(name: str) -> Mapping[float, list[float]]:
        return {beta: results.values(name, options={"beta": beta}) for beta in recipe.betas}

    found = {name: over_betas(name) for name in (*_DEPENDENCE, "TC")}
    divergence = {
        beta: [run["curve_divergence"][-1] for run in results.of(options={"beta": beta})] for beta in recipe.betas
    }
    networks = over_betas("NDM (samples): networks")
    others = {"divergence of the latent": divergence, "NDM (samples), deviation over networks": networks}
    rows = [
        Row(f"β = {beta:g}: {name}", values, "nats")
        for name, points in {**found, **others}.items()
        for beta, values in points.items()
    ]
    claims = []
    low, high = recipe.betas[0], recipe.betas[-1]
    similar = tuple(beta for beta in recipe.betas if beta in (0.5, 1.0)) or (low, low)
    for name in _STATED:
        about = [
            Claim.falling(f"{name} falls as β rises", list(zip(*found[name].values(), strict=True))),
            Claim.above(
                f"{name} is lower at β = {high:g} than at β = {low:g}",
                differences(found[name][low], found[name][high]),
                unit="nats",
            ),
            Claim.above(
                f"{name} is similar at β = {similar[0]:g} and {similar[1]:g} (within {SIMILAR:g} of the fall from "
                f"β = {low:g} to {high:g})",
                _similar(found[name], similar, SIMILAR),
                unit="nats",
            ),
        ]
        claims += [supported(claim, *found[name].values()) for claim in about]
    claims.append(
        Claim.above(
            f"NDM of samples is consistent: its deviation over networks is below {SIMILAR:g} of the fall from "
            f"β = {low:g} to {high:g}",
            [
                SIMILAR * (first - last) - max(deviations)
                for first, last, *deviations in zip(
                    found["NDM (samples)"][low], found["NDM (samples)"][high], *networks.values(), strict=True
                )
            ],
            unit="nats",
        )
    )
    pictures = [
        curves(name, caption, lines, "β", unit, log=True)
        for name, caption, lines, unit in (
            (
                "ndm",
                "Dependence between the features of the latent, on held-out images; means and 95 % intervals.",
                {**{name: found[name] for name in _DEPENDENCE}, "Gaussian total correlation": found["TC"]},
                "nats",
            ),
            (
                "divergence",
                "Divergence KL(q(z|x) ‖ N(0, 1)) of the latent, which falls as β rises.",
                {"divergence": divergence},
                "nats per image",
            ),
        )
    ]
    notes = [
        "The paper shows this as a curve without figures, so only the trend can be compared. It does not state whether "
        "the latent is its mean or a sample, so both are measured.",
        "NDM (sigmoid) is an addition: the paper applies the sigmoid to DIM alone, whose prior it belongs to (section "
        "4.2), and has one NDM of the VAE. Its fall shows no independence. The sigmoid precedes any standardization, "
        "so means that shrink as β rises become almost constant inputs, whose dependence the discriminator no longer "
        "finds. In Table 3 a random encoder, whose features are small, shows the same: its NDM and its total "
        "correlation are large, and with the sigmoid nothing is left.",
        "NDM ignores the scales of features. A feature that β has emptied has a mean that is almost constant, and what "
        "is left of it depends on the other means, so that NDM of the means can rise with β. In a sample the noise of "
        "variance 1 hides it.",
        "The likelihood is Gaussian with standard deviation 1 on pixels in [−1, 1].",
        *smaller(recipe.learning),
    ]
    return Findings(rows, claims, pictures, notes)


def _similar(points: Mapping[float, Sequence[float]], pair: Sequence[float], share: float) -> list[float]:
    """Return, for each seed, how far the difference of a pair of weights lies below a share of the whole fall."""
    ends = min(points), max(points)
    one, other, first, last = (points[beta] for beta in (*pair, *ends))
    return [share * (d - e) - abs(a - b) for a, b, d, e in zip(one, other, first, last, strict=True)]


EXPERIMENT = Experiment(
    "dim",
    "ndm",
    "Deep InfoMax, Figure 12: the neural dependency measure over β",
    {
        "smoke": Recipe(SMOKE, betas=(0.1, 4.0), seeds=1),
        "cpu": Recipe(replace(CPU, ndm_networks=2)),
        "full": Recipe(replace(FULL, ndm_networks=10)),
    },
    trials,
    report,
    needs={"betas": Entries(at_least=2)},
)
