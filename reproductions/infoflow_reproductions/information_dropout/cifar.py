"""Error against size: All-CNN-32 on CIFAR-10 without dropout, with binary and with information dropout."""

from __future__ import annotations

from dataclasses import dataclass

from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Claim, Figure, Findings, Row
from infoflow_reproductions.harness.trial import Results, Trial
from infoflow_reproductions.information_dropout import figures
from infoflow_reproductions.information_dropout.cifar_trial import PUBLISHED, Settings, trial
from infoflow_reproductions.information_dropout.reporting import best_on_held_out, differences, per_seed

METHODS = {"none": "no dropout", "binary": "binary dropout", "information": "information dropout"}


@dataclass(frozen=True)
class Recipe:
    """As published: widths from a quarter to the whole, one β. Of several, held-out images choose at each width."""

    settings: Settings = PUBLISHED
    widths: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0)
    betas: tuple[float, ...] = (3.0,)
    seeds: int = 3


RECIPES = {
    "smoke": Recipe(
        Settings(data="toy-colors", samples=300, epochs=1, milestones=(), batch_size=50), widths=(0.05, 0.1), seeds=2
    ),
    # β/N as published, and ten times less of it: N is a tenth.
    "cpu": Recipe(
        Settings(samples=5_000, held_out=4_000, pool=2, epochs=6, milestones=(4,), batch_size=50),
        widths=(0.125, 0.25),
        betas=(0.03, 0.3),
    ),
    "full": Recipe(),
}


def trials(recipe: Recipe) -> list[Trial]:
    """Every method at every width."""
    settings = [("none", 0.0), ("binary", 0.0), *(("information", beta) for beta in recipe.betas)]
    return [
        trial(recipe.settings, method=method, width=width, beta=beta, seed=seed)
        for width in recipe.widths
        for method, beta in settings
        for seed in range(recipe.seeds)
    ]


def report(recipe: Recipe, results: Results) -> Findings:
    """Errors, and by how much binary dropout errs more at each width."""
    chosen = {
        width: best_on_held_out(results, "beta", recipe.betas, method="information", width=width)
        for width in recipe.widths
    }
    errors = {
        name: {
            width: per_seed(
                results, "test_error", method=method, width=width,
                beta=chosen[width] if method == "information" else 0.0,
            )
            for width in recipe.widths
        }
        for method, name in METHODS.items()
    }  # fmt: skip
    nats = {
        f"{METHODS['information']}, β = {beta:g}": {
            width: per_seed(results, "nats", method="information", width=width, beta=beta) for width in recipe.widths
        }
        for beta in recipe.betas
    }
    rows = [
        Row(f"test error, {name}, width {width:g}", values, "%")
        for name, curve in errors.items()
        for width, values in curve.items()
    ]
    ours, binary, none = errors[METHODS["information"]], errors[METHODS["binary"]], errors[METHODS["none"]]
    claims = [
        Claim.above(f"Width {width:g}: information dropout errs less than binary dropout",
                    differences(binary[width], ours[width]), unit="%")
        for width in recipe.widths
    ]  # fmt: skip
    small, large = min(recipe.widths), max(recipe.widths)
    claims += [
        Claim.above(
            "Its advantage over binary dropout is larger at the smallest width than at the largest",
            differences(differences(binary[small], ours[small]), differences(binary[large], ours[large])), unit="%",
        ),
        Claim.above(f"Width {small:g}: information dropout errs less than no dropout",
                    differences(none[small], ours[small]), unit="%", published=False),
    ]  # fmt: skip
    pictures = [
        Figure(
            "error_against_size", "Test error against the share of All-CNN-32's channels, and the nats that "
            "information dropout lets through; dots are seeds, bars the 95 % interval of their mean.",
            lambda canvas: figures.beside(canvas, [(errors, "test error (%)", False), (nats, "nats per image", True)],
                                          xlabel="width (share of the channels)"),
        )
    ]  # fmt: skip
    return Findings(rows, claims, pictures, [
        "The paper gives this comparison as a figure, without numbers, so they can't be set beside these as rows.",
        "β: " + "; ".join(f"{beta:g} at width {width:g}" for width, beta in chosen.items())
        + (", chosen on held-out images (mean error over seeds)." if len(recipe.betas) > 1 else "."),
    ])  # fmt: skip


EXPERIMENT = Experiment(
    "information-dropout", "cifar", "Information dropout: error against size, All-CNN-32 on CIFAR-10", RECIPES, trials,
    report,
)  # fmt: skip
