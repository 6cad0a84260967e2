"""Section 4.2: DIM(L) with the uniform prior beside the Gaussian, the unit ball and the unit sphere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from infoflow_reproductions.deep_infomax.learning import trial
from infoflow_reproductions.deep_infomax.notes import LOCAL_CRITIC
from infoflow_reproductions.deep_infomax.recipes import CPU, FULL, SMOKE, accuracies, accuracy_bars, smaller
from infoflow_reproductions.deep_infomax.settings import Learning
from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Claim, Findings, Row
from infoflow_reproductions.harness.seeds import differences
from infoflow_reproductions.harness.trial import Results, Trial

_NAMES = {"uniform": "uniform", "gaussian": "Gaussian", "ball": "unit ball", "sphere": "unit sphere"}
_METHOD = "dim-l"


@dataclass(frozen=True)
class Recipe:
    """Priors to compare.

    Parameters
    ----------
    learning
        How all are trained and measured.
    priors
        Names in `infoflow.objectives.priors.PRIORS`, the uniform one first.
    seeds
        Number of seeds.
    """

    learning: Learning
    priors: tuple[str, ...] = tuple(_NAMES)
    seeds: int = 5


def trials(recipe: Recipe) -> Sequence[Trial]:
    """Return the trials of every prior and seed."""
    return [
        trial(recipe.learning, _METHOD, seed, options={"prior": prior}, label=prior)
        for prior in recipe.priors
        for seed in range(recipe.seeds)
    ]


def report(recipe: Recipe, results: Results) -> Findings:
    """Report accuracies by prior and layer, and whether the uniform prior is above the others on Y."""
    found = {prior: accuracies(results, options={"prior": prior}) for prior in recipe.priors}
    rows = [
        Row(f"{_NAMES[prior]} prior: {layer}", values, "%")
        for prior, layers in found.items()
        for layer, values in layers.items()
    ]
    best, *others = recipe.priors
    claims = [
        Claim.above(
            f"the {_NAMES[best]} prior is above the {_NAMES[prior]} one on Y",
            differences(found[best]["Y"], found[prior]["Y"]),
            unit="points",
        )
        for prior in others
    ]
    pictures = [accuracy_bars({f"{_NAMES[prior]} prior": layers for prior, layers in found.items()})]
    notes = [
        "The paper states that the uniform prior worked better in practice and gives no figures. Each prior is matched "
        "by its own discriminator; vectors are mapped into its support first: by a sigmoid, not at all, by a radial "
        "map into the ball, and by their direction.",
        LOCAL_CRITIC,
        *smaller(recipe.learning),
    ]
    return Findings(rows, claims, pictures, notes)


EXPERIMENT = Experiment(
    "dim",
    "priors",
    "Deep InfoMax, section 4.2: the uniform prior beside others",
    {
        "smoke": Recipe(SMOKE, ("uniform", "sphere"), seeds=1),
        "cpu": Recipe(CPU),
        "full": Recipe(FULL),
    },
    trials,
    report,
)
