"""Error against size: perceptrons on MNIST with each of the dropouts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Claim, Figure, Findings, Row
from infoflow_reproductions.harness.trial import Context, Results, Trial
from infoflow_reproductions.information_dropout import figures
from infoflow_reproductions.information_dropout.pictures import Part, pictures
from infoflow_reproductions.information_dropout.reporting import best_on_held_out, by, differences, per_seed
from infoflow_reproductions.information_dropout.training import Schedule, costs, error, has_cost, train
from infoflow_reproductions.networks.dropout_mlp import DropoutMLP

PUBLISHED_RATE = 0.5
_METHODS = {
    "none": "no dropout",
    "binary": "binary dropout",
    "gaussian": "constant log-normal",
    "information": "information dropout",
}


@dataclass(frozen=True)
class Recipe:
    """Widths of the three hidden layers; β and the rate of binary dropout are chosen on held-out images."""

    data: str = "mnist"
    samples: int = 50_000
    held_out: int = 10_000
    widths: tuple[int, ...] = (100, 200, 400, 800)
    betas: tuple[float, ...] = (0.3, 1.0, 3.0)
    rates: tuple[float, ...] = (PUBLISHED_RATE, 0.2, 0.1)
    epochs: int = 80
    milestones: tuple[int, ...] = (30, 70)
    batch_size: int = 100
    learning_rate: float = 0.07
    seeds: int = 3


RECIPES = {
    "smoke": Recipe(
        data="toy-digits",
        samples=600,
        held_out=200,
        widths=(8, 16),
        betas=(0.1, 1.0),
        rates=(0.5,),
        epochs=2,
        milestones=(1,),
        batch_size=50,
        seeds=2,
    ),
    "cpu": Recipe(samples=10_000, widths=(32, 64, 128), rates=(PUBLISHED_RATE, 0.2), epochs=12, milestones=(6, 10)),
    "full": Recipe(),
}


def trials(recipe: Recipe) -> list[Trial]:
    """Every method at every width, with every setting that it can have."""
    shared = {
        "data": recipe.data,
        "samples": recipe.samples,
        "held_out": recipe.held_out,
        "epochs": recipe.epochs,
        "milestones": list(recipe.milestones),
        "batch_size": recipe.batch_size,
        "learning_rate": recipe.learning_rate,
    }
    settings: list[dict[str, Any]] = [{"method": "none"}, {"method": "gaussian"}]
    settings += [{"method": "binary", "rate": rate} for rate in recipe.rates]
    settings += [{"method": "information", "beta": beta} for beta in recipe.betas]
    found = []
    for width in recipe.widths:
        for chosen in settings:
            for seed in range(recipe.seeds):
                detail = "".join(f"/{k}={v:g}" for k, v in chosen.items() if k != "method")
                found.append(
                    Trial(
                        f"{chosen['method']}{detail}/width={width}/seed={seed}",
                        run,
                        {"rate": PUBLISHED_RATE, "beta": 0.0, **chosen, "width": width, "seed": seed, **shared},
                    )
                )
    return found


def run(
    *,
    context: Context,
    data: str,
    samples: int,
    held_out: int,
    method: str,
    rate: float,
    beta: float,
    width: int,
    seed: int,
    epochs: int,
    milestones: Sequence[int],
    batch_size: int,
    learning_rate: float,
) -> Mapping[str, Any]:
    """Trains one perceptron; its errors in per cent, and its nats per layer where it has any."""
    parts = pictures(data, samples, held_out, root=context.data_root)
    train_part, held, test = (Part(part.x.flatten(1), part.y) for part in parts)
    network = DropoutMLP([train_part.x.shape[1], width, width, width, 10], method, rate=rate, seed=seed)
    network.to(context.device)
    # The paper names neither momentum nor batch size for this network: those of its other networks.
    schedule = Schedule(epochs, batch_size, learning_rate, tuple(milestones))
    history = train(network, train_part, schedule, beta=beta, seed=seed, context=context)
    network.eval()
    found: dict[str, Any] = {
        "test_error": error(network, test, context),
        "held_out_error": error(network, held, context),
        "train_cross_entropy": history[-1]["cross_entropy"],
    }
    if has_cost(network):
        layers = costs(network, test.x, context)
        found["nats"] = float(torch.stack(list(layers.values())).sum(0).mean())
        found["nats_per_layer"] = {name: float(cost.mean()) for name, cost in layers.items()}
    return found


def report(recipe: Recipe, results: Results) -> Findings:
    """Errors at the settings that the held-out images chose, and who is better than whom."""
    rows, chosen_notes = [], []
    chosen: dict[tuple[str, int], dict[str, float]] = {}
    for width in recipe.widths:
        beta = best_on_held_out(results, "beta", recipe.betas, method="information", width=width)
        rate = best_on_held_out(results, "rate", recipe.rates, method="binary", width=width)
        chosen_notes.append(f"width {width}: β = {beta:g}, binary rate {rate:g}")
        chosen["none", width], chosen["gaussian", width] = {}, {}
        chosen["binary", width] = {"rate": recipe.rates[0]}
        chosen["tuned", width], chosen["information", width] = {"rate": rate}, {"beta": beta}
    named = {
        "none": _METHODS["none"],
        "binary": f"binary dropout, rate {recipe.rates[0]:g}",
        "tuned": "binary dropout, rate chosen",
        "gaussian": _METHODS["gaussian"],
        "information": f"{_METHODS['information']}, β chosen",
    }
    errors: dict[str, dict[float, list[float]]] = {}
    for key, name in named.items():
        method = "binary" if key == "tuned" else key
        errors[name] = {
            width: per_seed(results, "test_error", method=method, width=width, **chosen[key, width])
            for width in recipe.widths
        }
        rows += [Row(f"test error, {name}, width {w}", values, "%") for w, values in errors[name].items()]
    small = min(recipe.widths)
    ours = errors[named["information"]][small]
    claims = [
        Claim.above(
            f"At the smallest width ({small}) information dropout errs less than {named['binary']}",
            differences(errors[named["binary"]][small], ours),
            unit="%",
        ),
        Claim.above(
            f"At the smallest width ({small}) information dropout errs less than constant log-normal noise",
            differences(errors[named["gaussian"]][small], ours),
            unit="%",
        ),
        Claim.above(
            f"At the smallest width ({small}) information dropout errs less than binary dropout whose rate is chosen",
            differences(errors[named["tuned"]][small], ours),
            unit="%",
            published=False,
        ),
        Claim.above(
            f"At the smallest width ({small}) information dropout errs less than no dropout",
            differences(errors[named["none"]][small], ours),
            unit="%",
            published=False,
        ),
    ]
    nats = {
        f"width {w}": by(results, "nats", "beta", recipe.betas, method="information", width=w) for w in recipe.widths
    }
    pictures_ = [
        Figure(
            "error_against_size",
            "Test error against the width of the three hidden layers; dots are seeds, bars "
            "the 95 % interval of their mean.",
            lambda canvas: figures.beside(canvas, [(errors, "test error (%)", True)], xlabel="hidden width"),
        ),
        Figure(
            "nats_against_beta",
            "What information dropout lets through, all layers together, mean over test images.",
            lambda canvas: figures.beside(canvas, [(nats, "nats per image", True)], xlabel="β"),
        ),
    ]
    notes = [
        "Chosen on held-out images (mean error over seeds): " + "; ".join(chosen_notes) + ".",
        "The paper gives this comparison as a figure; it names neither batch size, momentum nor β for it.",
    ]
    return Findings(rows, claims, pictures_, notes)


EXPERIMENT = Experiment(
    "information-dropout",
    "mlp",
    "Information dropout: error against size, perceptrons on MNIST",
    RECIPES,
    trials,
    report,
)
