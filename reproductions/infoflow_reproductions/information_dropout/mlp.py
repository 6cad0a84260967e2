"""Error against size: perceptrons on MNIST with each kind of dropout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch

from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Claim, Findings
from infoflow_reproductions.harness.trial import Context, Results, Trial
from infoflow_reproductions.information_dropout import figures, reporting
from infoflow_reproductions.information_dropout.images import Images
from infoflow_reproductions.information_dropout.training import Settings, costs, errors, has_cost, train
from infoflow_reproductions.networks.dropout_mlp import DropoutMLP
from infoflow_reproductions.networks.noisy import Dropout

PUBLISHED_RATE = 0.5
PUBLISHED = Settings(
    "mnist", samples=50_000, held_out=10_000, epochs=80, milestones=(30, 70), batch_size=100, learning_rate=0.07
)


@dataclass(frozen=True)
class Recipe:
    """Widths, β, rates and seeds; the defaults are the paper's.

    Parameters
    ----------
    settings
        Settings of every network.
    widths
        Widths of the three hidden layers.
    betas
        Values of β, of which held-out images choose one at each width.
    rates
        Rates of binary dropout: the published one, then others among which held-out images choose.
    seeds
        Number of seeds.
    """

    settings: Settings = PUBLISHED
    widths: tuple[int, ...] = (100, 200, 400, 800)
    betas: tuple[float, ...] = (0.3, 1.0, 3.0)
    rates: tuple[float, ...] = (PUBLISHED_RATE, 0.2, 0.1)
    seeds: int = 3


@dataclass(frozen=True)
class Run:
    """One perceptron.

    Parameters
    ----------
    rate
        Rate of binary dropout.
    beta
        Weight β of the information cost.
    method
        Kind of dropout.
    width
        Width of the hidden layers.
    seed
        Random seed.
    settings
        Its other settings.
    """

    rate: float
    beta: float
    method: Dropout
    width: int
    seed: int
    settings: Settings


def _trials(recipe: Recipe) -> list[Trial]:
    """Return every method at every width, with every value of its setting."""
    methods: list[tuple[Dropout, dict[str, float]]] = [("none", {}), ("gaussian", {})]
    methods += [("binary", {"rate": rate}) for rate in recipe.rates]
    methods += [("information", {"beta": beta}) for beta in recipe.betas]
    found = []
    for width in recipe.widths:
        for method, chosen in methods:
            detail = "".join(f"/{name}={value:g}" for name, value in chosen.items())
            rate, beta = chosen.get("rate", PUBLISHED_RATE), chosen.get("beta", 0.0)
            for seed in range(recipe.seeds):
                one = Run(rate, beta, method, width, seed, recipe.settings)
                found.append(Trial(f"{method}{detail}/width={width}/seed={seed}", run, one))
    return found


def run(chosen: Run, *, context: Context) -> Mapping[str, Any]:
    """Train one perceptron.

    Parameters
    ----------
    chosen
        The perceptron.
    context
        Where it runs.

    Returns
    -------
    mapping
        Errors in percent and, with information dropout, `nats` and `nats_per_layer`.
    """
    settings, seed, width = chosen.settings, chosen.seed, chosen.width
    parts = Images(*(part.flattened() for part in settings.images(context)))
    inputs = parts.train.x.shape[1]
    network = DropoutMLP([inputs, width, width, width, 10], chosen.method, rate=chosen.rate, seed=seed)
    network.to(context.device)
    # The paper states neither momentum nor batch size for this network: these are those of its other networks.
    schedule = settings.fit("sgd", momentum=0.9, nesterov=True)
    history = train(network, parts.train, schedule, beta=chosen.beta, seed=seed, context=context)
    network.eval()
    found: dict[str, Any] = errors(network, parts, context)
    found["train_cross_entropy"] = history[-1]["cross_entropy"]
    if has_cost(network):
        layers = costs(network, parts.test.x, context)
        found["nats"] = float(torch.stack(list(layers.values())).sum(0).mean())
        found["nats_per_layer"] = {name: float(cost.mean()) for name, cost in layers.items()}
    return found


def _report(recipe: Recipe, results: Results) -> Findings:
    """Report errors at the settings that the held-out images choose, and compare the methods."""
    widths, small, published_rate = recipe.widths, min(recipe.widths), recipe.rates[0]
    beta, rate = (
        {width: reporting.best_on_held_out(results, axis, places, method=method, width=width) for width in widths}
        for axis, places, method in (("beta", recipe.betas, "information"), ("rate", recipe.rates, "binary"))
    )
    published = f"binary dropout, rate {published_rate:g}"
    variants: dict[str, dict[int, dict[str, Any]]] = {
        "no dropout": {width: {"method": "none"} for width in widths},
        published: {width: {"method": "binary", "rate": published_rate} for width in widths},
        "binary dropout, rate chosen": {width: {"method": "binary", "rate": rate[width]} for width in widths},
        "constant log-normal": {width: {"method": "gaussian"} for width in widths},
        "information dropout, β chosen": {width: {"method": "information", "beta": beta[width]} for width in widths},
    }
    found: dict[str, dict[float, list[float]]] = {
        name: {width: results.values("test_error", width=width, **chosen) for width, chosen in by_width.items()}
        for name, by_width in variants.items()
    }
    ours = found["information dropout, β chosen"][small]
    claims = [
        Claim.above(
            f"At the smallest width ({small}) information dropout has a lower error than {text}",
            reporting.differences(found[name][small], ours),
            unit="%",
            published=name in (published, "constant log-normal"),
        )
        for name, text in (
            (published, published),
            ("constant log-normal", "constant log-normal noise"),
            ("binary dropout, rate chosen", "binary dropout with a chosen rate"),
            ("no dropout", "no dropout"),
        )
    ]
    nats = {
        f"width {width}": reporting.curve(results, "nats", "beta", recipe.betas, method="information", width=width)
        for width in widths
    }
    pictures = [
        figures.panels(
            "error_against_size",
            "Test error against the width of the three hidden layers.",
            [(found, "test error (%)", True)],
            xlabel="hidden width",
        ),
        figures.panels(
            "nats_against_beta",
            "Information that information dropout transmits, all layers together, mean over test images.",
            [(nats, "nats per image", True)],
            xlabel="β",
        ),
    ]
    chosen = "; ".join(f"width {width}: β = {beta[width]:g}, binary rate {rate[width]:g}" for width in widths)
    notes = [
        f"Chosen on held-out images (mean error over seeds): {chosen}.",
        "The paper gives this comparison as a figure; it states neither batch size, momentum nor β for it.",
    ]
    rows = [row for name, each in found.items() for row in reporting.rows(f"test error, {name}", each, "%", "width ")]
    return Findings(rows, claims, pictures, notes)


EXPERIMENT = Experiment(
    "information-dropout",
    "mlp",
    "Information dropout: error against size, perceptrons on MNIST",
    {
        "smoke": Recipe(
            replace(PUBLISHED, data="toy-digits", samples=600, held_out=200, epochs=2, milestones=(1,), batch_size=50),
            widths=(8, 16),
            betas=(0.1, 1.0),
            rates=(0.5,),
            seeds=2,
        ),
        "cpu": Recipe(
            replace(PUBLISHED, samples=10_000, epochs=12, milestones=(6, 10)),
            widths=(32, 64, 128),
            rates=(PUBLISHED_RATE, 0.2),
        ),
        "full": Recipe(),
    },
    _trials,
    _report,
)
