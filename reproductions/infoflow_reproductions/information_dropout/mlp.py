"""Error against size: perceptrons on MNIST with each kind of dropout."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch

from infoflow.layers import InformationDropout
from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Findings
from infoflow_reproductions.harness.lists import Entries
from infoflow_reproductions.harness.trial import Context, Results, Trial
from infoflow_reproductions.information_dropout import figures, reporting
from infoflow_reproductions.information_dropout.images import Images
from infoflow_reproductions.information_dropout.training import Settings, costs, errors, has_cost, train
from infoflow_reproductions.information_dropout.trial import MENTIONED_RATE
from infoflow_reproductions.networks.dropout_mlp import DropoutMLP
from infoflow_reproductions.networks.noisy import Dropout

_ALPHA = 0.7
_MEAN = math.exp(_ALPHA**2 / 2)
_RATE_CHOSEN, _ALPHA_CHOSEN = "binary dropout, rate chosen", "constant log-normal, α chosen"
_OURS = "information dropout, β chosen"
_AS_DRAWN, _UNIT_MEAN = f"constant log-normal, mean {_MEAN:.2f}", "constant log-normal, unit mean"
# MNIST has 60,000 training images, of which these settings hold 10,000 out.
PUBLISHED = Settings(
    "mnist", samples=50_000, held_out=10_000, epochs=80, milestones=(30, 70), batch_size=100, learning_rate=0.07
)


@dataclass(frozen=True)
class Recipe:
    """Widths, β, rates, α and seeds. Of the defaults, the paper states the schedule and three seeds.

    Parameters
    ----------
    settings
        Settings of every network.
    widths
        Widths of the three hidden layers.
    betas
        Values of β, of which held-out images choose one at each width.
    rates
        Rates of binary dropout: the one that section 8 mentions, then others; held-out images choose among all.
    alphas
        Values of α of constant noise with unit mean: the largest that is learned, then smaller ones, each half of the
        one before; held-out images choose among all.
    seeds
        Number of seeds.
    """

    settings: Settings = PUBLISHED
    widths: tuple[int, ...] = (100, 200, 400, 800)
    betas: tuple[float, ...] = (0.3, 1.0, 3.0)
    rates: tuple[float, ...] = (MENTIONED_RATE, 0.2, 0.1)
    alphas: tuple[float, ...] = (_ALPHA, 0.35, 0.175, 0.0875)
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
    alpha
        α of constant noise, and the largest α of information dropout.
    """

    rate: float
    beta: float
    method: Dropout
    width: int
    seed: int
    settings: Settings
    mean_correction: bool = False
    alpha: float = _ALPHA


def _trials(recipe: Recipe) -> list[Trial]:
    """Return every method at every width, with every value of its setting."""
    methods: list[tuple[Dropout, dict[str, Any]]] = [("none", {}), ("gaussian", {})]
    methods += [("gaussian", {"alpha": alpha, "mean_correction": True}) for alpha in recipe.alphas]
    methods += [("binary", {"rate": rate}) for rate in recipe.rates]
    methods += [("information", {"beta": beta}) for beta in recipe.betas]
    found = []
    for width in recipe.widths:
        for method, chosen in methods:
            detail = "".join(f"/{name}={value:g}" for name, value in chosen.items())
            rate, beta, alpha = (
                chosen.get(name, usual) for name, usual in (("rate", MENTIONED_RATE), ("beta", 0.0), ("alpha", _ALPHA))
            )
            for seed in range(recipe.seeds):
                one = Run(rate, beta, method, width, seed, recipe.settings, "mean_correction" in chosen, alpha)
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
        Errors in percent and, with information dropout, `nats`, `nats_per_layer` and `learned_alpha`, the geometric
        mean of α over units and test images.
    """
    settings, seed, width = chosen.settings, chosen.seed, chosen.width
    parts = Images(*(part.flattened() for part in settings.images(context)))
    inputs = parts.train.x.shape[1]
    network = DropoutMLP(
        [inputs, width, width, width, 10],
        chosen.method,
        rate=chosen.rate,
        max_alpha=chosen.alpha,
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
        (noisiest,) = {layer.noisiest for layer in network.modules() if isinstance(layer, InformationDropout)}
        # A unit transmits −log(α/α₀) nats.
        found["learned_alpha"] = noisiest * math.exp(-found["nats"] / (len(layers) * width))
    return found


def _report(recipe: Recipe, results: Results) -> Findings:
    """Report errors at the settings that the held-out images choose, and how much noise was learned."""
    widths, mentioned = recipe.widths, recipe.rates[0]
    unit_mean = {"method": "gaussian", "mean_correction": True}
    beta, rate, alpha = (
        {width: reporting.best_on_held_out(results, axis, places, width=width, **fixed) for width in widths}
        for axis, places, fixed in (
            ("beta", recipe.betas, {"method": "information"}),
            ("rate", recipe.rates, {"method": "binary"}),
            ("alpha", recipe.alphas, unit_mean),
        )
    )
    variants: dict[str, dict[int, dict[str, Any]]] = {
        "no dropout": {width: {"method": "none"} for width in widths},
        f"binary dropout, rate {mentioned:g}": {width: {"method": "binary", "rate": mentioned} for width in widths},
        _AS_DRAWN: {width: {"method": "gaussian", "mean_correction": False} for width in widths},
        _UNIT_MEAN: {width: {**unit_mean, "alpha": recipe.alphas[0]} for width in widths},
        _OURS: {width: {"method": "information", "beta": beta[width]} for width in widths},
    }
    if len(recipe.rates) > 1:
        variants[_RATE_CHOSEN] = {width: {"method": "binary", "rate": rate[width]} for width in widths}
    if len(recipe.alphas) > 1:
        variants[_ALPHA_CHOSEN] = {width: {**unit_mean, "alpha": alpha[width]} for width in widths}
    found: dict[str, dict[float, list[float]]] = {
        name: {width: results.values("test_error", width=width, **chosen) for width, chosen in by_width.items()}
        for name, by_width in variants.items()
    }
    learned: dict[float, list[float]] = {
        width: results.values("learned_alpha", width=width, **chosen) for width, chosen in variants[_OURS].items()
    }
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
    chosen = "; ".join(
        f"width {width}: β = {beta[width]:g}, binary rate {rate[width]:g}, constant α {alpha[width]:g}"
        for width in widths
    )
    noise = "; ".join(
        f"width {width}: α = {mean:.2g}, variance {_variance(mean):.2g}"
        for width, mean in ((width, sum(values) / len(values)) for width, values in learned.items())
    )
    largest = recipe.alphas[0]
    notes = [
        f"Chosen on held-out images (mean error over seeds): {chosen}.",
        "The paper gives this comparison as a figure without numbers.",
        f"The paper calls the noise unit-mean but defines it as log N(0, α²), whose mean is {_MEAN:.2f} at α = "
        f"{_ALPHA:g}. At test time the factor is 1. Constant noise is run in both forms; information dropout uses "
        "log N(0, α²).",
        f"Constant noise at α = {largest:g} has the variance {_variance(largest):.2f} with unit mean and "
        f"{_variance(largest) * math.exp(largest**2):.2f} as log N(0, α²). Of the learned noise, the geometric mean of "
        f"α and the variance of noise of unit mean with it are: {noise}. Where that is smaller, an advantage over "
        f"constant noise at α = {largest:g} may be that of less noise; constant noise with a chosen α is the control.",
    ]
    rows = [row for name, each in found.items() for row in reporting.rows(f"test error, {name}", each, "%", "width ")]
    rows += reporting.rows("geometric mean of the learned α", learned, "", "width ")
    return Findings(rows, (), pictures, notes)


def _variance(alpha: float) -> float:
    """The variance of log-normal noise of unit mean."""
    return math.exp(alpha**2) - 1


EXPERIMENT = Experiment(
    "information-dropout",
    "mlp",
    "Information dropout: error against size, perceptrons on MNIST",
    {
        "smoke": Recipe(
            replace(PUBLISHED, data="toy-digits", samples=600, held_out=200, epochs=2, milestones=(1,), batch_size=50),
            widths=(8, 16),
            betas=(0.1, 1.0),
            rates=(0.5, 0.1),
            alphas=(0.7, 0.35),
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
    needs={"widths": Entries(), "betas": Entries(), "rates": Entries(), "alphas": Entries()},
)
