"""A training step with information dropout, compared with the same network with nn.Dropout."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from functools import partial

import torch
from infoflow_reproductions.networks.all_cnn import all_cnn_32
from torch import Tensor, nn
from torch.nn import functional

from infoflow.layers import InformationDropout, information_cost, noise, reestimate_batch_norm
from infoflow_benchmarks.speed.comparison import Comparison, Timing, training_step
from infoflow_benchmarks.speed.timing import torch_threads

# A step should take at most 1.6 times as long as with nn.Dropout.
TARGET = 1 / 1.6
CLASSES = 10
BETA = 1e-3


def plain(network: nn.Module) -> nn.Module:
    """The network without our layers: norm, activation and nn.Dropout after the same linear layers."""
    network = copy.deepcopy(network)
    for name, layer in list(network.named_modules()):
        if isinstance(layer, InformationDropout):
            parent, _, child = name.rpartition(".")
            replaced = nn.Sequential(layer.host, layer.norm, layer.activation, nn.Dropout())
            setattr(network.get_submodule(parent), child, replaced)
    return network


def every_layer(layers: list[nn.Conv2d] | list[nn.Linear], *, norm: bool) -> nn.Module:
    """A stack in which every layer has noise of its own: the most expensive case."""
    body = [InformationDropout(layer, norm=norm) for layer in layers]
    last = layers[-1]
    if isinstance(last, nn.Conv2d):
        return nn.Sequential(*body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(last.out_channels, CLASSES))
    return nn.Sequential(*body, nn.Linear(last.out_features, CLASSES))


def step(network: nn.Module, x: Tensor, cost: Callable[[], Tensor] | None = None) -> Callable[[], float]:
    """Forward, backward and plain gradient descent."""
    y = torch.arange(len(x)) % CLASSES
    optimizer = torch.optim.SGD(network.parameters(), 1e-3)
    return training_step(optimizer, lambda: functional.cross_entropy(network(x), y), cost)


def weighted_cost(network: nn.Module) -> Tensor:
    return BETA * information_cost(network)


@torch.no_grad()
def difference_without_noise(network: nn.Module, x: Tensor, _: Timing) -> float:
    """The largest difference of the logits from those of the plain network."""
    if any(isinstance(module, nn.BatchNorm2d) for module in network.modules()):
        reestimate_batch_norm(network, [x])
    network.eval()
    with noise(network, False):
        return float((network(x) - plain(network).eval()(x)).abs().max())


def cases(quick: bool = False) -> Iterator[Comparison]:
    """All-CNN-32 with noise in its strided layers, as published; then networks with noise on every layer."""
    widths, batch = ([8, 8], 4) if quick else ([32, 64, 128], 32)
    with torch.random.fork_rng(devices=[]), torch_threads(1):
        torch.manual_seed(0)
        fans = [3, *widths]
        convolutions = [nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in zip(fans, widths, strict=False)]
        linear = [nn.Linear(a, b) for a, b in zip([784, *widths], widths, strict=False)]
        images, rows = torch.randn(batch, 3, 32, 32), torch.randn(100, 784)
        networks = [
            ("All-CNN-32, half width", all_cnn_32(width=1 / 16 if quick else 0.5, keep=1.0), images, TARGET),
            ("every layer a noisy convolution", every_layer(convolutions, norm=True), images, TARGET),
            ("every layer noisy and linear", every_layer(linear, norm=False), rows, None),
        ]
        for name, network, x, target in networks:
            yield Comparison(
                f"{name}, batch {len(x)}",
                "the same network with nn.Dropout",
                step(network, x, partial(weighted_cost, network)),
                step(plain(network), x),
                target,
                partial(difference_without_noise, network, x),
                note="one thread; forward, backward and SGD; the difference is that of logits with the noise off",
            )
