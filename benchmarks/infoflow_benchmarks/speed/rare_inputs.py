"""Training where most inputs are 0 nearly always, as at the border of images, compared with torch's optimizer alone.

The momentum of their weights decays to denormal numbers, on which a step of the optimizer is slow.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor, nn

from infoflow.models import MLP
from infoflow.training import Training, train
from infoflow_benchmarks.speed.comparison import Comparison, Row, Timing
from infoflow_benchmarks.speed.timing import torch_threads

INPUTS, HIDDEN, CLASSES = 784, 1024, 10
RARE = 600
"""Inputs that are not 0 in the first batch alone."""
BATCH, RATE = 64, 1e-3


def samples(size: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(size, INPUTS, generator=generator)
    x[BATCH:, :RARE] = 0
    return x, torch.randint(0, CLASSES, (size,), generator=generator)


def ours(x: Tensor, y: Tensor) -> MLP:
    network = MLP([INPUTS, HIDDEN, CLASSES], "relu")
    settings = Training(epochs=1, batch_size=BATCH, learning_rate=RATE, shuffle=False)
    train(network, (x, y), settings, snapshots=[1])
    return network


def plain(x: Tensor, y: Tensor) -> MLP:
    """The same loop by hand, with torch's fused Adam."""
    network = MLP([INPUTS, HIDDEN, CLASSES], "relu")
    loss, optimizer = nn.CrossEntropyLoss(), torch.optim.Adam(network.parameters(), lr=RATE, fused=True)
    for inputs, labels in zip(torch.split(x, BATCH), torch.split(y, BATCH), strict=True):
        optimizer.zero_grad()
        loss(network(inputs), labels).backward()
        optimizer.step()
    return network


def of_weights(timing: Timing) -> float:
    pairs = zip(timing.ours.parameters(), timing.reference.parameters(), strict=True)
    return max(float((one - other).detach().abs().max()) for one, other in pairs)


def cases(quick: bool = False) -> Iterator[Row]:
    """One epoch of many batches, so that the rare inputs are seen once."""
    steps = 4 if quick else 2000
    x, y = samples(steps * BATCH)
    case = f"{steps} steps, {INPUTS}-{HIDDEN}-{CLASSES}, {RARE} inputs that are not 0 in the first batch alone"
    with torch_threads(1):
        yield Comparison(
            case,
            "the same steps of torch's fused Adam",
            partial(ours, x, y),
            partial(plain, x, y),
            target_ratio=2.0,
            difference=of_weights,
            note="one thread; the difference is that of weights",
        ).measure(quick)
