"""Figure 12: the neural dependency measure over the β of a β-VAE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt

from infoflow_reproductions.deep_infomax.dependence_claims import SIMILAR
from infoflow_reproductions.deep_infomax.learning import trial
from infoflow_reproductions.deep_infomax.recipes import CPU, FULL, SMOKE, smaller
from infoflow_reproductions.deep_infomax.settings import Learning
from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.figures import curves
from infoflow_reproductions.harness.findings import Claim, Findings, Row
from infoflow_reproductions.harness.lists import Entries
from infoflow_reproductions.harness.trial import Results, Trial

_SAMPLED = "NDM (samples)"
_DEPENDENCE = ("NDM", "NDM (sigmoid)", _SAMPLED)


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
    """Report NDM of the latent's means and samples and their Gaussian total correlation, and how consistent NDM is.

    Whether NDM falls follows from the figures, see `dependence_claims`.
    """

    def over_betas(name: str) -> Mapping[float, list[float]]:
        return {beta: results.values(name, options={"beta": beta}) for beta in recipe.betas}

    found = {name: over_betas(name) for name in (*_DEPENDENCE, "TC")}
    divergence = {
        beta: [run["curve_divergence"][-1] for run in results.of(options={"beta": beta})] for beta in recipe.betas
    }
    # One network has no deviation.
    networks = over_betas("NDM (samples): networks") if recipe.learning.ndm_networks > 1 else {}
    others = {"divergence of the latent": divergence, "NDM (samples), deviation over networks": networks}
    rows = [
        Row(f"β = {beta:g}: {name}", values, "nats")
        for name, points in {**found, **others}.items()
        for beta, values in points.items()
    ]
    claims = [consistent(found[_SAMPLED], networks)] if networks else []
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
        "The paper states that the variance over estimates and models is relatively low (appendix A.5), without a "
        "measure. Here the deviation over networks and that over encoders are added as variances at every β, and the "
        f"largest sum is compared with {SIMILAR:g} of the fall, a limit of this reproduction.",
        "In the trend of NDM, β = 0.5 and β = 1 count as one point, their mean, since the paper calls them similar. "
        "This rule was set after first results were known; it does not apply to NDM (sigmoid).",
        "The likelihood is Gaussian with standard deviation 1 on pixels in [−1, 1].",
        *smaller(recipe.learning),
    ]
    return Findings(rows, claims, pictures, notes)


def consistent(values: Mapping[float, Sequence[float]], networks: Mapping[float, Sequence[float]]) -> Claim:
    """Return the claim that NDM of samples deviates little over networks and over models, beside its fall.

    Parameters
    ----------
    values
        NDM by β, one value per model.
    networks
        Its deviation over networks by β, one value per model.

    Returns
    -------
    Claim
        Judged over models by the largest deviation among the weights.
    """
    low, high = min(values), max(values)
    deviations = [
        [
            sqrt(over_networks**2 + over_models)
            for over_networks, over_models in zip(networks[beta], _squares(values[beta]), strict=True)
        ]
        for beta in values
    ]
    return Claim.above(
        f"NDM of samples is consistent: its deviation over networks and models is below {SIMILAR:g} of the fall from "
        f"β = {low:g} to {high:g}",
        [
            SIMILAR * (first - last) - max(of_seed)
            for first, last, *of_seed in zip(values[low], values[high], *deviations, strict=True)
        ],
        unit="nats",
    )


def _squares(values: Sequence[float]) -> list[float]:
    """Squared deviations from the mean, whose mean is the variance with n − 1 in the denominator; 0 of one value."""
    n, mean = len(values), sum(values) / len(values)
    return [(value - mean) ** 2 * n / max(n - 1, 1) for value in values]


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
