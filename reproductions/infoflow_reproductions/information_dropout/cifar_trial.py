"""One All-CNN on CIFAR-10, plain or occluded: the trial of four experiments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

from infoflow.entropies.total_correlation import total_correlation
from infoflow.layers import forget_costs
from infoflow_reproductions.harness.trial import Context, Trial
from infoflow_reproductions.information_dropout.nuisance import nuisance_accuracy
from infoflow_reproductions.information_dropout.pictures import Pictures, pictures
from infoflow_reproductions.information_dropout.training import (
    Schedule,
    costs,
    error,
    has_cost,
    noisy_representation,
    settle,
    train,
)
from infoflow_reproductions.networks.all_cnn import AllCNN, all_cnn_32

# Test images that information and correlation are measured on: means over these hardly vary.
_MEASURED = 2000


@dataclass(frozen=True)
class Settings:
    """How every network of an experiment is trained; the paper's, unless a scale says otherwise."""

    data: str = "cifar10"
    samples: int = 50_000
    held_out: int = 0
    pool: int = 1
    epochs: int = 200
    milestones: tuple[int, ...] = (80, 120, 160)
    batch_size: int = 100
    learning_rate: float = 0.05
    weight_decay: float = 1e-3
    keep: float = 0.8


PUBLISHED = Settings()


def trial(settings: Settings, *, method: str, width: float, beta: float, seed: int, activation: str = "relu") -> Trial:
    """The trial of these settings, named after what differs within an experiment.

    >>> trial(Settings(), method="information", width=0.25, beta=3.0, seed=0).name
    'information/relu/width=0.25/beta=3/seed=0'
    """
    plain = {**asdict(settings), "milestones": list(settings.milestones)}
    name = f"{method}/{activation}/width={width:g}/beta={beta:g}/seed={seed}"
    own = {"method": method, "width": width, "beta": beta, "activation": activation, "seed": seed}
    return Trial(name, run, {**own, **plain})


def run(
    *,
    context: Context,
    method: str,
    width: float,
    beta: float,
    activation: str,
    seed: int,
    data: str,
    samples: int,
    held_out: int,
    pool: int,
    epochs: int,
    milestones: Sequence[int],
    batch_size: int,
    learning_rate: float,
    weight_decay: float,
    keep: float,
) -> Mapping[str, Any]:
    """Trains one network and measures what it lets through.

    Errors in per cent; `nats` over all dropout layers, `nats_per_layer`, `nats_per_unit` (sorted within a layer),
    `total_correlation` of log z at the last dropout (Softplus only: ReLU's zeros have no logarithm), and, where images
    have a nuisance label, `nuisance_accuracy` (per cent) of a head on the noisy last representation.
    """
    parts = pictures(data, samples, held_out, pool=pool, whiten=True, root=context.data_root)
    network = all_cnn_32(
        method, width=width, keep=keep, activation=activation, channels=parts.train.x.shape[1], seed=seed
    ).to(context.device)
    schedule = Schedule(epochs, batch_size, learning_rate, tuple(milestones), weight_decay=weight_decay)
    history = train(network, parts.train, schedule, beta=beta, seed=seed, context=context)
    network.eval()
    found: dict[str, Any] = {"train_cross_entropy": history[-1]["cross_entropy"]}
    if has_cost(network):
        found["information_curve"] = [row["information"] for row in history if "information" in row]
        found |= _noisy_measures(network, parts, activation, seed, context)
    settle(network, parts.train, context)
    found["test_error"] = error(network, parts.test, context)
    found["held_out_error"] = error(network, parts.held_out, context)
    if has_cost(network):
        found |= _nats(network, parts, context)
    forget_costs(network)
    return found


def _noisy_measures(network: AllCNN, parts: Pictures, activation: str, seed: int, context: Context) -> dict[str, Any]:
    """What needs the noise on, before batch normalization is settled for noise off."""
    found: dict[str, Any] = {}
    if "nuisance" in parts.train.factors:
        found["nuisance_accuracy"] = nuisance_accuracy(network, parts, seed, context)
    if activation == "softplus":
        some = parts.test.first(_MEASURED)
        z = noisy_representation(network, some.x, seed, context)
        channels = network.units
        # A sample is one place of one image: the units of a convolution are its channels.
        units = z.reshape(len(z), channels, -1).movedim(1, 2).reshape(-1, channels).clamp_min(1e-30).log()
        tc = total_correlation(units)
        found["total_correlation"] = tc.nats
        found["total_correlation_per_unit"] = tc.nats / channels
    return found


def _nats(network: AllCNN, parts: Pictures, context: Context) -> dict[str, Any]:
    units = costs(network, parts.test.first(_MEASURED).x, context, per="unit")
    per_unit = {name: cost.mean(0).sort(descending=True).values for name, cost in units.items()}
    return {
        "nats": float(torch.stack([cost.sum() for cost in per_unit.values()]).sum()),
        "nats_per_layer": {name: float(cost.sum()) for name, cost in per_unit.items()},
        "nats_per_unit": {name: cost.tolist() for name, cost in per_unit.items()},
    }
