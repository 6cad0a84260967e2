"""A training step with information dropout beside the same network with nn.Dropout: what the branch costs."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

import torch
from infoflow_reproductions.networks.all_cnn import all_cnn_32
from torch import Tensor, nn
from torch.nn import functional

from infoflow.layers import InformationDropout, information_cost, noise, reestimate_batch_norm
from infoflow_benchmarks.speed.row import Row
from infoflow_benchmarks.speed.timing import compare, torch_threads

NAME = "information-dropout"
# At most 1.6 times as long as the network with nn.Dropout.
WANTED = 1 / 1.6
CLASSES = 10


def plain(network: nn.Module) -> nn.Module:
    """The network as one would write it without our layers: norm, activation and nn.Dropout after the same hosts."""
    network = copy.deepcopy(network)
    for name, layer in list(network.named_modules()):
        if isinstance(layer, InformationDropout):
            parent = network.get_submodule(name.rpartition(".")[0])
            setattr(
                parent, name.rpartition(".")[2], nn.Sequential(layer.host, layer.norm, layer.activation, nn.Dropout())
            )
    return network


def every_layer(layers: list[nn.Conv2d] | list[nn.Linear], *, norm: bool) -> nn.Module:
    """A stack in which every layer has noise of its own: the dearest case."""
    body = [InformationDropout(layer, norm=norm) for layer in layers]
    last = layers[-1]
    if isinstance(last, nn.Conv2d):
        return nn.Sequential(*body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(last.out_channels, CLASSES))
    return nn.Sequential(*body, nn.Linear(last.out_features, CLASSES))


def step(network: nn.Module, x: Tensor, y: Tensor, beta: float) -> Callable[[], None]:
    """Forward, backward and plain gradient descent."""
    optimizer = torch.optim.SGD(network.parameters(), 1e-3)

    def run() -> None:
        optimizer.zero_grad()
        loss = functional.cross_entropy(network(x), y)
        if beta:
            loss = loss + beta * information_cost(network)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return run


def run(quick: bool = False) -> Iterator[Row]:
    """All-CNN-32 with noise where it strides, as published; then networks with noise on every layer."""
    widths, batch = ([8, 8], 4) if quick else ([32, 64, 128], 32)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        fans = [3, *widths]
        convolutions = [nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in zip(fans, widths, strict=False)]
        linear = [nn.Linear(a, b) for a, b in zip([784, *widths], widths, strict=False)]
        images, rows = torch.randn(batch, 3, 32, 32), torch.randn(100, 784)
        cases = [
            ("All-CNN-32, half width", all_cnn_32(width=1 / 16 if quick else 0.5, keep=1.0), images, WANTED),
            ("every layer a noisy convolution", every_layer(convolutions, norm=True), images, WANTED),
            ("every layer noisy and linear", every_layer(linear, norm=False), rows, None),
        ]
        for name, network, x, wanted in cases:
            yield _row(name, network, x, wanted, quick)


def _row(name: str, network: nn.Module, x: Tensor, wanted: float | None, quick: bool) -> Row:
    y = torch.arange(len(x)) % CLASSES
    reference = plain(network)
    with torch_threads(1):
        pair = compare(step(network, x, y, 1e-3), step(reference, x, y, 0.0), quick=quick)
    return pair.row(
        NAME,
        f"{name}, batch {len(x)}",
        "the same network with nn.Dropout",
        wanted_ratio=wanted,
        same=False,
        difference=_difference(network, x),
        note="one thread; forward, backward and SGD; the difference is that of logits with the noise off",
    )


@torch.no_grad()
def _difference(network: nn.Module, x: Tensor) -> float:
    if any(isinstance(module, nn.BatchNorm2d) for module in network.modules()):
        reestimate_batch_norm(network, [x])
    network.eval()
    with noise(network, False):
        return float((network(x) - plain(network).eval()(x)).abs().max())
