"""The neural dependency measure against the β of a β-VAE: a larger β should reduce dependence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from infoflow_reproductions.deep_infomax.learning import Learning, trial
from infoflow_reproductions.deep_infomax.recipes import CPU, FULL, SMOKE, smaller
from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.figures import curves
from infoflow_reproductions.harness.findings import Claim, Findings, Row
from infoflow_reproductions.harness.trial import Results, Trial

_DEPENDENCE = ("NDM", "NDM (sigmoid)")
_MEASURES = (*_DEPENDENCE, "TC")


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
    seeds: int = 3


def trials(recipe: Recipe) -> Sequence[Trial]:
    """Return the trials of every β and seed."""
    return [
        trial(recipe.learning, "vae", seed, options={"beta": beta}, measures=["ndm", "tc"], label=f"beta={beta:g}")
        for beta in recipe.betas
        for seed in range(recipe.seeds)
    ]


def report(recipe: Recipe, results: Results) -> Findings:
    """Report NDM and the Gaussian total correlation of the latent means, and whether NDM falls."""
    found = {name: {beta: results.values(name, options={"beta": beta}) for beta in recipe.betas} for name in _MEASURES}
    rows = [
        Row(f"β = {beta:g}: {name}", values, "nats")
        for name, points in found.items()
        for beta, values in points.items()
    ]
    claims = []
    for name in _DEPENDENCE:
        by_seed = list(zip(*found[name].values(), strict=True))
        ends = [values[0] - values[-1] for values in by_seed]
        claims += [
            Claim.falling(f"{name} falls as β rises", by_seed),
            Claim.above(
                f"{name} is lower at β = {recipe.betas[-1]:g} than at β = {recipe.betas[0]:g}", ends, unit="nats"
            ),
        ]
    divergence = {
        beta: [run["curve_divergence"][-1] for run in results.of(options={"beta": beta})] for beta in recipe.betas
    }
    rows += [Row(f"β = {beta:g}: divergence of the latent", values, "nats") for beta, values in divergence.items()]
    pictures = [
        curves(
            "ndm",
            "Dependence between the features of the latent's mean, on held-out images; means and 95 % intervals.",
            {**{name: found[name] for name in _DEPENDENCE}, "Gaussian total correlation": found["TC"]},
            "β",
            "nats",
            log=True,
        ),
        curves(
            "divergence",
            "Divergence KL(q(z|x) ‖ N(0, 1)) of the latent, which falls as β rises.",
            {"divergence": divergence},
            "β",
            "nats per image",
            log=True,
        ),
    ]
    notes = [
        "The paper shows this as a curve without figures, so only the trend can be compared. It measures with and "
        "without a sigmoid on the latent and does not state which the curve shows, so both are judged.",
        "The likelihood is Gaussian with standard deviation 1 on pixels in [−1, 1].",
        *smaller(recipe.learning),
    ]
    return Findings(rows, claims, pictures, notes)


EXPERIMENT = Experiment(
    "dim",
    "ndm",
    "Deep InfoMax: the neural dependency measure over β",
    {
        "smoke": Recipe(SMOKE, betas=(0.1, 4.0), seeds=1),
        "cpu": Recipe(CPU, betas=(0.1, 0.5, 1.0, 2.0, 4.0)),
        "full": Recipe(FULL),
    },
    trials,
    report,
)
