"""Training with the information cost, and the measurements that the experiments share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import update_bn

from infoflow.layers import InformationDropout, information_cost, noise, reestimate_batch_norm, stochastic_layers
from infoflow.objectives import Objective
from infoflow.training import Fit, History, Optimizer, Player, fit
from infoflow_reproductions.harness.trial import Context
from infoflow_reproductions.information_dropout.images import Images, Part, images

_BATCH = 500


@dataclass(frozen=True)
class Settings:
    """Data and schedule of an experiment's networks.

    Parameters
    ----------
    data
        One of `images.DATA`.
    samples
        Number of training images.
    held_out
        Number of images on which settings are chosen.
    epochs
        Epochs of training.
    milestones
        Epochs after which the learning rate is divided by ten.
    batch_size
        Images per step.
    learning_rate
        Learning rate before the first milestone.
    """

    data: str
    samples: int
    held_out: int
    epochs: int
    milestones: tuple[int, ...]
    batch_size: int
    learning_rate: float

    def images(self, context: Context, *, pool: int = 1, whiten: bool = False) -> Images:
        """Return the images to train on, to choose settings on and to test on.

        Parameters
        ----------
        context
            Holds the folder of the data sets.
        pool
            Side of the blocks of pixels that are averaged.
        whiten
            Whether images are whitened.

        Returns
        -------
        Images
            The three parts.
        """
        return images(self.data, self.samples, self.held_out, pool=pool, whiten=whiten, root=context.data_root)

    def fit(self, optimizer: Literal["sgd", "adam"], **options: Any) -> Fit:
        """Return the settings of the training loop.

        Parameters
        ----------
        optimizer
            Name of the optimizer.
        **options
            Further arguments of `infoflow.training.Optimizer`.

        Returns
        -------
        Fit
            The settings.
        """
        schedule = Optimizer(optimizer, self.learning_rate, milestones=tuple(self.milestones), **options)
        return Fit(self.epochs, self.batch_size, schedule, channels_last=True)


def has_cost(network: nn.Module) -> bool:
    """Return whether a layer of the network has an information cost.

    Parameters
    ----------
    network
        Any module.

    Returns
    -------
    bool
        True if it contains information dropout.
    """
    return any(isinstance(module, InformationDropout) for module in network.modules())


class _WeightedCost(Objective):
    """Cross-entropy plus the weighted information cost, if the network has one."""

    def __init__(self, network: nn.Module, weight: float) -> None:
        super().__init__()
        self.network, self.weight, self.has_cost = network, weight, has_cost(network)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        cross_entropy = functional.cross_entropy(self.network(x), y)
        if not self.has_cost:
            self.record({"cross_entropy": cross_entropy})
            return cross_entropy
        cost = information_cost(self.network)
        self.record({"cross_entropy": cross_entropy, "information": cost})
        return cross_entropy + self.weight * cost


def train(network: nn.Module, data: Part, settings: Fit, *, beta: float, seed: int, context: Context) -> History:
    """Minimize cross-entropy + β/N · Σ_layers Σ_units KL in nats, N being the number of training samples.

    Parameters
    ----------
    network
        Classifier, trained in place.
    data
        Training images.
    settings
        Settings of the training loop.
    beta
        Weight β of the information cost. The division by N makes it comparable with that of variational dropout.
    seed
        Random seed.
    context
        Device, checkpoint and progress bar.

    Returns
    -------
    History
        A row per epoch with `cross_entropy` and, where the network has an information cost, `information`.
    """
    return fit(
        Player(network, _WeightedCost(network, beta / len(data))),
        [data.x, data.y],
        settings,
        seed=seed,
        checkpoint=context.checkpoint,
        resume=True,
        fingerprint={"beta": beta},
        progress=context.progress,
        device=context.device,
    )


def batches(x: Tensor, device: str) -> Iterator[Tensor]:
    """Yield the rows of a tensor in order, in batches on a device.

    Parameters
    ----------
    x : Tensor of shape (n, ...)
        Inputs.
    device
        Device of the batches.

    Yields
    ------
    Tensor
        At most 500 rows.
    """
    for part in torch.split(x, _BATCH):
        yield part.to(device)


def to_evaluation(network: nn.Module, data: Part, context: Context) -> None:
    """Set evaluation mode and re-estimate batch normalization, if there is any, without noise.

    Parameters
    ----------
    network
        Network that was trained with noise.
    data
        Its training images.
    context
        Holds the device.
    """
    network.eval()
    if _has_batch_norm(network):
        reestimate_batch_norm(network, batches(data.x, context.device))


def to_noisy_evaluation(network: nn.Module, data: Part, seed: int, context: Context) -> None:
    """Set evaluation mode and re-estimate batch normalization, if there is any, under the noise of the representation.

    Parameters
    ----------
    network
        Network that was trained with noise.
    data
        Its training images.
    seed
        Random seed of the noise.
    context
        Holds the device.

    Notes
    -----
    The statistics of training were gathered with binary dropout of the input, which is off in `noisy_error` and
    `noisy_representation`.
    """
    network.eval()
    if not _has_batch_norm(network):
        return
    # Layers whose noise is off below no longer count as noisy in the statistics.
    reestimate_batch_norm(network, batches(data.first(_BATCH).x, context.device))
    with _noisy(network, seed, context):
        update_bn(batches(data.x, context.device), network)


def _has_batch_norm(network: nn.Module) -> bool:
    return any(isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) for module in network.modules())


@torch.no_grad()
def error(network: nn.Module, part: Part, context: Context) -> float:
    """Return the percentage of wrong predictions in the present mode of the network.

    Parameters
    ----------
    network
        Classifier.
    part
        Images and classes.
    context
        Holds the device.

    Returns
    -------
    float
        Percent; NaN without images.
    """
    if not len(part):
        return float("nan")
    wrong = 0
    for x, y in zip(batches(part.x, context.device), torch.split(part.y, _BATCH), strict=True):
        wrong += int((network(x).argmax(1).cpu() != y).sum())
    return 100.0 * wrong / len(part)


def noisy_error(network: nn.Module, part: Part, seed: int, context: Context) -> float:
    """Return the percentage of wrong predictions with one draw of the noise.

    Parameters
    ----------
    network
        Classifier.
    part
        Images and classes.
    seed
        Random seed of the noise.
    context
        Holds the device.

    Returns
    -------
    float
        Percent.

    Notes
    -----
    Call it after `to_noisy_evaluation`: batch normalization after a noisy layer must hold the statistics under noise.
    """
    with _noisy(network, seed, context):
        return error(network, part, context)


@contextmanager
def _noisy(network: nn.Module, seed: int, context: Context) -> Iterator[None]:
    """Turn noise that limits information on, drawn from a seed, and all other noise off.

    Binary dropout of the input pixels regularizes training and is no part of the representation. The global random
    state is left as it was.
    """
    devices = [torch.device(context.device)] if context.device.startswith("cuda") else []
    with ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(devices=devices))
        for layer in stochastic_layers(network).values():
            stack.enter_context(noise(layer, layer.finite))
        torch.manual_seed(seed)
        yield


def errors(network: nn.Module, parts: Images, context: Context) -> dict[str, float]:
    """Return the errors on test and held-out images.

    Parameters
    ----------
    network
        Classifier.
    parts
        Images and classes.
    context
        Holds the device.

    Returns
    -------
    dict
        `test_error` and `held_out_error` in percent.
    """
    return {
        "test_error": error(network, parts.test, context),
        "held_out_error": error(network, parts.held_out, context),
    }


@torch.no_grad()
def costs(network: nn.Module, x: Tensor, context: Context, per: Any = "layer") -> dict[str, Tensor]:
    """Return the information cost of every sample, with the noise upstream off.

    Parameters
    ----------
    network
        Network in evaluation mode.
    x : Tensor of shape (n, ...)
        Inputs.
    context
        Holds the device.
    per
        As in `infoflow.layers.information_cost`.

    Returns
    -------
    dict
        Tensors of shape (n, ...) in nats by layer.
    """
    found: dict[str, list[Tensor]] = {}
    for batch in batches(x, context.device):
        network(batch)
        for name, cost in information_cost(network, per=per, reduction="none").items():
            found.setdefault(name.split(".")[-1], []).append(cost.cpu())
    return {name: torch.cat(parts) for name, parts in found.items()}


@torch.no_grad()
def noisy_representation(network: Any, x: Tensor, seed: int, context: Context) -> Tensor:
    """Return one draw of `network.representation(x)` with noise.

    Parameters
    ----------
    network
        Network with a method `representation`.
    x : Tensor of shape (n, ...)
        Inputs.
    seed
        Random seed of the noise.
    context
        Holds the device.

    Returns
    -------
    Tensor of shape (n, d)
        The draw, flattened.

    Notes
    -----
    Call it after `to_noisy_evaluation`: batch normalization after a noisy layer must hold the statistics under noise.
    """
    with _noisy(network, seed, context):
        return torch.cat([network.representation(batch).cpu().flatten(1) for batch in batches(x, context.device)])
