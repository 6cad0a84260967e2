"""Task and nuisance: All-CNN-32 learns the object on Occluded CIFAR; what is left of the digit drawn over it?"""

from __future__ import annotations

from dataclasses import dataclass

from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Claim, Figure, Findings, Row
from infoflow_reproductions.harness.trial import Results, Trial
from infoflow_reproductions.information_dropout import figures
from infoflow_reproductions.information_dropout.cifar_trial import Settings, trial
from infoflow_reproductions.information_dropout.reporting import by, by_seed, differences

OCCLUDED = Settings(data="occluded-cifar")
# Per cent: the main task "doesn't fall" where its accuracy loses surely less than this.
MARGIN = 2.0


@dataclass(frozen=True)
class Recipe:
    """All-CNN-32 at several β."""

    settings: Settings = OCCLUDED
    width: float = 1.0
    betas: tuple[float, ...] = (0.1, 1.0, 3.0, 10.0)
    seeds: int = 3


RECIPES = {
    "smoke": Recipe(
        Settings(data="toy-occluded", samples=300, epochs=1, milestones=(), batch_size=50),
        width=0.05, betas=(0.1, 1.0), seeds=2,
    ),
    # β/N as in the full recipe, where N is ten times as large; long enough that little noise overfits.
    "cpu": Recipe(
        Settings(
            data="occluded-cifar", samples=5_000, held_out=4_000, pool=2, epochs=24, milestones=(14, 21), batch_size=50
        ),
        width=0.25, betas=(0.01, 0.1, 1.0),
    ),
    "full": Recipe(),
}  # fmt: skip


def trials(recipe: Recipe) -> list[Trial]:
    """One network for each β and seed."""
    return [
        trial(recipe.settings, method="information", width=recipe.width, beta=beta, seed=seed)
        for beta in recipe.betas
        for seed in range(recipe.seeds)
    ]


def report(recipe: Recipe, results: Results) -> Findings:
    """Both errors against β."""
    betas = list(recipe.betas)
    main, nats = by(results, "test_error", "beta", betas), by(results, "nats", "beta", betas)
    told = by(results, "nuisance_accuracy", "beta", betas)
    nuisance_errors = {beta: [100 - value for value in values] for beta, values in told.items()}
    rows = [Row(f"test error, object, β = {beta:g}", main[beta], "%") for beta in betas]
    rows += [Row(f"test accuracy of the head, digit, β = {beta:g}", told[beta], "%") for beta in betas]
    rows += [Row(f"nats per image, all layers, β = {beta:g}", nats[beta], "nats") for beta in betas]
    first, last = betas[0], betas[-1]
    claims = [
        Claim.falling("The accuracy of a head that reads the nuisance falls with β",
                      by_seed(results, "nuisance_accuracy", "beta", betas)),
        Claim.above(
            f"From β = {first:g} to {last:g} the main task's accuracy loses less than {MARGIN:g} %",
            differences(main[first], main[last]), -MARGIN, unit="%",
        ),
        Claim.above(
            "The nuisance's accuracy falls by more than the main task's",
            differences(differences(told[first], told[last]), differences(main[last], main[first])), unit="%",
        ),
        Claim.falling("The nats that pass fall with β", by_seed(results, "nats", "beta", betas)),
    ]  # fmt: skip
    pictures = [
        Figure(
            "errors_against_beta", "Test error on the object, which the network is trained for, and on the digit over "
            "it, which a head reads from the noisy last representation; and the nats that pass. Dots are seeds, bars "
            "the 95 % interval of their mean.",
            lambda canvas: figures.beside(
                canvas,
                [({"object (main task)": main, "digit (nuisance)": nuisance_errors}, "test error (%)", False),
                 ({"all layers": nats}, "nats per image", True)],
                xlabel="β",
            ),
        )
    ]  # fmt: skip
    return Findings(rows, claims, pictures, [
        "The paper gives these curves as a figure, without numbers. It doesn't say how digits are laid over images; "
        "here each pixel is the larger of both.",
        "The head is a two-layer perceptron on the output of the last dropout layer, noise on; a stronger reader might "
        "read more, so its accuracy is a lower bound on what the representation tells.",
    ])  # fmt: skip


EXPERIMENT = Experiment(
    "information-dropout", "occluded", "Information dropout: task and nuisance on Occluded CIFAR", RECIPES, trials,
    report,
)  # fmt: skip
