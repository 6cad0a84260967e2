"""One network trained with the information cost, as every experiment here does it, and what is measured after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from infoflow.layers import InformationDropout, information_cost, noise, reestimate_batch_norm
from infoflow.objectives.loss import Loss
from infoflow.training import Fit, History, Optimizer, Player, fit
from infoflow_reproductions.harness.trial import Context
from infoflow_reproductions.information_dropout.pictures import Part

_BATCH = 500


@dataclass(frozen=True)
class Schedule:
    """Stochastic gradient descent with momentum; the learning rate is a tenth after each milestone."""

    epochs: int
    batch_size: int
    learning_rate: float
    milestones: tuple[int, ...]
    """Epochs."""
    momentum: float = 0.9
    nesterov: bool = True
    weight_decay: float = 0.0

    @property
    def fit(self) -> Fit:
        """As the training loop takes it."""
        return Fit(
            self.epochs,
            self.batch_size,
            Optimizer(
                "sgd",
                self.learning_rate,
                momentum=self.momentum,
                nesterov=self.nesterov,
                weight_decay=self.weight_decay,
                milestones=tuple(self.milestones),
            ),
            channels_last=True,
        )


def has_cost(network: nn.Module) -> bool:
    """Whether a layer of it has an information cost."""
    return any(isinstance(module, InformationDropout) for module in network.modules())


def train(network: nn.Module, data: Part, schedule: Schedule, *, beta: float, seed: int, context: Context) -> History:
    """Minimizes cross-entropy + β/N · Σ_layers Σ_units KL, N = the number of training samples, all in nats.

    Dividing by N makes β comparable with that of variational dropout; it is what the paper's figures are for.
    """
    priced = has_cost(network)

    def loss(x: Tensor, y: Tensor) -> Loss:
        cross_entropy = functional.cross_entropy(network(x), y)
        if not priced:
            return Loss(cross_entropy, {"cross_entropy": cross_entropy.detach()})
        cost = information_cost(network)
        terms = {"cross_entropy": cross_entropy.detach(), "information": cost.detach()}
        return Loss(cross_entropy + beta / len(data) * cost, terms)

    return fit(
        Player(network, loss),
        [data.x, data.y],
        schedule.fit,
        seed=seed,
        checkpoint=context.checkpoint,
        resume=True,
        fingerprint={"beta": beta},
        progress=context.progress,
        device=context.device,
    )


def batches(x: Tensor, device: str, size: int = _BATCH) -> Iterator[Tensor]:
    """In order."""
    for part in torch.split(x, size):
        yield part.to(device)


def settle(network: nn.Module, data: Part, context: Context) -> None:
    """Evaluation mode, with batch normalization (if any) re-estimated on the training images with the noise off."""
    network.eval()
    if any(isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) for module in network.modules()):
        reestimate_batch_norm(network, batches(data.x, context.device))


@torch.no_grad()
def error(network: nn.Module, part: Part, context: Context) -> float:
    """The share of wrong predictions, in per cent; the network in the mode that it is in."""
    if not len(part):
        return float("nan")
    wrong = 0
    for x, y in zip(batches(part.x, context.device), torch.split(part.y, _BATCH), strict=True):
        wrong += int((network(x).argmax(1).cpu() != y).sum())
    return 100.0 * wrong / len(part)


@torch.no_grad()
def costs(network: nn.Module, x: Tensor, context: Context, per: Any = "layer") -> dict[str, Tensor]:
    """`information_cost(per=...)` of every sample, noise off upstream: {layer: (n, ...)}, in nats."""
    found: dict[str, list[Tensor]] = {}
    for batch in batches(x, context.device):
        network(batch)
        for name, cost in information_cost(network, per=per, reduction="none").items():
            found.setdefault(name.split(".")[-1], []).append(cost.cpu())
    return {name: torch.cat(parts) for name, parts in found.items()}


@torch.no_grad()
def noisy_representation(network: Any, x: Tensor, seed: int, context: Context) -> Tensor:
    """One draw of `network.representation(x)`, its noise on, flattened to (n, d).

    To be taken before `settle`: what follows a noisy layer is normalized by statistics gathered under noise.
    """
    devices = [torch.device(context.device)] if context.device.startswith("cuda") else []
    with torch.random.fork_rng(devices=devices), noise(network, True):
        torch.manual_seed(seed)
        return torch.cat([network.representation(batch).cpu().flatten(1) for batch in batches(x, context.device)])
