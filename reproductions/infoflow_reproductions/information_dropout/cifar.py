"""Error against size: All-CNN-32 on CIFAR-10 without dropout, with binary and with information dropout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Findings
from infoflow_reproductions.harness.lists import Entries
from infoflow_reproductions.harness.trial import Results, Trial
from infoflow_reproductions.information_dropout import figures, reporting
from infoflow_reproductions.information_dropout.trial import MENTIONED_RATE, PUBLISHED, SMALL, SMOKE, Run, Settings
from infoflow_reproductions.networks.noisy import Activation, Dropout


@dataclass(frozen=True)
class Recipe:
    """Widths, β, rates and seeds. Of the defaults, the paper states the schedule and the activation.

    Parameters
    ----------
    settings
        Settings of every network.
    widths
        Shares of the channels of All-CNN-32.
    betas
        Values of β; of several, held-out images choose one at each width.
    rates
        Rates of binary dropout: the one that section 8 mentions, then others; held-out images choose among all.
    seeds
        Number of seeds.
    activation
        Name of the activation; Figure 3 (b) has Softplus.
    """

    settings: Settings = PUBLISHED
    widths: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0)
    betas: tuple[float, ...] = (3.0,)
    rates: tuple[float, ...] = (MENTIONED_RATE,)
    seeds: int = 3
    activation: Activation = "softplus"


def _trials(recipe: Recipe) -> list[Trial]:
    """Return every method at every width, with every value of its setting."""
    settings: list[tuple[Dropout, float, float]] = [("none", 0.0, MENTIONED_RATE)]
    settings += [("binary", 0.0, rate) for rate in recipe.rates]
    settings += [("information", beta, MENTIONED_RATE) for beta in recipe.betas]
    return [
        Run(method, width, beta, recipe.activation, seed, recipe.settings, rate).trial
        for width in recipe.widths
        for method, beta, rate in settings
        for seed in range(recipe.seeds)
    ]


def _report(recipe: Recipe, results: Results) -> Findings:
    """Report the errors, and the nats of information dropout."""
    beta, rate = (
        {
            width: reporting.best_on_held_out(results, axis, places, method=method, width=width)
            for width in recipe.widths
        }
        for axis, places, method in (("beta", recipe.betas, "information"), ("rate", recipe.rates, "binary"))
    )

    def errors(method: Dropout, **by_width: Mapping[float, float]) -> dict[float, list[float]]:
        return {
            width: results.values(
                "test_error", method=method, width=width, **{name: chosen[width] for name, chosen in by_width.items()}
            )
            for width in recipe.widths
        }

    mentioned = errors("binary", rate=dict.fromkeys(recipe.widths, recipe.rates[0]))
    named = {
        "no dropout": errors("none"),
        f"binary dropout, rate {recipe.rates[0]:g}": mentioned,
        "information dropout": errors("information", beta=beta),
    }
    if len(recipe.rates) > 1:
        named["binary dropout, rate chosen"] = errors("binary", rate=rate)
    nats = {
        f"information dropout, β = {beta:g}": reporting.curve(
            results, "nats", "width", recipe.widths, method="information", beta=beta
        )
        for beta in recipe.betas
    }
    picture = figures.panels(
        "error_against_size",
        "Test error against the share of All-CNN-32's channels, and the nats that information dropout transmits.",
        [(named, "test error / %", False), (nats, "nats per image", True)],
        xlabel="width (share of the channels)",
    )
    notes = [
        "The paper gives this comparison as a figure without numbers, so the rows have no published values.",
        "; ".join(f"width {width:g}: β = {beta[width]:g}, binary rate {rate[width]:g}" for width in recipe.widths)
        + (", chosen on held-out images (mean error over seeds)." if recipe.settings.held_out else "."),
    ]
    rows = [row for name, found in named.items() for row in reporting.rows(f"test error, {name}", found, "%", "width ")]
    return Findings(rows, (), [picture], notes)


EXPERIMENT = Experiment(
    "information-dropout",
    "cifar",
    "Information dropout: error against size, All-CNN-32 on CIFAR-10",
    {
        "smoke": Recipe(SMOKE, widths=(0.05, 0.1), seeds=2),
        # β/N as in the recipe full, and a tenth of it: N is a tenth of the full recipe's.
        "cpu": Recipe(
            replace(SMALL, held_out=4_000),
            widths=(0.125, 0.25),
            betas=(0.03, 0.3),
            rates=(MENTIONED_RATE, 0.2, 0.1),
            seeds=4,
        ),
        "full": Recipe(),
    },
    _trials,
    _report,
    needs={"widths": Entries(), "betas": Entries(), "rates": Entries()},
)
