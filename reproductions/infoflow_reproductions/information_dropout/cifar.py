"""Error against size: All-CNN-32 on CIFAR-10 without dropout, with binary and with information dropout."""

from __future__ import annotations

from dataclasses import dataclass, replace

from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Claim, Findings
from infoflow_reproductions.harness.trial import Results, Trial
from infoflow_reproductions.information_dropout import figures, reporting
from infoflow_reproductions.information_dropout.reporting import differences
from infoflow_reproductions.information_dropout.trial import PUBLISHED, SMALL, SMOKE, Run, Settings
from infoflow_reproductions.networks.noisy import Activation, Dropout

_METHODS: dict[Dropout, str] = {"none": "no dropout", "binary": "binary dropout", "information": "information dropout"}


@dataclass(frozen=True)
class Recipe:
    """Widths, β and seeds; the defaults are the paper's.

    Parameters
    ----------
    settings
        Settings of every network.
    widths
        Shares of the channels of All-CNN-32.
    betas
        Values of β; of several, held-out images choose one at each width.
    seeds
        Number of seeds.
    activation
        Name of the activation; Figure 3 (b) has Softplus.
    """

    settings: Settings = PUBLISHED
    widths: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0)
    betas: tuple[float, ...] = (3.0,)
    seeds: int = 3
    activation: Activation = "softplus"


def _trials(recipe: Recipe) -> list[Trial]:
    """Return every method at every width."""
    methods: list[tuple[Dropout, float]] = [("none", 0.0), ("binary", 0.0)]
    methods += [("information", beta) for beta in recipe.betas]
    return [
        Run(method, width, beta, recipe.activation, seed, recipe.settings).trial
        for width in recipe.widths
        for method, beta in methods
        for seed in range(recipe.seeds)
    ]


def _report(recipe: Recipe, results: Results) -> Findings:
    """Report the errors, and the differences between the methods."""
    chosen = {
        width: reporting.best_on_held_out(results, "beta", recipe.betas, method="information", width=width)
        for width in recipe.widths
    }
    errors = {
        method: {
            width: results.values(
                "test_error", method=method, width=width, beta=chosen[width] if method == "information" else 0.0
            )
            for width in recipe.widths
        }
        for method in _METHODS
    }
    nats = {
        f"information dropout, β = {beta:g}": reporting.curve(
            results, "nats", "width", recipe.widths, method="information", beta=beta
        )
        for beta in recipe.betas
    }
    named = {name: errors[method] for method, name in _METHODS.items()}
    ours, binary, none = errors["information"], errors["binary"], errors["none"]
    advantage = {width: differences(binary[width], ours[width]) for width in recipe.widths}
    small, large = min(recipe.widths), max(recipe.widths)
    claims = [
        Claim.above(f"Width {width:g}: information dropout has a lower error than binary dropout", values, unit="%")
        for width, values in advantage.items()
    ]
    claims += [
        Claim.above(
            "Its advantage over binary dropout is larger at the smallest width than at the largest",
            differences(advantage[small], advantage[large]),
            unit="%",
        ),
        Claim.above(
            f"Width {small:g}: information dropout has a lower error than no dropout",
            differences(none[small], ours[small]),
            unit="%",
            published=False,
        ),
    ]
    picture = figures.panels(
        "error_against_size",
        "Test error against the share of All-CNN-32's channels, and the nats that information dropout transmits.",
        [(named, "test error (%)", False), (nats, "nats per image", True)],
        xlabel="width (share of the channels)",
    )
    notes = [
        "The paper gives this comparison as a figure without numbers, so the rows have no published values.",
        "β: "
        + "; ".join(f"{beta:g} at width {width:g}" for width, beta in chosen.items())
        + (", chosen on held-out images (mean error over seeds)." if len(recipe.betas) > 1 else "."),
    ]
    rows = [row for name, found in named.items() for row in reporting.rows(f"test error, {name}", found, "%", "width ")]
    return Findings(rows, claims, [picture], notes)


EXPERIMENT = Experiment(
    "information-dropout",
    "cifar",
    "Information dropout: error against size, All-CNN-32 on CIFAR-10",
    {
        "smoke": Recipe(SMOKE, widths=(0.05, 0.1), seeds=2),
        # β/N as published, and a tenth of it: N is a tenth of the paper's.
        "cpu": Recipe(replace(SMALL, held_out=4_000), widths=(0.125, 0.25), betas=(0.03, 0.3)),
        "full": Recipe(),
    },
    _trials,
    _report,
)
