"""The neural dependency measure over the β of a β-VAE: more pressure on the latent, less dependence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from infoflow_reproductions.deep_infomax.learning import Learning, trial
from infoflow_reproductions.deep_infomax.recipes import CPU, FULL, SMOKE, why
from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.figures import curves
from infoflow_reproductions.harness.findings import Claim, Findings, Row
from infoflow_reproductions.harness.trial import Results, Trial

_DEPENDENCE = ("NDM", "NDM (sigmoid)")
_MEASURES = (*_DEPENDENCE, "TC")


@dataclass(frozen=True)
class Recipe:
    """`betas` rising."""

    learning: Learning
    betas: tuple[float, ...] = (0.1, 0.5, 1.0, 1.5, 2.0, 4.0)
    seeds: int = 3


def trials(recipe: Recipe) -> Sequence[Trial]:
    """Every β with every seed."""
    return [
        trial(recipe.learning, "vae", seed, options={"beta": beta}, measures=["ndm", "tc"], label=f"beta={beta:g}")
        for beta in recipe.betas
        for seed in range(recipe.seeds)
    ]


def report(recipe: Recipe, results: Results) -> Findings:
    """NDM and the Gaussian total correlation of the latent's means, and whether NDM falls."""
    found = {
        name: {beta: [float(run[name]) for run in results.of(options={"beta": beta})] for beta in recipe.betas}
        for name in _MEASURES
    }
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
            "What the latent is charged for, KL(q(z|x) ‖ N(0, 1)): pressure works.",
            {"divergence": divergence},
            "β",
            "nats an image",
            log=True,
        ),
    ]
    notes = [
        "The paper shows this as a curve without figures, so there is nothing to compare but the trend. It measures "
        "with and without a sigmoid on the latent and doesn't say which the curve has: both are judged.",
        "Reconstruction is counted with a Gaussian of deviation 1 on a pixel of [−1, 1].",
    ]
    if why(recipe.learning):
        notes.append(f"Smaller than the paper: {why(recipe.learning)}.")
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
