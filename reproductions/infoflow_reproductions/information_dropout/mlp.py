"""Error against size: perceptrons on MNIST with each kind of dropout."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch

from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Claim, Findings
from infoflow_reproductions.harness.lists import Entries
from infoflow_reproductions.harness.trial import Context, Results, Trial
from infoflow_reproductions.information_dropout import figures, reporting
from infoflow_reproductions.information_dropout.images import Images
from infoflow_reproductions.information_dropout.training import Settings, costs, errors, has_cost, train
from infoflow_reproductions.information_dropout.trial import PUBLISHED_RATE
from infoflow_reproductions.networks.dropout_mlp import DropoutMLP
from infoflow_reproductions.networks.noisy import Dropout

_ALPHA = 0.7
_MEAN = math.exp(_ALPHA**2 / 2)
_RATE_CHOSEN = "binary dropout, rate chosen"
_AS_DRAWN, _UNIT_MEAN = f"constant log-normal, mean {_MEAN:.2f}", "constant log-normal, unit mean"
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
    mean_correction
        Whether constant log-normal noise has the mean 1 instead of e^{α²/2}.
    """

    rate: float
    beta: float
    method: Dropout
    width: int
    seed: int
    settings: Settings
    mean_correction: bool = False


def _trials(recipe: Recipe) -> list[Trial]:
    """Return every method at every width, with every value of its setting."""
    methods: list[tuple[Dropout, dict[str, Any]]] = [("none", {}), ("gaussian", {})]
    methods.append(("gaussian", {"mean_correction": True}))
    methods += [("binary", {"rate": rate}) for rate in recipe.rates]
    methods += [("information", {"beta": beta}) for beta in recipe.betas]
    found = []
    for width in recipe.widths:
        for method, chosen in methods:
            detail = "".join(f"/{name}={value:g}" for name, value in chosen.items())
            rate, beta = chosen.get("rate", PUBLISHED_RATE), chosen.get("beta", 0.0)
            for seed in range(recipe.seeds):
                one = Run(rate, beta, method, width, seed, recipe.settings, "mean_correction" in chosen)
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
    network = DropoutMLP(
        [inputs, width, width, width, 10],
        chosen.method,
        rate=chosen.rate,
        mean_correction=chosen.mean_correction,
        seed=seed,
    )
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
        _RATE_CHOSEN: {width: {"method": "binary", "rate": rate[width]} for width in widths},
        _AS_DRAWN: {width: {"method": "gaussian", "mean_correction": False} for width in widths},
        _UNIT_MEAN: {width: {"method": "gaussian", "mean_correction": True} for width in widths},
        "information dropout, β chosen": {width: {"method": "information", "beta": beta[width]} for width in widths},
    }
    found: dict[str, dict[float, list[float]]] = {
        name: {width: results.values("test_error", width=width, **chosen) for width, chosen in by_width.items()}
        for name, by_width in variants.items()
    }
    ours = found["information dropout, β chosen"]
    advantages = {
        name: {width: reporting.differences(other, ours[width]) for width, other in found[name].items()}
        for name in variants
    }
    compared = (
        (published, published),
        (_UNIT_MEAN, "constant log-normal noise of unit mean"),
        (_AS_DRAWN, f"constant log-normal noise of mean {_MEAN:.2f}"),
        (_RATE_CHOSEN, "binary dropout with a chosen rate"),
        ("no dropout", "no dropout"),
    )
    claims = [
        Claim.above(
            f"{f'At the smallest width ({width})' if width == small else f'Width {width}:'} information dropout has a "
            f"lower error than {text}",
            advantages[name][width],
            unit=reporting.POINTS,
            published=name in (published, _UNIT_MEAN),
        )
        for width in sorted(widths)
        for name, text in compared
    ]
    claims += [
        Claim.above(
            f"Its advantage over {text} is larger at the smallest width than at the largest",
            reporting.differences(advantages[name][small], advantages[name][max(widths)]),
            unit=reporting.POINTS,
            published=name == published,
        )
        for name, text in compared
        if name in (published, _RATE_CHOSEN)
    ]
    nats = {
        f"width {width}": reporting.curve(results, "nats", "beta", recipe.betas, method="information", width=width)
        for width in widths
    }
    pictures = [
        figures.panels(
            "error_against_size",
            "Test error against the width of the three hidden layers.",
            [(found, "test error / %", True)],
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
        "The paper gives this comparison as a figure without numbers.",
        f"The paper states noise of unit mean, but a log-normal noise log N(0, α²), whose mean is {_MEAN:.2f} at α = "
        f"{_ALPHA:g}; networks are tested without noise, whose mean is then 1. Constant noise is run in both forms; "
        "information dropout has the second, and learns α.",
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
            widths=(32, 64, 128, 256),
            seeds=4,
        ),
        "full": Recipe(),
    },
    _trials,
    _report,
    needs={"widths": Entries(), "betas": Entries(), "rates": Entries()},
)
